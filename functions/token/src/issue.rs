//! The token response (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).

use crate::TokenRequest;
use protocol::{AccessTokenClaims, GrantType};
use provider::{ExchangeBinding, HandlerError, IdTokenBinding, TokenIssuer};
use serde::Serialize;
use storage::grants::LiveGrant;
use types::{Scope, Subject};

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
    #[serde(skip_serializing_if = "Scope::is_empty")]
    scope: Scope,
    /// `issued_token_type`: type of the token that an exchange issued (RFC 8693 §2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issued_token_type: Option<&'static str>,
    /// The user, as the server knows them; for the audit event.
    #[serde(skip)]
    pub(crate) subject: Option<Subject>,
}

/// The `nonce` of an ID token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NonceUse {
    /// The nonce of the request, in the first ID token (OpenID Connect Core §3.1.3.7).
    Repeated,
    /// No nonce, in an ID token of a refresh (§12.2).
    LeftOut,
}

impl TokenRequest<'_> {
    /// Issues the tokens of a grant, with the given part of the granted scope and resources. The tokens lack what was
    /// withdrawn from the client since the grant.
    pub(crate) async fn tokens(
        &self,
        live: &LiveGrant,
        scope: &Scope,
        resources: &[String],
        nonce: NonceUse,
    ) -> Result<TokenResponse, HandlerError> {
        let issuer = self.issuer();
        let snapshot = live.snapshot();
        let scope = scope.within(&self.client.client.scope);
        let claims = issuer.grant_claims(&live.grant, &snapshot, &scope, resources)?;
        let (access_token_jti, token_scope) = (claims.jti.clone(), claims.scope.clone());
        let mut response = self.token_of(claims).await?;
        response.subject = Some(live.grant.subject.clone());
        if scope.contains("openid") {
            let nonce = live.grant.nonce.as_ref().filter(|_| nonce == NonceUse::Repeated);
            let binding = IdTokenBinding {
                access_token: Some(&response.access_token),
                nonce,
                exchange: Some(ExchangeBinding {
                    snapshot: &snapshot,
                    access_token_jti: &access_token_jti,
                    scope: &token_scope,
                }),
                ..IdTokenBinding::default()
            };
            response.id_token = Some(issuer.id_token(&live.grant, binding).await?);
        }
        if self.client.client.may_use(GrantType::RefreshToken) {
            response.refresh_token = Some(issuer.refresh_token(snapshot).into_exposed());
        }
        Ok(response)
    }

    /// Issues an access token alone.
    pub(crate) async fn token_of(&self, claims: AccessTokenClaims) -> Result<TokenResponse, HandlerError> {
        Ok(TokenResponse {
            access_token: self.issuer().access_token(&claims).await?,
            token_type: "Bearer",
            expires_in: claims.exp.saturating_sub(claims.iat),
            refresh_token: None,
            id_token: None,
            scope: claims.scope,
            issued_token_type: None,
            subject: None,
        })
    }

    /// Returns the issuer of the client's tokens.
    pub(crate) fn issuer(&self) -> TokenIssuer<'_> {
        TokenIssuer { context: self.context, client: &self.client.client, now: self.now }
    }
}
