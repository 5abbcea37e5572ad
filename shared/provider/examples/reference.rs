//! Prints the table of settings for the documentation.

use latchkey_provider::settings::SETTINGS;
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("settings") => print!("{}", settings()),
        _ => {
            eprintln!("usage: reference settings");
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
