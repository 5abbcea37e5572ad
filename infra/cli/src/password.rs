//! Passwords. The deployment applies its rules to them, and hashes them.

use crate::failure::Failure;
use serde_json::{Value, json};
use std::io::{IsTerminal, Read};

/// Returns the member of a user's document that sets the password: a password, or a hash of another system.
pub(crate) fn member(username: &str, command: &str, is_hash: bool) -> Result<(String, Value), Failure> {
    let name = if is_hash { "password_hash" } else { "password" };
    Ok((name.to_owned(), json!(read(username, command)?)))
}

/// Asks for a password twice at a terminal; otherwise reads the first line of standard input. `command` is the command as
/// typed after `latchkey`, for error messages.
fn read(username: &str, command: &str) -> Result<String, Failure> {
    let password = if std::io::stdin().is_terminal() {
        let ask = |prompt: String| {
            rpassword::prompt_password(prompt)
                .map_err(|error| Failure::new(format!("The password cannot be read: {error}.")))
        };
        let password = ask(format!("Password of {username}: "))?;
        if password != ask("The same password again: ".to_owned())? {
            return Err(Failure::new("The two passwords differ. Nothing was changed."));
        }
        password
    } else {
        let mut text = String::new();
        std::io::stdin()
            .take(16 * 1024)
            .read_to_string(&mut text)
            .map_err(|error| Failure::new(format!("The password cannot be read from standard input: {error}.")))?;
        text.lines().next().unwrap_or_default().to_owned()
    };
    if password.is_empty() {
        return Err(Failure::new("The password is empty. Nothing was changed.")
            .remedy(format!("Type it, or send it on standard input: latchkey {command} {username} < FILE")));
    }
    Ok(password)
}
