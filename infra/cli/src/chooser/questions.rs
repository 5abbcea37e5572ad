//! Questions to a person at a terminal.

use super::Application;
use crate::failure::Failure;
use clap::ValueEnum;
use std::io::{BufRead, Write};

/// A person to ask.
pub(super) struct Questions<R, W> {
    typed: R,
    shown: W,
}

impl<R: BufRead, W: Write> Questions<R, W> {
    pub(super) fn new(typed: R, shown: W) -> Self {
        Self { typed, shown }
    }

    /// What is being built.
    pub(super) fn choose(&mut self) -> Result<Application, Failure> {
        let all = Application::value_variants();
        let list: String = (1..).zip(all).map(|(number, it)| format!("  {number}  {}\n", it.what())).collect();
        self.show(&format!("What are you building?\n\n{list}\n"))?;
        loop {
            let answer = self.ask(&format!("1 to {}", all.len()), "")?;
            let chosen = answer.parse::<usize>().ok().and_then(|number| all.get(number.checked_sub(1)?));
            if let Some(chosen) = chosen.copied().or_else(|| Application::from_str(&answer, true).ok()) {
                return Ok(chosen);
            }
        }
    }

    /// The flow, with its reasons.
    pub(super) fn explain(&mut self, application: Application) -> Result<(), Failure> {
        let reasons: String = application.reasons().iter().map(|reason| format!("  - {reason}\n")).collect();
        self.show(&format!("\nThe flow for it: {}.\n{reasons}\n", application.flow()))
    }

    /// A line; the default when it is empty.
    pub(super) fn ask(&mut self, question: &str, default: &str) -> Result<String, Failure> {
        let default_shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
        self.show(&format!("{question}{default_shown}: "))?;
        let mut line = String::new();
        if self.typed.read_line(&mut line).map_err(Failure::new)? == 0 {
            return Err(Failure::new("Nothing was written: the answers ended."));
        }
        let answer = line.trim();
        Ok(if answer.is_empty() { default.to_owned() } else { answer.to_owned() })
    }

    /// Yes, unless the person says no.
    pub(super) fn confirm(&mut self, question: &str) -> Result<bool, Failure> {
        let answer = self.ask(question, "Y/n")?;
        Ok(!answer.to_ascii_lowercase().starts_with('n'))
    }

    fn show(&mut self, text: &str) -> Result<(), Failure> {
        self.shown.write_all(text.as_bytes()).and_then(|()| self.shown.flush()).map_err(Failure::new)
    }
}
