//! `cargo xtask style`: the mechanical part of the writing rules of CONTRIBUTING.md.
//!
//! The check reads comments of source files and all of Markdown files. It looks for words, for first words of doc
//! comments, and for long sentences. Meaning is left to reviewers.

mod passage;
mod rules;

use crate::workspace;
use anyhow::{Context, Result, bail};
use rules::Finding;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Files and folders that keep the rules. The gate checks these; a folder is added when it is clean.
const CHECKED: &[&str] = &[
    ".github",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "functions",
    "infra",
    "shared",
    "tests",
];

/// An exception: a file, the word or phrase that it may use, and the reason.
struct Exception {
    file: &'static str,
    found: &'static str,
    reason: &'static str,
}

/// The exceptions. An entry that nothing needs fails the check.
const EXCEPTIONS: &[Exception] = &[];

/// Folders whose files others wrote or tools make.
const SKIPPED_FOLDERS: &[&str] = &["target", "node_modules", "build", ".git", ".wrangler"];

/// Checks every path of [`CHECKED`], for the gate.
pub(crate) fn check() -> Result<()> {
    run(&[])
}

/// Checks the paths given, or those of [`CHECKED`] when none is given.
pub(crate) fn run(paths: &[PathBuf]) -> Result<()> {
    let is_gate = paths.is_empty();
    let roots =
        if is_gate { CHECKED.iter().map(|path| workspace::root().join(path)).collect() } else { paths.to_vec() };
    let mut files = Vec::new();
    for root in &roots {
        collect(root, &mut files)?;
    }
    let mut report = Report::default();
    for file in &files {
        let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let name = file.strip_prefix(workspace::root()).unwrap_or(file).display().to_string();
        report.add(&name, rules::findings(&name, &text));
    }
    print!("{}", report.text);
    if is_gate {
        report.require_every_exception()?;
    }
    if report.count > 0 {
        bail!("{} findings in {} files; CONTRIBUTING.md has the rules", report.count, files.len());
    }
    eprintln!("  {} files keep the rules", files.len());
    Ok(())
}

/// The findings as text, and which exceptions were used.
#[derive(Default)]
struct Report {
    text: String,
    count: usize,
    used: Vec<&'static str>,
}

impl Report {
    fn add(&mut self, file: &str, findings: Vec<Finding>) {
        for Finding { line, rule, found, remedy } in findings {
            if let Some(exception) = EXCEPTIONS.iter().find(|allowed| allowed.file == file && allowed.found == found) {
                self.used.push(exception.reason);
                continue;
            }
            self.count = self.count.saturating_add(1);
            let _ = writeln!(self.text, "{file}:{line}: rule {rule}: {found:?}: {remedy}");
        }
    }

    fn require_every_exception(&self) -> Result<()> {
        match EXCEPTIONS.iter().find(|exception| !self.used.contains(&exception.reason)) {
            Some(Exception { file, found, .. }) => bail!("{file} no longer has {found:?}: remove the exception"),
            None => Ok(()),
        }
    }
}

/// Adds the files below a path that the check can read, in alphabetical order.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        if rules::is_readable(path) {
            files.push(path.to_owned());
        }
        return Ok(());
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("listing {}", path.display()))?;
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for entry in entries {
        let is_skipped = entry.file_name().is_some_and(|name| SKIPPED_FOLDERS.iter().any(|skipped| name == *skipped));
        if !is_skipped {
            collect(&entry, files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_checked_path_exists() {
        for path in CHECKED {
            assert!(workspace::root().join(path).exists(), "{path}");
        }
    }

    #[test]
    fn a_finding_names_file_line_rule_and_remedy() {
        let mut report = Report::default();
        report.add("a.md", rules::findings("a.md", "fine\n\nThe person signs in.\n"));
        assert_eq!(report.count, 1);
        assert!(report.text.starts_with("a.md:3: rule 2: \"person\": "), "{}", report.text);
    }
}
