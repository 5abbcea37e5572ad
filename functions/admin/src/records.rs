//! Maintenance of the records, on Cloudflare: a restore to an earlier time, and another number of Durable Objects. A request does a
//! part of the work; the command repeats it until the work is done.

use crate::problem;
use http::StatusCode;
use latchkey_http::{Request, Response};
use protocol::Problem;
use provider::{AuditEvent, Context, HandlerError};
use serde_json::{Map, Value};

/// The maintenance that an operator asks for.
#[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "read on Workers"))]
pub(crate) enum Task {
    /// All records go back to a time, in seconds since 1970.
    Restore { at: u64 },
    /// The records get another number of objects.
    Reshard { shards: u64 },
}

/// Answers with the state of the maintenance after another part of it.
pub(crate) async fn maintain(
    read: fn(&Map<String, Value>) -> Result<Task, Problem>,
    body: &Map<String, Value>,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let task = match read(body) {
        Ok(task) => task,
        Err(reason) => return Ok(problem(request, StatusCode::BAD_REQUEST, &[reason])),
    };
    Ok(match perform(task, context).await? {
        Ok(state) => {
            let text = |name: &str| state.get(name).map(ToString::to_string).unwrap_or_default();
            let task = if state.get("at").is_some() { "restore to" } else { "change to" };
            let goal = if state.get("at").is_some() { text("at") } else { format!("{} shards", text("to")) };
            let reason = format!("{task} {goal}: {}, {} done", text("state").trim_matches('"'), text("done"));
            AuditEvent::RecordsMaintained { reason: &reason }.record(request);
            Response::json(StatusCode::OK, &state)
        }
        Err(reason) => problem(request, StatusCode::CONFLICT, &[reason]),
    })
}

/// Reads `{"at": seconds}`.
pub(crate) fn restore(body: &Map<String, Value>) -> Result<Task, Problem> {
    number(body, "at", "the time to go back to, in seconds since 1970").map(|at| Task::Restore { at })
}

/// Reads `{"shards": number}`.
pub(crate) fn reshard(body: &Map<String, Value>) -> Result<Task, Problem> {
    number(body, "shards", "the new number of Durable Objects, 1 to 4096").map(|shards| Task::Reshard { shards })
}

/// Returns the one member of a body.
fn number(body: &Map<String, Value>, name: &'static str, rule: &str) -> Result<u64, Problem> {
    let value = body.get(name).and_then(Value::as_u64).filter(|_| body.len() == 1);
    value.ok_or_else(|| Problem::new(name, format!("must be {rule}, and the only member")))
}

#[cfg(not(target_arch = "wasm32"))]
async fn perform(_: Task, _: &Context) -> Result<Result<Value, String>, HandlerError> {
    let reason =
        "the records of this server are not in Durable Objects; infra/docs/operations.md has the steps of its platform";
    Ok(Err(reason.to_owned()))
}

#[cfg(target_arch = "wasm32")]
pub(crate) use objects::{bind, perform};

#[cfg(target_arch = "wasm32")]
mod objects {
    use super::Task;
    use protocol::Mac as _;
    use provider::{Context, HandlerError};
    use serde_json::Value;
    use std::sync::OnceLock;
    use storage_cloudflare::{DurableRecords, Operator, Shards};
    use types::Timestamp;
    use worker::Env;

    static RECORDS: OnceLock<DurableRecords> = OnceLock::new();

    /// Remembers the objects. The context reports invalid settings.
    pub(crate) fn bind(env: &Env) {
        if RECORDS.get().is_none()
            && let Ok(records) = provider::worker::durable(env, crate::FUNCTION.row)
        {
            let _ = RECORDS.set(records);
        }
    }

    pub(crate) async fn perform(task: Task, context: &Context) -> Result<Result<Value, String>, HandlerError> {
        let epoch = context.secrets.epoch();
        let operator = match task {
            Task::Restore { at } => Operator::Restore { at: Timestamp::from_secs(at), epoch },
            Task::Reshard { shards } => match Shards::parse(&shards.to_string()) {
                Ok(shards) => Operator::Reshard { shards },
                Err(error) => return Ok(Err(error.to_string())),
            },
        };
        let records = RECORDS.get().ok_or_else(|| HandlerError::unavailable("the records are not bound"))?;
        Ok(match records.maintain(&operator).await? {
            Ok(state) => Ok(serde_json::from_str(&state).map_err(HandlerError::unavailable)?),
            Err(reason) => Err(reason),
        })
    }
}
