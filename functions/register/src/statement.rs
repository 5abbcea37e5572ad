//! Software statements (RFC 7591 §2.3): keys of their issuers, verification, claims.

use jose::Jwt;
use protocol::software_statement::{self, invalid};
use provider::{Context, HandlerError, KeyError, KeySource};
use serde_json::{Map, Value};
use types::{Error, ErrorCode, Timestamp};

/// Returns the claims of a statement that was verified when its client was registered.
pub(crate) fn claims(statement: &str) -> Option<Map<String, Value>> {
    match Jwt::parse(statement)?.unverified_claims()? {
        Value::Object(claims) => Some(claims),
        _ => None,
    }
}

/// Verifies a statement and returns its claims. A statement of an unknown issuer is not approved; one with a wrong
/// signature or outside of its lifetime is invalid (§3.2.2).
pub(crate) async fn verify(
    statement: &str,
    context: &Context,
    now: Timestamp,
) -> Result<Map<String, Value>, HandlerError> {
    let jwt = Jwt::parse(statement).ok_or_else(|| invalid("it is not a JWT signed by an asymmetric algorithm"))?;
    let claims = jwt.unverified_claims().ok_or_else(|| invalid("its claims are not an object"))?;
    let issuer = claims.get("iss").and_then(Value::as_str).ok_or_else(|| invalid("it has no iss"))?;
    let issuers = context.configuration.issuers.software_statements()?;
    let trusted = issuers.iter().find(|trusted| trusted.issuer == issuer).ok_or_else(|| {
        Error::new(ErrorCode::UnapprovedSoftwareStatement, "software_statement: its issuer is not trusted here")
    })?;
    let keys = KeySource::of_issuer(trusted.jwks.as_ref(), trusted.jwks_uri.as_deref())
        .ok_or_else(|| invalid(KeyError::NoKeySet))?;
    let Value::Object(claims) = context.verify_by(&jwt, keys, now).await.map_err(invalid)? else {
        return Err(invalid("its claims are not an object").into());
    };
    software_statement::check(&claims, &context.config.issuer, now)?;
    Ok(claims)
}
