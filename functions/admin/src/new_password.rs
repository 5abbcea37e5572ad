//! Rules for a password that an operator sets.

use protocol::{Password, PasswordRules, Problem, Username};
use provider::Context;
use provider::names::PlatformUnicode;
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};
use std::time::Duration;

/// The longest answer of the range API, in bytes. It is some 80 KB with padding.
const LONGEST_RANGE: usize = 256 * 1024;

/// Time limit of a request to the range API.
const PATIENCE: Duration = Duration::from_secs(2);

/// Claims that name the user.
const NAMES: [&str; 7] =
    ["name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "email"];

/// Returns the one form of a new password. Errors: what is wrong with it.
pub(crate) async fn accept(
    sent: &str,
    username: &Username,
    claims: &Map<String, Value>,
    context: &Context,
) -> Result<Password, Problem> {
    let problem = |rule: String| Problem::new("password", rule);
    let Some(password) = Password::prepare(sent, &PlatformUnicode) else {
        return Err(problem(Password::RULE.to_owned()));
    };
    let names = NAMES.iter().filter_map(|name| claims.get(*name)?.as_str());
    let about = [username.as_str(), context.config.issuer.as_str(), "latchkey"].into_iter().chain(names).collect();
    if let Some(rule) = (PasswordRules { minimum: context.config.passwords.minimum, about }).problem(&password) {
        return Err(problem(rule));
    }
    if is_breached(&password, context).await {
        return Err(problem("is in a list of stolen passwords: choose another one".to_owned()));
    }
    Ok(password)
}

/// True if the range API of the deployment lists the password. Five hexadecimal digits of its SHA-1 are sent, which hundreds of
/// passwords share; the field `Add-Padding` hides the length of the answer. Without an answer the password passes, and the log
/// has the reason.
async fn is_breached(password: &Password, context: &Context) -> bool {
    let Some(url) = &context.config.passwords.breached_url else { return false };
    let digest = Sha1::digest(password.expose().as_bytes());
    let digits: String = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    let Some((sent, rest)) = digits.split_at_checked(5) else { return false };
    let padding = ("add-padding", "true");
    match context.fetch.get_with(&format!("{url}{sent}"), padding, LONGEST_RANGE, PATIENCE).await {
        Ok(answer) if answer.status.is_success() => String::from_utf8_lossy(&answer.body).lines().any(|line| {
            let (suffix, count) = line.trim().split_once(':').unwrap_or_default();
            suffix.eq_ignore_ascii_case(rest) && count != "0"
        }),
        Ok(answer) => {
            report(context, &format!("the list of breached passwords answered {}", answer.status));
            false
        }
        Err(error) => {
            report(context, &format!("the list of breached passwords: {error}"));
            false
        }
    }
}

fn report(context: &Context, reason: &str) {
    (context.log)(&json!({ "function": "admin", "reason": reason }).to_string());
}
