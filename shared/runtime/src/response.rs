//! A response as a function gives it to every platform.

use crate::Fault;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

/// A response, whole.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// What the log line says of it; never sent.
    pub outcome: Outcome,
}

/// What the log says of a request besides its status. Never a token, a code, a password or a secret.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The client that asked, once known.
    pub client: Option<String>,
    /// The error code sent, when one was.
    pub error: Option<String>,
    /// Why, in words for the operator.
    pub reason: Option<String>,
}

impl Response {
    /// An empty response.
    pub fn new(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Vec::new(), outcome: Outcome::default() }
    }

    /// A JSON document.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self::new(status).with(header::CONTENT_TYPE, "application/json").with_body(body)
    }

    /// Sends the browser elsewhere with a GET (RFC 9700 §4.12: 303, never 307).
    pub fn see_other(location: &str) -> Self {
        Self::new(StatusCode::SEE_OTHER).with(header::LOCATION, location)
    }

    /// Adds a header field. A value that no field can carry is left out.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// Says when to come back, and to the log why.
    pub(crate) fn owning_up(mut self, fault: &Fault) -> Self {
        self.outcome.error = Some("temporarily_unavailable".to_owned());
        self.outcome.reason = Some(fault.reason.clone());
        self.with(header::RETRY_AFTER, "1")
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}
