//! JSON values as something typed.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a value says, if it says that. By way of its text: so one instance of the parser serves each Worker
/// (infra/decisions/worker-bundle-weight.md).
pub fn typed<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_slice(&serde_json::to_vec(value).ok()?).ok()
}
