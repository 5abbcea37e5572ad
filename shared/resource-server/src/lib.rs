#![doc = include_str!("../README.md")]

mod authentication;
mod claims;
mod config;
mod error;
mod http_client;
mod introspection;
mod keys;
pub mod metadata;
mod request_head;
mod routes;
mod sender;
mod settings;

pub use authentication::RequiredAuthentication;
pub use claims::Claims;
pub use config::{Config, Introspection};
pub use error::AccessError;
pub use http_client::Http;
pub use jose::{JWKS_LIFETIME, JWKS_STALE_LIFETIME};
pub use keys::HTTP_TIMEOUT;
pub use metadata::ResourceMetadata;
pub use request_head::RequestHead;
pub use routes::{RouteAuthentication, RouteScopes};
pub use sender::{DPOP, DPOP_NONCE, DpopNonces, NoncePolicy};
pub use settings::{SETTINGS, Setting, Settings};
pub use types::{Algorithm, Audience, Scope, Timestamp};

use introspection::{Form, Introspector, TokenState};
use jose::Jwt;
use keys::Keys;
use std::sync::Arc;
use types::{ACCESS_TOKEN_TYPE, OPAQUE_PREFIX};

/// The access that a valid token gives.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Access {
    /// The claims of the token.
    pub claims: Claims,
    /// The token as a signed JWT: the token itself, or the JWT that the authorization server returned for an opaque token (a
    /// phantom token, [`Introspection::phantom`]).
    pub jwt: Option<String>,
    /// The nonce for the client's next DPoP proof: the API sends it in the header field [`DPOP_NONCE`] of its response (RFC 9449 §8.2).
    pub dpop_nonce: Option<String>,
}

impl Access {
    /// Returns an access, for tests of code that receives one.
    pub const fn new(claims: Claims, jwt: Option<String>) -> Self {
        Self { claims, jwt, dpop_nonce: None }
    }
}

/// A resource server: one API that checks access tokens. An instance makes it once; its caches are bounded.
pub struct ResourceServer {
    config: Config,
    http: Arc<dyn Http>,
    keys: Keys,
    introspector: Introspector,
}

impl ResourceServer {
    /// Returns a resource server whose caches are empty.
    pub fn new(config: Config, http: Arc<dyn Http>) -> Self {
        Self { config, http, keys: Keys::default(), introspector: Introspector::default() }
    }

    /// Returns the configuration.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Checks the access token of a request, and that its scope includes `needed` (RFC 6750 §2.1, RFC 9068 §4).
    /// A token that is bound to a key needs a DPoP proof (RFC 9449 §7).
    pub async fn check(&self, head: &RequestHead<'_>, needed: &Scope, now: Timestamp) -> Result<Access, AccessError> {
        self.check_sign_in(head, needed, &RequiredAuthentication::default(), now).await
    }

    /// Does the same as [`check`](Self::check), and checks the sign-in of the user (RFC 9470 §3). The challenge for an insufficient
    /// sign-in also names the scope, so that one new authorization suffices.
    pub async fn check_sign_in(
        &self,
        head: &RequestHead<'_>,
        needed: &Scope,
        sign_in: &RequiredAuthentication,
        now: Timestamp,
    ) -> Result<Access, AccessError> {
        let presented = head.token()?;
        let mut access = self.access(presented.token, now).await?;
        access.dpop_nonce = sender::check(head, presented, &access.claims, &self.config, now).await?;
        if !sign_in.is_met(&access.claims, self.config.skew, now) {
            return Err(AccessError::InsufficientAuthentication(sign_in.clone()));
        }
        if !needed.is_within(&access.claims.scope) {
            return Err(AccessError::InsufficientScope(needed.clone()));
        }
        Ok(access)
    }

    async fn access(&self, token: &str, now: Timestamp) -> Result<Access, AccessError> {
        if token.starts_with(OPAQUE_PREFIX) {
            return self.opaque(token, now).await;
        }
        let access = Access::new(self.jwt(token, now).await?, Some(token.to_owned()));
        match &self.config.introspection {
            // Only a verified token is introspected, so a forged one costs no call.
            Some(introspection) if introspection.checks_jwts => {
                match self.introspector.introspect(introspection, self.http.as_ref(), token, Form::Json, now).await? {
                    TokenState::Inactive => Err(AccessError::InvalidToken("the access token was revoked")),
                    TokenState::Active(_) => Ok(access),
                }
            }
            _ => Ok(access),
        }
    }

    async fn opaque(&self, token: &str, now: Timestamp) -> Result<Access, AccessError> {
        let Some(introspection) = &self.config.introspection else {
            return Err(AccessError::InvalidToken("this API does not accept opaque access tokens"));
        };
        let form = if introspection.phantom { Form::Jwt } else { Form::Json };
        match self.introspector.introspect(introspection, self.http.as_ref(), token, form, now).await? {
            TokenState::Inactive => Err(AccessError::InvalidToken("the access token is unknown, expired or revoked")),
            TokenState::Active(active) => match active.jwt() {
                Some(jwt) => Ok(Access::new(self.jwt(jwt, now).await?, Some(jwt.to_owned()))),
                None => Ok(Access::new(Claims::of_introspection(active.claims(), &self.config, now)?, None)),
            },
        }
    }

    /// Validates a JWT access token (RFC 9068 §4).
    async fn jwt(&self, token: &str, now: Timestamp) -> Result<Claims, AccessError> {
        const NOT_ONE: AccessError = AccessError::InvalidToken("the access token is malformed, or another issuer's");
        let jwt = Jwt::parse(token).filter(|jwt| jwt.typ_is(ACCESS_TOKEN_TYPE)).ok_or(NOT_ONE)?;
        if !self.config.algorithms.contains(&jwt.header().alg) {
            return Err(NOT_ONE);
        }
        let claims = self.keys.verify(&jwt, &self.config, self.http.as_ref(), now).await?.ok_or(NOT_ONE)?;
        Claims::of_jwt(&claims, &self.config, now)
    }

    /// Returns the response that tells the client why its request is rejected: status, challenge (RFC 6750 §3, RFC 9728 §5.1)
    /// and JSON body. Pages of other origins may read it.
    /// `needed` is the scope that the request needs: a client without a valid token asks for exactly that.
    pub fn respond_to(&self, error: &AccessError, needed: &Scope) -> http::Response<String> {
        error.response(self.config.metadata_url.as_deref(), needed)
    }
}

impl std::fmt::Debug for ResourceServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResourceServer").field("config", &self.config).finish_non_exhaustive()
    }
}
