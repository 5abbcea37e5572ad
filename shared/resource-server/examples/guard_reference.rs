//! Prints the settings for the README.

use latchkey_resource_server::SETTINGS;

fn main() {
    let rows = SETTINGS.iter().map(|setting| {
        format!("| `{}` | {} | {} |\n", setting.name, setting.default.unwrap_or("required"), setting.meaning)
    });
    print!("| setting | default | meaning |\n|---|---|---|\n{}", rows.collect::<String>());
}
