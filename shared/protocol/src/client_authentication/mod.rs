//! Client authentication (RFC 6749 §2.3, RFC 7521 §4.2), the same at every endpoint that a client calls.
//!
//! A method is an arm of [`ClientAuthenticationMethod`] (what a client registers) and of `Evidence` (what a request
//! presents), with one file: where a request carries the evidence, and which evidence the method accepts.

pub mod none;
pub mod private_key_jwt;
pub mod secret;
pub mod tls;

use crate::{ClientAuthenticationMethod, Parameters, StoredClient};
use private_key_jwt::SignedAssertion;
use secret::PresentedSecret;
use std::borrow::Cow;
use std::fmt;
use tls::CertificateMethod;
use types::{ClientId, Error, ErrorCode};

/// The `client_id` that a request names and the evidence that it presents. Nothing is verified yet.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    /// `client_id` of the client.
    pub client_id: ClientId,
    evidence: Evidence,
}

/// Evidence of a client's identity, by the way it travels.
#[derive(Clone, PartialEq, Eq)]
enum Evidence {
    /// `client_id` alone. The certificate of the TLS connection is no part of the message.
    None,
    /// A client secret, in the Authorization header or in the body.
    Secret(PresentedSecret),
    /// `client_assertion`.
    Assertion(SignedAssertion),
}

/// The part of client authentication that is left after the registered method accepted the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification<'a> {
    /// The client is authenticated.
    Complete,
    /// The client is authenticated if this JWT is valid: see [`private_key_jwt::check`].
    Assertion(&'a str),
    /// The client is authenticated if the certificate of the TLS connection is its own: see [`tls`].
    Certificate(CertificateMethod),
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCredentials({})", self.client_id)
    }
}

impl ClientCredentials {
    /// Reads the credentials from the Authorization header and the body. Errors: `invalid_client`; `invalid_request` if
    /// the request uses more than one method (RFC 6749 §2.3).
    pub fn from_request(authorization: Option<&str>, parameters: &Parameters) -> Result<Self, Error> {
        let client_id = parameters.value("client_id");
        let known = |text| ClientId::parse(text).ok_or_else(|| invalid_client(UNAUTHENTICATED));
        if let Some(assertion) = SignedAssertion::from_parameters(parameters)? {
            if authorization.is_some() || secret::in_body(parameters).is_some() {
                return Err(several_methods());
            }
            let subject = assertion.subject(client_id)?;
            return Ok(Self { client_id: known(&subject)?, evidence: Evidence::Assertion(assertion) });
        }
        if let Some(header) = authorization {
            if secret::in_body(parameters).is_some() {
                return Err(several_methods());
            }
            let (named, secret) = secret::in_header(header)?;
            if client_id.is_some_and(|sent| sent != named) {
                return Err(Error::invalid_request("client_id in the body is not the one in the Authorization header"));
            }
            return Ok(Self { client_id: known(&named)?, evidence: secret.map_or(Evidence::None, Evidence::Secret) });
        }
        let client_id = client_id
            .ok_or_else(|| invalid_client("no client authentication: send client_id, or an Authorization header"))?;
        let evidence = secret::in_body(parameters).map_or(Evidence::None, Evidence::Secret);
        Ok(Self { client_id: known(client_id)?, evidence })
    }

    /// True if the request presents a secret or an assertion.
    pub const fn has_evidence(&self) -> bool {
        !matches!(self.evidence, Evidence::None)
    }

    /// True if the request guesses the secret of a client: the client has one, and it is not the one presented.
    pub fn is_guess(&self, client: &StoredClient) -> bool {
        matches!(self.evidence, Evidence::Secret(_)) && client.client.has_secret()
    }

    /// Checks the evidence by the method that the client registered. Returns what is left to verify. Errors:
    /// `invalid_client`, the same for an unknown client, a wrong secret and another method.
    pub fn check(&self, client: Option<&StoredClient>) -> Result<Verification<'_>, Error> {
        let client = client.filter(|stored| stored.client.client_id == self.client_id);
        if let Some(StoredClient { client, .. }) = client
            && let Some(profile) = client.profile.filter(|profile| !profile.admits(client.token_endpoint_auth_method))
        {
            let description =
                format!("the client is registered wrongly: token_endpoint_auth_method {}", profile.methods());
            return Err(invalid_client(description));
        }
        client.and_then(|client| self.accepted_by(client)).ok_or_else(|| invalid_client(UNAUTHENTICATED))
    }

    fn accepted_by(&self, client: &StoredClient) -> Option<Verification<'_>> {
        match client.client.token_endpoint_auth_method {
            ClientAuthenticationMethod::None => none::check(&self.evidence),
            ClientAuthenticationMethod::ClientSecretBasic | ClientAuthenticationMethod::ClientSecretPost => {
                secret::check(&self.evidence, client)
            }
            ClientAuthenticationMethod::PrivateKeyJwt => private_key_jwt::accept(&self.evidence),
            ClientAuthenticationMethod::TlsClientAuth => tls::accept(&self.evidence, CertificateMethod::Pki),
            ClientAuthenticationMethod::SelfSignedTlsClientAuth => {
                tls::accept(&self.evidence, CertificateMethod::SelfSigned)
            }
        }
    }
}

const UNAUTHENTICATED: &str =
    "client authentication failed: the client is unknown, or its secret or the way it authenticates is wrong";

fn several_methods() -> Error {
    Error::invalid_request("the client authenticates in two ways at once; use one (RFC 6749 section 2.3)")
}

/// Returns `invalid_client` (RFC 6749 §5.2) with a description.
pub fn invalid_client(description: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::InvalidClient, description)
}
