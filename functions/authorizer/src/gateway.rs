//! A gateway in front of an API: forwards requests that have a valid access token, in a form that the API can trust.
//!
//! The API receives the token as a JWT, even if the client's is opaque, and the header fields [`SUBJECT`], [`CLIENT`] and
//! [`SCOPE`]. It receives from the client no field of these names, none that begins with `X-Latchkey-`, no cookie of the
//! authorization server, and no field of the connection (RFC 9110 §7.6.1).

use crate::Guard;
use crate::guard::log_line;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use latchkey_http::{DPOP, Request, Response};
use resource_server::{Access, Claims, Http, Settings};
use serde_json::Value;
use std::sync::Arc;

/// Field with the token's `sub`.
pub const SUBJECT: HeaderName = HeaderName::from_static("x-latchkey-subject");
/// Field with the token's `client_id`.
pub const CLIENT: HeaderName = HeaderName::from_static("x-latchkey-client");
/// Field with the token's `scope`.
pub const SCOPE: HeaderName = HeaderName::from_static("x-latchkey-scope");

/// Beginning of the fields that only the gateway may set.
const RESERVED: &str = "x-latchkey-";
/// Beginnings of the names of the authorization server's cookies.
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

/// The one protocol to which a connection may change (RFC 6455 §1.9).
const WEB_SOCKET: &str = "websocket";

/// Fields that make some APIs read another method than that of the request, for which the scope was checked.
const METHOD_OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

/// The gateway in front of one API.
#[derive(Debug)]
pub struct Gateway {
    guard: Guard,
}

/// The gateway's decision on a request.
#[derive(Debug)]
pub enum GatewayDecision {
    /// The request goes to the API.
    Forward {
        /// The header fields, in place of those of the request.
        headers: HeaderMap,
        /// The nonce for the client's next DPoP proof, which the response gets (RFC 9449 §9).
        dpop_nonce: Option<String>,
    },
    /// The gateway itself responds.
    Respond(Response),
}

impl Gateway {
    /// Returns the gateway of the API that the settings describe.
    pub fn new(mut settings: Settings, http: Arc<dyn Http>) -> Self {
        if let Some(introspection) = &mut settings.config.introspection {
            introspection.phantom = true;
        }
        Self { guard: Guard::new(settings, http) }
    }

    /// Decides on a request, and returns the log line. No request is forwarded without a valid token.
    pub async fn decide(&self, request: &Request) -> (GatewayDecision, Value) {
        if request.path == self.guard.settings.metadata_path {
            let answer = self.guard.settings.metadata.respond(&request.method);
            return (GatewayDecision::Respond(answer.into()), log_line(request, Ok(None)));
        }
        if is_preflight(&request.method, &request.headers) {
            return (GatewayDecision::Respond(preflight(&request.headers)), log_line(request, Ok(None)));
        }
        let outcome = self.guard.check(request).await;
        let line = log_line(request, outcome.as_ref().map(Some));
        match outcome {
            Ok(access) => {
                let headers = forwarded(&request.method, &request.headers, &access);
                (GatewayDecision::Forward { headers, dpop_nonce: access.dpop_nonce }, line)
            }
            Err(error) => (GatewayDecision::Respond(self.guard.respond_to(&error, request).into()), line),
        }
    }
}

/// Returns the answer to a preflight (Fetch standard, CORS-preflight fetch): a page of any origin may send requests, which need a
/// token. The answer of the API says whether the page may read it.
fn preflight(headers: &HeaderMap) -> Response {
    let asked = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    Response::new(StatusCode::NO_CONTENT)
        .with(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
        .with(header::ACCESS_CONTROL_ALLOW_METHODS, &asked(header::ACCESS_CONTROL_REQUEST_METHOD))
        .with(header::ACCESS_CONTROL_ALLOW_HEADERS, &asked(header::ACCESS_CONTROL_REQUEST_HEADERS))
        .with(header::ACCESS_CONTROL_MAX_AGE, "600")
        .with(header::VARY, "Access-Control-Request-Method, Access-Control-Request-Headers")
}

/// True if the request is a preflight, which never has a token (Fetch standard, CORS-preflight fetch).
fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    let has = |name| headers.contains_key(name);
    *method == Method::OPTIONS && has(header::ORIGIN) && has(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// True if the request opens a WebSocket (RFC 6455 §4.1).
fn opens_web_socket(method: &Method, headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    *method == Method::GET && upgrade.is_some_and(|protocol| protocol.eq_ignore_ascii_case(WEB_SOCKET))
}

/// Returns the header fields of a request with a valid token, as the API receives them.
fn forwarded(method: &Method, sent: &HeaderMap, access: &Access) -> HeaderMap {
    let mut headers = kept(sent);
    if opens_web_socket(method, sent) {
        headers.insert(header::UPGRADE, HeaderValue::from_static(WEB_SOCKET));
    }
    if let Some(jwt) = &access.jwt {
        insert(&mut headers, header::AUTHORIZATION, &format!("Bearer {jwt}"));
    }
    let Claims { sub, client_id, scope, .. } = &access.claims;
    insert(&mut headers, SUBJECT, sub.as_str());
    insert(&mut headers, CLIENT, client_id.as_str());
    insert(&mut headers, SCOPE, &scope.iter().collect::<Vec<_>>().join(" "));
    headers
}

/// Sets a field. A value that is not visible ASCII is left out; the JWT holds it.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Returns the client's header fields that the API may receive: no token, no field of the gateway or of the connection.
fn kept(sent: &HeaderMap) -> HeaderMap {
    let mut headers = sent.clone();
    let of_connection = sent.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    for name in of_connection.flat_map(|value| value.split(',')).map(str::trim) {
        headers.remove(name);
    }
    HOP_BY_HOP.iter().for_each(|name| drop(headers.remove(name)));
    headers.remove(header::AUTHORIZATION);
    headers.remove(DPOP);
    // Servers that pass fields as variables do not distinguish `_` from `-`.
    let is_reserved = |name: &&HeaderName| {
        let name = name.as_str().replace('_', "-");
        name.starts_with(RESERVED) || METHOD_OVERRIDES.contains(&name.as_str())
    };
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

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    fn claims(sub: &str) -> serde_json::Value {
        serde_json::json!({
            "sub": sub, "client_id": "app", "aud": "https://api.example/", "exp": 0, "scope": "read write",
        })
    }

    fn access(sub: &str) -> Access {
        Access::new(serde_json::from_value(claims(sub)).unwrap(), Some("a.b.c".to_owned()))
    }

    #[test]
    fn the_api_receives_the_gateways_fields_alone() {
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
            ("x-http-method-override", "DELETE"),
            ("x_method_override", "DELETE"),
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
        assert_eq!(forwarded(&Method::GET, &sent, &access("ada")), expected);
        // A field of the client cannot replace a value that no field can hold: no subject has one.
        assert!(serde_json::from_value::<Claims>(claims("ada\n")).is_err());
        assert_eq!(kept(&headers(&[("cookie", "latchkey_session=s")])), HeaderMap::new());
    }

    /// RFC 9110 §7.8: of all protocols, only WebSocket passes, and only for GET.
    #[test]
    fn a_web_socket_passes() {
        let upgrade = |method, protocol| {
            let sent = headers(&[("connection", "Upgrade"), ("upgrade", protocol), ("sec-websocket-version", "13")]);
            let headers = forwarded(&method, &sent, &access("ada"));
            assert_eq!(headers["sec-websocket-version"], "13");
            headers.get(header::UPGRADE).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(upgrade(Method::GET, "WebSocket").as_deref(), Some("websocket"));
        assert_eq!(upgrade(Method::POST, "websocket"), None);
        assert_eq!(upgrade(Method::GET, "h2c"), None);
        assert_eq!(upgrade(Method::GET, "websocket, h2c"), None);
    }

    #[test]
    fn a_preflight_has_all_three_signs() {
        let is = |method: &Method, fields| is_preflight(method, &headers(fields));
        let both = &[("origin", "https://a.example"), ("access-control-request-method", "PUT")];
        assert!(is(&Method::OPTIONS, both));
        assert!(!is(&Method::GET, both));
        assert!(!is(&Method::OPTIONS, &both[..1]) && !is(&Method::OPTIONS, &both[1..]));
    }
}
