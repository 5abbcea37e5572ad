//! Prints the table of client settings for the documentation.
#![allow(clippy::print_stdout, reason = "that is its purpose")]

use protocol::client_settings::{SETTINGS, SetBy};

fn main() {
    println!("| setting | values | default | set by | meaning | specification |\n|---|---|---|---|---|---|");
    for setting in SETTINGS {
        let name = setting.member.name;
        let values = setting.member.shape.values();
        let set_by = match setting.set_by {
            SetBy::Operator => "operator",
            SetBy::Client => "operator, client",
        };
        let (default, meaning, specification) = (setting.default(), setting.meaning, setting.specification);
        println!("| `{name}` | {values} | {default} | {set_by} | {meaning} | {specification} |");
    }
}
