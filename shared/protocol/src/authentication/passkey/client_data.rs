//! The client data: what the browser says about a ceremony (WebAuthn §5.8.1).

use super::{Ceremony, PasskeyProblem, RelyingParty};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    #[serde(default)]
    top_origin: Option<String>,
}

/// Checks the client data of a ceremony. Returns the challenge: the text that this server issued (WebAuthn §7.1 steps 5 to 11, §7.2
/// steps 8 to 14). Pages of this server are never in frames, so an answer from a frame is rejected.
pub(super) fn check(bytes: &[u8], ceremony: Ceremony, party: &RelyingParty) -> Result<String, PasskeyProblem> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let json = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let data: ClientData = types::json::decode(json).map_err(|_| PasskeyProblem::Malformed)?;
    if data.r#type != ceremony.client_data_type() {
        return Err(PasskeyProblem::Type);
    }
    if data.origin != party.origin || data.cross_origin || data.top_origin.is_some() {
        return Err(PasskeyProblem::Origin);
    }
    let challenge = URL_SAFE_NO_PAD.decode(&data.challenge).map_err(|_| PasskeyProblem::Challenge)?;
    String::from_utf8(challenge).map_err(|_| PasskeyProblem::Challenge)
}
