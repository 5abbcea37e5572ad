//! The rules for a new password, and its hash: one message and its answer, so that a Worker of its own can do it.

use crate::names::PLATFORM_UNICODE;
use crate::{Config, Context, HandlerError, password_hash};
use platform::Fetcher;
use protocol::{Password, PasswordRules};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
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

/// Claims that name the user.
const NAMES: [&str; 7] =
    ["name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "email"];

impl NewPassword {
    /// Returns the new password of a user, with the texts that it must not consist of.
    pub fn of_user(sent: String, username: &str, claims: &Map<String, Value>, config: &Config) -> Self {
        let names = NAMES.iter().filter_map(|name| claims.get(*name)?.as_str());
        let about = [username, config.issuer.as_str(), "latchkey"].into_iter().chain(names);
        Self {
            password: sent,
            minimum: config.passwords.minimum,
            about: about.map(str::to_owned).collect(),
            breached_url: config.passwords.breached_url.clone(),
            may_be_local: !config.is_https(),
        }
    }

    /// Returns the hash, or the rule that the password breaks. On Workers, the Worker `passwords` does the work: the list of common
    /// passwords and the hash would make each other Worker too heavy. `function` is for the log.
    pub async fn hash(self, function: &str, context: &Context) -> Result<Result<String, String>, HandlerError> {
        let PasswordVerdict { hash, problem, report } = judged(self, context).await?;
        if let Some(reason) = report {
            (context.log)(&json!({ "function": function, "reason": reason }).to_string());
        }
        match (hash, problem) {
            (Some(hash), _) => Ok(Ok(hash)),
            (None, Some(problem)) => Ok(Err(problem)),
            (None, None) => Err(HandlerError::unavailable("there is no verdict about the password")),
        }
    }

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

#[cfg(not(target_arch = "wasm32"))]
async fn judged(password: NewPassword, context: &Context) -> Result<PasswordVerdict, HandlerError> {
    password.judge(&context.fetch).await
}

#[cfg(target_arch = "wasm32")]
pub use bound::bind_passwords;
#[cfg(target_arch = "wasm32")]
use bound::judged;

#[cfg(target_arch = "wasm32")]
mod bound {
    use super::{NewPassword, PasswordVerdict};
    use crate::{Context, HandlerError};
    use platform::worker::Service;
    use worker::Env;

    static PASSWORDS: Service = Service::new("PASSWORDS");

    /// Remembers the Worker `passwords`, if it is bound.
    pub fn bind_passwords(env: &Env) {
        PASSWORDS.bind(env);
    }

    /// Lets the Worker `passwords` judge a password. Errors: 503 if it is not bound, or fails.
    pub(super) async fn judged(password: NewPassword, _: &Context) -> Result<PasswordVerdict, HandlerError> {
        let message = serde_json::to_string(&password).map_err(HandlerError::unavailable)?;
        let answer = PASSWORDS.call(&message, NewPassword::MAX_MESSAGE).await?;
        types::json::decode(&answer).map_err(HandlerError::unavailable)
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
