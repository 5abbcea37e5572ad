//! What happens around every function on every platform: methods, limits, CORS, security headers, faults, the log.

use crate::routes::{self, Route};
use crate::{Context, Fault, Request, Response};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use protocol::Timestamp;
use serde::Serialize;
use serde_json::json;
use std::future::Future;
use std::pin::Pin;

/// A function, as platforms call it.
pub type Handler =
    for<'a> fn(&'a Request, &'a Context) -> Pin<Box<dyn Future<Output = Result<Response, Fault>> + Send + 'a>>;

/// What a function does on its schedule, at the moment given.
pub type Scheduled = for<'a> fn(Timestamp, &'a Context) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'a>>;

/// The longest body, in bytes. Platforms stop reading there and hand over what they have, so that it is refused here.
pub const MAX_BODY: usize = 64 * 1024;
/// The longest query, in bytes. API Gateway takes 10,240 for the request line and all header values together: this
/// leaves 3,000 for the headers.
pub const MAX_QUERY: usize = 7 * 1024;

/// Answers a request with the function of this name.
pub async fn respond(function: &str, handler: Handler, request: Request, context: &Context) -> Response {
    let route = routes::find(&request.path).filter(|route| route.function == function);
    let mut response = match refusal(route, &request) {
        Some(refusal) => refusal,
        None => handler(&request, context).await.unwrap_or_else(|fault| unavailable(&fault)),
    };
    if route.is_some_and(|route| route.cors) {
        set(&mut response, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        set(&mut response, header::ACCESS_CONTROL_EXPOSE_HEADERS, "WWW-Authenticate, Retry-After");
    }
    secure(&mut response, context);
    (context.log)(&log_line(function, &request, &response));
    if request.method == Method::HEAD {
        response.body.clear();
    }
    response
}

fn refusal(route: Option<&Route>, request: &Request) -> Option<Response> {
    let Some(route) = route else { return Some(refuse(StatusCode::NOT_FOUND, "there is nothing at this path")) };
    if request.method == Method::OPTIONS && route.cors {
        return Some(preflight(route));
    }
    let served = route.methods.contains(&request.method)
        || (request.method == Method::HEAD && route.methods.contains(&Method::GET));
    if !served {
        let allowed: Vec<&str> = route.methods.iter().map(Method::as_str).collect();
        return Some(
            refuse(StatusCode::METHOD_NOT_ALLOWED, "this path does not serve this method")
                .with(header::ALLOW, &allowed.join(", ")),
        );
    }
    if request.body.len() > MAX_BODY {
        return Some(refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 64 KiB"));
    }
    if request.query.len() > MAX_QUERY {
        let description = "the query is longer than 7 KiB: send it as a form, with POST, or push an authorization request first (RFC 9126)";
        return Some(refuse(StatusCode::URI_TOO_LONG, description));
    }
    None
}

fn refuse(status: StatusCode, description: &str) -> Response {
    let mut response = Response::json(status, &json!({ "error": "invalid_request", "error_description": description }));
    response.outcome.error = Some("invalid_request".to_owned());
    response
}

fn preflight(route: &Route) -> Response {
    let methods: Vec<&str> = route.methods.iter().map(Method::as_str).collect();
    Response::new(StatusCode::NO_CONTENT)
        .with(header::ACCESS_CONTROL_ALLOW_METHODS, &methods.join(", "))
        .with(header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, *")
        .with(header::ACCESS_CONTROL_MAX_AGE, "86400")
}

/// A fault of ours is never an OAuth error that makes a client throw its tokens away.
fn unavailable(fault: &Fault) -> Response {
    let body =
        json!({ "error": "temporarily_unavailable", "error_description": "the server cannot answer now; try again" });
    Response::json(StatusCode::SERVICE_UNAVAILABLE, &body).owning_up(fault)
}

fn secure(response: &mut Response, context: &Context) {
    set_default(response, header::CACHE_CONTROL, "no-store");
    set_default(response, header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    set(response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(response, header::X_FRAME_OPTIONS, "DENY");
    set(response, header::REFERRER_POLICY, "no-referrer");
    if context.config.is_https() {
        set(response, header::STRICT_TRANSPORT_SECURITY, "max-age=63072000");
    }
}

fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers.insert(name, HeaderValue::from_static(value));
}

fn set_default(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers.entry(name).or_insert(HeaderValue::from_static(value));
}

/// What the log says of a request: one line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    at: u64,
    request: &'a str,
    function: &'a str,
    method: &'a str,
    status: u16,
    client: Option<&'a str>,
    error: Option<&'a str>,
    reason: Option<&'a str>,
}

fn log_line(function: &str, request: &Request, response: &Response) -> String {
    let outcome = &response.outcome;
    let line = Line {
        at: request.received_at.as_millis(),
        request: &request.id,
        function,
        method: request.method.as_str(),
        status: response.status.as_u16(),
        client: outcome.client.as_deref(),
        error: outcome.error.as_deref(),
        reason: outcome.reason.as_deref(),
    };
    // Strings and numbers have no way to fail.
    serde_json::to_string(&line).unwrap_or_default()
}
