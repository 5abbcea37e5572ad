//! `prompt`: what the client requires of the sign-in (OpenID Connect Core §3.1.2.1).

use crate::parameters::printable;
use serde::{Deserialize, Serialize};
use types::Error;

/// `prompt`, a set of values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// `none`: no page may be shown. The request is answered from the session, or fails.
    pub none: bool,
    /// `login`: the user signs in again.
    pub login: bool,
    /// `consent`: the user is asked for consent, even if it is remembered.
    pub consent: bool,
    /// `select_account`: the user selects the account.
    pub select_account: bool,
}

impl Prompt {
    /// Values on the wire.
    pub const NAMES: &[&str] = &["none", "login", "consent", "select_account"];

    /// Parses the parameter. Errors: `invalid_request` if a value is unknown, or if `none` is not alone.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut prompt = Self::default();
        for value in text.split(' ').filter(|value| !value.is_empty()) {
            match value {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                other => {
                    return Err(Error::invalid_request(format!("prompt has the unknown value '{}'", printable(other))));
                }
            }
        }
        if prompt.none && (prompt.login || prompt.consent || prompt.select_account) {
            return Err(Error::invalid_request("prompt=none cannot be combined with other values"));
        }
        Ok(prompt)
    }
}
