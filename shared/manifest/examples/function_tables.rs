//! Prints a table of the documentation as Markdown: `routes`, `functions` or `record-access`.

use latchkey_manifest::{FUNCTIONS, Function, Method, Schedule, Verb};
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("routes") => print!("{}", routes()),
        Some("functions") => print!("{}", functions()),
        Some("record-access") => print!("{}", record_access()),
        _ => {
            eprintln!("usage: function_tables routes|functions|record-access");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Each path with its methods, CORS and function; then the schedules.
fn routes() -> String {
    let mut text = "| path | methods | CORS | function |\n|---|---|---|---|\n".to_owned();
    for function in FUNCTIONS {
        for route in function.routes() {
            let methods: Vec<&str> = route.methods.iter().map(Method::as_str).collect();
            let cors = if route.cors { "yes" } else { "" };
            text.push_str(&format!("| `{}` | {} | {cors} | `{}` |\n", route.path, methods.join(", "), function.name));
        }
    }
    for function in FUNCTIONS {
        if let Some(schedule) = function.schedule() {
            text.push_str(&format!("| {} | | | `{}` |\n", interval(schedule), function.name));
        }
    }
    text
}

/// Each function with its purpose, its use of the signing keys, its outgoing requests and its memory.
fn functions() -> String {
    let mut text =
        "| function | purpose | signing keys | outgoing requests | memory |\n|---|---|---|---|---|\n".to_owned();
    for function in FUNCTIONS {
        let memory = if function.runs_on_lambda() { format!("{} MB", function.memory) } else { String::new() };
        let calls_out = if function.calls_out { "yes" } else { "" };
        let keys = function.keys.as_str();
        text.push_str(&format!("| `{}` | {} | {keys} | {calls_out} | {memory} |\n", function.name, function.about));
    }
    text
}

/// Each function with the kinds of record that it may get, create, advance, delete and count, and the owners that it may list.
fn record_access() -> String {
    let mut text =
        "| function | get | create | advance | delete | list | count |\n|---|---|---|---|---|---|---|\n".to_owned();
    for function in FUNCTIONS.iter().filter(|function| function.is_server()) {
        let cells = Verb::ALL.map(|verb| cell(function, verb));
        text.push_str(&format!("| `{}` | {} |\n", function.name, cells.join(" | ")));
    }
    text
}

fn cell(function: &Function, verb: Verb) -> String {
    let words: Vec<&str> = match verb {
        Verb::List => function.lists.iter().map(|owner| owner.pattern()).collect(),
        verb => {
            let used = function.records.iter().filter(|access| access.verbs.contains(&verb));
            used.map(|access| access.kind.as_str()).collect()
        }
    };
    words.join(", ")
}

fn interval(schedule: Schedule) -> String {
    match schedule.every.as_secs().div_euclid(60) {
        1 => "every minute".to_owned(),
        60 => "every hour".to_owned(),
        minutes => format!("every {minutes} minutes"),
    }
}
