//! The token response (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).

use crate::{GrantPart, TokenRequest};
use protocol::id_jag_issue::IdJagDecision;
use protocol::{
    AccessTokenClaims, AuthorizationDetails, ClaimDestination, Grant, GrantType, ID_JAG_TOKEN_TYPE, RefreshSender,
    ScopeClaims,
};
use provider::{ExchangeBinding, HandlerError, IdTokenBinding, TokenIssuer};
use serde::Serialize;
use serde_json::{Map, Value};
use storage::grants::LiveGrant;
use storage::users::User;
use types::{Confirmation, Scope, Subject, Timestamp};

/// A token response (RFC 6749 §5.1).
#[derive(Serialize)]
pub(crate) struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// `refresh_token_timeout`: time in which the refresh token must be used, in seconds (draft-ietf-oauth-refresh-token-expiration §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token_timeout: Option<u64>,
    /// `authorization_expires_in`: time to the end of the grant, in seconds (draft-ietf-oauth-refresh-token-expiration §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Scope::is_empty")]
    scope: Scope,
    /// `authorization_details`: those of the access token (RFC 9396 §7).
    #[serde(skip_serializing_if = "AuthorizationDetails::is_empty")]
    authorization_details: AuthorizationDetails,
    /// `issued_token_type`: type of the token that an exchange issued (RFC 8693 §2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issued_token_type: Option<&'static str>,
    /// The user, as the server knows them; for the audit event.
    #[serde(skip)]
    pub(crate) subject: Option<Subject>,
    /// The authorization server that an ID-JAG is for; for the audit event.
    #[serde(skip)]
    id_jag_audience: Option<String>,
}

impl TokenResponse {
    /// Returns the response with an ID-JAG, which is no access token (RFC 8693 §2.2.1,
    /// draft-ietf-oauth-identity-assertion-authz-grant §4.3.4).
    pub(crate) fn of_id_jag(id_jag: String, expires_in: u64, decision: IdJagDecision<'_>, subject: Subject) -> Self {
        Self {
            access_token: id_jag,
            token_type: "N_A",
            expires_in,
            refresh_token: None,
            refresh_token_timeout: None,
            authorization_expires_in: None,
            id_token: None,
            scope: decision.scope,
            authorization_details: AuthorizationDetails::default(),
            issued_token_type: Some(ID_JAG_TOKEN_TYPE),
            subject: Some(subject),
            id_jag_audience: Some(decision.target.audience.clone()),
        }
    }

    /// Returns the user and the authorization server of an ID-JAG; `None` for an access token.
    pub(crate) fn id_jag(&self) -> Option<(&Subject, &str)> {
        self.subject.as_ref().zip(self.id_jag_audience.as_deref())
    }
}

/// The place of an ID token in its grant.
#[derive(Clone, Copy)]
pub(crate) enum IdTokenUse<'a> {
    /// The first one. It has the `nonce` of the request (OpenID Connect Core §3.1.3.7), and the claims about the user as of
    /// the time of the grant.
    First,
    /// One of a refresh. It has no `nonce` (§12.2). The user is `None` if the client's ID tokens hold no claims of the scope
    /// then.
    Refresh(Option<&'a User>),
}

impl TokenRequest<'_> {
    /// Issues the tokens of a grant, with the given part of the granted scope, resources and details. The tokens lack what was
    /// withdrawn from the client since the grant.
    pub(crate) async fn tokens(
        &self,
        live: &LiveGrant,
        scope: &Scope,
        part: &GrantPart,
        id_token: IdTokenUse<'_>,
    ) -> Result<TokenResponse, HandlerError> {
        let issuer = self.issuer();
        let snapshot = live.snapshot();
        let scope = scope.within(&self.client.client.scope);
        let of_operator = match id_token {
            IdTokenUse::Refresh(Some(user)) => &user.claims,
            IdTokenUse::First | IdTokenUse::Refresh(None) => &live.grant.operator_claims,
        };
        let mut claims = issuer.grant_claims(&live.grant, &snapshot, &scope, &part.resources, of_operator)?;
        claims.authorization_details = part.authorization_details.clone();
        let (access_token_jti, token_scope) = (claims.jti.clone(), claims.scope.clone());
        let mut response = self.token_of(claims).await?;
        response.subject = Some(live.grant.subject.clone());
        if scope.contains("openid") {
            let profile = self.id_token_profile(&live.grant, &scope, id_token, of_operator);
            let binding = IdTokenBinding {
                access_token: Some(&response.access_token),
                nonce: live.grant.nonce.as_ref().filter(|_| matches!(id_token, IdTokenUse::First)),
                profile,
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
            let sender = RefreshSender::of(&self.client.client, self.confirmation);
            response.refresh_token = Some(issuer.refresh_token(snapshot, sender).into_exposed());
            let ends_at = snapshot.started_at.after(issuer.lifetimes().refresh.absolute);
            let until = |at: Timestamp| at.as_secs().saturating_sub(self.now.as_secs());
            response.refresh_token_timeout = Some(until(snapshot.refresh_expires_at));
            response.authorization_expires_in = Some(until(ends_at));
        }
        Ok(response)
    }

    /// Returns the claims about the user for an ID token with the claims of this scope.
    fn id_token_profile(
        &self,
        grant: &Grant,
        scope: &Scope,
        id_token: IdTokenUse<'_>,
        of_operator: &Map<String, Value>,
    ) -> Map<String, Value> {
        let client = &self.client.client;
        let none = Scope::default();
        let (of_scope, mut profile) = match (client.scope_claims_in_id_token, id_token) {
            (ScopeClaims::Code | ScopeClaims::Always, IdTokenUse::First) => {
                (scope, grant.claims.for_id_token(scope, &grant.id_token_claims))
            }
            (ScopeClaims::Always, IdTokenUse::Refresh(Some(user))) => {
                (scope, grant.claims.for_id_token(scope, &user.profile()))
            }
            _ => (&none, grant.claims.for_id_token(&none, &grant.id_token_claims)),
        };
        let definitions = &self.context.configuration.claims;
        let by_scope = definitions.released(ClaimDestination::IdToken, client, of_scope, &[]);
        let by_name = definitions.named(ClaimDestination::IdToken, client, &grant.claims);
        profile.extend(definitions.select(by_scope.chain(by_name), of_operator));
        profile
    }

    /// Issues an access token alone.
    pub(crate) async fn token_of(&self, claims: AccessTokenClaims) -> Result<TokenResponse, HandlerError> {
        let cnf = self.confirmation;
        let claims = AccessTokenClaims { cnf, ..claims };
        Ok(TokenResponse {
            access_token: self.issuer().access_token(&claims).await?,
            token_type: cnf.map_or("Bearer", Confirmation::token_type),
            expires_in: claims.exp.saturating_sub(claims.iat),
            refresh_token: None,
            refresh_token_timeout: None,
            authorization_expires_in: None,
            id_token: None,
            scope: claims.scope,
            authorization_details: claims.authorization_details,
            issued_token_type: None,
            subject: None,
            id_jag_audience: None,
        })
    }

    /// Returns the issuer of the client's tokens.
    pub(crate) fn issuer(&self) -> TokenIssuer<'_> {
        TokenIssuer { context: self.context, client: &self.client.client, now: self.now }
    }
}
