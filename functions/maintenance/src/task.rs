//! The maintenance that an operator asks for.

use protocol::Problem;
use serde_json::{Map, Value};
use std::fmt;

/// The kind of maintenance that a route names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Restore,
    Reshard,
}

/// One maintenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// All records go back to a time, in seconds since 1970.
    Restore { at: u64 },
    /// The records get another number of objects.
    Reshard { shards: u64 },
}

impl Task {
    /// Reads `{"at": seconds}` or `{"shards": number}`.
    pub(crate) fn parse(action: Action, body: &Map<String, Value>) -> Result<Self, Problem> {
        match action {
            Action::Restore => {
                number(body, "at", "the time to go back to, in seconds since 1970").map(|at| Self::Restore { at })
            }
            Action::Reshard => number(body, "shards", "the new number of Durable Objects, 1 to 4096")
                .map(|shards| Self::Reshard { shards }),
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restore { at } => write!(f, "restore to {at}"),
            Self::Reshard { shards } => write!(f, "change to {shards} shards"),
        }
    }
}

/// Returns the one member of a body.
fn number(body: &Map<String, Value>, name: &'static str, rule: &str) -> Result<u64, Problem> {
    let value = body.get(name).and_then(Value::as_u64).filter(|_| body.len() == 1);
    value.ok_or_else(|| Problem::new(name, format!("must be {rule}, and the only member")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_task_has_one_member() {
        let parse = |action, body: Value| Task::parse(action, body.as_object().unwrap()).map(|task| task.to_string());
        assert_eq!(parse(Action::Restore, json!({ "at": 5 })).unwrap(), "restore to 5");
        assert_eq!(parse(Action::Reshard, json!({ "shards": 7 })).unwrap(), "change to 7 shards");
        for body in [json!({}), json!({ "at": -1 }), json!({ "at": "5" }), json!({ "at": 5, "shards": 7 })] {
            assert_eq!(Task::parse(Action::Restore, body.as_object().unwrap()).unwrap_err().field(), "at", "{body}");
        }
    }
}
