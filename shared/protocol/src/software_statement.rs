//! Software statements: what somebody whom the deployment trusts says of a client's software (RFC 7591 §2.3).

use crate::json::numeric_date;
use crate::{CLOCK_SKEW, Error, ErrorCode, Timestamp};
use serde_json::{Map, Value};
use std::fmt::Display;

/// Whether a statement is for this server, and now. That its issuer signed it is for the caller to have verified.
pub fn check(claims: &Map<String, Value>, issuer: &str, now: Timestamp) -> Result<(), Error> {
    let is_for_us = match claims.get("aud") {
        None => true,
        Some(Value::Array(several)) => several.iter().any(|one| one == issuer),
        Some(one) => one == issuer,
    };
    if !is_for_us {
        return Err(invalid("its aud is not this server"));
    }
    let date =
        |name| numeric_date(claims, name).map_err(|_| invalid("its exp and nbf are not seconds since the epoch"));
    if date("exp")?.is_some_and(|end| end.after(CLOCK_SKEW).is_past(now)) {
        return Err(invalid("it has expired"));
    }
    if date("nbf")?.is_some_and(|begin| begin > now.after(CLOCK_SKEW)) {
        return Err(invalid("its nbf has not come"));
    }
    Ok(())
}

/// `invalid_software_statement` (RFC 7591 §3.2.2), explained.
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
        let good = |claims: Value| check(claims.as_object().unwrap(), HERE, Timestamp::from_secs(NOW)).is_ok();
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
