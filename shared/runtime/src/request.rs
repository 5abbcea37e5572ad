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

    /// The value of a cookie, when it is sent once and is UTF-8. The others may hold any bytes: whoever owns another host
    /// of the domain can set them (RFC 6265 §8.6).
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let fields = self.headers.get_all(header::COOKIE).iter();
        let pairs = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
        let mut values = pairs.filter_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="));
        let first = values.next()?;
        if values.next().is_some() { None } else { std::str::from_utf8(first).ok() }
    }

    /// Whether the body says that it is `media_type`, parameters aside.
    pub fn has_content_type(&self, media_type: &str) -> bool {
        self.header(&header::CONTENT_TYPE)
            .and_then(|value| value.split(';').next())
            .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(media_type))
    }
}

#[cfg(test)]
impl Request {
    /// A GET with these header fields of one name.
    pub(crate) fn with_fields(name: header::HeaderName, fields: &[&[u8]]) -> Self {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(&name, http::HeaderValue::from_bytes(field).unwrap());
        }
        Self {
            method: Method::GET,
            path: "/".to_owned(),
            query: String::new(),
            headers,
            body: Bytes::new(),
            address: None,
            received_at: Timestamp::default(),
            id: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(fields: &[&[u8]]) -> Option<String> {
        Request::with_fields(header::COOKIE, fields).cookie("ours").map(str::to_owned)
    }

    #[test]
    fn a_cookie_is_found_beside_any_other() {
        let strange: [&[u8]; 6] = [b"city=M\xc3\xbcnchen", b"city=M\xfcnchen", b"\xff", b"=", b"ours", b""];
        for other in strange {
            let (before, after) = ([other, b"; ours=1"].concat(), [b"ours=1; ", other].concat());
            for fields in [&[&before[..]][..], &[&after], &[other, b"ours=1"], &[b"ours=1", other]] {
                assert_eq!(cookie(fields).as_deref(), Some("1"), "{fields:?}");
            }
        }
    }

    #[test]
    fn a_cookie_that_is_sent_twice_or_unreadable_is_none() {
        let none: [&[&[u8]]; 5] =
            [&[b"ours=1; ours=2"], &[b"ours=1", b"ours=1"], &[b"ours=\xff"], &[b"ours2=1"], &[b"Ours=1"]];
        for fields in none {
            assert_eq!(cookie(fields), None, "{fields:?}");
        }
        assert_eq!(cookie(&[b"ours=a=b"]).as_deref(), Some("a=b"));
    }
}
