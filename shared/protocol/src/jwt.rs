//! Whom the claims of a JWT are for, and when they are good (RFC 7519 §4.1.3 to §4.1.5), where each may be left out.

use crate::CLOCK_SKEW;
use serde_json::{Map, Value};
use types::Timestamp;
use types::json::numeric_date;

/// Whether `aud` names this server, or nobody.
pub(crate) fn is_for(claims: &Map<String, Value>, issuer: &str) -> bool {
    match claims.get("aud") {
        None => true,
        Some(Value::Array(several)) => several.iter().any(|one| one == issuer),
        Some(one) => one == issuer,
    }
}

/// Why `exp` and `nbf` say that they are not good now.
pub(crate) enum NotNow {
    /// One is no `NumericDate`.
    Unreadable,
    /// `exp` has come.
    Expired,
    /// `nbf` has not.
    TooEarly,
}

/// Whether `exp` and `nbf`, where they are there, let the claims be good now; clocks may differ by [`CLOCK_SKEW`].
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
