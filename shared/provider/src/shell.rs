//! The frame of every function on every platform: methods, limits, CORS, security headers, the log line.

use crate::{Context, Function, HandlerError, RefusalPage, ScheduledFunction, ScheduledRun, clock_check, responses};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use latchkey_http::{LogMembers, MAX_BODY, MAX_QUERY, Request, RequestId, Response};
use manifest::Route;
use pages::Refusal;
use platform::version::BuildInfo;
use serde::Serialize;
use serde_json::{Value, json};
use types::ClientId;

/// Answers a request with a function.
pub async fn respond(function: &Function, mut request: Request, context: &Context) -> Response {
    let refused = receive(function, &mut request, context);
    answer(function, request, refused, context).await
}

/// Sets the address and the certificate of the client. Returns the response to a request that no function should see.
pub(crate) fn receive(function: &Function, request: &mut Request, context: &Context) -> Option<Response> {
    let bypasses_proxy = context.identify_client(request);
    bypasses_proxy.or_else(|| refusal(function, request, context))
}

/// Returns the response to a request that the rate limit of the platform refuses: 429 (RFC 6585 §4), as JSON or as a page.
#[cfg(target_arch = "wasm32")]
pub(crate) fn too_many(function: &Function, request: &Request, context: &Context) -> Response {
    let error = HandlerError::unavailable("too many requests came from this network");
    let mut response = (function.error_response)(error, request, context);
    response.status = StatusCode::TOO_MANY_REQUESTS;
    response
}

/// Answers a request that was received: with `refused`, or with the function.
pub(crate) async fn answer(
    function: &Function,
    request: Request,
    refused: Option<Response>,
    context: &Context,
) -> Response {
    let route = function.row.route(&request.path);
    let mut response = match refused {
        Some(refusal) => refusal,
        None if route.is_some_and(Route::is_health) => health(function.row.name, &request.path, context),
        None => match handle(function, &request, context).await {
            Ok(response) => response,
            Err(error) => (function.error_response)(error, &request, context),
        },
    };
    if route.is_some_and(|route| route.cors) {
        response = allow_origins(response);
    }
    secure(&mut response, context);
    (context.log)(&log_line(function.row.name, &request, &response));
    if request.method == Method::HEAD {
        response.body.clear();
    }
    response
}

/// Answers a request with the function, under the current configuration.
async fn handle(function: &Function, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let now = request.received_at;
    let current = context.with_configuration(&function.row, now).await?;
    let (answered, ()) =
        futures::join!((function.handler)(request, &current), context.renew_configuration(&function.row, now));
    answered
}

/// Runs a function on its schedule, and writes the one log line of the run.
pub async fn run_scheduled(
    function: &ScheduledFunction,
    run: ScheduledRun,
    context: &Context,
) -> Result<(), HandlerError> {
    let done = (function.run)(&run, context).await;
    finish(function, &run, context, done)
}

/// Runs a function on records that were just written, by their keys, and writes the one log line of the run.
pub async fn run_written(
    function: &ScheduledFunction,
    keys: &[String],
    run: ScheduledRun,
    context: &Context,
) -> Result<(), HandlerError> {
    let Some(work) = function.on_written else { return Ok(()) };
    let done = work(keys, &run, context).await;
    finish(function, &run, context, done)
}

fn finish(
    function: &ScheduledFunction,
    run: &ScheduledRun,
    context: &Context,
    done: Result<(), HandlerError>,
) -> Result<(), HandlerError> {
    let line = ScheduledLine {
        at: run.now.as_millis(),
        request: &run.id,
        function: function.row.name,
        reason: done.as_ref().err().map(ToString::to_string),
        events: run.log.take().events,
    };
    // Strings and numbers always serialize.
    (context.log)(&serde_json::to_string(&line).unwrap_or_default());
    done
}

fn refusal(function: &Function, request: &Request, context: &Context) -> Option<Response> {
    let Some(route) = function.row.route(&request.path) else {
        return Some(unknown_path(function.refusal_page, request, context));
    };
    if request.method == Method::OPTIONS && route.cors {
        return Some(preflight(route));
    }
    let served = route.methods.contains(&request.method)
        || (request.method == Method::HEAD && route.methods.contains(&Method::GET));
    let (reason, status, description) = if !served {
        (Refusal::Method, StatusCode::METHOD_NOT_ALLOWED, "this path does not serve this method")
    } else if request.body.len() > MAX_BODY {
        (Refusal::BodyTooLong, StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 64 KiB")
    } else if request.query.len() > MAX_QUERY {
        let description = "the query is longer than 7 KiB: send it as a form, with POST, or push an authorization request first (RFC 9126)";
        (Refusal::QueryTooLong, StatusCode::URI_TOO_LONG, description)
    } else {
        return None;
    };
    let response = refuse(function.refusal_page, request, context, reason, status, description, route.is_page);
    let allowed: Vec<&str> = route.methods.iter().map(Method::as_str).collect();
    Some(if served { response } else { response.with(header::ALLOW, &allowed.join(", ")) })
}

/// The paths of documents that programs read (RFC 8615).
const WELL_KNOWN: &str = "/.well-known/";

/// Returns the response to a path that no function serves. A single-page application or an MCP client that looks for a document may
/// read that it is not there.
fn unknown_path(refusal_page: RefusalPage, request: &Request, context: &Context) -> Response {
    let (status, description) = (StatusCode::NOT_FOUND, "there is nothing at this path");
    let is_for_user = !request.path.starts_with(WELL_KNOWN);
    let mut response = refuse(refusal_page, request, context, Refusal::UnknownPath, status, description, is_for_user);
    if !response.is_open && manifest::is_open(&request.path) {
        response = allow_origins(response);
    }
    response
}

/// Returns the response to the path of a page that this deployment does not have.
pub fn not_offered(request: &Request, context: &Context) -> Response {
    unknown_path(responses::refused, request, context)
}

/// The header fields that scripts of other origins may read.
const EXPOSED: &str = "WWW-Authenticate, Retry-After, DPoP-Nonce, x-fapi-interaction-id";

/// Returns the response for pages of every origin.
fn allow_origins(mut response: Response) -> Response {
    set(&mut response, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(&mut response, header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    response
}

/// Returns the response to a request that no function handles: a page if the path is for users and the client prefers HTML,
/// otherwise JSON.
fn refuse(
    refusal_page: RefusalPage,
    request: &Request,
    context: &Context,
    reason: Refusal,
    status: StatusCode,
    description: &str,
    is_for_user: bool,
) -> Response {
    request.log.error("invalid_request", description);
    let page = || refusal_page(request, context, reason, status, description);
    let page = (is_for_user && request.prefers_html()).then(page).flatten();
    let mut response = page.unwrap_or_else(|| {
        Response::json(status, &json!({ "error": "invalid_request", "error_description": description }))
    });
    if is_for_user {
        set(&mut response, header::VARY, "Accept");
    }
    response
}

/// Returns name, version and commit; below [`Route::HEALTH`] the name of the function, too. Reads no record: a monitor that
/// asks often costs nothing but the call. 503 with the reason if the last answer of the store showed that the clock is wrong.
fn health(function: &str, path: &str, context: &Context) -> Response {
    #[derive(Serialize)]
    struct Health<'a> {
        #[serde(flatten)]
        build: BuildInfo<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    }
    let problem = context.clock_error().map(clock_check::wrong);
    let status = if problem.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let function = (path != Route::HEALTH).then_some(function);
    Response::json(status, &Health { build: BuildInfo::new(function), problem }).open()
}

fn preflight(route: &Route) -> Response {
    let methods: Vec<&str> = route.methods.iter().map(Method::as_str).collect();
    Response::new(StatusCode::NO_CONTENT)
        .with(header::ACCESS_CONTROL_ALLOW_METHODS, &methods.join(", "))
        .with(header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, DPoP, x-fapi-interaction-id, *")
        .with(header::ACCESS_CONTROL_MAX_AGE, "86400")
}

fn secure(response: &mut Response, context: &Context) {
    // `no-transform` keeps the edge of Cloudflare from compressing secrets.
    let cache = if response.is_open { "no-store" } else { "no-store, no-transform" };
    set_default(response, header::CACHE_CONTROL, cache);
    if response.is_open {
        let by_accept = response.headers.contains_key(header::VARY);
        set(response, header::VARY, if by_accept { "Accept, Accept-Encoding" } else { "Accept-Encoding" });
    }
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

/// The log line of a request: one line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    at: u64,
    request: &'a RequestId,
    function: &'a str,
    method: &'a str,
    status: u16,
    client: Option<ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_key: Option<String>,
    error: Option<String>,
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<Value>,
}

/// The log line of a run on a schedule: one line of JSON.
#[derive(Serialize)]
struct ScheduledLine<'a> {
    at: u64,
    request: &'a RequestId,
    function: &'a str,
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<Value>,
}

fn log_line(function: &str, request: &Request, response: &Response) -> String {
    let LogMembers { client, admin_key, error, reason, events } = request.log.take();
    let line = Line {
        at: request.received_at.as_millis(),
        request: &request.id,
        function,
        method: request.method.as_str(),
        status: response.status.as_u16(),
        client,
        admin_key,
        error,
        reason,
        events,
    };
    // Strings and numbers always serialize.
    serde_json::to_string(&line).unwrap_or_default()
}
