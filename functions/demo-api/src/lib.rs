//! A sample API: returns what its guard tells it about a request. It checks no token itself, so it must be reachable only
//! through its guard: the Lambda authorizer, the gateway Worker, or `latchkey dev`.

#[cfg(all(feature = "lambda", not(target_arch = "wasm32")))]
pub mod lambda;
#[cfg(target_arch = "wasm32")]
mod worker;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use latchkey_http::Response;
use protocol::{GrantType, Resource};
use serde_json::{Value, json};
use types::Scope;

/// The caller, as the guard describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The user, or the client itself.
    pub subject: String,
    /// The client.
    pub client: String,
    /// The scope of the token.
    pub scope: String,
}

impl Caller {
    /// Reads the header fields that the gateway sets. Only the gateway may reach this API.
    pub fn of_headers(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        Self { subject: text("x-latchkey-subject"), client: text("x-latchkey-client"), scope: text("x-latchkey-scope") }
    }
}

/// Responds to a request with a body of `body_length` bytes.
pub fn respond(method: &Method, headers: &HeaderMap, caller: &Caller, body_length: usize) -> Response {
    let response = match *method {
        Method::OPTIONS => Response::new(StatusCode::NO_CONTENT)
            .with(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST")
            .with(header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, *")
            .with(header::ACCESS_CONTROL_MAX_AGE, "86400"),
        Method::GET | Method::HEAD | Method::POST => {
            let names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
            let body = json!({
                "subject": caller.subject,
                "client": caller.client,
                "scope": caller.scope,
                "token": token_form(headers),
                "headers": names,
                "cookie": headers.get(header::COOKIE).and_then(|value| value.to_str().ok()),
                "body_length": body_length,
            });
            let response = Response::json(StatusCode::OK, &body);
            if *method == Method::HEAD { response.with_body("") } else { response }
        }
        _ => Response::json(StatusCode::METHOD_NOT_ALLOWED, &json!({ "error": "invalid_request" })),
    };
    // Pages of any origin may call: no browser adds a token in a header by itself.
    response
        .with(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
        .with(header::CACHE_CONTROL, "no-store")
        .with(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
}

/// Returns the form of the token that reaches the API: `jwt`, `opaque` or null.
fn token_form(headers: &HeaderMap) -> Value {
    let Some(token) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return Value::Null;
    };
    let first = token.rsplit(' ').next().and_then(|token| token.split('.').next()).unwrap_or_default();
    let is_jwt = BASE64_URL_SAFE_NO_PAD.decode(first).is_ok_and(|header| header.starts_with(b"{"));
    json!(if is_jwt { "jwt" } else { "opaque" })
}

/// Path of the sample API in a demo.
pub const PATH: &str = "/demo-api";

/// Returns the sample API at `origin` as a resource of the authorization server.
pub fn resource(origin: &str) -> Resource {
    let words = [("demo:read", "Read the demo data"), ("demo:write", "Change the demo data")];
    Resource {
        name: Some("Demo API".to_owned()),
        scopes: Scope::parse("demo:read demo:write").unwrap_or_default(),
        scope_descriptions: words.map(|(scope, words)| (scope.to_owned(), words.to_owned())).into(),
        ..Resource::of_any_scope(format!("{origin}{PATH}"))
    }
}

/// Returns the settings of the guard of the sample API at `origin`. The secret is public.
pub fn demo_settings(origin: &str) -> [(&'static str, String); 8] {
    [
        ("LATCHKEY_RESOURCE", format!("{origin}{PATH}")),
        ("LATCHKEY_RESOURCE_NAME", "Demo API".to_owned()),
        ("LATCHKEY_ROUTE_SCOPES", format!("GET {PATH} demo:read; POST {PATH} demo:write; ANY {PATH}/* demo:read")),
        ("LATCHKEY_ROUTE_AUTHENTICATION", format!("ANY {PATH}/recent acr_values=urn:latchkey:acr:password max_age=5")),
        ("LATCHKEY_RESOURCE_CLIENT_ID", "demo-api".to_owned()),
        ("LATCHKEY_RESOURCE_CLIENT_SECRET", "demo-api-secret-7Kq2Xv9Tb4".to_owned()),
        ("LATCHKEY_REVOCATION", "checked".to_owned()),
        ("LATCHKEY_INTROSPECTION_AGE", "5".to_owned()),
    ]
}

/// Returns the settings of a demo with open client registration: all scopes, and all grants except token exchange, which the
/// operator alone may allow.
pub fn registration_settings() -> [(&'static str, String); 8] {
    let scopes = "openid profile email address phone offline_access read write demo:read demo:write";
    let grants = GrantType::ALL.iter().filter(|grant| **grant != GrantType::TokenExchange);
    let grants: Vec<&str> = grants.map(|grant| grant.as_str()).collect();
    [
        ("LATCHKEY_REGISTRATION", "open".to_owned()),
        ("LATCHKEY_REGISTRATION_SCOPES", scopes.to_owned()),
        ("LATCHKEY_REGISTRATION_GRANTS", grants.join(" ")),
        ("LATCHKEY_SCOPES", "read write".to_owned()),
        ("LATCHKEY_CLIENT_DOCUMENTS", "any".to_owned()),
        ("LATCHKEY_REGISTRATIONS_PER_ADDRESS", "100000".to_owned()),
        ("LATCHKEY_REGISTRATIONS_IN_TOTAL", "100000".to_owned()),
        ("LATCHKEY_REGISTRATIONS_PER_SOFTWARE", "100000".to_owned()),
    ]
}
