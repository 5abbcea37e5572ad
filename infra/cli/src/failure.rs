//! The error of a command.

use std::fmt;

/// A failed command: the problem in a sentence, and a remedy.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: String,
    remedy: Option<String>,
}

impl Failure {
    /// Makes a failure from its problem.
    pub(crate) fn new(problem: impl fmt::Display) -> Self {
        Self { problem: problem.to_string(), remedy: None }
    }

    /// Adds a remedy.
    #[must_use]
    pub(crate) fn remedy(mut self, remedy: impl fmt::Display) -> Self {
        self.remedy = Some(remedy.to_string());
        self
    }

    /// Returns the failure as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::json!({ "error": self.problem, "remedy": self.remedy })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n{remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
