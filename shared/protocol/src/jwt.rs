//! The optional claims `aud`, `exp` and `nbf` of a JWT (RFC 7519 §4.1.3 to §4.1.5).

use crate::CLOCK_SKEW;
use serde_json::{Map, Value};
use types::json::numeric_date;
use types::{Issuer, Timestamp};

/// True if `aud` names this server or is missing.
pub(crate) fn is_for(claims: &Map<String, Value>, issuer: &Issuer) -> bool {
    match claims.get("aud") {
        None => true,
        Some(Value::Array(several)) => several.iter().any(|one| one == issuer.as_str()),
        Some(one) => one == issuer.as_str(),
    }
}

/// The reason why claims are not valid now.
pub(crate) enum NotNow {
    /// `exp` or `nbf` is no `NumericDate`.
    Unreadable,
    /// `exp` has passed.
    Expired,
    /// `nbf` is in the future.
    TooEarly,
}

/// Checks `exp` and `nbf`, if present. Clocks may differ by [`CLOCK_SKEW`].
pub(crate) fn check_time(claims: &Map<String, Value>, now: Timestamp) -> Result<(), NotNow> {
    let date = |name| numeric_date(claims, name).map_err(|_| NotNow::Unreadable);
    if date("exp")?.is_some_and(|end| end.after(CLOCK_SKEW).is_past(now)) {
        return Err(NotNow::Expired);
    }
    if date("nbf")?.is_some_and(|begin| begin > now.after(CLOCK_SKEW)) {
        return Err(NotNow::TooEarly);
    }
    Ok(())
}
