//! Tokens of this server that come back to it.

use crate::{Context, HandlerError};
use jose::Jwt;
use keys::Purpose;
use protocol::{AccessTokenClaims, Mac, Standing};
use serde::{Deserialize, de::DeserializeOwned};
use storage::grants::{self, StoredGrant};
use storage::markers;
use types::{ACCESS_TOKEN_TYPE, OPAQUE_PREFIX, Timestamp};

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

/// What an ID token says of the grant that it came from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ProvedIdToken {
    iss: String,
    /// The client that it was issued to.
    pub aud: String,
    /// When it expires, in seconds since the epoch.
    pub exp: u64,
    jti: String,
}

impl ProvedIdToken {
    /// The grant that it came from.
    pub fn standing(&self, mac: &dyn Mac) -> Option<Standing> {
        Standing::from_claim(mac, self.jti.split_once('.')?.0)
    }
}

/// What stands behind an access token that is good.
#[derive(Clone, Debug, PartialEq)]
pub enum Backing {
    /// A grant, which lives.
    Grant(Box<StoredGrant>),
    /// The client alone.
    Client,
}

impl Context {
    /// What an ID token says that is presented as a credential: one that this server signed, in its time (OpenID Connect
    /// Core §3.1.3.7). Whether its grant lives is for the store to say.
    pub async fn id_token(&self, token: &str, now: Timestamp) -> Result<Option<ProvedIdToken>, HandlerError> {
        let token: Option<ProvedIdToken> = self.own_jwt(token, "JWT", now).await?;
        Ok(token.filter(|token| token.iss == self.config.issuer && !Timestamp::from_secs(token.exp).is_past(now)))
    }

    /// The claims of an access token, JWT or opaque, that this server made and that has not expired (RFC 9068 §4).
    /// Whether it was revoked is for the store to say.
    pub async fn access_token(&self, token: &str, now: Timestamp) -> Result<Option<AccessTokenClaims>, HandlerError> {
        let claims = match token.strip_prefix(OPAQUE_PREFIX) {
            Some(sealed) => self.opaque_claims(sealed),
            None => self.own_jwt(token, ACCESS_TOKEN_TYPE, now).await?,
        };
        Ok(claims.filter(|claims| claims.is_current(&self.config.issuer, now)))
    }

    /// What stands behind an access token; `None` when it, or the grant that it was made from, was revoked. One round
    /// trip.
    pub async fn backing(&self, claims: &AccessTokenClaims, now: Timestamp) -> Result<Option<Backing>, HandlerError> {
        let issued_at = Timestamp::from_secs(claims.iat);
        if !self.had_got(&claims.client_id, issued_at, now).await? {
            return Ok(None);
        }
        let records = self.records.as_ref();
        // One that came of an exchange dies with what it was exchanged from.
        let names = || std::iter::once(&claims.jti).chain(&claims.via);
        if claims.grant.is_none() {
            for name in names() {
                if markers::is_revoked(records, name).await? {
                    return Ok(None);
                }
            }
            return Ok(Some(Backing::Client));
        }
        let Some(standing) = claims.standing(&self.secrets) else { return Ok(None) };
        let live = grants::find(records, standing.grant).await?;
        let is_good = |live: &StoredGrant| names().all(|name| live.state.accepts(name, issued_at));
        let Some(live) = live.filter(is_good) else { return Ok(None) };
        // Another client's, when it came of an exchange.
        let is_backed = live.grant.client_id == claims.client_id
            || self.had_got(&live.grant.client_id, live.state.started_at, now).await?;
        Ok(is_backed.then(|| Backing::Grant(Box::new(live))))
    }

    /// Whether a client can have got something at a time: what was issued to it dies with it (RFC 7592 §2.3), and does not
    /// pass to a later one of its name.
    async fn had_got(&self, client_id: &str, at: Timestamp, now: Timestamp) -> Result<bool, HandlerError> {
        Ok(self.client(client_id, now).await?.is_some_and(|client| client.may_have_got(at)))
    }

    fn opaque_claims(&self, sealed: &str) -> Option<AccessTokenClaims> {
        serde_json::from_slice(&self.secrets.open(Purpose::AccessToken, sealed)?).ok()
    }

    /// The claims of a JWT of this type that this server signed.
    async fn own_jwt<T: DeserializeOwned>(
        &self,
        token: &str,
        typ: &str,
        now: Timestamp,
    ) -> Result<Option<T>, HandlerError> {
        let Some(jwt) = Jwt::parse(token).filter(|jwt| jwt.typ_is(typ)) else { return Ok(None) };
        let claims = self.keyring(now).await?.verify(&jwt, now).await;
        Ok(claims.as_ref().and_then(types::json::typed))
    }

    /// What an ID token says that this server signed.
    pub async fn id_token_hint(&self, token: &str, now: Timestamp) -> Result<Option<IdTokenHint>, HandlerError> {
        let hint: Option<IdTokenHint> = self.own_jwt(token, "JWT", now).await?;
        Ok(hint.filter(|hint| hint.iss == self.config.issuer))
    }
}
