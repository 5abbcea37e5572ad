//! Sign-in with a username and a password.

use super::{AuthenticationDenied, AuthenticationMethod, AuthenticationState};
use crate::Parameters;
use crate::limits::MAX_PASSWORD;
use std::fmt;
use types::{Subject, Timestamp};

/// `acr` of a sign-in with a password alone.
pub(super) const ACR: &str = "urn:latchkey:acr:password";

/// `amr` of a sign-in with a password (RFC 8176 §2).
pub(super) const AMR: &[&str] = &["pwd"];

/// An attempt to sign in with a username and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordAttempt {
    username: String,
    password: String,
}

impl PasswordAttempt {
    /// The longest username that the form accepts, in bytes.
    pub const MAX_USERNAME: usize = 256;

    /// Reads the form of the sign-in page. Errors: a field is empty or too long.
    pub fn from_form(parameters: &Parameters) -> Result<Self, AuthenticationDenied> {
        let field = |name, max| parameters.value(name).filter(|value| value.len() <= max).map(str::to_owned);
        let username = field("username", Self::MAX_USERNAME);
        let password = field("password", MAX_PASSWORD);
        match (username, password) {
            (Some(username), Some(password)) => Ok(Self { username, password }),
            _ => Err(AuthenticationDenied::WrongCredential),
        }
    }

    /// Returns the username as the user typed it.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Returns the password, for the comparison with its hash.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Returns the state after the password of a user matched.
    pub fn success(subject: Subject, name: String, now: Timestamp) -> AuthenticationState {
        AuthenticationState::Success { subject, name, context: AuthenticationMethod::Password.context(now) }
    }
}

impl fmt::Debug for PasswordAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordAttempt").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(username: &str, password: &str) -> Result<PasswordAttempt, AuthenticationDenied> {
        let form = format!("username={username}&password={password}");
        PasswordAttempt::from_form(&Parameters::parse(form.as_bytes()).unwrap())
    }

    #[test]
    fn fields_have_limits() {
        assert!(attempt(&"u".repeat(256), &"p".repeat(1024)).is_ok());
        for (username, password) in [("", "p"), ("u", ""), (&*"u".repeat(257), "p"), ("u", &*"p".repeat(1025))] {
            assert_eq!(attempt(username, password), Err(AuthenticationDenied::WrongCredential));
        }
    }

    #[test]
    fn debug_output_has_no_password() {
        assert_eq!(format!("{:?}", attempt("user", "secret").unwrap()), "PasswordAttempt { .. }");
    }
}
