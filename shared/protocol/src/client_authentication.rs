//! How a client says who it is at the token and revocation endpoints (RFC 6749 §2.3).

use crate::{Client, ClientAuthenticationMethod, Error, ErrorCode, Parameters, StoredClient};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::fmt;

/// What a request says of its client; nothing is proved yet.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    /// Who it says it is.
    pub client_id: String,
    secret: Option<String>,
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCredentials({})", self.client_id)
    }
}

impl ClientCredentials {
    /// From the Authorization header and the body. More than one method in one request is refused (RFC 6749 §2.3).
    pub fn from_request(authorization: Option<&str>, parameters: &Parameters) -> Result<Self, Error> {
        let sent_id = parameters.value("client_id");
        let sent_secret = parameters.value("client_secret");
        if parameters.value("client_assertion").is_some() || parameters.value("client_assertion_type").is_some() {
            return Err(invalid_client(
                "client assertions are not supported; use client_secret_basic or client_secret_post",
            ));
        }
        let Some(header) = authorization else {
            let client_id = sent_id.ok_or_else(|| {
                invalid_client("no client authentication: send client_id, or an Authorization header")
            })?;
            return Ok(Self { client_id: client_id.to_owned(), secret: sent_secret.map(str::to_owned) });
        };
        if sent_secret.is_some() {
            return Err(Error::invalid_request(
                "the client authenticates in two ways at once; use one (RFC 6749 section 2.3)",
            ));
        }
        let (client_id, secret) = parse_basic(header).ok_or_else(|| {
            invalid_client("the Authorization header must be Basic, with the form-encoded client_id and secret (RFC 6749 section 2.3.1)")
        })?;
        if sent_id.is_some_and(|sent| sent != client_id) {
            return Err(Error::invalid_request("client_id in the body is not the one in the Authorization header"));
        }
        Ok(Self { client_id, secret: Some(secret) })
    }

    /// Proves the client. One and the same error whether it is unknown or the secret is wrong.
    pub fn authenticate(self, client: Option<&StoredClient>) -> Result<&Client, Error> {
        let unknown = || invalid_client("client authentication failed: the client is unknown, or its secret is wrong");
        let stored = client.filter(|stored| stored.client.client_id == self.client_id).ok_or_else(unknown)?;
        match (stored.client.token_endpoint_auth_method, &self.secret) {
            (ClientAuthenticationMethod::None, None) => Ok(&stored.client),
            (ClientAuthenticationMethod::None, Some(_)) | (_, None) => Err(unknown()),
            (_, Some(secret)) => {
                if stored.accepts(secret) {
                    Ok(&stored.client)
                } else {
                    Err(unknown())
                }
            }
        }
    }
}

fn invalid_client(description: &'static str) -> Error {
    Error::new(ErrorCode::InvalidClient, description)
}

/// `Basic base64(form(client_id):form(secret))` (RFC 6749 §2.3.1, RFC 7617).
fn parse_basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, secret) = decoded.split_once(':')?;
    let (client_id, secret) = (form_decode(client_id)?, form_decode(secret)?);
    if client_id.is_empty() || secret.is_empty() { None } else { Some((client_id, secret)) }
}

fn form_decode(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return Some(text.to_owned());
    }
    let (decoded, _) = form_urlencoded::parse(text.as_bytes()).next()?;
    if decoded.contains('\u{FFFD}') { None } else { Some(decoded.into_owned()) }
}
