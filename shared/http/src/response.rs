//! A response as a function returns it on every platform.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

/// A complete response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// True if the body is open to everybody: it has no token, code, form token or data of a user. Only such a body is
    /// compressed, because the length of a compressed body tells what it repeats (BREACH).
    pub is_open: bool,
}

impl Response {
    /// Returns a response without a body.
    pub fn new(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Vec::new(), is_open: false }
    }

    /// Returns a JSON document.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self::new(status).with(header::CONTENT_TYPE, "application/json").with_body(body)
    }

    /// Redirects the browser, which then sends a GET (RFC 9700 §4.12: status 303, never 307).
    pub fn see_other(location: &str) -> Self {
        Self::new(StatusCode::SEE_OTHER).with(header::LOCATION, location)
    }

    /// Adds a header field. A value that is not valid in a header is left out.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// Says that the body holds no secret.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

impl<B: Into<Vec<u8>>> From<http::Response<B>> for Response {
    fn from(response: http::Response<B>) -> Self {
        let (head, body) = response.into_parts();
        Self { status: head.status, headers: head.headers, body: body.into(), is_open: false }
    }
}
