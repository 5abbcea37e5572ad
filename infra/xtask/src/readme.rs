//! The generated parts of the README and of the pages in infra/docs. Each part lies between two comments:
//! `<!-- NAME -->` and `<!-- end of NAME -->`.

use crate::clients::page;
use crate::samples::{self, Sample};
use crate::{process, workspace};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// A table that comes from the code.
struct Part {
    name: &'static str,
    /// The file that has the part.
    file: &'static str,
    /// The example that prints the part when it is called with the part's name.
    printer: &'static str,
}

const fn part(name: &'static str, file: &'static str, printer: &'static str) -> Part {
    Part { name, file, printer }
}

const FROM_CODE: [Part; 6] = [
    part("settings", "infra/docs/configuration.md", "reference"),
    part("client-settings", "infra/docs/client-settings.md", "client_reference"),
    part("routes", "infra/docs/flows.md", "function_tables"),
    part("functions", "infra/docs/architecture.md", "function_tables"),
    part("record-access", "infra/docs/architecture.md", "function_tables"),
    part("guard-settings", "infra/docs/resource-server.md", "guard_reference"),
];

/// The client libraries and their switches.
const LIBRARIES: &str = "client-libraries";

/// All measurements, written by `cargo xtask budgets --write`.
const MEASUREMENTS: (&str, &str) = ("budgets", "infra/docs/measurements.md");
/// The measurements that the README shows.
const SUMMARY: (&str, &str) = ("measured", "README.md");
const SUMMARY_ROWS: [&str; 7] = [
    "Lambda token, start to first answer: clock",
    "Lambda token, start to first answer: CPU",
    "Lambda token, start to first answer: memory",
    "Lambda token, warm: CPU of a request beyond its signature",
    "Worker token, warm: CPU of a request beyond its signature",
    "client credentials: requests per CPU second, times node-oidc-provider's",
    "refresh: requests per CPU second, times node-oidc-provider's",
];

/// Compares the generated parts with the code; with `write`, replaces them.
pub(crate) fn run(write: bool) -> Result<()> {
    let mut outdated = Vec::new();
    let mut settle = |name: &str, file: &str, wanted: &str| -> Result<()> {
        if write {
            return replace(name, file, wanted);
        }
        if content(&read(file)?, name)? != wanted {
            outdated.push(format!("{name} in {file}"));
        }
        Ok(())
    };
    workspace::build(workspace::Build::Dev)?;
    for Part { name, file, printer } in FROM_CODE {
        let printer = workspace::binary("examples", workspace::Build::Dev).join(printer);
        settle(name, file, &process::output(Command::new(printer).arg(name))?)?;
    }
    settle(LIBRARIES, page::FILE, &page::libraries()?)?;
    for Sample { part, page, text } in samples::all()? {
        settle(&part, page, &text)?;
    }
    settle(SUMMARY.0, SUMMARY.1, &summary(content(&read(MEASUREMENTS.1)?, MEASUREMENTS.0)?)?)?;
    if outdated.is_empty() {
        return Ok(());
    }
    bail!("outdated: {}; run `cargo xtask readme --write`", outdated.join(", "))
}

/// Compares the generated parts with the code, for the gate.
pub(crate) fn check() -> Result<()> {
    run(false)
}

/// Writes a table of measurements into its page, and the summary into the README.
pub(crate) fn write_measurements(table: &str) -> Result<()> {
    replace(MEASUREMENTS.0, MEASUREMENTS.1, table)?;
    replace(SUMMARY.0, SUMMARY.1, &summary(table)?)
}

/// Returns the head of a table and the rows that the README shows.
fn summary(table: &str) -> Result<String> {
    let mut lines: Vec<&str> = table.lines().take(2).collect();
    for name in SUMMARY_ROWS {
        let row = table.lines().find(|line| line.starts_with(&format!("| {name} |")));
        lines.push(row.with_context(|| format!("no measurement is named {name:?}: change SUMMARY_ROWS"))?);
    }
    Ok(lines.into_iter().flat_map(|line| [line, "\n"]).collect())
}

fn replace(name: &str, file: &str, text: &str) -> Result<()> {
    let page = read(file)?;
    let (before, after) = around(&page, name)?;
    Ok(std::fs::write(path(file), format!("{before}{text}{after}"))?)
}

fn path(file: &str) -> PathBuf {
    workspace::root().join(file)
}

fn read(file: &str) -> Result<String> {
    std::fs::read_to_string(path(file)).with_context(|| format!("reading {file}"))
}

fn content<'a>(page: &'a str, name: &str) -> Result<&'a str> {
    let (before, after) = around(page, name)?;
    page.get(before.len()..page.len().saturating_sub(after.len())).context("the parts overlap")
}

/// Returns the text before a part and the text after it. The two comments belong to these.
fn around<'a>(page: &'a str, name: &str) -> Result<(&'a str, &'a str)> {
    let start = format!("<!-- {name} -->\n\n");
    let end = format!("\n<!-- end of {name} -->");
    let missing = || format!("the page has no part called {name}");
    let from = page.find(&start).with_context(missing)?.saturating_add(start.len());
    let (before, rest) = page.split_at_checked(from).with_context(missing)?;
    let (_, after) = rest.split_at_checked(rest.find(&end).with_context(missing)?).with_context(missing)?;
    Ok((before, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_part_is_the_text_between_its_comments() {
        let page = "a\n<!-- x -->\n\n| t |\n\n<!-- end of x -->\nb\n";
        assert_eq!(content(page, "x").unwrap(), "| t |\n");
        assert!(content(page, "y").is_err());
    }

    #[test]
    fn every_part_is_in_its_page() {
        let parts = FROM_CODE.into_iter().map(|part| (part.name, part.file));
        for (name, file) in parts.chain([(LIBRARIES, page::FILE), MEASUREMENTS, SUMMARY]) {
            assert!(content(&read(file).unwrap(), name).is_ok(), "{name} in {file}");
        }
        let samples = samples::all().unwrap();
        assert!(samples.iter().any(|sample| sample.page == "infra/docs/mcp.md"));
        for Sample { part, page, .. } in samples {
            assert!(content(&read(page).unwrap(), &part).is_ok(), "{part} in {page}");
        }
    }

    #[test]
    fn the_summary_repeats_measurements() {
        assert!(summary(content(&read(MEASUREMENTS.1).unwrap(), MEASUREMENTS.0).unwrap()).is_ok());
    }

    /// Returns the targets of the links and pictures of a page that lead to files.
    fn links(page: &str) -> Vec<&str> {
        let in_text = page.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        let in_tags =
            page.split("src=\"").chain(page.split("srcset=\"")).skip(1).filter_map(|rest| rest.split_once('"'));
        let targets = in_text.chain(in_tags).map(|(target, _)| target.split('#').next().unwrap_or_default());
        targets.filter(|target| !target.is_empty() && !target.contains("://")).collect()
    }

    fn pages(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
    }

    #[test]
    fn every_link_leads_to_a_file() {
        for folder in ["", "infra/docs", "infra/decisions"].map(path) {
            for page in pages(&folder) {
                for link in links(&std::fs::read_to_string(&page).unwrap()) {
                    assert!(folder.join(link).exists(), "{}: {link}", page.display());
                }
            }
        }
    }

    #[test]
    fn the_index_names_every_page_and_decision() {
        let index = read("infra/docs/README.md").unwrap();
        for (folder, prefix) in [("infra/docs", ""), ("infra/decisions", "../decisions/")] {
            for page in pages(&path(folder)) {
                let name = page.file_name().unwrap().to_str().unwrap();
                let is_index = name == "README.md";
                assert!(is_index || index.contains(&format!("({prefix}{name})")), "{folder}/{name}");
            }
        }
    }
}
