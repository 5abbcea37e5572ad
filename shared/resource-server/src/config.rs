//! What an API decides about the tokens that it takes.

use crate::metadata;
use std::fmt;
use std::time::Duration;
use types::Algorithm;

/// How tokens are checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The issuer whose tokens count.
    pub issuer: String,
    /// The identifier of this API: the audience that tokens must have (RFC 8707 §2).
    pub resource: String,
    /// Where the issuer's keys are.
    pub jwks_uri: String,
    /// The algorithms that a signature may have (RFC 8725 §3.1).
    pub algorithms: Vec<Algorithm>,
    /// By how much the issuer's clock may differ from ours.
    pub skew: Duration,
    /// How tokens are introspected. Without it opaque tokens are refused, and a JWT is good until it expires.
    pub introspection: Option<Introspection>,
    /// Where this API's metadata are, for challenges (RFC 9728 §5.1).
    pub metadata_url: Option<String>,
}

impl Config {
    /// Latchkey's endpoints and algorithm, half a minute of skew, no introspection.
    pub fn new(issuer: &str, resource: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            resource: resource.to_owned(),
            jwks_uri: format!("{issuer}/jwks"),
            algorithms: vec![Algorithm::ES256],
            skew: Duration::from_secs(30),
            introspection: None,
            metadata_url: metadata::url_of(resource),
        }
    }

    /// The same, with introspection by these credentials.
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

/// How the authorization server is asked about tokens (RFC 7662).
#[derive(Clone)]
pub struct Introspection {
    /// The endpoint.
    pub endpoint: String,
    /// This API as a client of the authorization server.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// How long an answer holds, and so how late a revocation may be noticed. Zero asks for every request.
    pub age: Duration,
    /// Whether JWTs are asked about too. Else their revocation is not noticed before they expire.
    pub checks_jwts: bool,
    /// Whether a JWT is asked for in exchange for an opaque token, to pass on in its place (a phantom token).
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
