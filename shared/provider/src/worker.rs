//! A function as a Cloudflare Worker.

use crate::{Config, ConfigError, Context, Function, Scheduled, shell};
use latchkey_http::Response;
use platform::clock;
use platform::worker::{read, setting, write};
use protocol::Problem;
use serde_json::json;
use std::sync::{Arc, OnceLock};
use storage::Records;
use storage_cloudflare::{CachedRecords, DurableRecords, KvCache, LocationHint, Shards};
use worker::{Env, ScheduledEvent};

/// Made with the isolate's first request, and as long-lived as the isolate.
static CONTEXT: OnceLock<Context> = OnceLock::new();

/// Serves a request. The settings are read with the first; all that is wrong with them is logged with each, and the
/// client learns only that there is a fault.
pub async fn serve(function: Function, request: worker::Request, env: &Env) -> worker::Result<worker::Response> {
    respond(function, request, context(env, false)).await
}

/// The same for a function that changes clients: it reads them from the object that decides, never from the cache.
pub async fn serve_current(
    function: Function,
    request: worker::Request,
    env: &Env,
) -> worker::Result<worker::Response> {
    respond(function, request, context(env, true)).await
}

async fn respond(
    function: Function,
    request: worker::Request,
    context: Result<&'static Context, ConfigError>,
) -> worker::Result<worker::Response> {
    let response = match context {
        Ok(context) => match read(request).await {
            Ok(request) => shell::respond(&function, request, context).await,
            Err(error) => broken(function.name, &error),
        },
        Err(error) => broken(function.name, &error),
    };
    write(response)
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
    let now = clock::now();
    let reason = scheduled(now, context).await.err().map(|error| error.to_string());
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
) -> Result<Arc<dyn Records>, Vec<Problem>> {
    let mut problems = Vec::new();
    let shards = lookup("LATCHKEY_SHARDS").map_or(Ok(Shards::default()), |setting| Shards::parse(&setting));
    if let Err(error) = &shards {
        let rule = format!("{error}; never change it once there are records");
        problems.push(Problem::new("LATCHKEY_SHARDS", rule));
    }
    let hint = lookup("LATCHKEY_LOCATION_HINT");
    let location = hint.as_deref().and_then(LocationHint::parse);
    if hint.is_some() && location.is_none() {
        let rule = format!("is one of {}", LocationHint::REGIONS.join(" "));
        problems.push(Problem::new("LATCHKEY_LOCATION_HINT", rule));
    }
    let objects = env.durable_object("RECORDS");
    if let Err(error) = &objects {
        let rule = format!("is no binding of the Durable Objects of latchkey-records: {error}");
        problems.push(Problem::new("RECORDS", rule));
    }
    let cache = env.kv("CACHE");
    if let Err(error) = &cache {
        problems.push(Problem::new("CACHE", format!("is no binding of a KV namespace: {error}")));
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

/// What the client is told when nothing can be: a status. The log has the rest.
fn broken(function: &str, error: &dyn std::fmt::Display) -> Response {
    let reason = error.to_string();
    worker::console_error!("{}", json!({ "at": clock::now().as_millis(), "function": function, "reason": reason }));
    let body = json!({ "error": "server_error", "error_description": "the server is not working" });
    Response::json(http::StatusCode::INTERNAL_SERVER_ERROR, &body)
        .with(http::header::CACHE_CONTROL, "no-store")
        .with(http::header::X_CONTENT_TYPE_OPTIONS, "nosniff")
}
