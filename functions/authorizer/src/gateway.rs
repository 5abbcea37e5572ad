//! What stands before an API: lets requests in that have a good token, and passes them on as the API may trust them.
//!
//! The API gets the token as a JWT, also when the client's is opaque, and the header fields [`SUBJECT`], [`CLIENT`] and
//! [`SCOPE`]. It gets nothing under these names, nor any other that begins with `X-Latchkey-`, from the client; no
//! cookie of the authorization server; no field of the connection's own (RFC 9110 §7.6.1).

use crate::Guard;
use crate::guard::log_line;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header};
use resource_server::{Access, Claims, Http, Presented, Settings, Timestamp};
use serde_json::Value;
use std::sync::Arc;

/// Who is behind the request: the token's `sub`.
pub const SUBJECT: HeaderName = HeaderName::from_static("x-latchkey-subject");
/// Which client sent it: the token's `client_id`.
pub const CLIENT: HeaderName = HeaderName::from_static("x-latchkey-client");
/// What the token allows: its `scope`.
pub const SCOPE: HeaderName = HeaderName::from_static("x-latchkey-scope");

/// What all names begin with that are the gateway's alone.
const RESERVED: &str = "x-latchkey-";
/// How the authorization server's cookies begin.
const COOKIES: [&str; 2] = ["latchkey_", "__Host-latchkey_"];
/// Fields of the connection (RFC 9110 §7.6.1, RFC 9112).
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// The gateway before one API.
#[derive(Debug)]
pub struct Gateway {
    guard: Guard,
}

/// What is to be done with a request.
#[derive(Debug)]
pub enum Verdict {
    /// It goes on to the API, with these header fields in place of its own.
    Forward(HeaderMap),
    /// It is answered here, and goes no further.
    Answer(Response<String>),
}

impl Gateway {
    /// The gateway that these settings ask for.
    pub fn new(mut settings: Settings, http: Arc<dyn Http>) -> Self {
        if let Some(introspection) = &mut settings.config.introspection {
            introspection.phantom = true;
        }
        Self { guard: Guard::new(settings, http) }
    }

    /// Judges a request to a path; gives the line of the log too, unless there is nothing to say. Nothing but a
    /// preflight goes on without a good token.
    pub async fn judge(&self, presented: &Presented<'_>, path: &str, id: &str, now: Timestamp) -> (Verdict, Value) {
        if path == self.guard.settings.metadata_path {
            let answer = self.guard.settings.metadata.respond(presented.method);
            return (Verdict::Answer(answer), log_line(presented, id, now, Ok(None)));
        }
        if is_preflight(presented) {
            return (Verdict::Forward(kept(presented.headers)), log_line(presented, id, now, Ok(None)));
        }
        let outcome = self.guard.check(presented, path, now).await;
        let line = log_line(presented, id, now, outcome.as_ref().map(Some));
        match outcome {
            Ok(access) => (Verdict::Forward(forwarded(presented.headers, &access)), line),
            Err(denial) => (Verdict::Answer(self.guard.refuse(&denial)), line),
        }
    }
}

/// A preflight carries no token, ever, and is for the API to answer (Fetch standard, CORS-preflight fetch).
fn is_preflight(presented: &Presented<'_>) -> bool {
    let has = |name| presented.headers.contains_key(name);
    *presented.method == Method::OPTIONS && has(header::ORIGIN) && has(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// What the API sees of a request that is let in.
fn forwarded(sent: &HeaderMap, access: &Access) -> HeaderMap {
    let mut headers = kept(sent);
    if let Some(jwt) = &access.jwt {
        insert(&mut headers, header::AUTHORIZATION, &format!("Bearer {jwt}"));
    }
    let Claims { sub, client_id, scope, .. } = &access.claims;
    insert(&mut headers, SUBJECT, sub);
    insert(&mut headers, CLIENT, client_id);
    insert(&mut headers, SCOPE, &scope.iter().collect::<Vec<_>>().join(" "));
    headers
}

/// A value that is not visible ASCII is left to the JWT.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// What of a client's header fields an API may see: no token, nothing that is the gateway's or the connection's.
fn kept(sent: &HeaderMap) -> HeaderMap {
    let mut headers = sent.clone();
    let of_connection = sent.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    for name in of_connection.flat_map(|value| value.split(',')).map(str::trim) {
        headers.remove(name);
    }
    HOP_BY_HOP.iter().for_each(|name| drop(headers.remove(name)));
    headers.remove(header::AUTHORIZATION);
    // Servers that hand fields over as variables take `_` and `-` for the same.
    let is_reserved = |name: &&HeaderName| name.as_str().replace('_', "-").starts_with(RESERVED);
    let reserved: Vec<HeaderName> = sent.keys().filter(is_reserved).cloned().collect();
    reserved.iter().for_each(|name| drop(headers.remove(name)));
    let cookies = sent.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = cookies.flat_map(|field| field.split(';')).map(str::trim);
    let cookies: Vec<&str> = cookies.filter(|pair| !COOKIES.iter().any(|start| pair.starts_with(start))).collect();
    headers.remove(header::COOKIE);
    if !cookies.is_empty() {
        insert(&mut headers, header::COOKIE, &cookies.join("; "));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use resource_server::{Audience, Scope};

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    fn access(sub: &str) -> Access {
        let claims = Claims {
            sub: sub.to_owned(),
            client_id: "app".to_owned(),
            aud: Audience::from("https://api.example/"),
            exp: 0,
            scope: Scope::parse("read write").unwrap(),
            others: serde_json::Map::new(),
        };
        Access { claims, jwt: Some("a.b.c".to_owned()) }
    }

    #[test]
    fn the_api_sees_what_the_gateway_vouches_for() {
        let sent = headers(&[
            ("authorization", "Bearer lka_secret"),
            ("x-latchkey-subject", "root"),
            ("x-latchkey-admin", "1"),
            ("x_latchkey_scope", "everything"),
            ("x-latchkey_client", "other"),
            ("cookie", "latchkey_session=s; theme=dark"),
            ("cookie", "__Host-latchkey_browser=b; a=b"),
            ("connection", "close, X-Latchkey-Subject, x-hop, authorization"),
            ("x-hop", "1"),
            ("keep-alive", "1"),
            ("proxy-authorization", "Basic x"),
            ("upgrade", "h2c"),
            ("te", "trailers"),
            ("content-type", "text/plain"),
        ]);
        let expected = headers(&[
            ("authorization", "Bearer a.b.c"),
            ("x-latchkey-subject", "ada"),
            ("x-latchkey-client", "app"),
            ("x-latchkey-scope", "read write"),
            ("cookie", "theme=dark; a=b"),
            ("content-type", "text/plain"),
        ]);
        assert_eq!(forwarded(&sent, &access("ada")), expected);
        // Nothing that a client wrote stands in for a value that no field can carry.
        assert!(forwarded(&sent, &access("ada\n")).get(SUBJECT).is_none());
        assert_eq!(kept(&headers(&[("cookie", "latchkey_session=s")])), HeaderMap::new());
    }

    #[test]
    fn a_preflight_is_one_by_all_three_signs() {
        let is = |method: &Method, fields| is_preflight(&Presented { method, url: "/", headers: &headers(fields) });
        let both = &[("origin", "https://a.example"), ("access-control-request-method", "PUT")];
        assert!(is(&Method::OPTIONS, both));
        assert!(!is(&Method::GET, both));
        assert!(!is(&Method::OPTIONS, &both[..1]) && !is(&Method::OPTIONS, &both[1..]));
    }
}
