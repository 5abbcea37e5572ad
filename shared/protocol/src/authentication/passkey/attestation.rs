//! The registration of a passkey (WebAuthn §7.1). Attestation is not asked for: a statement is not judged.

use super::authenticator_data::AuthenticatorData;
use super::{
    Ceremony, CredentialId, MAX_ANSWER, Passkey, PasskeyProblem, PasskeyUse, RelyingParty, Transport, client_data,
    cose, provider,
};
use crate::token::UserHandle;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use minicbor::Decoder;
use minicbor::data::Type;
use serde::Deserialize;
use std::fmt::Write as _;
use types::Timestamp;

/// The answer of a browser to a request for a new passkey, checked but for its challenge.
pub struct PasskeyRegistration {
    challenge: String,
    credential_id: CredentialId,
    key: super::PasskeyKey,
    sign_count: u32,
    backup_eligible: bool,
    backed_up: bool,
    aaguid: [u8; 16],
    transports: Vec<Transport>,
    rp_id: String,
}

/// `RegistrationResponseJSON` (WebAuthn §5.1), as far as it is used.
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
    attestation_object: String,
    #[serde(default)]
    transports: Vec<String>,
}

impl PasskeyRegistration {
    /// Parses and checks the JSON of the credential.
    pub fn parse(json: &str, party: &RelyingParty) -> Result<Self, PasskeyProblem> {
        if json.len() > MAX_ANSWER {
            return Err(PasskeyProblem::Malformed);
        }
        let answer: Answer = types::json::decode(json.as_bytes()).map_err(|_| PasskeyProblem::Malformed)?;
        let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| PasskeyProblem::Malformed);
        if answer.r#type != "public-key" || answer.id != answer.raw_id {
            return Err(PasskeyProblem::Malformed);
        }
        let challenge = client_data::check(&decoded(&answer.response.client_data)?, Ceremony::Create, party)?;
        let object = decoded(&answer.response.attestation_object)?;
        let bytes = authenticator_data(&object)?;
        let data = AuthenticatorData::check(bytes, party)?;
        if !data.is_attested {
            return Err(PasskeyProblem::Malformed);
        }
        let (aaguid, rest) = data.rest.split_first_chunk::<16>().ok_or(PasskeyProblem::Malformed)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(PasskeyProblem::Malformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (id, rest) = rest.split_at_checked(length).ok_or(PasskeyProblem::Malformed)?;
        if decoded(&answer.raw_id)? != id {
            return Err(PasskeyProblem::Malformed);
        }
        let mut decoder = Decoder::new(rest);
        let key = cose::decode(&mut decoder)?;
        if data.has_extensions {
            skip_map(&mut decoder)?;
        }
        if decoder.position() != rest.len() {
            return Err(PasskeyProblem::Malformed);
        }
        let transport = |word: &String| serde_json::from_value(word.as_str().into()).ok();
        let mut transports: Vec<Transport> = answer.response.transports.iter().filter_map(transport).take(6).collect();
        transports.dedup();
        Ok(Self {
            challenge,
            credential_id: CredentialId::new(id)?,
            key,
            sign_count: data.sign_count,
            backup_eligible: data.backup_eligible,
            backed_up: data.backed_up,
            aaguid: *aaguid,
            transports,
            rp_id: party.id.clone(),
        })
    }

    /// Returns the challenge, which the caller consumes.
    pub fn challenge(&self) -> &str {
        &self.challenge
    }

    /// Returns the passkey, for a user with this handle. Its first name is that of the authenticator, or else of the browser.
    pub fn accept(self, user_handle: UserHandle, browser: Option<&str>, now: Timestamp) -> (Passkey, PasskeyUse) {
        let aaguid = self.aaguid.iter().fold(String::new(), |mut text, byte| {
            // Writing into a text does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        let name = provider::name(&aaguid).or(browser).unwrap_or("Passkey").to_owned();
        let Self { credential_id, key, sign_count, backup_eligible, backed_up, transports, rp_id, .. } = self;
        let passkey =
            Passkey { credential_id, user_handle, key, rp_id, backup_eligible, transports, aaguid, created_at: now };
        (passkey, PasskeyUse { name, sign_count, backed_up, last_used_on: None })
    }
}

/// Returns `authData` of an attestation object (WebAuthn §6.5.4). Nothing follows the object.
fn authenticator_data(object: &[u8]) -> Result<&[u8], PasskeyProblem> {
    let malformed = |_: minicbor::decode::Error| PasskeyProblem::Malformed;
    let mut decoder = Decoder::new(object);
    let members = decoder.map().map_err(malformed)?.ok_or(PasskeyProblem::Malformed)?;
    let (mut format, mut is_empty, mut data) = (None, None, None);
    for _ in 0..members {
        let (is_repeated, result) = match decoder.str().map_err(malformed)? {
            "fmt" => (format.replace(decoder.str().map_err(malformed)?).is_some(), Ok(())),
            "attStmt" => {
                let start = decoder.position();
                let result = skip_map(&mut decoder);
                (is_empty.replace(decoder.position().saturating_sub(start) == 1).is_some(), result)
            }
            "authData" => (data.replace(decoder.bytes().map_err(malformed)?).is_some(), Ok(())),
            _ => (false, decoder.skip().map_err(malformed)),
        };
        result?;
        if is_repeated {
            return Err(PasskeyProblem::Malformed);
        }
    }
    match (format, is_empty, data) {
        // WebAuthn §8.7: the statement of the format `none` is empty.
        (Some("none"), Some(false), _) => Err(PasskeyProblem::Malformed),
        (Some(_), Some(_), Some(data)) if decoder.position() == object.len() => Ok(data),
        _ => Err(PasskeyProblem::Malformed),
    }
}

/// Skips a map.
fn skip_map(decoder: &mut Decoder<'_>) -> Result<(), PasskeyProblem> {
    match decoder.datatype() {
        Ok(Type::Map) => decoder.skip().map_err(|_| PasskeyProblem::Malformed),
        _ => Err(PasskeyProblem::Malformed),
    }
}
