//! The page of the client libraries: its table and its samples come from the code.

use super::matrix;
use crate::process;
use crate::workspace::{self, Build};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::process::Command;

/// The page.
pub(crate) const FILE: &str = "infra/docs/clients.md";

/// Returns the generated parts of the page: name and content. Fails if a library or a sample has no section.
pub(crate) fn parts() -> Result<Vec<(String, String)>> {
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
    let mut parts = vec![("client-libraries".to_owned(), table(&libraries))];
    for name in page.split("<!-- ").filter_map(|rest| rest.split_once(" -->")).map(|(name, _)| name) {
        if let Some(file) = name.strip_prefix("sample ") {
            parts.push((name.to_owned(), sample(file)?));
        }
    }
    Ok(parts)
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

/// Returns a sample as a block of code: the lines between `docs: begin` and `docs: end`, or else the whole file.
fn sample(file: &str) -> Result<String> {
    let text = std::fs::read_to_string(workspace::root().join(file)).with_context(|| format!("reading {file}"))?;
    let lines: Vec<&str> = text.lines().collect();
    let marked = |mark: &str| lines.iter().position(|line| line.trim_end().ends_with(mark));
    let shown = match (marked("docs: begin"), marked("docs: end")) {
        (Some(begin), Some(end)) => lines.get(begin.saturating_add(1)..end).unwrap_or_default(),
        _ => lines.as_slice(),
    };
    let language = match file.rsplit_once('.').map(|(_, extension)| extension) {
        Some("mjs") => "js",
        Some("py") => "python",
        Some("yml") => "yaml",
        Some(extension) => extension,
        None => "",
    };
    let indent = shown
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| line.len().saturating_sub(line.trim_start().len()))
        .min()
        .unwrap_or(0);
    let code: String = shown.iter().map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect();
    let name = file.rsplit('/').next().unwrap_or(file);
    Ok(format!("[{name}](../../{file}):\n\n```{language}\n{code}```\n"))
}
