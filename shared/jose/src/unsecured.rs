//! Unsecured JWTs (RFC 7519 §6), whose claims have no signature. They serve as request objects of clients that registered `none`.
//! [`crate::Jwt`] cannot hold one.

use crate::MAX_JWT_LENGTH;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// Returns the claims of an unsecured JWT, whose `alg` is `none` and whose signature is empty; `None` for any other text.
pub fn unsecured_claims(text: &str) -> Option<Map<String, Value>> {
    if text.len() > MAX_JWT_LENGTH {
        return None;
    }
    let (header, rest) = text.split_once('.')?;
    let payload = rest.strip_suffix('.').filter(|payload| !payload.contains('.'))?;
    let header = object(header)?;
    if header.get("alg")? != "none" || header.contains_key("crit") || header.contains_key("b64") {
        return None;
    }
    object(payload)
}

/// Returns a part of a JWT: an object without repeated members (RFC 7519 §4).
fn object(part: &str) -> Option<Map<String, Value>> {
    match types::json::unambiguous(&URL_SAFE_NO_PAD.decode(part).ok()?) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_an_unsecured_jwt_is_one() {
        let make = |header: &str, tail: &str| {
            format!("{}.{}{tail}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(r#"{"a":1}"#))
        };
        assert_eq!(unsecured_claims(&make(r#"{"alg":"none"}"#, ".")).unwrap()["a"], 1);
        for (header, tail) in [
            (r#"{"alg":"none"}"#, ""),
            (r#"{"alg":"none"}"#, ".e30"),
            (r#"{"alg":"none"}"#, ".."),
            (r#"{"alg":"None"}"#, "."),
            (r#"{"alg":"ES256"}"#, "."),
            (r#"{"alg":"none","crit":["x"]}"#, "."),
            (r#"{}"#, "."),
            ("[]", "."),
        ] {
            assert_eq!(unsecured_claims(&make(header, tail)), None, "{header} {tail}");
        }
    }
}
