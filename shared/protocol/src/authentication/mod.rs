//! Authentication of users: one arm and one file for each method.
//!
//! A method reads what the user sent, and judges it. `functions/login` shows its page and does its I/O.

mod class;
mod common_passwords;
mod new_password;
mod passkey;
mod password;
mod precis;
mod stored_hash;

pub use class::{AuthenticationClass, AuthenticationClasses};
pub use new_password::PasswordRules;
pub use passkey::{
    CredentialId, MAX_PASSKEYS, Passkey, PasskeyAssertion, PasskeyKey, PasskeyProblem, PasskeyRegistration, PasskeyUse,
    PasskeyUser, RelyingParty, SignedByPasskey, Transport, creation_options, request_options,
};
pub use password::PasswordAttempt;
pub use precis::{Password, Unicode, Username};
use serde::{Deserialize, Serialize};
pub use stored_hash::{Pbkdf2Digest, ScryptCost, StoredHash};
use types::{Subject, Timestamp};

/// A method by which a user authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationMethod {
    /// A password.
    Password,
    /// A passkey (WebAuthn).
    Passkey,
}

impl AuthenticationMethod {
    /// Every method.
    pub const ALL: [Self; 2] = [Self::Password, Self::Passkey];

    /// Method with which a sign-in starts.
    pub const FIRST: Self = Self::Password;

    /// Returns the name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Passkey => "passkey",
        }
    }

    /// Returns `acr`: the authentication context class that the method reaches alone.
    pub const fn acr(self) -> &'static str {
        match self {
            Self::Password => password::ACR,
            Self::Passkey => passkey::ACR,
        }
    }

    /// Returns `amr`: the authentication method references (RFC 8176).
    pub const fn amr(self) -> &'static [&'static str] {
        match self {
            Self::Password => password::AMR,
            Self::Passkey => passkey::AMR,
        }
    }

    /// Returns the context of a user who authenticated with this method.
    pub fn context(self, auth_time: Timestamp) -> AuthenticationContext {
        AuthenticationContext {
            auth_time,
            acr: self.acr().to_owned(),
            amr: self.amr().iter().map(|reference| (*reference).to_owned()).collect(),
        }
    }
}

/// The state of an authentication after a step of a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthenticationState {
    /// The user is authenticated.
    Success {
        /// `sub` of the user.
        subject: Subject,
        /// The display name of the user.
        name: String,
        /// The sign-in.
        context: AuthenticationContext,
    },
    /// The user must pass another method.
    Continue(AuthenticationMethod),
    /// The user authenticates elsewhere: the browser is redirected to this URL.
    External(String),
    /// The attempt failed.
    Denied(AuthenticationDenied),
}

/// The reason why an attempt to authenticate failed. No reason says whether the account exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticationDenied {
    /// The credential is wrong.
    WrongCredential,
    /// The passkey is unknown, or its answer is wrong.
    UnknownPasskey,
    /// Too many attempts; the next one is accepted after this many seconds.
    TooManyAttempts {
        /// In seconds.
        retry_after: u64,
    },
}

/// A sign-in as ID tokens and access tokens describe it (OpenID Connect Core §2, RFC 9068 §2.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticationContext {
    /// `auth_time`.
    pub auth_time: Timestamp,
    /// `acr`: authentication context class.
    pub acr: String,
    /// `amr`: authentication method references (RFC 8176).
    pub amr: Vec<String>,
}

impl AuthenticationContext {
    /// `acr` of a user whom another issuer asserts (RFC 7521).
    pub const ASSERTION: &str = "urn:latchkey:acr:assertion";

    /// True if the user authenticated with this method, maybe among others.
    fn used(&self, method: AuthenticationMethod) -> bool {
        method.amr().iter().all(|reference| self.amr.iter().any(|used| used == reference))
    }

    /// Returns the context of a user whom another issuer asserts: the user did not sign in here.
    pub fn assertion(auth_time: Timestamp) -> Self {
        Self { auth_time, acr: Self::ASSERTION.to_owned(), amr: Vec::new() }
    }
}
