//! The configuration of a resource server.

use crate::{DpopNonces, metadata};
use std::fmt;
use std::time::Duration;
use types::Algorithm;

/// The configuration of a resource server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The issuer whose tokens the API accepts.
    pub issuer: String,
    /// The identifier of the API, which must be an audience of each token (RFC 8707 §2).
    pub resource: String,
    /// `jwks_uri`: the URL of the issuer's keys.
    pub jwks_uri: String,
    /// The accepted signature algorithms (RFC 8725 §3.1).
    pub algorithms: Vec<Algorithm>,
    /// Maximum difference between the issuer's clock and the API's.
    pub skew: Duration,
    /// The introspection of tokens. Without it opaque tokens are rejected, and a JWT is valid until it expires.
    pub introspection: Option<Introspection>,
    /// `resource_metadata`: the URL of the API's metadata in challenges (RFC 9728 §5.1).
    pub metadata_url: Option<String>,
    /// The origin at which clients reach the API, which DPoP proofs name; that of `resource` without it.
    pub origin: Option<String>,
    /// True if each token must be bound to a key (RFC 9728 §2, `dpop_bound_access_tokens_required`).
    pub requires_dpop: bool,
    /// True if each token must be bound to a client certificate (RFC 8705 §3).
    pub requires_certificate: bool,
    /// The nonces of DPoP proofs; none is demanded without it.
    pub dpop_nonces: Option<DpopNonces>,
}

impl Config {
    /// Returns a configuration with Latchkey's endpoints and algorithms, 30 seconds of skew and no introspection.
    pub fn new(issuer: &str, resource: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            resource: resource.to_owned(),
            jwks_uri: format!("{issuer}/jwks"),
            algorithms: Algorithm::ALL.to_vec(),
            skew: Duration::from_secs(30),
            introspection: None,
            metadata_url: metadata::url_of(resource),
            origin: None,
            requires_dpop: false,
            requires_certificate: false,
            dpop_nonces: None,
        }
    }

    /// Adds introspection with these credentials. Answers are used for `age`.
    #[must_use]
    pub fn with_introspection(mut self, client_id: &str, client_secret: &str, age: Duration) -> Self {
        self.introspection = Some(Introspection {
            endpoint: format!("{}/introspect", self.issuer),
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            age,
            checks_jwts: false,
            phantom: false,
        });
        self
    }
}

/// The introspection of tokens (RFC 7662).
#[derive(Clone)]
#[non_exhaustive]
pub struct Introspection {
    /// URL of the introspection endpoint.
    pub endpoint: String,
    /// `client_id` of the API as a client of the authorization server.
    pub client_id: String,
    /// `client_secret` of that client.
    pub client_secret: String,
    /// Time for which an answer is used, and so the longest delay of a revocation. Zero introspects for each request.
    pub age: Duration,
    /// True if JWTs are introspected too. Otherwise a revoked JWT is accepted until it expires.
    pub checks_jwts: bool,
    /// True if an opaque token is exchanged for a JWT, which is passed on in its place (a phantom token).
    pub phantom: bool,
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection")
            .field("endpoint", &self.endpoint)
            .field("client_id", &self.client_id)
            .field("age", &self.age)
            .field("checks_jwts", &self.checks_jwts)
            .field("phantom", &self.phantom)
            .finish_non_exhaustive()
    }
}
