//! What a command prints: words for a person, JSON for a program.

use serde_json::Value;
use std::io::{IsTerminal, Write};

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// In words.
    Text,
    /// As JSON.
    Json,
}

impl Output {
    /// Prints a result: the JSON, on one line unless it is a person who looks; or the words.
    pub(crate) fn print(self, json: &Value, text: impl FnOnce() -> String) {
        let line = match self {
            Self::Json if std::io::stdout().is_terminal() => format!("{json:#}"),
            Self::Json => json.to_string(),
            Self::Text => text(),
        };
        let mut out = std::io::stdout().lock();
        // Nobody reads any more, as in `latchkey client list | head`: no reason to complain.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    /// Tells a person something besides the result, which may be on its way into a file or a variable.
    pub(crate) fn note(self, text: &str) {
        if self == Self::Text {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }
}

/// A table: each column as wide as its widest cell, the last as it is.
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

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["a".to_owned(), "long cell".to_owned()], vec!["longest".to_owned(), "b".to_owned()]];
        assert_eq!(super::table(&["ID", "NAME"], &rows), "ID       NAME\na        long cell\nlongest  b");
    }
}
