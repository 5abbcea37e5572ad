//! The options of both ceremonies, as the script of a page hands them to the browser (WebAuthn §5.4, §5.5).

use super::{ALGORITHMS, CredentialId, Passkey, RelyingParty};
use crate::token::UserHandle;
use serde_json::{Value, json};
use types::Algorithm;

/// Time that a browser gives the user, in milliseconds (WebAuthn §15.1).
const TIMEOUT: u64 = 300_000;

/// The user for whom a passkey is registered.
pub struct PasskeyUser<'a> {
    /// The handle.
    pub handle: UserHandle,
    /// The sign-in name, which the browser shows.
    pub username: &'a str,
    /// The display name.
    pub name: &'a str,
}

/// Returns `PublicKeyCredentialCreationOptionsJSON`. `service` is the name of this server, `existing` are the passkeys of the user,
/// which no authenticator registers twice.
pub fn creation_options(
    party: &RelyingParty,
    service: &str,
    user: &PasskeyUser<'_>,
    challenge: &str,
    existing: &[Passkey],
) -> Value {
    let parameters: Vec<Value> =
        ALGORITHMS.iter().map(|alg| json!({ "type": "public-key", "alg": identifier(*alg) })).collect();
    json!({
        "rp": { "id": party.id, "name": service },
        "user": { "id": user.handle.name(), "name": user.username, "displayName": user.name },
        "challenge": challenge,
        "pubKeyCredParams": parameters,
        "timeout": TIMEOUT,
        "excludeCredentials": existing.iter().map(descriptor).collect::<Vec<_>>(),
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": true,
            "userVerification": "required",
        },
        "attestation": "none",
        "extensions": { "credProps": true },
    })
}

/// Returns `PublicKeyCredentialRequestOptionsJSON`. With `allowed` one of these passkeys must answer; without, any that the user has.
pub fn request_options(party: &RelyingParty, challenge: &str, allowed: &[Passkey]) -> Value {
    json!({
        "rpId": party.id,
        "challenge": challenge,
        "timeout": TIMEOUT,
        "userVerification": "required",
        "allowCredentials": allowed.iter().map(descriptor).collect::<Vec<_>>(),
    })
}

fn descriptor(passkey: &Passkey) -> Value {
    let id = CredentialId::encoded(&passkey.credential_id);
    json!({ "type": "public-key", "id": id, "transports": passkey.transports })
}

/// Returns the identifier of an algorithm in the COSE registry.
const fn identifier(algorithm: Algorithm) -> i32 {
    match algorithm {
        Algorithm::ES256 => -7,
        Algorithm::EdDSA => -8,
        Algorithm::PS256 => -37,
        Algorithm::RS256 => -257,
    }
}
