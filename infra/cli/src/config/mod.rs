//! `latchkey config`: the configuration of a deployment.

mod changes;

use crate::args::{ConfigApplyArgs, ConfigCommand, DeploymentArgs};
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::output::Output;
use changes::Change;
use serde_json::{Map, Value, json};
use std::io::Read;
use std::path::Path;

/// The path of the configuration below `/admin/`.
pub(crate) const PATH: &str = "configuration";

pub(crate) fn run(command: &ConfigCommand, output: Output) -> Result<(), Failure> {
    match command {
        ConfigCommand::Show(deployment) => show(deployment, output),
        ConfigCommand::Apply(args) => apply(args, output),
    }
}

fn show(args: &DeploymentArgs, output: Output) -> Result<(), Failure> {
    let stored = read(&Deployment::of(args)?)?;
    output.print(&stored, || format!("{:#}", stored.get("sections").unwrap_or(&Value::Null)));
    Ok(())
}

fn apply(args: &ConfigApplyArgs, output: Output) -> Result<(), Failure> {
    let sections = sections(&args.file)?;
    let deployment = Deployment::of(&args.deployment)?;
    let stored = read(&deployment)?;
    let changes = changes::of(stored.get("sections").unwrap_or(&Value::Null), &sections);
    let mut new = json!({ "version": stored.get("version"), "sections": sections, "dry_run": true });
    let mut answer = deployment.put(PATH, &new)?;
    for change in &changes {
        output.note(&change.to_string());
    }
    if !args.dry_run && !changes.is_empty() {
        if changes.iter().any(Change::removes) {
            output.confirm(&format!("Apply this to {}?", deployment.origin()), args.confirmation.yes)?;
        }
        if let Some(dry_run) = new.get_mut("dry_run") {
            *dry_run = Value::Bool(false);
        }
        answer = deployment.put(PATH, &new)?;
    }
    for warning in answer.get("warnings").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        output.note(&format!("Warning: {warning}."));
    }
    let version = answer.get("version").and_then(Value::as_u64).unwrap_or_default();
    let json = json!({
        "version": version,
        "applied": !args.dry_run && !changes.is_empty(),
        "changes": changes.iter().map(Change::json).collect::<Vec<_>>(),
        "warnings": answer.get("warnings"),
    });
    output.print(&json, || match (changes.is_empty(), args.dry_run) {
        (true, _) => format!("Version {version} has these sections already."),
        (false, true) => format!("Nothing was changed: version {version} is stored."),
        (false, false) => format!("Version {version} is stored. Every function has it after a minute at most."),
    });
    Ok(())
}

/// Reads the stored configuration.
pub(crate) fn read(deployment: &Deployment) -> Result<Value, Failure> {
    deployment.get(PATH)?.ok_or_else(|| {
        Failure::new(format!("{} has no /admin/{PATH}.", deployment.origin()))
            .remedy("Its functions are older than this command, or its administration is switched off.")
    })
}

/// Reads the sections of a file.
pub(crate) fn sections(file: &Path) -> Result<Map<String, Value>, Failure> {
    let text = if file.as_os_str() == "-" {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text).map(|_| text)
    } else {
        std::fs::read(file)
    };
    let text = text.map_err(|error| Failure::new(format!("{} cannot be read: {error}.", file.display())))?;
    let remedy = "Write an object of sections, such as {\"resources\": […]}; see infra/docs/configuration.md.";
    match serde_json::from_slice(&text) {
        Ok(Value::Object(sections)) => Ok(sections),
        Ok(_) => Err(Failure::new(format!("{} is not a JSON object.", file.display())).remedy(remedy)),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let problem = format!("{} is not JSON: see line {line}, column {column}.", file.display());
            Err(Failure::new(problem).remedy(remedy))
        }
    }
}

/// Returns the failure that an error response describes.
pub(crate) fn refusal(body: &Value) -> Failure {
    let problems = body.get("problems").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let problems: Vec<String> = problems.map(|problem| format!("\n  {problem}")).collect();
    Failure::new(format!("The configuration has {} problem(s):{}", problems.len(), problems.concat()))
}
