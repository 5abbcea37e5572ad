//! One measurement with its budget, and the forms in which it is shown.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::time::Duration;

/// The limit of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Budget {
    /// The figure is at most this.
    AtMost(f64),
    /// The figure is at least this.
    AtLeast(f64),
    /// No limit: the figure is for comparison.
    None,
}

/// One measurement.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The name of the figure.
    pub(super) name: String,
    /// The median of the measurements.
    pub(super) measured: f64,
    /// The unit; empty for a ratio.
    pub(super) unit: &'static str,
    /// The limit.
    pub(super) budget: Budget,
}

impl Row {
    pub(super) fn new(name: impl Into<String>, measured: f64, unit: &'static str, budget: Budget) -> Self {
        Self { name: name.into(), measured, unit, budget }
    }

    /// Returns true if the figure is within its budget; `None` if it has none.
    pub(super) fn holds(&self) -> Option<bool> {
        match self.budget {
            Budget::AtMost(most) => Some(self.measured <= most),
            Budget::AtLeast(least) => Some(self.measured >= least),
            Budget::None => None,
        }
    }

    fn verdict(&self) -> &'static str {
        match self.holds() {
            Some(true) => "holds",
            Some(false) => "OVER",
            None => "",
        }
    }

    fn amount(&self, value: f64) -> String {
        let space = if self.unit.is_empty() { "" } else { " " };
        format!("{}{space}{}", digits(value), self.unit)
    }

    fn allowed(&self) -> String {
        match self.budget {
            Budget::AtMost(most) => format!("≤ {}", self.amount(most)),
            Budget::AtLeast(least) => format!("≥ {}", self.amount(least)),
            Budget::None => String::new(),
        }
    }
}

/// Returns three significant digits, or the whole number.
fn digits(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Returns the rows for a terminal.
pub(super) fn table(rows: &[Row]) -> String {
    let wide = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or_default();
    let line = |name: &str, measured: &str, allowed: &str, verdict: &str| {
        let line = format!("{name:<wide$}  {measured:>10}  {allowed:>12}  {verdict}");
        format!("{}\n", line.trim_end())
    };
    let lines = rows.iter().map(|row| line(&row.name, &row.amount(row.measured), &row.allowed(), row.verdict()));
    std::iter::once(line("what", "measured", "budget", "")).chain(lines).collect()
}

/// Returns the rows as Markdown.
pub(super) fn markdown(rows: &[Row]) -> String {
    let lines = rows.iter().map(|row| {
        format!("| {} | {} | {} | {} |\n", row.name, row.amount(row.measured), row.allowed(), row.verdict())
    });
    std::iter::once("| what | measured | budget | |\n|---|---|---|---|\n".to_owned()).chain(lines).collect()
}

/// Returns the rows as JSON.
pub(super) fn json(rows: &[Row]) -> Value {
    let of = |row: &Row| {
        let (most, least) = match row.budget {
            Budget::AtMost(most) => (Some(most), None),
            Budget::AtLeast(least) => (None, Some(least)),
            Budget::None => (None, None),
        };
        json!({ "name": row.name, "measured": row.measured, "unit": row.unit, "at_most": most, "at_least": least, "holds": row.holds() })
    };
    Value::Array(rows.iter().map(of).collect())
}

/// Returns the median.
pub(super) fn median(mut values: Vec<f64>) -> Result<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().div_euclid(2)).copied().context("nothing was measured")
}

pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub(super) fn microseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

pub(super) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_holds_up_to_its_limit() {
        let row = |budget| Row::new("x", 2.0, "ms", budget);
        assert_eq!(row(Budget::AtMost(2.0)).holds(), Some(true));
        assert_eq!(row(Budget::AtMost(1.9)).holds(), Some(false));
        assert_eq!(row(Budget::AtLeast(2.0)).holds(), Some(true));
        assert_eq!(row(Budget::AtLeast(2.1)).holds(), Some(false));
        assert_eq!(row(Budget::None).holds(), None);
    }

    #[test]
    fn rows_are_shown() {
        let rows = [Row::new("start", 5.126, "ms", Budget::AtMost(6.0)), Row::new("ratio", 12.0, "", Budget::None)];
        assert_eq!(
            table(&rows),
            "what     measured        budget\nstart     5.13 ms     ≤ 6.00 ms  holds\nratio        12.0\n"
        );
        assert!(markdown(&rows).ends_with("| start | 5.13 ms | ≤ 6.00 ms | holds |\n| ratio | 12.0 |  |  |\n"));
        assert_eq!(json(&rows)[0]["holds"], true);
        assert_eq!(median(vec![3.0, 1.0, 2.0]).unwrap(), 2.0);
    }
}
