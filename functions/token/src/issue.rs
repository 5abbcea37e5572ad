//! What a token response holds (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).

use crate::Exchange;
use protocol::{
    ACCESS_TOKEN_TYPE, AccessTokenClaims, Algorithm, GrantType, IdTokenClaims, Scope, TokenContent, TokenKind,
    half_hash, sealed_token,
};
use runtime::{Fault, entropy};
use serde::Serialize;
use storage::grants::Live;

/// A token response (RFC 6749 §5.1).
#[derive(Serialize)]
pub(crate) struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    scope: Scope,
}

/// Whether an ID token repeats the nonce of the request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nonce {
    /// The first one does (OpenID Connect Core §3.1.3.7).
    Repeated,
    /// One that comes with a refresh does not (§12.2).
    LeftOut,
}

impl Exchange<'_> {
    /// The tokens of a grant, with `scope` of what was granted.
    pub(crate) async fn tokens(&self, live: &Live, scope: Scope, nonce: Nonce) -> Result<TokenResponse, Fault> {
        let grant = &live.grant;
        let authentication = &grant.authentication;
        let claims = AccessTokenClaims {
            auth_time: Some(authentication.auth_time.as_secs()),
            acr: Some(authentication.acr.clone()),
            amr: authentication.amr.clone(),
            grant: Some(live.standing().to_claim()),
            ..self.access_token_claims(grant.subject.clone(), scope)?
        };
        let access_token = self.sign(Algorithm::ES256, ACCESS_TOKEN_TYPE, &claims).await?;
        let id_token =
            if claims.scope.contains("openid") { Some(self.id_token(live, &access_token, nonce).await?) } else { None };
        let refresh_token =
            if self.client.client.may_use(GrantType::RefreshToken) { Some(self.refresh_token(live)?) } else { None };
        Ok(self.response(access_token, claims, refresh_token, id_token))
    }

    /// The token of a client on its own behalf.
    pub(crate) async fn own_token(&self, scope: Scope) -> Result<TokenResponse, Fault> {
        let claims = self.access_token_claims(self.client.client.client_id.clone(), scope)?;
        let access_token = self.sign(Algorithm::ES256, ACCESS_TOKEN_TYPE, &claims).await?;
        Ok(self.response(access_token, claims, None, None))
    }

    fn response(
        &self,
        access_token: String,
        claims: AccessTokenClaims,
        refresh_token: Option<String>,
        id_token: Option<String>,
    ) -> TokenResponse {
        TokenResponse {
            access_token,
            token_type: "Bearer",
            expires_in: claims.exp.saturating_sub(claims.iat),
            refresh_token,
            id_token,
            scope: claims.scope,
        }
    }

    fn access_token_claims(&self, subject: String, scope: Scope) -> Result<AccessTokenClaims, Fault> {
        let config = &self.context.config;
        Ok(AccessTokenClaims {
            iss: config.issuer.clone(),
            sub: subject,
            aud: config.audience.clone(),
            client_id: self.client.client.client_id.clone(),
            iat: self.now.as_secs(),
            exp: self.now.after(self.lifetimes().access_token).as_secs(),
            jti: entropy::name()?,
            scope,
            auth_time: None,
            acr: None,
            amr: Vec::new(),
            grant: None,
        })
    }

    async fn id_token(&self, live: &Live, access_token: &str, nonce: Nonce) -> Result<String, Fault> {
        let grant = &live.grant;
        let algorithm = self.client.client.id_token_signed_response_alg;
        let claims = IdTokenClaims {
            iss: &self.context.config.issuer,
            sub: &grant.subject,
            aud: &grant.client_id,
            exp: self.now.after(self.lifetimes().id_token).as_secs(),
            iat: self.now.as_secs(),
            auth_time: grant.authentication.auth_time.as_secs(),
            nonce: grant.nonce.as_deref().filter(|_| nonce == Nonce::Repeated),
            acr: &grant.authentication.acr,
            amr: &grant.authentication.amr,
            at_hash: Some(half_hash(algorithm, access_token)),
            sid: &grant.sid,
            profile: &grant.id_token_claims,
        };
        self.sign(algorithm, "JWT", &claims).await
    }

    /// The live refresh token: derived from the grant's state, so that a retry gets the very same.
    fn refresh_token(&self, live: &Live) -> Result<String, Fault> {
        let content = TokenContent { standing: live.standing(), expires_at: live.state.refresh_expires_at };
        let binding = sealed_token::refresh_binding(&live.grant.client_id, "");
        let token = sealed_token::seal(&self.context.secrets, TokenKind::RefreshToken, &content, &binding);
        Ok(token.ok_or_else(|| Fault::new("no key for refresh tokens"))?.expose().to_owned())
    }

    async fn sign(&self, algorithm: Algorithm, typ: &str, claims: &(impl Serialize + Sync)) -> Result<String, Fault> {
        let key = self.context.keyring(self.now).await?.signing_key(algorithm, self.now).await.map_err(Fault::new)?;
        jose::sign_jwt(&key, typ, claims).await.map_err(Fault::new)
    }

    /// The lifetimes of the client's tokens.
    pub(crate) fn lifetimes(&self) -> protocol::Lifetimes {
        self.client.client.lifetimes(&self.context.config.lifetimes)
    }

    /// What a step of a grant is made with.
    pub(crate) fn step(&self) -> Result<storage::grants::StepContext, Fault> {
        let lifetimes = self.lifetimes();
        Ok(storage::grants::StepContext {
            now: self.now,
            refresh: self.client.client.may_use(GrantType::RefreshToken).then_some(lifetimes.refresh),
            access_token: lifetimes.access_token,
            grace: self.context.config.refresh_grace,
            writer: entropy::name()?,
        })
    }
}
