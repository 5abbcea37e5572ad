//! Proof Key for Code Exchange (RFC 7636), S256 only (RFC 9700 §2.1.1).

use crate::Parameters;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use types::Error;

/// `code_challenge` of method S256 (RFC 7636 §4.2): the base64url of a SHA-256, 43 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Returns the `code_challenge` of an authorization request. The method `plain`, which is also the default, is
    /// rejected: anyone who sees the request could redeem the code (RFC 7636 §7.2, RFC 9700 §2.1.1).
    pub fn from_request(parameters: &Parameters) -> Result<Option<Self>, Error> {
        let method = parameters.value("code_challenge_method");
        let Some(challenge) = parameters.value("code_challenge") else {
            return match method {
                None => Ok(None),
                Some(_) => Err(Error::invalid_request("code_challenge_method is sent without a code_challenge")),
            };
        };
        match method {
            Some("S256") => {}
            Some("plain") | None => {
                return Err(Error::invalid_request(
                    "code_challenge_method must be S256; plain, also when the method is left out, is rejected",
                ));
            }
            Some(_) => return Err(Error::invalid_request("code_challenge_method is unknown; it must be S256")),
        }
        match URL_SAFE_NO_PAD.decode(challenge) {
            Ok(hash) if hash.len() == 32 => Ok(Some(Self(challenge.to_owned()))),
            _ => Err(Error::invalid_request(
                "code_challenge must be the base64url of a SHA-256, 43 characters without padding",
            )),
        }
    }

    /// Returns the challenge of a `code_verifier` (RFC 7636 §4.6). Errors: `invalid_request` if the verifier does not have
    /// the form of §4.1.
    pub fn of_verifier(verifier: &str) -> Result<Self, Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(allowed) {
            return Err(Error::invalid_request(
                "code_verifier must be 43 to 128 of the characters A-Z a-z 0-9 - . _ ~",
            ));
        }
        Ok(Self(URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))))
    }

    /// Returns the challenge as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
