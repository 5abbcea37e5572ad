//! `cargo xtask budgets`: measures sizes, start-up and processor time, and compares them with the budgets.

mod functions;
mod peers;
mod row;
mod server;
mod signature;
mod workers;

use crate::readme;
use anyhow::{Result, bail};
use row::Row;

/// Measurements that belong together.
struct Group {
    name: &'static str,
    about: &'static str,
    measure: fn() -> Result<Vec<Row>>,
}

const GROUPS: &[Group] = &[
    Group { name: "binaries", about: "sizes of the Lambda binaries", measure: functions::sizes },
    Group {
        name: "lambda",
        about: "the Lambda token function, cold and warm, beside a Node function",
        measure: functions::token,
    },
    Group { name: "bundles", about: "sizes of the Worker bundles", measure: workers::sizes },
    Group { name: "workers", about: "the token Worker, warm", measure: workers::token },
    Group { name: "server", about: "the local server under load, beside node-oidc-provider", measure: server::measure },
];

/// The form in which results are shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Show {
    /// JSON in place of a table.
    pub(crate) json: bool,
    /// Also writes the documentation.
    pub(crate) write: bool,
}

/// Returns the name and the purpose of each group.
pub(crate) fn list() -> String {
    GROUPS.iter().map(|group| format!("  {:<9} {}\n", group.name, group.about)).collect()
}

/// Measures the groups with these names, or all of them, and shows the results. Fails if a figure is over its budget.
pub(crate) fn run(only: &[String], show: Show) -> Result<()> {
    if let Some(unknown) = only.iter().find(|name| !GROUPS.iter().any(|group| group.name == **name)) {
        bail!("there is no group {unknown:?}; the groups are:\n{}", list());
    }
    if show.write && !only.is_empty() {
        bail!("the README shows all measurements: leave out --only");
    }
    let mut rows = Vec::new();
    for group in GROUPS.iter().filter(|group| only.is_empty() || only.iter().any(|name| name == group.name)) {
        eprintln!("{}: {}", group.name, group.about);
        rows.extend((group.measure)()?);
    }
    if show.json {
        println!("{}", row::json(&rows));
    } else {
        print!("{}", row::table(&rows));
    }
    if show.write {
        readme::write_measurements(&row::markdown(&rows))?;
    }
    let failed: Vec<&str> = rows.iter().filter(|row| row.holds() == Some(false)).map(|row| row.name.as_str()).collect();
    if failed.is_empty() { Ok(()) } else { bail!("over budget: {}", failed.join("; ")) }
}
