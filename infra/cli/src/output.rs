//! Printed results: text for a reader, JSON for a program. Also questions and progress at a terminal.

use crate::failure::Failure;
use serde_json::Value;
use std::io::{IsTerminal, Write};

/// Format of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Text.
    Text,
    /// JSON.
    Json,
}

impl Output {
    /// Prints a result. JSON is on one line unless standard output is a terminal.
    pub(crate) fn print(self, json: &Value, text: impl FnOnce() -> String) {
        let line = match self {
            Self::Json if std::io::stdout().is_terminal() => format!("{json:#}"),
            Self::Json => json.to_string(),
            Self::Text => text(),
        };
        let mut out = std::io::stdout().lock();
        // The reader may have closed the pipe, as in `latchkey client list | head`: that is no failure.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    /// Writes a remark to standard error: the result may go into a file or a variable. Programs get none.
    pub(crate) fn note(self, text: &str) {
        if self == Self::Text {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// True if the command may ask questions: a terminal is there, and no program reads the result.
    pub(crate) fn may_ask(self) -> bool {
        self == Self::Text && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Asks for confirmation of an act that cannot be undone, unless `yes` or the command may not ask. Errors: the answer
    /// is not yes.
    pub(crate) fn confirm(self, question: &str, yes: bool) -> Result<(), Failure> {
        if yes || !self.may_ask() {
            return Ok(());
        }
        let mut err = std::io::stderr().lock();
        write!(err, "{question} [y/N]: ").and_then(|()| err.flush()).map_err(Failure::new)?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map_err(Failure::new)?;
        if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Failure::new("Nothing was changed.").remedy("Answer y to confirm, or add --yes."))
    }

    /// Shows the progress of a command that takes several requests. Text replaces the text before, on one line of
    /// standard error; a program, a file and a pipe get none.
    pub(crate) fn progress(self, text: &str) {
        if self == Self::Text && std::io::stderr().is_terminal() {
            let _ = write!(std::io::stderr(), "\r\x1b[K{text}");
        }
    }

    /// Removes the line of [`Self::progress`].
    pub(crate) fn end_progress(self) {
        self.progress("");
    }
}

/// Returns a table. Each column is as wide as its widest cell; the last column is not padded.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .chain(head.get(column).map(|cell| cell.len()))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&mut head.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

/// Returns a duration in words: minutes, hours or days, rounded up.
pub(crate) fn duration(seconds: u64) -> String {
    match seconds {
        0..3600 => format!("{} minutes", seconds.div_ceil(60)),
        3600..172_800 => format!("{} hours", seconds.div_ceil(3600)),
        _ => format!("{} days", seconds.div_ceil(86_400)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["a".to_owned(), "long cell".to_owned()], vec!["longest".to_owned(), "b".to_owned()]];
        assert_eq!(table(&["ID", "NAME"], &rows), "ID       NAME\na        long cell\nlongest  b");
    }

    #[test]
    fn no_confirmation_is_asked_for_with_yes_or_for_a_program() {
        assert!(Output::Text.confirm("Remove it?", true).is_ok());
        assert!(Output::Json.confirm("Remove it?", false).is_ok());
    }
}
