//! Passwords. The command hashes them, so that a deployment receives a password only at sign-in.

use crate::failure::Failure;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use protocol::limits::{Argon2Cost, MAX_PASSWORD, MIN_PASSWORD};
use std::io::{IsTerminal, Read};

/// Asks for a password twice at a terminal; otherwise reads the first line of standard input. `command` is the command as
/// typed after `latchkey`, for error messages.
pub(crate) fn read(username: &str, command: &str) -> Result<String, Failure> {
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
    if password.chars().count() < MIN_PASSWORD {
        return Err(Failure::new(format!(
            "The password has fewer than {MIN_PASSWORD} characters. Nothing was changed."
        )));
    }
    if password.len() > MAX_PASSWORD {
        return Err(Failure::new(format!("The password is longer than {MAX_PASSWORD} bytes. Nothing was changed.")));
    }
    Ok(password)
}

/// Returns the Argon2id hash of a password, as a PHC string.
pub(crate) fn hash(password: &str) -> Result<String, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(format!("The password cannot be hashed: {error}."));
    let Argon2Cost { memory_kib, passes, lanes } = Argon2Cost::GENERATED;
    let params = Params::new(memory_kib, passes, lanes, None).map_err(|error| failed(&error))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_hash_names_its_parameters_and_is_salted() {
        let hash = super::hash("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, super::hash("correct horse").unwrap());
    }
}
