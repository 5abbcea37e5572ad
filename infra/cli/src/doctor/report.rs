//! The findings of `latchkey doctor`.

use serde_json::{Value, json};

/// The result of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Every known client gets past this point.
    Ok,
    /// Some clients fail here, or the user sees more than is needed.
    Warning,
    /// Clients fail here.
    Failed,
    /// The check could not run, because an earlier one failed.
    NotRun,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::NotRun => "not run",
        }
    }
}

struct Finding {
    check: &'static str,
    state: State,
    detail: String,
    remedy: Option<String>,
}

/// The findings in the order of the checks.
#[derive(Default)]
pub(super) struct Report {
    findings: Vec<Finding>,
    /// The URL of a sign-in page, for a browser.
    pub(super) sign_in: Option<String>,
}

impl Report {
    pub(super) fn ok(&mut self, check: &'static str, detail: impl Into<String>) {
        self.add(check, State::Ok, detail, None);
    }

    pub(super) fn warn(&mut self, check: &'static str, detail: impl Into<String>, remedy: impl Into<String>) {
        self.add(check, State::Warning, detail, Some(remedy.into()));
    }

    pub(super) fn fail(&mut self, check: &'static str, detail: impl Into<String>, remedy: impl Into<String>) {
        self.add(check, State::Failed, detail, Some(remedy.into()));
    }

    /// Records checks that could not run, and the reason.
    pub(super) fn not_run(&mut self, checks: &[&'static str], reason: &str) {
        for check in checks {
            self.add(check, State::NotRun, reason, None);
        }
    }

    fn add(&mut self, check: &'static str, state: State, detail: impl Into<String>, remedy: Option<String>) {
        self.findings.push(Finding { check, state, detail: detail.into(), remedy });
    }

    /// Returns the number of findings with this state.
    pub(super) fn count(&self, state: State) -> usize {
        self.findings.iter().filter(|finding| finding.state == state).count()
    }

    pub(super) fn json(&self, url: &str) -> Value {
        let findings: Vec<Value> = self
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "check": finding.check,
                    "state": finding.state.name(),
                    "detail": finding.detail,
                    "remedy": finding.remedy,
                })
            })
            .collect();
        let ok = self.count(State::Failed) == 0 && self.count(State::NotRun) == 0;
        json!({ "url": url, "ok": ok, "findings": findings, "sign_in": self.sign_in })
    }

    /// Returns one line for each finding, and one for each remedy. What other servers sent is shown without control characters.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for Finding { check, state, detail, remedy } in &self.findings {
            text.push_str(&format!("{:8} {check:22} {}\n", state.name(), printable(detail)));
            if let Some(remedy) = remedy {
                text.push_str(&format!("{:31} > {}\n", "", printable(remedy)));
            }
        }
        if let Some(link) = &self.sign_in {
            text.push_str(&format!(
                "\nSign-in page, to open in a browser. It returns to a port where nothing listens.\n  {link}\n"
            ));
        }
        text.trim_end().to_owned()
    }
}

fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
