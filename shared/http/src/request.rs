//! A request as every platform hands it to a function.

use crate::{ClientCertificate, Forwarded, RequestId, RequestLog, accept};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, header};
use std::cmp::Ordering;
use std::net::IpAddr;
use types::{Error, Timestamp};

/// The header field in which a browser names the destination of a request (Fetch Metadata §2.1).
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// The header field of a proof of possession (RFC 9449 §4.1).
pub const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The header field that identifies an interaction of a client with a protected resource (FAPI 1.0 Part 1 §6.2.1).
pub const INTERACTION_ID: HeaderName = HeaderName::from_static("x-fapi-interaction-id");

/// The destinations that are part of another page.
const FRAMES: [&str; 4] = ["iframe", "frame", "embed", "object"];

/// A complete request: its body is read, and within the limit, before a function sees it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, from `/` on, as sent.
    pub path: String,
    /// The query without `?`, as sent, still encoded; empty if there is none.
    pub query: String,
    /// The header fields: those of [`Self::FIELDS`], and possibly others.
    pub headers: HeaderMap,
    /// The body, decoded from the platform's envelope.
    pub body: Bytes,
    /// The client's address: the platform's, or the one that a trusted proxy names; never from a header that a client can set.
    pub address: Option<IpAddr>,
    /// City and country of the client, where the platform tells them; never from a header that a client can set.
    pub place: Option<String>,
    /// The certificate of the client's TLS connection: the platform's, or the one that a trusted proxy names; never from a header that
    /// a client can set. The shell of the functions removes it unless the deployment uses certificates.
    pub certificate: Option<ClientCertificate>,
    /// The header fields of a proxy. The shell of the functions verifies them, and sets `address` and `certificate`.
    pub forwarded: Forwarded,
    /// Time at which the platform received the request.
    pub received_at: Timestamp,
    /// Identifier of the request in the log and on error pages.
    pub id: RequestId,
    /// The members of the request's log line.
    pub log: RequestLog,
}

impl Request {
    /// The header fields that functions read. A platform need not hand over others.
    pub const FIELDS: [HeaderName; 9] = [
        header::ACCEPT,
        header::ACCEPT_LANGUAGE,
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::COOKIE,
        DPOP,
        header::USER_AGENT,
        SEC_FETCH_DEST,
        INTERACTION_ID,
    ];

    /// Returns the value of a header field that occurs once and is visible ASCII.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        debug_assert!(Self::FIELDS.contains(name), "{name} is not handed over by every platform");
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        if values.next().is_some() { None } else { first.to_str().ok() }
    }

    /// Returns the value of a cookie that occurs once and is UTF-8. Other cookies may hold any bytes: another host of the
    /// domain can set them (RFC 6265 §8.6).
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let fields = self.headers.get_all(header::COOKIE).iter();
        let pairs = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
        let mut values = pairs.filter_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="));
        let first = values.next()?;
        if values.next().is_some() { None } else { std::str::from_utf8(first).ok() }
    }

    /// True if the browser says that it loads the response into a frame (Fetch Metadata §2.1). Scripts cannot set the field.
    pub fn is_for_frame(&self) -> bool {
        self.header(&SEC_FETCH_DEST).is_some_and(|dest| FRAMES.contains(&dest))
    }

    /// Returns the Authorization header. Errors: `invalid_request` if it is repeated or not visible ASCII.
    pub fn authorization(&self) -> Result<Option<&str>, Error> {
        if !self.headers.contains_key(header::AUTHORIZATION) {
            return Ok(None);
        }
        let value = self.header(&header::AUTHORIZATION);
        value
            .map(Some)
            .ok_or_else(|| Error::invalid_request("the Authorization header is repeated or not visible ASCII"))
    }

    /// Returns the bearer token of the Authorization header (RFC 6750 §2.1), which may be malformed or empty; `None` if
    /// there is no such header, or one of another scheme (§3.1). Errors: `invalid_request`.
    pub fn bearer(&self) -> Result<Option<&str>, Error> {
        self.credentials("bearer")
    }

    /// Returns the access token of the scheme DPoP (RFC 9449 §7.1), as [`Self::bearer`] does for its scheme.
    pub fn dpop_token(&self) -> Result<Option<&str>, Error> {
        self.credentials("dpop")
    }

    /// Returns the credentials of this scheme.
    fn credentials(&self, expected: &str) -> Result<Option<&str>, Error> {
        let Some(credentials) = self.authorization()? else { return Ok(None) };
        let (scheme, token) = credentials.split_once(' ').unwrap_or((credentials, ""));
        Ok(scheme.eq_ignore_ascii_case(expected).then_some(token.trim()))
    }

    /// True if the client prefers HTML to JSON: browsers do, programs do not (RFC 9110 §12.5.1).
    pub fn prefers_html(&self) -> bool {
        self.compare_html_with_json().is_gt()
    }

    /// True if the client prefers JSON to HTML.
    pub fn prefers_json(&self) -> bool {
        self.compare_html_with_json().is_lt()
    }

    fn compare_html_with_json(&self) -> Ordering {
        let accept = self.header(&header::ACCEPT).unwrap_or_default();
        accept::weight(accept, "text/html").cmp(&accept::weight(accept, "application/json"))
    }

    /// True if the client reads bodies that are compressed by gzip. Every platform but Cloudflare hands over the field.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn allows_gzip(&self) -> bool {
        let fields = self.headers.get_all(header::ACCEPT_ENCODING).iter();
        fields.filter_map(|field| field.to_str().ok()).any(|field| accept::allows_coding(field, "gzip"))
    }

    /// True if Content-Type names `media_type`; its parameters do not count.
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
            place: None,
            certificate: None,
            forwarded: Forwarded::default(),
            received_at: Timestamp::default(),
            id: RequestId::default(),
            log: RequestLog::default(),
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

    fn bearer(fields: &[&'static str]) -> Result<Option<String>, Error> {
        let fields: Vec<&[u8]> = fields.iter().map(|field| field.as_bytes()).collect();
        let request = Request::with_fields(header::AUTHORIZATION, &fields);
        request.bearer().map(|token| token.map(str::to_owned))
    }

    #[test]
    fn a_token_is_what_the_scheme_says() {
        for field in ["Bearer x", "bearer x", "BEARER  x "] {
            assert_eq!(bearer(&[field]), Ok(Some("x".to_owned())), "{field}");
        }
        assert_eq!(bearer(&["Bearer"]), Ok(Some(String::new())));
        for fields in [&[][..], &["Basic eDp5"], &["DPoP x"], &["Bearerx"], &[""]] {
            assert_eq!(bearer(fields), Ok(None), "{fields:?}");
        }
        assert_eq!(bearer(&["Bearer x", "Bearer x"]).unwrap_err().code, types::ErrorCode::InvalidRequest);
    }
}
