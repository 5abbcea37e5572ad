//! Tokens of this server that come back to it.

use crate::{Context, Fault};
use jose::{Jwt, Purpose};
use protocol::{ACCESS_TOKEN_TYPE, AccessTokenClaims, OPAQUE_PREFIX, Timestamp};
use serde::Deserialize;

/// What an ID token says when a client sends it as a hint. Its expiry does not matter (OpenID Connect Core §3.1.2.1,
/// RP-Initiated Logout §2).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IdTokenHint {
    iss: String,
    /// Who signed in.
    pub sub: String,
    /// The client that it was issued to.
    pub aud: String,
    /// The session.
    pub sid: String,
}

impl Context {
    /// The claims of an access token, JWT or opaque, that this server made and that has not expired (RFC 9068 §4).
    /// Whether it was revoked is for the store to say.
    pub async fn access_token(&self, token: &str, now: Timestamp) -> Result<Option<AccessTokenClaims>, Fault> {
        let claims = match token.strip_prefix(OPAQUE_PREFIX) {
            Some(sealed) => self.opaque_claims(sealed),
            None => self.jwt_claims(token, now).await?,
        };
        Ok(claims.filter(|claims| claims.is_current(&self.config.issuer, now)))
    }

    fn opaque_claims(&self, sealed: &str) -> Option<AccessTokenClaims> {
        serde_json::from_slice(&self.secrets.open(Purpose::AccessToken, sealed)?).ok()
    }

    async fn jwt_claims(&self, token: &str, now: Timestamp) -> Result<Option<AccessTokenClaims>, Fault> {
        let Some(jwt) = Jwt::parse(token).filter(|jwt| jwt.typ_is(ACCESS_TOKEN_TYPE)) else { return Ok(None) };
        let Some(claims) = self.keyring(now).await?.verify(&jwt, now).await else { return Ok(None) };
        Ok(serde_json::from_value(claims).ok())
    }

    /// What an ID token says that this server signed.
    pub async fn id_token_hint(&self, token: &str, now: Timestamp) -> Result<Option<IdTokenHint>, Fault> {
        let Some(jwt) = Jwt::parse(token).filter(|jwt| jwt.typ_is("JWT")) else { return Ok(None) };
        let Some(claims) = self.keyring(now).await?.verify(&jwt, now).await else { return Ok(None) };
        let hint: Option<IdTokenHint> = serde_json::from_value(claims).ok();
        Ok(hint.filter(|hint| hint.iss == self.config.issuer))
    }
}
