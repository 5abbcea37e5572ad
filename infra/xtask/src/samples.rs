//! Samples in the pages of infra/docs. A part of a page that is called `sample FILE` has the text of the file, which the tests run.

use crate::workspace;
use anyhow::{Context, Result};

/// The pages with samples.
const PAGES: [&str; 2] = ["infra/docs/clients.md", "infra/docs/mcp.md"];

/// The text of a file in a page.
pub(crate) struct Sample {
    /// Name of the part.
    pub(crate) part: String,
    /// The page.
    pub(crate) page: &'static str,
    /// Content of the part.
    pub(crate) text: String,
}

/// Returns the samples of all pages.
pub(crate) fn all() -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for page in PAGES {
        let text = std::fs::read_to_string(workspace::root().join(page)).with_context(|| format!("reading {page}"))?;
        for part in text.split("<!-- ").filter_map(|rest| rest.split_once(" -->")).map(|(name, _)| name) {
            if let Some(file) = part.strip_prefix("sample ") {
                samples.push(Sample { part: part.to_owned(), page, text: shown(file)? });
            }
        }
    }
    Ok(samples)
}

/// Returns a sample as a block of code: the lines between `docs: begin` and `docs: end`, or else the whole file.
fn shown(file: &str) -> Result<String> {
    let text = std::fs::read_to_string(workspace::root().join(file)).with_context(|| format!("reading {file}"))?;
    let lines: Vec<&str> = text.lines().collect();
    let marked = |mark: &str| lines.iter().position(|line| line.trim_end().ends_with(mark));
    let shown = match (marked("docs: begin"), marked("docs: end")) {
        (Some(begin), Some(end)) => lines.get(begin.saturating_add(1)..end).unwrap_or_default(),
        _ => lines.as_slice(),
    };
    let language = match file.rsplit_once('.').map(|(_, extension)| extension) {
        Some("mjs") => "js",
        Some("py") => "python",
        Some("yml") => "yaml",
        Some("conf") => "apache",
        Some(extension) => extension,
        None => "",
    };
    let indent = shown
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| line.len().saturating_sub(line.trim_start().len()))
        .min()
        .unwrap_or(0);
    let code: String = shown.iter().map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect();
    let name = file.rsplit('/').next().unwrap_or(file);
    Ok(format!("[{name}](../../{file}):\n\n```{language}\n{code}```\n"))
}
