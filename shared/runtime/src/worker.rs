//! A function as a Cloudflare Worker.

use crate::{Config, ConfigError, Context, Fault, Handler, Request, Response, Scheduled, entropy, shell, stream};
use http::{HeaderMap, HeaderValue, Method};
use protocol::Timestamp;
use serde_json::json;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use storage::Records;
use storage_cloudflare::{CachedRecords, DurableRecords, KvCache, LocationHint, Shards};
use worker::js_sys::{Number, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::{Env, Headers, ResponseBuilder, ScheduledEvent};

/// Made with the isolate's first request, and as long-lived as the isolate.
static CONTEXT: OnceLock<Context> = OnceLock::new();

/// Serves a request. The settings are read with the first; all that is wrong with them is logged with each, and the
/// client learns only that there is a fault.
pub async fn serve(
    function: &str,
    request: worker::Request,
    env: &Env,
    handler: Handler,
) -> worker::Result<worker::Response> {
    answer_with(function, request, context(env, false), handler).await
}

/// The same for a function that changes clients: it reads them from the object that decides, never from the cache.
pub async fn serve_current(
    function: &str,
    request: worker::Request,
    env: &Env,
    handler: Handler,
) -> worker::Result<worker::Response> {
    answer_with(function, request, context(env, true), handler).await
}

async fn answer_with(
    function: &str,
    request: worker::Request,
    context: Result<&'static Context, ConfigError>,
    handler: Handler,
) -> worker::Result<worker::Response> {
    let response = match context {
        Ok(context) => match read(request).await {
            Ok(request) => shell::respond(function, handler, request, context).await,
            Err(fault) => broken(function, &fault),
        },
        Err(error) => broken(function, &error),
    };
    answer(response)
}

/// Runs a function on its schedule. A fault is logged; the next run tries again.
pub async fn run_scheduled(function: &str, event: &ScheduledEvent, env: &Env, scheduled: Scheduled) {
    let context = match context(env, false) {
        Ok(context) => context,
        Err(error) => {
            broken(function, &error);
            return;
        }
    };
    let now = now();
    let reason = scheduled(now, context).await.err().map(|fault| fault.reason);
    let line = json!({ "at": now.as_millis(), "function": function, "schedule": event.cron(), "reason": reason });
    (context.log)(&line.to_string());
}

fn context(env: &Env, is_current: bool) -> Result<&'static Context, ConfigError> {
    match CONTEXT.get() {
        Some(context) => Ok(context),
        None => {
            let made = make_context(env, is_current)?;
            Ok(CONTEXT.get_or_init(|| made))
        }
    }
}

fn make_context(env: &Env, is_current: bool) -> Result<Context, ConfigError> {
    let lookup = |name: &str| setting(env, name);
    match records(env, &lookup, is_current) {
        Ok(records) => Context::new(&lookup, records, Box::new(|line| worker::console_log!("{}", line))),
        Err(more) => {
            let mut problems = Config::read(&lookup).err().map(|error| error.problems).unwrap_or_default();
            problems.extend(more);
            Err(ConfigError { problems })
        }
    }
}

/// The store: the objects of the binding `RECORDS`, read through the KV namespace of the binding `CACHE` unless what is
/// read must be current. The error lists all that is wrong.
fn records(
    env: &Env,
    lookup: &dyn Fn(&str) -> Option<String>,
    is_current: bool,
) -> Result<Arc<dyn Records>, Vec<String>> {
    let mut problems = Vec::new();
    let shards = lookup("LATCHKEY_SHARDS").map_or(Ok(Shards::default()), |setting| Shards::parse(&setting));
    if let Err(error) = &shards {
        problems.push(format!("LATCHKEY_SHARDS: {error}; never change it once there are records"));
    }
    let hint = lookup("LATCHKEY_LOCATION_HINT");
    let location = hint.as_deref().and_then(LocationHint::parse);
    if hint.is_some() && location.is_none() {
        problems.push(format!("LATCHKEY_LOCATION_HINT: is one of {}", LocationHint::REGIONS.join(" ")));
    }
    let objects = env.durable_object("RECORDS");
    if let Err(error) = &objects {
        problems.push(format!("RECORDS: is no binding of the Durable Objects of latchkey-records: {error}"));
    }
    let cache = env.kv("CACHE");
    if let Err(error) = &cache {
        problems.push(format!("CACHE: is no binding of a KV namespace: {error}"));
    }
    match (shards, objects, cache) {
        (Ok(shards), Ok(objects), Ok(cache)) if problems.is_empty() => {
            let records = DurableRecords::new(objects, shards, location);
            let cache = KvCache::new(cache);
            Ok(Arc::new(if is_current {
                CachedRecords::write_through(records, cache)
            } else {
                CachedRecords::new(records, cache)
            }))
        }
        _ => Err(problems),
    }
}

/// A variable or a secret. wrangler.toml may have it as text or as a number.
fn setting(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env.as_ref(), &JsValue::from_str(name)).ok()?;
    // The platform writes a number shorter than Rust's printing of floats, which nothing else needs, would weigh.
    let number = || value.unchecked_ref::<Number>().to_string_with_radix(10).ok().map(String::from);
    let text = value.as_string().or_else(|| value.as_f64().and_then(|_| number()))?;
    (!text.trim().is_empty()).then_some(text)
}

/// The request, with no more of its body than is needed to see that it is too long.
async fn read(request: worker::Request) -> Result<Request, Fault> {
    let inner = request.inner();
    let (path, query) = target(&inner.url());
    let method = Method::from_bytes(inner.method().as_bytes()).map_err(Fault::new)?;
    let sent = inner.headers();
    let text = |name: &str| sent.get(name).ok().flatten();
    let headers = headers(text)?;
    let address = text("cf-connecting-ip").and_then(|address| address.parse::<IpAddr>().ok());
    let id = match text("cf-ray") {
        Some(ray) => ray,
        None => entropy::name()?,
    };
    let body = match inner.body() {
        Some(body) => stream::read(&body, shell::MAX_BODY).await.map_err(|error| Fault::new(format!("{error:?}")))?,
        None => Vec::new(),
    };
    Ok(Request { method, path, query, headers, body: body.into(), address, received_at: now(), id })
}

/// Path and query of a URL as the platform writes it: `scheme://host/path?query`.
fn target(url: &str) -> (String, String) {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let target = after_scheme.split_once('/').map_or("", |(_, target)| target);
    let target = target.split('#').next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (format!("/{path}"), query.to_owned())
}

/// The header fields that functions read, by the platform's lookup, which has joined those that were sent more than once.
/// To make a name of each field that is sent would weigh 5 KB, for `http` knows eighty by heart.
fn headers(text: impl Fn(&str) -> Option<String>) -> Result<HeaderMap, Fault> {
    let mut map = HeaderMap::new();
    for name in Request::FIELDS {
        let Some(value) = text(name.as_str()) else { continue };
        // What is no byte here is no part of what we read: a cookie of somebody else's, in whatever encoding.
        let value: Vec<u8> = value.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).collect();
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            map.try_append(name, value).map_err(Fault::new)?;
        }
    }
    Ok(map)
}

fn answer(response: Response) -> worker::Result<worker::Response> {
    let headers = Headers::new();
    for (name, value) in &response.headers {
        if let Ok(value) = value.to_str() {
            headers.append(name.as_str(), value)?;
        }
    }
    let builder = ResponseBuilder::new().with_status(response.status.as_u16()).with_headers(headers);
    Ok(if response.body.is_empty() { builder.empty() } else { builder.fixed(response.body) })
}

/// What the client is told when nothing can be: a status. The log has the rest.
fn broken(function: &str, error: &dyn std::fmt::Display) -> Response {
    let reason = error.to_string();
    worker::console_error!("{}", json!({ "at": now().as_millis(), "function": function, "reason": reason }));
    let body = json!({ "error": "server_error", "error_description": "the server is not working" });
    Response::json(http::StatusCode::INTERNAL_SERVER_ERROR, &body)
        .with(http::header::CACHE_CONTROL, "no-store")
        .with(http::header::X_CONTENT_TYPE_OPTIONS, "nosniff")
}

fn now() -> Timestamp {
    Timestamp::from_millis(worker::Date::now().as_millis())
}
