//! How and when a person signed in.

use serde::{Deserialize, Serialize};
use types::Timestamp;

/// How and when a person signed in, as ID tokens and access tokens tell it (OpenID Connect Core §2, RFC 9068 §2.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticationContext {
    /// When.
    pub auth_time: Timestamp,
    /// How well: the authentication context class.
    pub acr: String,
    /// By what: authentication method references (RFC 8176).
    pub amr: Vec<String>,
}

impl AuthenticationContext {
    /// The class of a sign-in with a password alone.
    pub const PASSWORD: &str = "urn:latchkey:acr:password";

    /// The class of whoever another issuer vouches for.
    pub const ASSERTION: &str = "urn:latchkey:acr:assertion";

    /// Every class that this server can reach.
    pub const CLASSES: &[&str] = &[Self::PASSWORD];

    /// Not signed in here: another issuer says who it is, and perhaps when they signed in there.
    pub fn assertion(auth_time: Timestamp) -> Self {
        Self { auth_time, acr: Self::ASSERTION.to_owned(), amr: Vec::new() }
    }

    /// Signed in with a password.
    pub fn password(auth_time: Timestamp) -> Self {
        Self { auth_time, acr: Self::PASSWORD.to_owned(), amr: vec!["pwd".to_owned()] }
    }
}
