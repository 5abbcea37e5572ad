//! `aud`: the audience of a token (RFC 7519 §4.1.3).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `aud`: the identifiers of the parties that may accept a token, on the wire a string or an array (RFC 7519 §4.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "OneOrMany")]
pub struct Audience(Vec<String>);

#[derive(Serialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl TryFrom<Value> for Audience {
    type Error = &'static str;

    fn try_from(wire: Value) -> Result<Self, Self::Error> {
        let name = |value| if let Value::String(name) = value { Some(name) } else { None };
        let names = match wire {
            Value::Array(values) => values.into_iter().map(name).collect(),
            one => name(one).map(|name| vec![name]),
        };
        names.map(Self).ok_or("an audience is a string or an array of strings")
    }
}

impl From<Audience> for OneOrMany {
    fn from(audience: Audience) -> Self {
        match <[String; 1]>::try_from(audience.0) {
            Ok([one]) => Self::One(one),
            Err(many) => Self::Many(many),
        }
    }
}

impl From<&str> for Audience {
    fn from(one: &str) -> Self {
        Self(vec![one.to_owned()])
    }
}

impl Audience {
    /// Returns the audience of a token for these resources, or the deployment's own audience if there are none.
    pub fn of(resources: &[String], default: &str) -> Self {
        if resources.is_empty() { Self::from(default) } else { Self(resources.to_vec()) }
    }

    /// True if the audience contains this identifier.
    pub fn contains(&self, identifier: &str) -> bool {
        self.0.iter().any(|known| known == identifier)
    }

    /// Returns the identifiers.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}
