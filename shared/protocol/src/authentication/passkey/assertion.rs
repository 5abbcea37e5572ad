//! A sign-in with a passkey (WebAuthn §7.2).

use super::authenticator_data::AuthenticatorData;
use super::{
    Ceremony, CredentialId, MAX_ANSWER, Passkey, PasskeyProblem, PasskeyUse, RelyingParty, client_data, signature,
};
use crate::token::UserHandle;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::time::Duration;
use types::{Algorithm, Timestamp};

const DAY: u64 = 86_400;

/// The answer of a browser to a request to sign in, checked but for its challenge, its passkey and its signature.
pub struct PasskeyAssertion {
    challenge: String,
    credential_id: CredentialId,
    user_handle: UserHandle,
    sign_count: u32,
    backup_eligible: bool,
    backed_up: bool,
    /// The bytes that the authenticator signed.
    message: Vec<u8>,
    signature: Vec<u8>,
}

/// A signature whose verification decides.
pub struct SignedByPasskey {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The bytes that were signed.
    pub message: Vec<u8>,
    /// The signature in the form of JWS.
    pub signature: Vec<u8>,
}

/// `AuthenticationResponseJSON` (WebAuthn §5.1), as far as it is used.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    id: String,
    raw_id: String,
    r#type: String,
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    signature: String,
    /// A discoverable credential has it (WebAuthn §7.2 step 6).
    user_handle: String,
}

impl PasskeyAssertion {
    /// Parses the JSON of the credential, and makes every check that needs no passkey.
    pub fn parse(json: &str, party: &RelyingParty) -> Result<Self, PasskeyProblem> {
        if json.len() > MAX_ANSWER {
            return Err(PasskeyProblem::Malformed);
        }
        let Answer { id, raw_id, r#type, response } =
            types::json::decode(json.as_bytes()).map_err(|_| PasskeyProblem::Malformed)?;
        let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| PasskeyProblem::Malformed);
        if r#type != "public-key" || id != raw_id {
            return Err(PasskeyProblem::Malformed);
        }
        let user_handle = UserHandle::from_name(&response.user_handle).ok_or(PasskeyProblem::Credential)?;
        let client_data = decoded(&response.client_data)?;
        let challenge = client_data::check(&client_data, Ceremony::Get, party)?;
        let mut message = decoded(&response.authenticator_data)?;
        let data = AuthenticatorData::check(&message, party)?;
        if data.is_attested || data.has_extensions == data.rest.is_empty() {
            return Err(PasskeyProblem::Malformed);
        }
        let AuthenticatorData { sign_count, backup_eligible, backed_up, .. } = data;
        message.extend_from_slice(&Sha256::digest(&client_data));
        Ok(Self {
            challenge,
            credential_id: CredentialId::new(&decoded(&raw_id)?)?,
            user_handle,
            sign_count,
            backup_eligible,
            backed_up,
            message,
            signature: decoded(&response.signature)?,
        })
    }

    /// Returns the challenge, which the caller consumes.
    pub fn challenge(&self) -> &str {
        &self.challenge
    }

    /// Returns the identifier of the passkey.
    pub fn credential_id(&self) -> &CredentialId {
        &self.credential_id
    }

    /// Returns the handle of the user, which names the partition of the passkey's record.
    pub fn user_handle(&self) -> UserHandle {
        self.user_handle
    }

    /// Checks the answer against the passkey of this identifier. Returns the signature to verify. A counter that does not rise is
    /// that of a copy (WebAuthn §6.1.1); passkeys that are synchronised have none.
    pub fn check(
        &self,
        passkey: &Passkey,
        before: &PasskeyUse,
        party: &RelyingParty,
    ) -> Result<SignedByPasskey, PasskeyProblem> {
        if passkey.user_handle != self.user_handle
            || passkey.credential_id != self.credential_id
            || passkey.rp_id != party.id
        {
            return Err(PasskeyProblem::Credential);
        }
        if passkey.backup_eligible != self.backup_eligible {
            return Err(PasskeyProblem::Backup);
        }
        let has_counter = self.sign_count != 0 || before.sign_count != 0;
        if has_counter && self.sign_count <= before.sign_count {
            return Err(PasskeyProblem::Counter);
        }
        let algorithm = passkey.key.algorithm().ok_or(PasskeyProblem::Key)?;
        let signature = match algorithm {
            Algorithm::ES256 => signature::from_der(&self.signature)?,
            Algorithm::RS256 | Algorithm::PS256 | Algorithm::EdDSA => self.signature.clone(),
        };
        Ok(SignedByPasskey { algorithm, message: self.message.clone(), signature })
    }

    /// Returns the passkey after this use. Its time is that of the day.
    pub fn used(&self, before: &PasskeyUse, now: Timestamp) -> PasskeyUse {
        let into_day = Duration::from_secs(now.as_secs().checked_rem(DAY).unwrap_or(0));
        PasskeyUse {
            name: before.name.clone(),
            sign_count: self.sign_count.max(before.sign_count),
            backed_up: self.backed_up,
            last_used_on: Some(Timestamp::from_secs(now.as_secs()).before(into_day)),
        }
    }
}
