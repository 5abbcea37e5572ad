//! The page of the client libraries: its table comes from the code.

use super::matrix;
use crate::process;
use crate::workspace::{self, Build};
use anyhow::{Result, bail};
use serde_json::Value;
use std::process::Command;

/// The page.
pub(crate) const FILE: &str = "infra/docs/clients.md";

/// Returns the table of the libraries. Fails if a library or a sample has no section.
pub(crate) fn libraries() -> Result<String> {
    let page = std::fs::read_to_string(workspace::root().join(FILE))?;
    let mut libraries = Command::new(workspace::binary("latchkey", Build::Dev));
    let libraries: Vec<Value> =
        serde_json::from_str(&process::output(libraries.args(["client", "libraries", "--json"]))?)?;
    for library in &libraries {
        let name = library["name"].as_str().unwrap_or_default();
        if !page.contains(&format!("\n## {name}\n")) {
            bail!("{FILE} has no section for {name}");
        }
    }
    for sample in matrix::read()? {
        let file = sample.file();
        let is_shown = page.contains(&format!("tests/clients/{}/{file}", sample.language.name()));
        if !is_shown || !libraries.iter().any(|library| library["name"] == sample.name.as_str()) {
            bail!("{FILE} does not show the sample {}: {file}", sample.name);
        }
    }
    Ok(table(&libraries))
}

/// Returns the table of the libraries with their switches.
fn table(libraries: &[Value]) -> String {
    let mut table = "| `--for` | library | switches |\n|---|---|---|\n".to_owned();
    for library in libraries {
        let text = |name: &str| library[name].as_str().unwrap_or_default().to_owned();
        let own = library["switches"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        let of = |name: &'static str| {
            let settings = library[name].as_object().into_iter().flatten().filter(|(name, _)| *name != "software_id");
            settings.map(move |(setting, value)| format!("{name}: {setting}={}", value.to_string().trim_matches('"')))
        };
        let switches: Vec<String> =
            own.chain(of("client")).chain(of("resource")).map(|switch| format!("`{switch}`")).collect();
        let switches = if switches.is_empty() { "none".to_owned() } else { switches.join("<br>") };
        table.push_str(&format!("| [`{0}`](#{0}) | {1} | {switches} |\n", text("name"), text("title")));
    }
    table
}
