//! `client_secret_basic` and `client_secret_post`: a secret that the server generated (RFC 6749 §2.3.1).
//!
//! A client that registered one of the two may use either.

use super::{Evidence, Verification, invalid_client};
use crate::{Parameters, StoredClient};
use base64::{Engine, engine::general_purpose::STANDARD};
use types::Error;

/// A client secret that a request presents.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PresentedSecret(String);

/// Accepts one of the client's current secrets. Takes the same time for every wrong secret.
pub(super) fn check<'a>(evidence: &'a Evidence, client: &StoredClient) -> Option<Verification<'a>> {
    match evidence {
        Evidence::Secret(PresentedSecret(secret)) if client.accepts(secret) => Some(Verification::Complete),
        _ => None,
    }
}

/// Returns the secret of `client_secret_post`.
pub(super) fn in_body(parameters: &Parameters) -> Option<PresentedSecret> {
    parameters.value("client_secret").map(|secret| PresentedSecret(secret.to_owned()))
}

/// Returns the `client_id` and the secret of `client_secret_basic`. An empty secret counts as none (RFC 6749 §2.3.1),
/// so that public clients may name themselves in the header. Errors: `invalid_client`.
pub(super) fn in_header(header: &str) -> Result<(String, Option<PresentedSecret>), Error> {
    let (client_id, secret) = parse_basic(header).ok_or_else(|| {
        invalid_client("the Authorization header must be Basic, with the form-encoded client_id and secret (RFC 6749 section 2.3.1)")
    })?;
    Ok((client_id, Some(secret).filter(|secret| !secret.is_empty()).map(PresentedSecret)))
}

/// Parses `Basic base64(form(client_id):form(secret))` (RFC 6749 §2.3.1, RFC 7617).
fn parse_basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, secret) = decoded.split_once(':')?;
    let (client_id, secret) = (form_decode(client_id)?, form_decode(secret)?);
    if client_id.is_empty() { None } else { Some((client_id, secret)) }
}

fn form_decode(text: &str) -> Option<String> {
    if text.is_empty() || text.contains(['&', '=']) {
        return Some(text.to_owned());
    }
    let (decoded, _) = form_urlencoded::parse(text.as_bytes()).next()?;
    if decoded.contains('\u{FFFD}') { None } else { Some(decoded.into_owned()) }
}
