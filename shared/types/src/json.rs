//! Conversion of JSON values to types.

mod decode;

use crate::Timestamp;
pub use decode::{DecodeError, NotJson, decode, typed, unambiguous, value};
use serde_json::{Map, Value};

/// The error for a claim that is no `NumericDate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDate;

/// Returns a `NumericDate` claim (RFC 7519 §2) to the millisecond; `None` if the claim is absent.
pub fn numeric_date(claims: &Map<String, Value>, claim: &str) -> Result<Option<Timestamp>, NoDate> {
    let Some(value) = claims.get(claim) else { return Ok(None) };
    if let Some(seconds) = value.as_u64() {
        return Ok(Some(Timestamp::from_secs(seconds)));
    }
    let seconds = value.as_f64().filter(|seconds| (0.0..=9e15).contains(seconds)).ok_or(NoDate)?;
    // The number is between 0 and 9e18, so the conversion loses only the fraction.
    let millis = (seconds * 1000.0) as u64;
    Ok(Some(Timestamp::from_millis(millis)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_date_is_a_number_of_seconds_and_may_have_a_fraction() {
        let read = |value: Value| numeric_date(json!({ "exp": value }).as_object().unwrap(), "exp");
        assert_eq!(read(json!(1_800_000_000)), Ok(Some(Timestamp::from_secs(1_800_000_000))));
        assert_eq!(read(json!(1_800_000_000.25)), Ok(Some(Timestamp::from_millis(1_800_000_000_250))));
        assert_eq!(read(json!(u64::MAX)), Ok(Some(Timestamp::from_secs(u64::MAX))));
        for value in [json!(null), json!("1"), json!(-1), json!(-0.5), json!(1e300), json!([1]), json!(true)] {
            assert_eq!(read(value.clone()), Err(NoDate), "{value}");
        }
        assert_eq!(numeric_date(&Map::new(), "exp"), Ok(None));
    }
}
