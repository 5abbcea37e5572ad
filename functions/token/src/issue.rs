//! What a token response holds (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).

use crate::Exchange;
use protocol::{AccessTokenClaims, GrantType};
use provider::HandlerError;
use provider::issue::{Companions, Issuer};
use serde::Serialize;
use storage::grants::StoredGrant;
use types::Scope;

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
    /// What an exchange issued (RFC 8693 §2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issued_token_type: Option<&'static str>,
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
    /// The tokens of a grant, with `scope` of what was granted, for `resources` of those that were granted. What was taken
    /// from the client since is in no token.
    pub(crate) async fn tokens(
        &self,
        live: &StoredGrant,
        scope: &Scope,
        resources: &[String],
        nonce: Nonce,
    ) -> Result<TokenResponse, HandlerError> {
        let issuer = self.issuer();
        let standing = live.standing();
        let scope = scope.within(&self.client.client.scope);
        let claims = issuer.grant_claims(&live.grant, &standing, &scope, resources)?;
        let mut response = self.token_of(claims).await?;
        if scope.contains("openid") {
            let nonce = live.grant.nonce.as_deref().filter(|_| nonce == Nonce::Repeated);
            let companions = Companions {
                access_token: Some(&response.access_token),
                nonce,
                standing: Some(&standing),
                ..Companions::default()
            };
            response.id_token = Some(issuer.id_token(&live.grant, companions).await?);
        }
        if self.client.client.may_use(GrantType::RefreshToken) {
            response.refresh_token = Some(issuer.refresh_token(standing).expose().to_owned());
        }
        Ok(response)
    }

    /// An access token alone.
    pub(crate) async fn token_of(&self, claims: AccessTokenClaims) -> Result<TokenResponse, HandlerError> {
        Ok(TokenResponse {
            access_token: self.issuer().access_token(&claims).await?,
            token_type: "Bearer",
            expires_in: claims.exp.saturating_sub(claims.iat),
            refresh_token: None,
            id_token: None,
            scope: claims.scope,
            issued_token_type: None,
        })
    }

    /// What makes the client's tokens.
    pub(crate) fn issuer(&self) -> Issuer<'_> {
        Issuer { context: self.context, client: &self.client.client, now: self.now }
    }
}
