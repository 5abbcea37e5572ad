//! Software statements (RFC 7591 §2.3): claims about software by a trusted issuer.

use crate::jwt::{self, NotNow};
use serde_json::{Map, Value};
use std::fmt::Display;
use types::{Error, ErrorCode, Issuer, Timestamp};

/// Checks the audience and the time of a statement. The caller has verified the signature. Errors:
/// `invalid_software_statement`.
pub fn check(claims: &Map<String, Value>, issuer: &Issuer, now: Timestamp) -> Result<(), Error> {
    if !jwt::is_for(claims, issuer) {
        return Err(invalid("its aud is not this server"));
    }
    jwt::check_time(claims, now).map_err(|problem| match problem {
        NotNow::Unreadable => invalid("its exp and nbf are not seconds since the epoch"),
        NotNow::Expired => invalid("it has expired"),
        NotNow::TooEarly => invalid("its nbf has not come"),
    })
}

/// Returns `invalid_software_statement` (RFC 7591 §3.2.2) with a reason.
pub fn invalid(reason: impl Display) -> Error {
    Error::new(ErrorCode::InvalidSoftwareStatement, format!("software_statement: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: u64 = 1_800_000_000;
    const HERE: &str = "https://id.example";

    #[test]
    fn a_statement_is_for_this_server_and_now() {
        let good =
            |claims: Value| check(claims.as_object().unwrap(), &Issuer::new(HERE), Timestamp::from_secs(NOW)).is_ok();
        for claims in [
            json!({}),
            json!({ "aud": HERE, "exp": NOW + 1, "nbf": NOW }),
            json!({ "aud": ["https://other.example", HERE] }),
            json!({ "exp": NOW - 29, "nbf": NOW + 30 }),
            json!({ "exp": NOW as f64 + 0.5 }),
        ] {
            assert!(good(claims.clone()), "{claims}");
        }
        for claims in [
            json!({ "aud": "https://other.example" }),
            json!({ "aud": [] }),
            json!({ "aud": 1 }),
            json!({ "exp": NOW - 30 }),
            json!({ "exp": "never" }),
            json!({ "exp": null }),
            json!({ "nbf": NOW + 31 }),
            json!({ "nbf": true }),
        ] {
            assert!(!good(claims.clone()), "{claims}");
        }
    }
}
