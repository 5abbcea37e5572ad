//! How a client says who it is, wherever it calls by itself (RFC 6749 §2.3, RFC 7521 §4.2).

use crate::client_assertion::{CLIENT_ASSERTION_TYPE, claimed_client};
use crate::{Client, ClientAuthenticationMethod, Parameters, StoredClient};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::fmt;
use types::{Error, ErrorCode};

/// What a request says of its client; nothing is proved yet.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    /// Who it says it is.
    pub client_id: String,
    secret: Option<String>,
    assertion: Option<String>,
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
        if let Some(assertion) = sent_assertion(parameters)? {
            if authorization.is_some() || sent_secret.is_some() {
                return Err(two_ways());
            }
            let client_id = claimed_client(assertion)
                .ok_or_else(|| invalid_client("client_assertion is not a JWT whose sub is the client_id"))?;
            if sent_id.is_some_and(|sent| sent != client_id) {
                return Err(invalid_client("client_id is not the sub of client_assertion (RFC 7521 section 4.2)"));
            }
            return Ok(Self { client_id, secret: None, assertion: Some(assertion.to_owned()) });
        }
        let Some(header) = authorization else {
            let client_id = sent_id.ok_or_else(|| {
                invalid_client("no client authentication: send client_id, or an Authorization header")
            })?;
            let secret = sent_secret.map(str::to_owned);
            return Ok(Self { client_id: client_id.to_owned(), secret, assertion: None });
        };
        if sent_secret.is_some() {
            return Err(two_ways());
        }
        let (client_id, secret) = parse_basic(header).ok_or_else(|| {
            invalid_client("the Authorization header must be Basic, with the form-encoded client_id and secret (RFC 6749 section 2.3.1)")
        })?;
        if sent_id.is_some_and(|sent| sent != client_id) {
            return Err(Error::invalid_request("client_id in the body is not the one in the Authorization header"));
        }
        // No secret is an empty one (RFC 6749 §2.3.1): so public clients may say who they are.
        let secret = Some(secret).filter(|secret| !secret.is_empty());
        Ok(Self { client_id, secret, assertion: None })
    }

    /// The JWT by which the client proves itself, when that is its way.
    pub fn assertion(&self) -> Option<&str> {
        self.assertion.as_deref()
    }

    /// Proves a client that is public or has a secret. One and the same error whether it is unknown, its secret is
    /// wrong, or it is registered to prove itself otherwise.
    pub fn authenticate<'a>(&self, client: Option<&'a StoredClient>) -> Result<&'a Client, Error> {
        let unknown = || invalid_client(UNPROVED);
        let stored = client.filter(|stored| stored.client.client_id == self.client_id).ok_or_else(unknown)?;
        match (stored.client.token_endpoint_auth_method, &self.secret) {
            (ClientAuthenticationMethod::None, None) => Ok(&stored.client),
            (ClientAuthenticationMethod::None, Some(_))
            | (ClientAuthenticationMethod::PrivateKeyJwt, _)
            | (_, None) => Err(unknown()),
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

/// What a client is told that did not prove who it is.
pub const UNPROVED: &str =
    "client authentication failed: the client is unknown, or its secret or the way it authenticates is wrong";

/// The assertion, of the one type that is accepted.
fn sent_assertion(parameters: &Parameters) -> Result<Option<&str>, Error> {
    match (parameters.value("client_assertion_type"), parameters.value("client_assertion")) {
        (None, None) => Ok(None),
        (Some(CLIENT_ASSERTION_TYPE), Some(assertion)) => Ok(Some(assertion)),
        (Some(CLIENT_ASSERTION_TYPE), None) => {
            Err(Error::invalid_request("the parameter 'client_assertion' is missing"))
        }
        (None, Some(_)) => Err(Error::invalid_request("the parameter 'client_assertion_type' is missing")),
        (Some(_), _) => Err(invalid_client(
            "client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer (RFC 7523 section 2.2)",
        )),
    }
}

fn two_ways() -> Error {
    Error::invalid_request("the client authenticates in two ways at once; use one (RFC 6749 section 2.3)")
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
    if client_id.is_empty() { None } else { Some((client_id, secret)) }
}

fn form_decode(text: &str) -> Option<String> {
    if text.is_empty() || text.contains(['&', '=']) {
        return Some(text.to_owned());
    }
    let (decoded, _) = form_urlencoded::parse(text.as_bytes()).next()?;
    if decoded.contains('\u{FFFD}') { None } else { Some(decoded.into_owned()) }
}
