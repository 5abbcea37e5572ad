//! Request parameters (`application/x-www-form-urlencoded`) of a query or a body.

use serde_json::{Map, Value};
use types::{Error, ErrorCode, Scope};

/// The parameters of a request. A parameter without a value counts as not sent (RFC 6749 §3.1, §3.2).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    pairs: Vec<(String, String)>,
    repeated: Vec<String>,
}

/// Parameters that may be sent more than once (RFC 8707 §2, RFC 8693 §2.1).
const MULTIPLE: &[&str] = &["resource", "audience"];

/// The most parameters of a request.
const MAX_COUNT: usize = 64;

impl Parameters {
    /// Returns the requested `scope`; `None` when the request has none (RFC 6749 §3.3). Errors: `invalid_scope`.
    pub fn scope(&self) -> Result<Option<Scope>, Error> {
        let description = "scope must be at most 256 names separated by spaces (RFC 6749 section 3.3)";
        let parse = |text| Scope::parse(text).ok_or_else(|| Error::new(ErrorCode::InvalidScope, description));
        self.value("scope").map(parse).transpose()
    }

    /// Decodes parameters. Errors: `invalid_request` if they are not UTF-8, or more than 64.
    pub fn parse(encoded: &[u8]) -> Result<Self, Error> {
        let mut parameters = Self::default();
        if encoded.iter().filter(|byte| **byte == b'&').count() >= MAX_COUNT {
            return Err(Error::invalid_request("the request has more than 64 parameters"));
        }
        for pair in encoded.split(|byte| *byte == b'&') {
            let mut parts = pair.splitn(2, |byte| *byte == b'=');
            let (name, value) = (decode(parts.next())?, decode(parts.next())?);
            if value.is_empty() {
                continue;
            }
            if !MULTIPLE.contains(&name.as_str()) && parameters.pairs.iter().any(|(known, _)| *known == name) {
                parameters.repeated.push(name);
            } else {
                parameters.pairs.push((name, value));
            }
        }
        Ok(parameters)
    }

    /// Reads parameters from the members of a request object (RFC 9101 §4): strings as they are, numbers and `claims` as
    /// JSON text, lists of strings as repeated parameters. Errors: `invalid_request` if they are more than 64.
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, Error> {
        let mut parameters = Self::default();
        for (name, value) in members {
            let values = match value {
                Value::Null => continue,
                Value::Array(values) if MULTIPLE.contains(&name.as_str()) => values.as_slice(),
                value => std::slice::from_ref(value),
            };
            for value in values {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                if !text.is_empty() {
                    parameters.pairs.push((name.clone(), text));
                }
            }
        }
        if parameters.pairs.len() > MAX_COUNT {
            return Err(Error::invalid_request("the request has more than 64 parameters"));
        }
        Ok(parameters)
    }

    /// Returns the value of a parameter; the first if it is repeated.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns all values of a parameter that may be repeated.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the names of the parameters.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, _)| name.as_str())
    }

    /// True if the parameter is repeated and must not be.
    pub fn is_repeated(&self, name: &str) -> bool {
        self.repeated.iter().any(|known| known == name)
    }

    /// Rejects repeated parameters (RFC 6749 §3.1, §3.2). Errors: `invalid_request`.
    pub fn refuse_repeated(&self) -> Result<(), Error> {
        match self.repeated.first() {
            None => Ok(()),
            Some(name) => Err(Error::invalid_request(format!("the parameter '{}' is repeated", printable(name)))),
        }
    }

    /// Returns the value of a required parameter. Errors: `invalid_request`.
    pub fn required(&self, name: &'static str) -> Result<&str, Error> {
        self.value(name).ok_or_else(|| Error::invalid_request(format!("the parameter '{name}' is missing")))
    }
}

/// Decodes a name or a value. Bytes that are not UTF-8 are rejected, not replaced by U+FFFD.
fn decode(encoded: Option<&[u8]>) -> Result<String, Error> {
    let spaced: Vec<u8> =
        encoded.unwrap_or_default().iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decoded = percent_encoding::percent_decode(&spaced).decode_utf8();
    Ok(decoded.map_err(|_| Error::invalid_request("a parameter is not valid UTF-8"))?.into_owned())
}

/// Returns at most 40 printable characters of untrusted text, for a description.
pub(crate) fn printable(text: &str) -> String {
    text.chars().take(40).filter(|c| !c.is_control()).collect()
}
