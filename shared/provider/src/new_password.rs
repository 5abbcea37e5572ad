//! The rules for a new password, and its hash: one message and its answer, so that a Worker of its own can do it.

use crate::names::PLATFORM_UNICODE;
use crate::{HandlerError, password_hash};
use platform::Fetcher;
use protocol::{Password, PasswordRules};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};
use std::time::Duration;
use types::remote_url::EgressPolicy;

/// The longest answer of the range API, in bytes. It is some 80 KB with padding.
const LONGEST_RANGE: usize = 256 * 1024;

/// Time limit of a request to the range API.
const PATIENCE: Duration = Duration::from_secs(2);

/// A new password, and what its rules need.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewPassword {
    /// The password as sent.
    pub password: String,
    /// The fewest characters.
    pub minimum: usize,
    /// Texts that name the user or the service.
    pub about: Vec<String>,
    /// URL of a range API of breached passwords, without the five hexadecimal digits at its end.
    #[serde(default)]
    pub breached_url: Option<String>,
    /// True if that URL may be one of this machine: only for an issuer on http://localhost.
    #[serde(default)]
    pub may_be_local: bool,
}

/// The verdict about a new password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordVerdict {
    /// The hash, as a PHC string; `None` if the password is refused.
    pub hash: Option<String>,
    /// The rule that the password breaks, and what to do.
    pub problem: Option<String>,
    /// The reason for which the look-up of breached passwords failed, for the log.
    pub report: Option<String>,
}

impl NewPassword {
    /// The longest message, in bytes: the body of a request to the admin API is shorter.
    pub const MAX_MESSAGE: usize = 256 * 1024;

    /// Returns the egress policy of the look-up.
    pub const fn reach(&self) -> EgressPolicy {
        if self.may_be_local { EgressPolicy::Loopback } else { EgressPolicy::Public }
    }

    /// Applies the rules, and hashes the password if it keeps them. Takes some 30 ms of a processor, and the look-up.
    pub async fn judge(self, fetch: &Fetcher) -> Result<PasswordVerdict, HandlerError> {
        let refused = |problem: String, report| PasswordVerdict { hash: None, problem: Some(problem), report };
        let Some(password) = Password::prepare(&self.password, &PLATFORM_UNICODE) else {
            return Ok(refused(Password::RULE.to_owned(), None));
        };
        let about = self.about.iter().map(String::as_str).collect();
        if let Some(problem) = (PasswordRules { minimum: self.minimum, about }).problem(&password) {
            return Ok(refused(problem, None));
        }
        let (is_breached, report) = match &self.breached_url {
            None => (false, None),
            Some(url) => match is_breached(&password, url, fetch).await {
                Ok(is_breached) => (is_breached, None),
                Err(reason) => (false, Some(reason)),
            },
        };
        if is_breached {
            return Ok(refused("is in a list of stolen passwords: choose another one".to_owned(), report));
        }
        Ok(PasswordVerdict { hash: Some(password_hash::hash(password).await?), problem: None, report })
    }
}

/// True if a range API lists the password. Five hexadecimal digits of its SHA-1 are sent, which hundreds of passwords share; the
/// field `Add-Padding` hides the length of the answer. Errors: the reason for which there is no answer.
async fn is_breached(password: &Password, url: &str, fetch: &Fetcher) -> Result<bool, String> {
    let digest = Sha1::digest(password.expose().as_bytes());
    let digits: String = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    let (sent, rest) = digits.split_at_checked(5).unwrap_or_default();
    let padding = ("add-padding", "true");
    let failed = |reason: &dyn std::fmt::Display| format!("the list of breached passwords: {reason}");
    let answer = fetch.get_with(&format!("{url}{sent}"), padding, LONGEST_RANGE, PATIENCE).await;
    let answer = answer.map_err(|error| failed(&error))?;
    if !answer.status.is_success() {
        return Err(failed(&answer.status));
    }
    Ok(String::from_utf8_lossy(&answer.body).lines().any(|line| {
        let (suffix, count) = line.trim().split_once(':').unwrap_or_default();
        suffix.eq_ignore_ascii_case(rest) && count != "0"
    }))
}
