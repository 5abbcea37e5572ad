//! Software statements: what somebody whom the deployment trusts says of a client's software (RFC 7591 §2.3).

use jose::Jwt;
use protocol::{Error, ErrorCode, Timestamp};
use runtime::{Context, KeyError, KeySource};
use serde_json::{Map, Value};

/// The claims of a statement that was verified when its client was registered.
pub(crate) fn claims(statement: &str) -> Option<Map<String, Value>> {
    match Jwt::parse(statement)?.unverified_claims()? {
        Value::Object(claims) => Some(claims),
        _ => None,
    }
}

/// The claims of a statement. One by nobody known is not approved; one that its issuer did not sign, or that is past
/// its time, is invalid (§3.2.2).
pub(crate) async fn verify(statement: &str, context: &Context, now: Timestamp) -> Result<Map<String, Value>, Error> {
    let invalid = |reason: &dyn std::fmt::Display| {
        Error::new(ErrorCode::InvalidSoftwareStatement, format!("software_statement: {reason}"))
    };
    let jwt = Jwt::parse(statement).ok_or_else(|| invalid(&"it is not a JWT signed by an asymmetric algorithm"))?;
    let claims = jwt.unverified_claims().ok_or_else(|| invalid(&"its claims are not an object"))?;
    let issuer = claims.get("iss").and_then(Value::as_str).ok_or_else(|| invalid(&"it has no iss"))?;
    let issuers = &context.config.registration.statement_issuers;
    let trusted = issuers.iter().find(|trusted| trusted.issuer == issuer).ok_or_else(|| {
        Error::new(ErrorCode::UnapprovedSoftwareStatement, "software_statement: its issuer is not trusted here")
    })?;
    let keys = KeySource::either(trusted.jwks.as_ref(), trusted.jwks_uri.as_deref())
        .ok_or_else(|| invalid(&KeyError::NoKeySet))?;
    let Value::Object(claims) = context.verify_by(&jwt, keys, now).await.map_err(|error| invalid(&error))? else {
        return Err(invalid(&"its claims are not an object"));
    };
    let is_for_us = |aud: &Value| match aud {
        Value::Array(all) => all.iter().any(|one| one.as_str() == Some(&context.config.issuer)),
        one => one.as_str() == Some(&context.config.issuer),
    };
    if claims.get("aud").is_some_and(|aud| !is_for_us(aud)) {
        return Err(invalid(&"its aud is not this server"));
    }
    let date = |name: &str| claims.get(name).map(|value| value.as_f64().unwrap_or(f64::NAN));
    #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^53")]
    let now = now.as_secs() as f64;
    // What is no number compares as neither.
    if date("exp").is_some_and(|exp| exp.partial_cmp(&now) != Some(std::cmp::Ordering::Greater)) {
        return Err(invalid(&"it has expired"));
    }
    if date("nbf").is_some_and(|nbf| nbf.partial_cmp(&(now + 30.0)) != Some(std::cmp::Ordering::Less)) {
        return Err(invalid(&"its nbf has not come"));
    }
    Ok(claims)
}
