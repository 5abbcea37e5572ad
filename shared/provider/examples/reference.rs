//! Prints a reference for the README: `settings`, or `routes`.

use latchkey_provider::routes::{ROUTES, Route, SCHEDULED};
use latchkey_provider::settings::SETTINGS;
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("settings") => print!("{}", settings()),
        Some("routes") => print!("{}", routes()),
        _ => {
            eprintln!("usage: reference settings|routes");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn settings() -> String {
    let rows = SETTINGS.iter().map(|setting| {
        format!("| `{}` | {} | {} |\n", setting.name, setting.default.unwrap_or("required"), setting.meaning())
    });
    std::iter::once("| setting | default | meaning |\n|---|---|---|\n".to_owned()).chain(rows).collect()
}

fn routes() -> String {
    let methods = |route: &Route| route.methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
    let row = |route: &Route| {
        let cors = if route.cors { "yes" } else { "" };
        format!("| `{}` | {} | {cors} | `{}` |\n", route.path, methods(route), route.function)
    };
    let head = "| path | methods | for pages of other origins | function |\n|---|---|---|---|\n".to_owned();
    let scheduled = SCHEDULED.iter().map(|function| format!("| on a schedule | | | `{function}` |\n"));
    std::iter::once(head).chain(ROUTES.iter().map(row)).chain(scheduled).collect()
}
