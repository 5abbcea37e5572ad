//! Maintenance of the records: a restore to an earlier time, and another number of Durable Objects.
//!
//! | path | POST |
//! |---|---|
//! | `/admin/records/restore` | Cloudflare: lets all records go back to the time `at`, in seconds since 1970; returns the state |
//! | `/admin/records/reshard` | Cloudflare: changes the number of objects to `shards`; returns the state |
//!
//! A request does a part of the work; the command repeats it until the work is done. `provider::administration` authenticates the
//! administrators, who need an admin key for everything. Only this function may begin maintenance of the Durable Objects.

#[cfg(target_arch = "wasm32")]
mod objects;
mod task;

use http::{Method, StatusCode};
use latchkey_http::{Request, Response};
use protocol::administration::AdminScope;
use provider::administration::{AdminCall, AdminRoute, json_object, problem};
use provider::{AuditEvent, Context, Function, HandlerError};
use serde_json::Value;
use task::{Action, Task};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::api("maintenance", |request, context| Box::pin(handle(request, context)));

/// Every route. While the records move, no use of a token can be noted; maintenance continues where it stopped.
static ROUTES: [AdminRoute<Action>; 2] = [
    AdminRoute::repeatable(Method::POST, "records/restore", AdminScope::All, Action::Restore),
    AdminRoute::repeatable(Method::POST, "records/reshard", AdminScope::All, Action::Reshard),
];

/// Answers one request with the state of the maintenance after another part of it.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let call = AdminCall::open(&ROUTES, request, context).await?;
    let task = match Task::parse(*call.action, &json_object(request)?) {
        Ok(task) => task,
        Err(reason) => return Ok(problem(request, StatusCode::BAD_REQUEST, &[reason])),
    };
    Ok(match perform(&task, context).await? {
        Ok(state) => {
            let member = |name: &str| match state.get(name) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            };
            let reason = format!("{task}: {}, {} done", member("state"), member("done"));
            AuditEvent::RecordsMaintained { reason: &reason }.record(request);
            Response::json(StatusCode::OK, &state)
        }
        Err(reason) => problem(request, StatusCode::CONFLICT, &[reason]),
    })
}

/// Does a part of the work. Returns the state, or the reason why the work cannot begin.
#[cfg(not(target_arch = "wasm32"))]
async fn perform(_: &Task, _: &Context) -> Result<Result<Value, String>, HandlerError> {
    let reason =
        "the records of this server are not in Durable Objects; infra/docs/operations.md has the steps of its platform";
    Ok(Err(reason.to_owned()))
}

#[cfg(target_arch = "wasm32")]
use objects::perform;

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    objects::bind(&env);
    provider::worker::serve(FUNCTION, request, &env).await
}
