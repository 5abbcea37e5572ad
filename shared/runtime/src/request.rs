//! A request as every platform hands it to a function.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, header};
use protocol::Timestamp;
use std::net::IpAddr;

/// A request, whole: its body is read and within the limit before a function sees it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, from `/` on, as sent.
    pub path: String,
    /// What stands behind `?`, as sent, still encoded; empty when there is none.
    pub query: String,
    /// The header fields: those of [`Self::FIELDS`], and maybe others.
    pub headers: HeaderMap,
    /// The body, decoded from whatever the platform wraps it in.
    pub body: Bytes,
    /// Who connected, as the platform itself saw it; never taken from a header that a client can write.
    pub address: Option<IpAddr>,
    /// When the platform received the request.
    pub received_at: Timestamp,
    /// Names the request in the log and on error pages.
    pub id: String,
}

impl Request {
    /// The header fields that functions read. A platform need not hand over any other.
    pub const FIELDS: [HeaderName; 4] = [header::ACCEPT, header::AUTHORIZATION, header::CONTENT_TYPE, header::COOKIE];

    /// A header field's value, when it is there once and is visible ASCII.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        debug_assert!(Self::FIELDS.contains(name), "{name} is not handed over by every platform");
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        if values.next().is_some() { None } else { first.to_str().ok() }
    }

    /// The value of a cookie, when it is sent once.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut found = None;
        for field in self.headers.get_all(header::COOKIE) {
            for pair in field.to_str().ok()?.split(';') {
                if let Some((key, value)) = pair.trim().split_once('=')
                    && key == name
                    && found.replace(value).is_some()
                {
                    return None;
                }
            }
        }
        found
    }

    /// Whether the body says that it is `media_type`, parameters aside.
    pub fn has_content_type(&self, media_type: &str) -> bool {
        self.header(&header::CONTENT_TYPE)
            .and_then(|value| value.split(';').next())
            .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(media_type))
    }
}
