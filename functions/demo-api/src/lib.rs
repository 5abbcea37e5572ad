//! A sample API: says what it learns of a request from whoever guards it, and nothing else. It checks no token itself,
//! so it must not be reachable but through its guard: the Lambda authorizer, the Worker gateway, or `latchkey dev`.

#[cfg(all(feature = "lambda", not(target_arch = "wasm32")))]
pub mod lambda;
#[cfg(target_arch = "wasm32")]
mod worker;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use protocol::GrantType;
use serde_json::{Value, json};

/// Who is behind a request, as the guard says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The person, or the client itself.
    pub subject: String,
    /// The client.
    pub client: String,
    /// What the token allows.
    pub scope: String,
}

impl Caller {
    /// As the gateway says it in header fields; nobody else may reach this API.
    pub fn of_headers(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        Self { subject: text("x-latchkey-subject"), client: text("x-latchkey-client"), scope: text("x-latchkey-scope") }
    }
}

/// Answers a request; of its body it only wants to know how long it is.
pub fn respond(method: &Method, headers: &HeaderMap, caller: &Caller, body_length: usize) -> Response<String> {
    match *method {
        Method::OPTIONS => preflight(),
        Method::GET | Method::HEAD | Method::POST => {
            let names: Vec<&str> = headers.keys().map(http::HeaderName::as_str).collect();
            let body = json!({
                "subject": caller.subject,
                "client": caller.client,
                "scope": caller.scope,
                "token": token_form(headers),
                "headers": names,
                "cookie": headers.get(header::COOKIE).and_then(|value| value.to_str().ok()),
                "body_length": body_length,
            });
            let body = if *method == Method::HEAD { String::new() } else { body.to_string() };
            with_origin(StatusCode::OK, body)
        }
        _ => with_origin(StatusCode::METHOD_NOT_ALLOWED, json!({ "error": "invalid_request" }).to_string()),
    }
}

/// What the token looks like that reaches the API: `jwt`, `opaque`, or nothing at all.
fn token_form(headers: &HeaderMap) -> Value {
    let Some(token) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return Value::Null;
    };
    let first = token.rsplit(' ').next().and_then(|token| token.split('.').next()).unwrap_or_default();
    let is_jwt = BASE64_URL_SAFE_NO_PAD.decode(first).is_ok_and(|header| header.starts_with(b"{"));
    json!(if is_jwt { "jwt" } else { "opaque" })
}

fn preflight() -> Response<String> {
    let mut response = with_origin(StatusCode::NO_CONTENT, String::new());
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, Content-Type, *"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

/// For pages of any origin: a token in a header is nothing that a browser adds by itself.
fn with_origin(status: StatusCode, body: String) -> Response<String> {
    let has_body = !body.is_empty();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if has_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

/// The path of the sample API in a demo.
pub const PATH: &str = "/demo-api";

/// The settings of a demo at `origin` in which the sample API is a resource, guarded: for the authorization server and
/// for the guard. Everybody knows the secret.
pub fn demo_settings(origin: &str) -> [(&'static str, String); 8] {
    let resource = format!("{origin}{PATH}");
    let resources = json!([{ "resource": resource, "scopes": "demo:read demo:write" }]);
    [
        ("LATCHKEY_RESOURCES", resources.to_string()),
        ("LATCHKEY_RESOURCE", resource),
        ("LATCHKEY_RESOURCE_NAME", "Demo API".to_owned()),
        ("LATCHKEY_ROUTE_SCOPES", format!("GET {PATH} demo:read; POST {PATH} demo:write; ANY {PATH}/* demo:read")),
        ("LATCHKEY_RESOURCE_CLIENT_ID", "demo-api".to_owned()),
        ("LATCHKEY_RESOURCE_CLIENT_SECRET", "demo-api-secret".to_owned()),
        ("LATCHKEY_REVOCATION", "checked".to_owned()),
        ("LATCHKEY_INTROSPECTION_AGE", "5".to_owned()),
    ]
}

/// The settings of a demo in which anybody may register clients: for all scopes, the sample API's too, and all grants but
/// that of token exchange, which is the operator's to allow to a client.
pub fn registration_settings() -> [(&'static str, String); 5] {
    let scopes = "openid profile email address phone offline_access read write demo:read demo:write";
    let grants = GrantType::ALL.iter().filter(|grant| **grant != GrantType::TokenExchange);
    let grants: Vec<&str> = grants.map(|grant| grant.as_str()).collect();
    [
        ("LATCHKEY_REGISTRATION", "open".to_owned()),
        ("LATCHKEY_REGISTRATION_SCOPES", scopes.to_owned()),
        ("LATCHKEY_REGISTRATION_GRANTS", grants.join(" ")),
        ("LATCHKEY_REGISTRATIONS_PER_ADDRESS", "100000".to_owned()),
        ("LATCHKEY_REGISTRATIONS_IN_TOTAL", "100000".to_owned()),
    ]
}
