//! A function as a Cloudflare Worker.

use crate::rate_limiter::network;
use crate::{Config, ConfigError, Context, Function, ListCheck, ScheduledFunction, ScheduledRun, shell};
use latchkey_http::Response;
use platform::worker::{Service, is_within_limit, log_start, read, setting, write};
use platform::{clock, entropy};
use protocol::Problem;
use serde_json::json;
use std::sync::{Arc, OnceLock};
use storage::Records;
use storage_cloudflare::{CachedRecords, Caller, DurableRecords, KvCache, Layout, LocationHint, Shards};
use worker::Env;

/// The binding of the rate limit per network.
const LIMIT: &str = "REQUESTS";

/// Made with the isolate's first request, and as long-lived as the isolate.
static CONTEXT: OnceLock<Context> = OnceLock::new();

/// Serves a request. The first request reads the settings; invalid settings are logged with each request, and the client
/// learns only that the server does not work.
pub async fn serve(function: Function, request: worker::Request, env: &Env) -> worker::Result<worker::Response> {
    let response = match context(env, function.row, function.list_check) {
        Ok(context) => match read(request, context.config.proxy_fields()).await {
            Ok(mut request) => {
                let mut refused = shell::receive(&function, &mut request, context);
                if refused.is_none()
                    && function.row.limits_networks
                    && !is_within_limit(env, LIMIT, &network(request.address)).await
                {
                    refused = Some(shell::too_many(&function, &request, context));
                }
                shell::answer(&function, request, refused, context).await
            }
            Err(error) => broken(function.row.name, &error),
        },
        Err(error) => broken(function.row.name, &error),
    };
    write(response)
}

/// The Worker that sends mails.
static MAIL: Service = Service::new("MAIL");

/// The longest answer of the Worker that sends mails, in bytes: it has none.
const NO_ANSWER: usize = 1024;

/// Serves a request, as [`serve`] does, and lets the Worker `mail` send the mails that were written, after the response. A failure is left to
/// the schedule.
pub async fn serve_with_mail(
    function: Function,
    request: worker::Request,
    env: &Env,
    invocation: &worker::Context,
) -> worker::Result<worker::Response> {
    MAIL.bind(env);
    let response = serve(function, request, env).await;
    let written = CONTEXT.get().map(|context| context.written_mails.take()).unwrap_or_default();
    if !written.is_empty() {
        let message = json!(written).to_string();
        invocation.wait_until(async move { drop(MAIL.call(&message, NO_ANSWER).await) });
    }
    response
}

/// Runs a function on its schedule. A failure is logged; the next run tries again.
pub async fn run_scheduled(function: ScheduledFunction, env: &Env) {
    if let Some((run, context)) = begin(function, env) {
        // The line of the run has the reason of a failure.
        let _ = shell::run_scheduled(&function, run, context).await;
    }
}

/// Runs a function on records that were just written, by their keys. A failure is logged; the schedule tries again.
pub async fn run_written(function: ScheduledFunction, keys: &[String], env: &Env) {
    if let Some((run, context)) = begin(function, env) {
        // The line of the run has the reason of a failure.
        let _ = shell::run_written(&function, keys, run, context).await;
    }
}

/// Begins a run; `None` if the settings are wrong, which is logged.
fn begin(function: ScheduledFunction, env: &Env) -> Option<(ScheduledRun, &'static Context)> {
    let name = function.row.name;
    let context = match context(env, function.row, |_, _, _| Vec::new()) {
        Ok(context) => context,
        Err(error) => {
            broken(name, &error);
            return None;
        }
    };
    // The platform names no run.
    let id = entropy::name().unwrap_or_default();
    Some((ScheduledRun::new(id.into(), clock::now()), context))
}

fn context(env: &Env, row: manifest::Function, check: ListCheck) -> Result<&'static Context, ConfigError> {
    match CONTEXT.get() {
        Some(context) => Ok(context),
        None => {
            log_start(row.name);
            let created = create_context(env, row, check)?;
            Ok(CONTEXT.get_or_init(|| created))
        }
    }
}

fn create_context(env: &Env, row: manifest::Function, check: ListCheck) -> Result<Context, ConfigError> {
    let lookup = |name: &str| setting(env, name);
    match records(env, &lookup, row) {
        Ok(records) => {
            let log = Box::new(|line: &str| worker::console_log!("{}", line));
            Context::of_function(row, &lookup, records, log, check)
        }
        Err(more) => {
            let mut problems = Config::read_with(&lookup, check).err().map(|error| error.problems).unwrap_or_default();
            problems.extend(more);
            Err(ConfigError { problems })
        }
    }
}

/// The store: the objects of the binding `RECORDS`. Without a jurisdiction they are read through the KV namespace of the
/// binding `CACHE`, unless what is read must be current: Workers KV stores everywhere. The error lists all that is wrong.
fn records(
    env: &Env,
    lookup: &dyn Fn(&str) -> Option<String>,
    row: manifest::Function,
) -> Result<Arc<dyn Records>, Vec<Problem>> {
    let jurisdiction = lookup("LATCHKEY_JURISDICTION");
    let cache = match &jurisdiction {
        Some(_) => Ok(None),
        None => KvCache::of_binding(env, "CACHE").map(Some).ok_or("is no binding of a KV namespace"),
    };
    let cache = cache.map_err(|rule| vec![Problem::new("CACHE", rule)]);
    let (records, cache) = match (durable(env, row), cache) {
        (Ok(records), Ok(cache)) => (records, cache),
        (records, cache) => {
            return Err([records.err(), cache.err()].into_iter().flatten().flatten().collect());
        }
    };
    Ok(match cache {
        None => Arc::new(records),
        Some(cache) if row.reads_current_clients => Arc::new(CachedRecords::write_through(records, cache)),
        Some(cache) => Arc::new(CachedRecords::new(records, cache)),
    })
}

/// Returns the objects of the binding `RECORDS`, as a function calls them.
///
/// # Errors
/// Each setting and binding that is wrong.
pub fn durable(env: &Env, row: manifest::Function) -> Result<DurableRecords, Vec<Problem>> {
    let lookup = |name: &str| setting(env, name);
    let mut problems = Vec::new();
    let shards = lookup("LATCHKEY_SHARDS").map_or(Ok(Shards::default()), |setting| Shards::parse(&setting));
    if let Err(error) = &shards {
        problems.push(Problem::new("LATCHKEY_SHARDS", error.to_string()));
    }
    let hint = lookup("LATCHKEY_LOCATION_HINT");
    let location = hint.as_deref().and_then(LocationHint::parse);
    if hint.is_some() && location.is_none() {
        let rule = format!("is one of {}", LocationHint::REGIONS.join(" "));
        problems.push(Problem::new("LATCHKEY_LOCATION_HINT", rule));
    }
    let objects = env.durable_object("RECORDS");
    if let Err(error) = &objects {
        let rule = format!("is no binding of the Durable Objects of the Worker `records`: {error}");
        problems.push(Problem::new("RECORDS", rule));
    }
    let keys = lookup("LATCHKEY_KEYS");
    let credential = keys::credential(row.name, keys.as_deref(), lookup("LATCHKEY_SECRET").as_deref());
    if credential.is_none() && keys.is_some() {
        let name = row.name;
        let rule = format!("has no credential for the records; derive it with `latchkey secret derive {name}`");
        problems.push(Problem::new("LATCHKEY_KEYS", rule));
    }
    let (Ok(shards), Ok(objects), Some(credential), true) = (shards, objects, credential, problems.is_empty()) else {
        return Err(problems);
    };
    let caller = Caller::new(row.name, credential.as_str());
    let layout = Layout { shards, jurisdiction: lookup("LATCHKEY_JURISDICTION") };
    DurableRecords::new(objects, caller, layout, location).map_err(|error| {
        vec![Problem::new("LATCHKEY_JURISDICTION", format!("is no jurisdiction of Durable Objects: {error}"))]
    })
}

/// Returns the response of a Worker that cannot start: a status. The log has the reason.
fn broken(function: &str, error: &dyn std::fmt::Display) -> Response {
    let reason = error.to_string();
    worker::console_error!("{}", json!({ "at": clock::now().as_millis(), "function": function, "reason": reason }));
    let body = json!({ "error": "server_error", "error_description": "the server is not working" });
    Response::json(http::StatusCode::INTERNAL_SERVER_ERROR, &body)
        .with(http::header::CACHE_CONTROL, "no-store")
        .with(http::header::X_CONTENT_TYPE_OPTIONS, "nosniff")
}
