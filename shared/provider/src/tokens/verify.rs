//! Verification of tokens that this server issued.

use crate::{Context, HandlerError};
use jose::Jwt;
use keys::Purpose;
use protocol::{AccessTokenClaims, GrantId, GrantSnapshot, Mac, Sid, TokenError};
use serde::{Deserialize, de::DeserializeOwned};
use storage::grants::{self, LiveGrant, StoredGrant};
use storage::markers;
use types::{ACCESS_TOKEN_TYPE, ClientId, Issuer, Jti, OPAQUE_PREFIX, Scope, Subject, Timestamp};

/// `typ` of access tokens. Those with `JWT` differ from ID tokens by their claim `client_id`, which an ID token never has.
const ACCESS_TOKEN_TYPES: [&str; 2] = [ACCESS_TOKEN_TYPE, "JWT"];

/// The claims of an ID token that a client sends as a hint. Its expiry does not matter (OpenID Connect Core §3.1.2.1,
/// RP-Initiated Logout §2).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IdTokenHint {
    iss: Issuer,
    /// `sub`: the user.
    pub sub: Subject,
    /// `aud`: the client that the token was issued to.
    pub aud: ClientId,
    /// `sid`: the session.
    pub sid: Sid,
    /// `client_id`: an access token has it, whose `typ` may be that of an ID token.
    client_id: Option<String>,
    #[serde(default)]
    jti: Option<String>,
}

impl IdTokenHint {
    /// Returns the grant of the token; `None` if it names none of this deployment and epoch.
    pub fn grant(&self, mac: &dyn Mac) -> Option<GrantId> {
        let (claim, _) = self.jti.as_ref()?.split_once('.')?;
        GrantSnapshot::from_claim(mac, claim).ok().map(|snapshot| snapshot.grant)
    }
}

/// The claims of an ID token that a client presents as a credential.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PresentedIdToken {
    iss: Issuer,
    /// `aud`: the client that the token was issued to.
    pub aud: ClientId,
    /// `exp`: expiry, in seconds since the epoch.
    pub exp: u64,
    /// `iat`: time of issue, in seconds since the epoch.
    pub iat: u64,
    /// `scope`: the scope of the access token of the same response, if it is narrower than that of the grant.
    #[serde(default)]
    pub scope: Option<Scope>,
    jti: String,
    /// `client_id`: an access token has it, whose `typ` may be that of an ID token.
    client_id: Option<String>,
}

impl PresentedIdToken {
    /// Returns the snapshot of the grant; `None` if the token has none. Errors: it is malformed, of another deployment, or of
    /// another epoch.
    pub fn snapshot(&self, mac: &dyn Mac) -> Result<Option<GrantSnapshot>, TokenError> {
        self.jti.split_once('.').map(|(claim, _)| GrantSnapshot::from_claim(mac, claim)).transpose()
    }

    /// Returns `jti` of the access token of the same response; `None` if the token has none.
    pub fn access_token_jti(&self) -> Option<Jti> {
        self.jti.split_once('.').and_then(|(_, jti)| Jti::parse(jti))
    }
}

/// An access token that is neither expired nor revoked.
#[derive(Clone, Debug, PartialEq)]
pub enum ActiveToken {
    /// A token of a grant, which is active.
    OfGrant(Box<LiveGrant>),
    /// A token of the client itself.
    OfClient,
}

impl Context {
    /// Returns the claims of an ID token that this server signed and that has not expired (OpenID Connect Core §3.1.3.7).
    /// The grant may be revoked: the store decides.
    pub async fn id_token(&self, token: &str, now: Timestamp) -> Result<Option<PresentedIdToken>, HandlerError> {
        let token: Option<PresentedIdToken> = self.own_jwt(token, &["JWT"], now).await?;
        let is_current = |token: &PresentedIdToken| !Timestamp::from_secs(token.exp).is_past(now);
        let is_id_token = |token: &PresentedIdToken| token.iss == self.config.issuer && token.client_id.is_none();
        Ok(token.filter(|token| is_id_token(token) && is_current(token)))
    }

    /// Returns the claims of an access token, JWT or opaque, that this server issued and that has not expired (RFC 9068
    /// §4). The token may be revoked: [`Self::active_token`] decides.
    pub async fn access_token(&self, token: &str, now: Timestamp) -> Result<Option<AccessTokenClaims>, HandlerError> {
        let claims = match token.strip_prefix(OPAQUE_PREFIX) {
            Some(sealed) => self.opaque_claims(sealed),
            None => self.own_jwt(token, &ACCESS_TOKEN_TYPES, now).await?,
        };
        Ok(claims.filter(|claims| claims.is_current(&self.config.issuer, now)))
    }

    /// Returns the active token; `None` if it, a token that it was exchanged from, or its grant is revoked, or if it was issued
    /// in an earlier epoch. Round trips: 1.
    pub async fn active_token(
        &self,
        claims: &AccessTokenClaims,
        now: Timestamp,
    ) -> Result<Option<ActiveToken>, HandlerError> {
        let issued_at = Timestamp::from_secs(claims.iat);
        let snapshot = match claims.snapshot(&self.secrets) {
            Ok(snapshot) => snapshot,
            Err(TokenError::Invalid | TokenError::OlderEpoch) => return Ok(None),
            Err(TokenError::NewerEpoch) => return Err(HandlerError::newer_epoch()),
        };
        if !self.client_existed_at(&claims.client_id, issued_at, now).await? {
            return Ok(None);
        }
        let records = self.records.as_ref();
        // Revoking a token revokes each token that was exchanged from it.
        let jtis = || std::iter::once(&claims.jti).chain(&claims.parent_jtis);
        let Some(snapshot) = snapshot else {
            for jti in jtis() {
                if markers::is_revoked(records, jti).await? {
                    return Ok(None);
                }
            }
            return Ok(Some(ActiveToken::OfClient));
        };
        let live = grants::find(records, snapshot.grant).await?.and_then(StoredGrant::into_live);
        let is_accepted = |live: &LiveGrant| jtis().all(|jti| live.state.accepts(jti, issued_at));
        let Some(live) = live.filter(is_accepted) else { return Ok(None) };
        // An exchanged token has the grant of another client, which must not have been deleted since.
        let is_backed = live.grant.client_id == claims.client_id
            || self.client_existed_at(&live.grant.client_id, live.state.started_at, now).await?;
        Ok(is_backed.then(|| ActiveToken::OfGrant(Box::new(live))))
    }

    /// True if the client exists and existed at `at`, or if the configuration has the rule of the workload. A client's tokens end
    /// with it (RFC 7592 §2.3) and do not pass to a later client with the same client_id.
    async fn client_existed_at(
        &self,
        client_id: &ClientId,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, HandlerError> {
        if protocol::is_reserved(client_id.as_str()) {
            return Ok(self.configuration.has_workload(client_id));
        }
        Ok(self.client(client_id, now).await?.is_some_and(|client| client.existed_at(at)))
    }

    fn opaque_claims(&self, sealed: &str) -> Option<AccessTokenClaims> {
        types::json::decode(&self.secrets.open(Purpose::AccessToken, sealed)?).ok()
    }

    /// Returns the claims of a JWT of one of these types that this server signed.
    async fn own_jwt<T: DeserializeOwned>(
        &self,
        token: &str,
        types: &[&str],
        now: Timestamp,
    ) -> Result<Option<T>, HandlerError> {
        let is_of_type = |jwt: &Jwt<'_>| types.iter().any(|typ| jwt.typ_is(typ));
        let Some(jwt) = Jwt::parse(token).filter(is_of_type) else { return Ok(None) };
        let claims = self.keyring(now).await?.verify(&jwt, now).await;
        Ok(claims.as_ref().and_then(types::json::typed))
    }

    /// Returns the claims of an ID token that this server signed.
    pub async fn id_token_hint(&self, token: &str, now: Timestamp) -> Result<Option<IdTokenHint>, HandlerError> {
        let hint: Option<IdTokenHint> = self.own_jwt(token, &["JWT"], now).await?;
        Ok(hint.filter(|hint| hint.iss == self.config.issuer && hint.client_id.is_none()))
    }
}
