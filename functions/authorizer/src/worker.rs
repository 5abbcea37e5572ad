//! The gateway as a Cloudflare Worker, before an origin (`LATCHKEY_ORIGIN`) or another Worker (the service binding `API`).

use crate::gateway::{Gateway, Verdict};
use async_trait::async_trait;
use futures::StreamExt;
use futures::future::{Either, select};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use resource_server::{Http, Presented, Settings, Timestamp};
use serde_json::json;
use std::fmt::Display;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use worker::js_sys::Reflect;
use worker::send::SendFuture;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::{
    AbortController, AbortSignal, Delay, Env, Fetch, Headers, RequestRedirect, ResponseBuilder, event, web_sys,
};

/// How long an exchange with the authorization server may take.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How much of its answer is read, in bytes.
const LIMIT: usize = 64 * 1024;
/// The binding of the Worker behind the gateway.
const API: &str = "API";

/// As long-lived as the isolate.
static DOOR: OnceLock<Door> = OnceLock::new();

struct Door {
    gateway: Gateway,
    /// Where the API is, when it is no service binding.
    origin: Option<String>,
}

#[event(fetch)]
async fn fetch(request: worker::Request, env: Env, _: worker::Context) -> worker::Result<worker::Response> {
    let door = match door(&env) {
        Ok(door) => door,
        Err(problems) => return broken(StatusCode::INTERNAL_SERVER_ERROR, &problems.join("; ")),
    };
    let inner = request.inner();
    let (path, target) = target(&inner.url());
    let Ok(method) = Method::from_bytes(inner.method().as_bytes()) else {
        return broken(StatusCode::BAD_REQUEST, "not a valid HTTP method");
    };
    let headers = headers(request.headers());
    let id = headers.get("cf-ray").and_then(|ray| ray.to_str().ok()).unwrap_or_default().to_owned();
    let presented = Presented { method: &method, url: &target, headers: &headers };
    let now = Timestamp::from_millis(worker::Date::now().as_millis());
    let (verdict, line) = door.gateway.judge(&presented, &path, &id, now).await;
    worker::console_log!("{line}");
    match verdict {
        Verdict::Answer(answer) => respond(answer),
        Verdict::Forward(headers) => match forward(inner, &target, &headers, door, &env).await {
            Ok(response) => Ok(response),
            Err(error) => broken(StatusCode::BAD_GATEWAY, &format!("the API does not answer: {error}")),
        },
    }
}

fn door(env: &Env) -> Result<&'static Door, Vec<String>> {
    if let Some(door) = DOOR.get() {
        return Ok(door);
    }
    let lookup = |name: &str| {
        let value = Reflect::get(env.as_ref(), &JsValue::from_str(name)).ok()?;
        value.as_string().or_else(|| value.as_f64().map(|number| number.to_string()))
    };
    let origin = lookup("LATCHKEY_ORIGIN").map(|origin| origin.trim_end_matches('/').to_owned());
    let origin = origin.filter(|origin| !origin.is_empty());
    let mut problems = Vec::new();
    if origin.is_none() && env.service(API).is_err() {
        problems.push(format!("LATCHKEY_ORIGIN: is not set, and there is no service binding {API}; give one of them"));
    }
    match Settings::read(&lookup) {
        Ok(settings) if problems.is_empty() => {
            Ok(DOOR.get_or_init(|| Door { gateway: Gateway::new(settings, Arc::new(Web)), origin }))
        }
        settings => {
            problems.extend(settings.err().unwrap_or_default());
            Err(problems)
        }
    }
}

/// Sends the request on, its body as it comes in, and brings the answer as it comes out.
async fn forward(
    request: &web_sys::Request,
    target: &str,
    headers: &HeaderMap,
    door: &Door,
    env: &Env,
) -> worker::Result<worker::Response> {
    let url = match &door.origin {
        Some(origin) => format!("{origin}{target}"),
        None => request.url(),
    };
    // `new Request(url, request)`: method and body of the one, without reading it.
    let passed = web_sys::Request::new_with_str_and_init(&url, request.unchecked_ref())?;
    let fields = passed.headers();
    for (name, _) in request_headers(request).entries() {
        fields.delete(&name)?;
    }
    for name in headers.keys() {
        // JavaScript takes each byte of a value as one character.
        let values = headers.get_all(name).iter().map(|value| value.as_bytes().iter().map(|byte| char::from(*byte)));
        for value in values {
            fields.append(name.as_str(), &value.collect::<String>())?;
        }
    }
    let init = web_sys::RequestInit::new();
    init.set_redirect(RequestRedirect::Manual.into());
    let passed = worker::Request::from(web_sys::Request::new_with_request_and_init(&passed, &init)?);
    match &door.origin {
        Some(_) => Fetch::Request(passed).send().await,
        None => worker::Response::try_from(env.service(API)?.fetch_request(passed).await?),
    }
}

fn request_headers(request: &web_sys::Request) -> Headers {
    Headers(request.headers())
}

/// The way to the authorization server: the platform's `fetch`. For one on the gateway's own zone it needs the flag
/// `global_fetch_strictly_public`; otherwise it would miss its Workers.
struct Web;

#[async_trait]
impl Http for Web {
    async fn send(&self, request: http::Request<String>) -> Result<http::Response<Vec<u8>>, String> {
        SendFuture::new(within_time(request)).await
    }
}

async fn within_time(request: http::Request<String>) -> Result<http::Response<Vec<u8>>, String> {
    let controller = AbortController::default();
    let signal = controller.signal();
    let outcome = match select(pin!(exchange(&request, &signal)), pin!(Delay::from(TIMEOUT))).await {
        Either::Left((outcome, _)) => outcome.map_err(|error| error.to_string()),
        Either::Right(_) => Err("no answer in time".to_owned()),
    };
    if outcome.is_err() {
        // What is left of the answer need not come.
        controller.abort();
    }
    outcome
}

async fn exchange(request: &http::Request<String>, signal: &AbortSignal) -> worker::Result<http::Response<Vec<u8>>> {
    let failed = |error: &dyn Display| worker::Error::RustError(error.to_string());
    let fields = Headers::new();
    fields.set("user-agent", "latchkey")?;
    for (name, value) in request.headers() {
        fields.set(name.as_str(), value.to_str().map_err(|error| failed(&error))?)?;
    }
    let mut init = worker::RequestInit::new();
    init.with_redirect(RequestRedirect::Manual).with_headers(fields);
    if request.method() == Method::POST {
        init.with_method(worker::Method::Post).with_body(Some(JsValue::from_str(request.body())));
    }
    let message = worker::Request::new_with_init(&request.uri().to_string(), &init)?;
    let mut response = Fetch::Request(message).send_with_signal(signal).await?;
    let mut body = Vec::new();
    // A response without a body has no stream.
    if let Ok(mut chunks) = response.stream() {
        while let Some(chunk) = chunks.next().await {
            body.extend(chunk?);
            if body.len() > LIMIT {
                return Err(failed(&"the answer is too long"));
            }
        }
    }
    let mut answer = http::Response::new(body);
    *answer.status_mut() = StatusCode::from_u16(response.status_code()).map_err(|error| failed(&error))?;
    *answer.headers_mut() = headers(response.headers());
    Ok(answer)
}

/// Path, and path and query, of a URL as the platform writes it: `scheme://host/path?query`.
fn target(url: &str) -> (String, String) {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let target = after_scheme.split_once('/').map_or("", |(_, target)| target);
    let target = format!("/{}", target.split('#').next().unwrap_or_default());
    (target.split('?').next().unwrap_or_default().to_owned(), target)
}

/// The header fields. The platform has joined those that were sent more than once.
fn headers(headers: &Headers) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers.entries() {
        // JavaScript gives each byte of a value as one character.
        let value: Vec<u8> = value.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).collect();
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(&value)) {
            map.append(name, value);
        }
    }
    map
}

fn respond(answer: http::Response<String>) -> worker::Result<worker::Response> {
    let fields = Headers::new();
    for (name, value) in answer.headers() {
        if let Ok(value) = value.to_str() {
            fields.append(name.as_str(), value)?;
        }
    }
    let builder = ResponseBuilder::new().with_status(answer.status().as_u16()).with_headers(fields);
    let body = answer.into_body();
    Ok(if body.is_empty() { builder.empty() } else { builder.fixed(body.into_bytes()) })
}

/// What the client is told when nothing can be: a status. The log has the rest.
fn broken(status: StatusCode, reason: &str) -> worker::Result<worker::Response> {
    let line = json!({ "at": worker::Date::now().as_millis(), "function": "authorizer", "reason": reason });
    worker::console_error!("{line}");
    let code = if status == StatusCode::BAD_GATEWAY { "temporarily_unavailable" } else { "server_error" };
    let mut answer = http::Response::new(json!({ "error": code }).to_string());
    *answer.status_mut() = status;
    answer.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    respond(answer)
}
