//! Authentication of users: one arm and one file for each method.
//!
//! A method reads what the user sent, and judges it. `functions/login` shows its page and does its I/O.

mod class;
mod common_passwords;
mod new_password;
mod passkey;
mod password;
mod precis;
mod recovery_code;
mod stored_hash;
mod totp;

pub use class::{AuthenticationClass, AuthenticationClasses};
pub use new_password::PasswordRules;
pub use passkey::{
    CredentialId, MAX_PASSKEYS, Passkey, PasskeyAssertion, PasskeyKey, PasskeyProblem, PasskeyRegistration, PasskeyUse,
    PasskeyUser, RelyingParty, SignedByPasskey, Transport, creation_options, request_options,
};
pub use password::PasswordAttempt;
pub use precis::{Password, Unicode, Username};
pub use recovery_code::RecoveryCode;
use serde::{Deserialize, Serialize};
pub use stored_hash::{Pbkdf2Digest, ScryptCost, StoredHash};
pub use totp::{TotpSecret, TotpStep};
use types::{Subject, Timestamp};

/// A method by which a user authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationMethod {
    /// A password.
    Password,
    /// A passkey (WebAuthn).
    Passkey,
    /// A code of an authenticator app (RFC 6238), after a password.
    Totp,
    /// A recovery code in place of a code of the app, after a password.
    RecoveryCode,
}

impl AuthenticationMethod {
    /// The methods of which the operator makes classes. A recovery code is none: it stands in for another one.
    pub const OF_CLASSES: [Self; 3] = [Self::Password, Self::Passkey, Self::Totp];

    /// Method with which a sign-in starts.
    pub const FIRST: Self = Self::Password;

    /// Returns the name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Passkey => "passkey",
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
        }
    }

    /// Returns `amr`: the authentication method references (RFC 8176).
    pub const fn amr(self) -> &'static [&'static str] {
        match self {
            Self::Password => password::AMR,
            Self::Passkey => passkey::AMR,
            Self::Totp | Self::RecoveryCode => totp::AMR,
        }
    }

    /// Returns the context of a user who authenticated with this method. A code comes after a password.
    pub fn context(self, auth_time: Timestamp) -> AuthenticationContext {
        let (acr, amr) = match self {
            Self::Password => (password::ACR, password::AMR.to_vec()),
            Self::Passkey => (passkey::ACR, passkey::AMR.to_vec()),
            Self::Totp | Self::RecoveryCode => {
                (AuthenticationContext::TWO_FACTORS, [password::AMR, self.amr(), &[MFA]].concat())
            }
        };
        AuthenticationContext { auth_time, acr: acr.to_owned(), amr: amr.into_iter().map(str::to_owned).collect() }
    }
}

/// `amr` of a sign-in with two factors (RFC 8176 §2).
const MFA: &str = "mfa";

/// A user whose password was right, on the way to the second factor. It travels sealed through the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedFirstFactor {
    /// `sub` of the user.
    pub subject: Subject,
    /// The display name of the user.
    pub name: String,
    /// The sign-in name, in the form in which users are stored.
    pub username: String,
    /// The browser cookie: another browser cannot continue.
    pub browser: String,
    /// The mark of the last revocation before the password was compared: `auth_time` is never before it.
    pub not_before: Timestamp,
    /// Time by which the second factor must follow.
    pub expires_at: Timestamp,
}

impl PassedFirstFactor {
    /// Time in which the second factor must follow.
    pub const LIFETIME: std::time::Duration = std::time::Duration::from_secs(600);
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
    /// The first factor is right, and the user must pass a second one.
    Continue(PassedFirstFactor),
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
    /// The code of the second factor is wrong, or was used before.
    WrongCode,
    /// The first factor was passed too long ago, or in another browser.
    Expired,
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
    /// `acr` of a sign-in with two factors, whichever they are.
    pub const TWO_FACTORS: &str = "urn:latchkey:acr:mfa";

    /// `acr` of a user whom another issuer asserts (RFC 7521).
    pub const ASSERTION: &str = "urn:latchkey:acr:assertion";

    /// True if the user authenticated with two factors.
    fn has_two_factors(&self) -> bool {
        self.amr.iter().any(|used| used == MFA)
    }

    /// True if the user authenticated with this method, maybe among others.
    fn used(&self, method: AuthenticationMethod) -> bool {
        method.amr().iter().all(|reference| self.amr.iter().any(|used| used == reference))
    }

    /// Returns the context of a user whom another issuer asserts: the user did not sign in here.
    pub fn assertion(auth_time: Timestamp) -> Self {
        Self { auth_time, acr: Self::ASSERTION.to_owned(), amr: Vec::new() }
    }
}
