//! The resource server's half of OAuth: an API checks the access token of each request, and says why it refuses.
//!
//! [`ResourceServer::check`] takes what a client presented and the scope that the request needs, and gives what the
//! token says, or a [`Denial`] that knows its own HTTP answer. It works in any HTTP server and in any Worker: the way
//! to the authorization server is the trait [`Http`], the time is an argument.
//!
//! - A JWT (RFC 9068) is verified with the issuer's keys, which are kept for [`KEYS_KEPT_FOR`].
//! - An opaque token is introspected (RFC 7662); what came of it holds for [`Introspection::age`].
//! - A revocation is noticed within that age: of opaque tokens always, of JWTs when [`Introspection::checks_jwts`] is
//!   set. Else a JWT is good until it expires.
//! - A token that is bound to its sender (`cnf`, RFC 7800) is refused: no proof of possession is checked here.

mod cache;
mod claims;
mod config;
mod denial;
mod http_client;
mod introspection;
mod keys;
pub mod metadata;
mod presented;
mod routes;
mod settings;

pub use claims::Claims;
pub use config::{Config, Introspection};
pub use denial::Denial;
pub use http_client::Http;
pub use keys::{KEYS_KEPT_FOR, KEYS_OUTLIVE_FAULTS_FOR};
pub use metadata::ResourceMetadata;
pub use presented::Presented;
pub use routes::RouteScopes;
pub use settings::{SETTINGS, Setting, Settings};
pub use types::{Algorithm, Audience, Scope, Timestamp};

use introspection::{Form, Introspector, Verdict};
use jose::Jwt;
use keys::Keys;
use std::sync::Arc;
use types::{ACCESS_TOKEN_TYPE, OPAQUE_PREFIX};

/// What a token lets its bearer do.
#[derive(Clone, Debug)]
pub struct Access {
    /// What the token says.
    pub claims: Claims,
    /// The token as a signed JWT: itself, or what the authorization server gave for an opaque one (a phantom token,
    /// [`Introspection::phantom`]).
    pub jwt: Option<String>,
}

/// One API: checks what clients present. Made once; what it remembers is bounded.
pub struct ResourceServer {
    config: Config,
    http: Arc<dyn Http>,
    keys: Keys,
    introspector: Introspector,
}

impl ResourceServer {
    /// An API that has seen no token yet.
    pub fn new(config: Config, http: Arc<dyn Http>) -> Self {
        Self { config, http, keys: Keys::default(), introspector: Introspector::default() }
    }

    /// What it was made with.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What the token of a request lets its bearer do, if that includes all of `needed` (RFC 6750 §2.1, RFC 9068 §4).
    pub async fn check(&self, presented: &Presented<'_>, needed: &Scope, now: Timestamp) -> Result<Access, Denial> {
        let access = self.access(presented.token()?, now).await?;
        if !needed.is_within(&access.claims.scope) {
            return Err(Denial::InsufficientScope(needed.clone()));
        }
        Ok(access)
    }

    async fn access(&self, token: &str, now: Timestamp) -> Result<Access, Denial> {
        if token.starts_with(OPAQUE_PREFIX) {
            return self.opaque(token, now).await;
        }
        let access = Access { claims: self.jwt(token, now).await?, jwt: Some(token.to_owned()) };
        match &self.config.introspection {
            // Only what is genuine is asked about: a forgery costs no call.
            Some(introspection) if introspection.checks_jwts => {
                match self.introspector.ask(introspection, self.http.as_ref(), token, Form::Json, now).await? {
                    Verdict::Inactive => Err(Denial::InvalidToken("the access token was revoked")),
                    Verdict::Active(_) => Ok(access),
                }
            }
            _ => Ok(access),
        }
    }

    async fn opaque(&self, token: &str, now: Timestamp) -> Result<Access, Denial> {
        let Some(introspection) = &self.config.introspection else {
            return Err(Denial::InvalidToken("this API takes no opaque access tokens"));
        };
        let form = if introspection.phantom { Form::Jwt } else { Form::Json };
        match self.introspector.ask(introspection, self.http.as_ref(), token, form, now).await? {
            Verdict::Inactive => Err(Denial::InvalidToken("the access token is unknown, expired or revoked")),
            Verdict::Active(answer) => match answer.jwt() {
                Some(jwt) => Ok(Access { claims: self.jwt(jwt, now).await?, jwt: Some(jwt.to_owned()) }),
                None => Ok(Access { claims: Claims::of_introspection(answer.claims(), &self.config, now)?, jwt: None }),
            },
        }
    }

    /// RFC 9068 §4.
    async fn jwt(&self, token: &str, now: Timestamp) -> Result<Claims, Denial> {
        const NOT_ONE: Denial = Denial::InvalidToken("the access token is malformed, or not one of this issuer");
        let jwt = Jwt::parse(token).filter(|jwt| jwt.typ_is(ACCESS_TOKEN_TYPE)).ok_or(NOT_ONE)?;
        if !self.config.algorithms.contains(&jwt.header().alg) {
            return Err(NOT_ONE);
        }
        let claims = self.keys.verify(&jwt, &self.config, self.http.as_ref(), now).await?.ok_or(NOT_ONE)?;
        Claims::of_jwt(&claims, &self.config, now)
    }

    /// The answer that tells a client why it is refused: status, challenge (RFC 6750 §3, RFC 9728 §5.1) and JSON body.
    /// Pages of other origins may read it.
    pub fn refuse(&self, denial: &Denial) -> http::Response<String> {
        denial.response(self.config.metadata_url.as_deref())
    }
}

impl std::fmt::Debug for ResourceServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResourceServer").field("config", &self.config).finish_non_exhaustive()
    }
}
