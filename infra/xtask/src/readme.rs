//! The parts of the README that are made, each between two comments: `<!-- NAME -->` and `<!-- end of NAME -->`.

use crate::{process, workspace};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// The parts that come from tables in the code; the example that prints each.
const FROM_CODE: [(&str, &str); 4] = [
    ("settings", "reference"),
    ("client-settings", "client_reference"),
    ("routes", "reference"),
    ("guard-settings", "guard_reference"),
];

/// Holds the README against the code; `write` puts it right.
pub(crate) fn run(write: bool) -> Result<()> {
    let mut wrong = Vec::new();
    workspace::build(workspace::Build::Dev)?;
    for (name, printer) in FROM_CODE {
        let printer = workspace::binary("examples", workspace::Build::Dev).join(printer);
        let wanted = process::output(Command::new(printer).arg(name))?;
        if write {
            replace(name, &wanted)?;
        } else if part(&std::fs::read_to_string(file())?, name)? != wanted {
            wrong.push(name);
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("README.md is behind the code in: {}; `cargo xtask readme --write` puts it right", wrong.join(", "))
}

/// The check alone, for the gate.
pub(crate) fn check() -> Result<()> {
    run(false)
}

/// Puts a text in the place of a part.
pub(crate) fn replace(name: &str, text: &str) -> Result<()> {
    let readme = std::fs::read_to_string(file())?;
    let (before, after) = around(&readme, name)?;
    Ok(std::fs::write(file(), format!("{before}{text}{after}"))?)
}

fn file() -> PathBuf {
    workspace::root().join("README.md")
}

fn part<'a>(readme: &'a str, name: &str) -> Result<&'a str> {
    let (before, after) = around(readme, name)?;
    readme.get(before.len()..readme.len().saturating_sub(after.len())).context("the parts overlap")
}

/// What stands before a part, and what after it; the comments belong to these.
fn around<'a>(readme: &'a str, name: &str) -> Result<(&'a str, &'a str)> {
    let start = format!("<!-- {name} -->\n\n");
    let end = format!("\n<!-- end of {name} -->");
    let missing = || format!("README.md has no part called {name}");
    let from = readme.find(&start).with_context(missing)?.saturating_add(start.len());
    let (before, rest) = readme.split_at_checked(from).with_context(missing)?;
    let (_, after) = rest.split_at_checked(rest.find(&end).with_context(missing)?).with_context(missing)?;
    Ok((before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_what_stands_between_its_comments() {
        let readme = "a\n<!-- x -->\n\n| t |\n\n<!-- end of x -->\nb\n";
        assert_eq!(part(readme, "x").unwrap(), "| t |\n");
        assert!(part(readme, "y").is_err());
    }

    #[test]
    fn the_readme_has_every_part() {
        let readme = std::fs::read_to_string(file()).unwrap();
        for name in FROM_CODE.into_iter().map(|(name, _)| name).chain(["budgets"]) {
            assert!(part(&readme, name).is_ok(), "{name}");
        }
    }
}
