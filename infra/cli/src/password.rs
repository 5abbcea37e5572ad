//! Passwords and user codes. The deployment applies its rules to them, and hashes them.

use crate::failure::Failure;
use serde_json::{Value, json};
use std::io::{IsTerminal, Read};

/// Returns the member of a user's document that sets the password: a password, or a hash of another system.
pub(crate) fn member(username: &str, command: &str, is_hash: bool) -> Result<(String, Value), Failure> {
    let name = if is_hash { "password_hash" } else { "password" };
    Ok((name.to_owned(), json!(read("password", username, command)?)))
}

/// Returns the code of a user for backchannel requests.
pub(crate) fn user_code(username: &str) -> Result<String, Failure> {
    read("user code", username, "user set-user-code")
}

/// Asks for a secret twice at a terminal; otherwise reads the first line of standard input. `command` is the command as
/// typed after `latchkey`, for error messages.
fn read(what: &str, username: &str, command: &str) -> Result<String, Failure> {
    let secret = if std::io::stdin().is_terminal() {
        let ask = |prompt: String| {
            rpassword::prompt_password(prompt)
                .map_err(|error| Failure::new(format!("The {what} cannot be read: {error}.")))
        };
        let secret = ask(format!("New {what} of {username}: "))?;
        if secret != ask(format!("The same {what} again: "))? {
            return Err(Failure::new("The two inputs differ. Nothing was changed."));
        }
        secret
    } else {
        let mut text = String::new();
        std::io::stdin()
            .take(16 * 1024)
            .read_to_string(&mut text)
            .map_err(|error| Failure::new(format!("The {what} cannot be read from standard input: {error}.")))?;
        text.lines().next().unwrap_or_default().to_owned()
    };
    if secret.is_empty() {
        return Err(Failure::new(format!("The {what} is empty. Nothing was changed."))
            .remedy(format!("Type it, or send it on standard input: latchkey {command} {username} < FILE")));
    }
    Ok(secret)
}
