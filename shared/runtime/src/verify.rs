//! Tokens of this server that come back to it.

use crate::{Context, Fault};
use jose::{Jwt, Purpose};
use protocol::{ACCESS_TOKEN_TYPE, AccessTokenClaims, OPAQUE_PREFIX, Timestamp};
use serde::Deserialize;
use storage::grants::{self, Live};
use storage::markers;

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

/// What stands behind an access token that is good.
#[derive(Clone, Debug, PartialEq)]
pub enum Backing {
    /// A grant, which lives.
    Grant(Box<Live>),
    /// The client alone.
    Client,
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

    /// What stands behind an access token; `None` when it, or the grant that it was made from, was revoked. One round
    /// trip.
    pub async fn backing(&self, claims: &AccessTokenClaims, now: Timestamp) -> Result<Option<Backing>, Fault> {
        // What was issued to a client dies with it (RFC 7592 §2.3), and does not pass to a later one of its name.
        let issued_at = Timestamp::from_secs(claims.iat);
        let client = self.client(&claims.client_id, now).await?;
        if client.is_none_or(|client| !client.may_have_got(issued_at)) {
            return Ok(None);
        }
        let records = self.records.as_ref();
        if claims.grant.is_none() {
            let is_revoked = markers::is_revoked(records, &claims.jti).await?;
            return Ok((!is_revoked).then_some(Backing::Client));
        }
        let Some(standing) = claims.standing() else { return Ok(None) };
        let live = grants::find(records, standing.grant).await?;
        Ok(live.filter(|live| live.state.accepts(&claims.jti, issued_at)).map(|live| Backing::Grant(Box::new(live))))
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
