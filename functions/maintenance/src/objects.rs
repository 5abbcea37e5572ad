//! The Durable Objects, which do the work.

use crate::task::Task;
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

pub(crate) async fn perform(task: &Task, context: &Context) -> Result<Result<Value, String>, HandlerError> {
    let epoch = context.secrets.epoch();
    let operator = match *task {
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
