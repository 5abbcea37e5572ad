//! One user on each line, as JSON: `username`, `sub`, `claims`, `password_hash`, `disabled`, as in the admin API.

use super::{ImportedUser, Refused};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    username: String,
    sub: Option<String>,
    #[serde(default)]
    claims: Map<String, Value>,
    password_hash: Option<String>,
    #[serde(default)]
    disabled: bool,
}

pub(super) fn read(text: &str) -> Vec<Result<ImportedUser, Refused>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| user(line).map_err(|problem| refused(index, problem))).collect()
}

/// Returns the refusal of a line.
pub(super) fn refused(index: usize, problem: &str) -> Refused {
    Refused { user: format!("line {}", index.saturating_add(1)), problem: problem.to_owned() }
}

fn user(line: &str) -> Result<ImportedUser, &'static str> {
    let Line { username, sub, claims, password_hash, disabled } = serde_json::from_str(line).map_err(
        |_| "is not a JSON object with username, and with sub, claims, password_hash and disabled alone beside it",
    )?;
    Ok(ImportedUser { username, subject: sub, claims, password_hash, disabled })
}
