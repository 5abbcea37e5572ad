//! Questions at a terminal.

use super::Application;
use crate::failure::Failure;
use clap::ValueEnum;
use std::io::{BufRead, Write};

/// A terminal: lines that are typed, and text that is shown.
pub(super) struct Questions<R, W> {
    typed: R,
    shown: W,
}

impl<R: BufRead, W: Write> Questions<R, W> {
    pub(super) fn new(typed: R, shown: W) -> Self {
        Self { typed, shown }
    }

    /// Asks for the kind of application until the answer is valid.
    pub(super) fn choose(&mut self) -> Result<Application, Failure> {
        let all = Application::value_variants();
        let list: String = (1..).zip(all).map(|(number, it)| format!("  {number}  {}\n", it.description())).collect();
        self.show(&format!("What are you building?\n\n{list}\n"))?;
        loop {
            let answer = self.ask(&format!("1 to {}", all.len()), "")?;
            let chosen = answer.parse::<usize>().ok().and_then(|number| all.get(number.checked_sub(1)?));
            if let Some(chosen) = chosen.copied().or_else(|| Application::from_str(&answer, true).ok()) {
                return Ok(chosen);
            }
        }
    }

    /// Shows the flow with its reasons.
    pub(super) fn explain(&mut self, application: Application) -> Result<(), Failure> {
        let reasons: String = application.reasons().iter().map(|reason| format!("  - {reason}\n")).collect();
        self.show(&format!("\nFlow: {}.\n{reasons}\n", application.flow()))
    }

    /// Asks for a line. Returns the default if it is empty.
    pub(super) fn ask(&mut self, question: &str, default: &str) -> Result<String, Failure> {
        let default_shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
        self.show(&format!("{question}{default_shown}: "))?;
        let mut line = String::new();
        if self.typed.read_line(&mut line).map_err(Failure::new)? == 0 {
            return Err(Failure::new("Nothing was written: the input ended."));
        }
        let answer = line.trim();
        Ok(if answer.is_empty() { default.to_owned() } else { answer.to_owned() })
    }

    /// Asks for consent. Returns true unless the answer starts with n.
    pub(super) fn confirm(&mut self, question: &str) -> Result<bool, Failure> {
        let answer = self.ask(question, "Y/n")?;
        Ok(!answer.to_ascii_lowercase().starts_with('n'))
    }

    fn show(&mut self, text: &str) -> Result<(), Failure> {
        self.shown.write_all(text.as_bytes()).and_then(|()| self.shown.flush()).map_err(Failure::new)
    }
}
