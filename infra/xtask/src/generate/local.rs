//! `infra/functions`: the functions of the authorization server in one process.

use super::{names, replace_part};
use anyhow::Result;
use manifest::Function;

/// Returns `Cargo.toml` with the crates of the functions as dependencies.
pub(super) fn write_dependencies(text: &str) -> Result<String> {
    let lines = names(Function::is_server).into_iter().map(|name| format!("{name}.workspace = true\n"));
    replace_part(text, "functions", &lines.collect::<String>())
}

/// Returns `lib.rs` with the lists of the functions.
pub(super) fn write_functions(text: &str) -> Result<String> {
    let text = replace_part(text, "endpoints", &list(|function| !function.routes().is_empty()))?;
    replace_part(&text, "scheduled", &list(|function| function.schedule().is_some()))
}

fn list(matches: impl Fn(&Function) -> bool) -> String {
    names(matches).into_iter().map(|name| format!("    {}::FUNCTION,\n", name.replace('-', "_"))).collect()
}
