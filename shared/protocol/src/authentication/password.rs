//! Sign-in with a username and a password.

use super::precis::{Password, Unicode, Username};
use super::{AuthenticationDenied, AuthenticationMethod, AuthenticationState};
use crate::Parameters;
use std::fmt;
use types::{Subject, Timestamp};

/// `acr` of a sign-in with a password alone.
pub(super) const ACR: &str = "urn:latchkey:acr:password";

/// `amr` of a sign-in with a password (RFC 8176 §2).
pub(super) const AMR: &[&str] = &["pwd"];

/// An attempt to sign in with a username and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordAttempt {
    username: Option<Username>,
    password: Password,
}

impl PasswordAttempt {
    /// The longest username that the form accepts, in bytes.
    pub const MAX_USERNAME: usize = 256;

    /// Reads the form of the sign-in page. Errors: a field is empty or too long, or the password is one that no user can have.
    pub fn from_form(parameters: &Parameters, unicode: &Unicode) -> Result<Self, AuthenticationDenied> {
        let typed = parameters.value("username").filter(|typed| typed.len() <= Self::MAX_USERNAME);
        let password = parameters.value("password").and_then(|typed| Password::prepare(typed, unicode));
        match (typed, password) {
            (Some(typed), Some(password)) => Ok(Self { username: Username::prepare(typed, unicode), password }),
            _ => Err(AuthenticationDenied::WrongCredential),
        }
    }

    /// Returns the username; `None` if no user can have the name that was typed.
    pub fn username(&self) -> Option<&Username> {
        self.username.as_ref()
    }

    /// Returns the password, for the comparison with its hash.
    pub fn password(&self) -> &Password {
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
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::super::precis::tests::TABLES;
    use super::*;

    fn attempt(username: &str, password: &str) -> Result<PasswordAttempt, AuthenticationDenied> {
        let form = format!("username={username}&password={password}");
        PasswordAttempt::from_form(&Parameters::parse(form.as_bytes()).unwrap(), &TABLES)
    }

    #[test]
    fn fields_have_limits() {
        assert!(attempt(&"u".repeat(256), &"p".repeat(1024)).is_ok());
        for (username, password) in
            [("", "p"), ("u", ""), (&*"u".repeat(257), "p"), ("u", &*"p".repeat(1025)), ("u", "p%00")]
        {
            assert_eq!(attempt(username, password), Err(AuthenticationDenied::WrongCredential));
        }
    }

    #[test]
    fn name_and_password_are_compared_in_one_form() {
        let typed = attempt("%20ZOE%CC%88", "e%CC%81").unwrap();
        assert_eq!((typed.username().unwrap().as_str(), typed.password().expose()), ("zo\u{eb}", "\u{e9}"));
        assert_eq!(attempt("%F0%9F%94%91", "p").unwrap().username(), None);
    }

    #[test]
    fn debug_output_has_no_password() {
        assert_eq!(format!("{:?}", attempt("user", "secret").unwrap()), "PasswordAttempt { .. }");
    }
}
