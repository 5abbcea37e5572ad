//! Token exchange (RFC 8693): exchanges a token that the client received for one that it can present to another API.
//!
//! The new token names the grant of the subject token and the tokens from which it was exchanged, so it is revoked
//! with each of them. There is no refresh token: the client exchanges a valid token again.

use crate::issue::TokenResponse;
use crate::{TokenRequest, id_jag};
use protocol::token_exchange::{self, ExchangeRequest, ExchangedType, IssuedType, Origin, PresentedToken, TokenInfo};
use protocol::{
    AccessTokenClaims, AccessTokenFormat, AuthorizationDetails, GrantId, GrantSnapshot, RefreshSender, RefreshToken,
    RefreshVerdict, StoredClient, TokenError, TokenExchangePolicy, resource, sender_constraint,
};
use provider::{ActiveToken, HandlerError, PresentedIdToken};
use std::sync::Arc;
use storage::grants::{self, LiveGrant, StoredGrant};
use types::{ClientId, Error, OPAQUE_PREFIX, Timestamp};

/// Exchanges a token. Tokens that are forged, expired or not exchangeable by this client, and targets outside its
/// policy, are rejected without a storage call. Round trips: 1 for each token; 1 more if only some users may
/// grant a part of the scope.
pub(crate) async fn exchange(request: &TokenRequest<'_>) -> Result<TokenResponse, HandlerError> {
    let client = &request.client.client;
    let policy = token_exchange::policy(client)?;
    let asked = ExchangeRequest::parse(request.parameters)?;
    if asked.issue == IssuedType::IdJag {
        return id_jag::issue(request, &asked, policy).await;
    }
    let audiences = token_exchange::targets(&asked, policy)?;
    let resources = &request.context.configuration.resources;
    if asked.issue == IssuedType::Jwt && resource::format(client, &audiences, resources) != AccessTokenFormat::Jwt {
        return Err(Error::invalid_request("tokens for this audience are opaque; request an access_token").into());
    }
    let subject = request.verified(&asked.subject, Role::Subject, policy).await?;
    let actor = match &asked.actor {
        None => None,
        Some(actor) => Some(request.verified(actor, Role::Actor, policy).await?),
    };
    let subject = request.active(subject, Role::Subject).await?;
    let actor = match actor {
        None => None,
        Some(actor) => Some(request.active(actor, Role::Actor).await?.info),
    };
    let confirmation = sender_constraint::check_exchange(subject.info.is_bound, request.keys, request.confirmation)?;
    let request = &request.bound_to(confirmation);
    let details = request.details(&subject.info.authorization_details, &audiences)?;
    request.spend_assertion_or_proof().await?;
    let issuer = &request.context.config.issuer;
    let decision = token_exchange::decide(&asked, audiences, &subject.info, actor.as_ref(), client, resources, issuer)?;

    let tokens = request.issuer();
    let mut claims = match &subject.grant {
        Some(live) => {
            let scope = request.context.grantable(&live.grant.subject, &decision.scope, &decision.audiences).await?;
            let of_operator = &live.grant.operator_claims;
            tokens.grant_claims(&live.grant, &live.snapshot(), &scope, &decision.audiences, of_operator)?
        }
        None => tokens.access_token_claims(&subject.info.subject, &decision.scope, &decision.audiences)?,
    };
    claims.exp = claims.exp.min(decision.expires_at.as_secs());
    claims.authorization_details = details;
    claims.act = decision.act;
    claims.may_act = decision.may_act;
    claims.parent_jtis = subject.info.parent_jtis;
    let mut response = request.token_of(claims).await?;
    response.subject = subject.grant.map(|live| live.grant.subject);
    response.issued_token_type = Some(asked.issue.as_str());
    Ok(response)
}

/// The role of a token in the request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Subject,
    Actor,
    /// The subject of an ID-JAG: an ID token or a refresh token of the client itself
    /// (draft-ietf-oauth-identity-assertion-authz-grant §4.3.3).
    Identity,
}

impl Role {
    /// "If either the subject_token or actor_token are invalid for any reason, or are unacceptable based on policy …
    /// the error code MUST be invalid_request" (RFC 8693 §2.2.2).
    pub(crate) fn refusal(self) -> HandlerError {
        Error::invalid_request(match self {
            Self::Subject | Self::Identity => {
                "the subject_token is unknown, expired or revoked, is not of the type named, or is of a client whose tokens this one may not exchange"
            }
            Self::Actor => {
                "the actor_token is unknown, expired or revoked, is not of the type named, or is of a client whose tokens this one may not use"
            }
        })
        .into()
    }
}

/// A token of this server that has not expired.
pub(crate) enum Verified {
    Access(Box<AccessTokenClaims>),
    Refresh { token: RefreshToken, client_id: ClientId },
    Id { snapshot: GrantSnapshot, token: PresentedIdToken },
}

impl Verified {
    fn origin(&self) -> Origin<'_> {
        match self {
            Self::Access(claims) => {
                Origin { kind: ExchangedType::AccessToken, issued_to: &claims.client_id, audience: Some(&claims.aud) }
            }
            Self::Refresh { client_id, .. } => {
                Origin { kind: ExchangedType::RefreshToken, issued_to: client_id, audience: None }
            }
            Self::Id { token, .. } => Origin { kind: ExchangedType::IdToken, issued_to: &token.aud, audience: None },
        }
    }
}

/// A valid token.
pub(crate) struct ActiveSubject {
    pub(crate) info: TokenInfo,
    /// The grant of the token.
    pub(crate) grant: Option<Box<LiveGrant>>,
}

impl TokenRequest<'_> {
    /// Verifies a token and applies the client's policy to it. Round trips: 0.
    pub(crate) async fn verified(
        &self,
        presented: &PresentedToken<'_>,
        role: Role,
        policy: &TokenExchangePolicy,
    ) -> Result<Verified, HandlerError> {
        let found = match presented.kind {
            ExchangedType::AccessToken => self.access(presented.token).await?,
            ExchangedType::RefreshToken => self.refresh(presented.token, policy)?,
            ExchangedType::IdToken => self.id(presented.token).await?,
            ExchangedType::Jwt if presented.token.starts_with(OPAQUE_PREFIX) => None,
            ExchangedType::Jwt => match self.access(presented.token).await? {
                Some(access) => Some(access),
                None => self.id(presented.token).await?,
            },
        };
        let client = &self.client.client;
        let is_admitted = |token: &Verified| match role {
            Role::Identity => *token.origin().issued_to == client.client_id,
            Role::Subject | Role::Actor => token_exchange::admits(policy, client, token.origin(), role == Role::Actor),
        };
        found.filter(is_admitted).ok_or_else(|| role.refusal())
    }

    async fn access(&self, token: &str) -> Result<Option<Verified>, HandlerError> {
        Ok(self.context.access_token(token, self.now).await?.map(|claims| Verified::Access(Box::new(claims))))
    }

    async fn id(&self, token: &str) -> Result<Option<Verified>, HandlerError> {
        let Some(token) = self.context.id_token(token, self.now).await? else { return Ok(None) };
        Ok(match token.snapshot(&self.context.secrets) {
            Ok(snapshot) => snapshot.map(|snapshot| Verified::Id { snapshot, token }),
            Err(TokenError::Invalid | TokenError::OlderEpoch) => None,
            Err(TokenError::NewerEpoch) => return Err(HandlerError::newer_epoch()),
        })
    }

    /// Opens a refresh token. It names its client only through its binding, so the clients of the policy are tried
    /// one by one.
    fn refresh(&self, token: &str, policy: &TokenExchangePolicy) -> Result<Option<Verified>, HandlerError> {
        let secrets = &self.context.secrets;
        let own = std::iter::once(&self.client.client.client_id);
        for client_id in policy.subject_clients.iter().chain(own) {
            match RefreshToken::open(secrets, token, client_id, self.now) {
                Ok(token) => return Ok(Some(Verified::Refresh { token, client_id: client_id.clone() })),
                Err(TokenError::Invalid | TokenError::OlderEpoch) => {}
                Err(TokenError::NewerEpoch) => return Err(HandlerError::newer_epoch()),
            }
        }
        Ok(None)
    }

    /// Checks that a verified token was not revoked. Round trips: 1.
    pub(crate) async fn active(&self, token: Verified, role: Role) -> Result<ActiveSubject, HandlerError> {
        match token {
            Verified::Access(claims) => {
                let grant = match self.context.active_token(&claims, self.now).await? {
                    None => return Err(role.refusal()),
                    Some(ActiveToken::OfClient) => None,
                    Some(ActiveToken::OfGrant(live)) => Some(live),
                };
                Ok(ActiveSubject { info: info(*claims), grant })
            }
            Verified::Refresh { token: RefreshToken { snapshot, sender }, client_id } => {
                let (live, client) = self.grant_of(snapshot.grant, &client_id, role).await?;
                if !self.is_current(&live, &snapshot) {
                    return Err(role.refusal());
                }
                let info = TokenInfo {
                    subject: self.context.subject_for(&client.client, &live.grant.subject),
                    client_id,
                    scope: live.grant.scope.clone(),
                    authorization_details: live.grant.authorization_details.clone(),
                    expires_at: snapshot.refresh_expires_at,
                    is_bound: sender != RefreshSender::Client,
                    act: None,
                    may_act: None,
                    parent_jtis: Vec::new(),
                };
                Ok(ActiveSubject { info, grant: Some(Box::new(live)) })
            }
            Verified::Id { snapshot, token } => {
                let (live, client) = self.grant_of(snapshot.grant, &token.aud, role).await?;
                // The access token of the same response has this `jti`. An ID token ends with it.
                let jti = token.access_token_jti().ok_or_else(|| role.refusal())?;
                if !live.state.accepts(&jti, Timestamp::from_secs(token.iat)) {
                    return Err(role.refusal());
                }
                let info = TokenInfo {
                    subject: self.context.subject_for(&client.client, &live.grant.subject),
                    client_id: token.aud,
                    scope: token.scope.unwrap_or_else(|| live.grant.scope.clone()),
                    // It says who the user is. The details of its access token may be fewer than those of the grant.
                    authorization_details: AuthorizationDetails::default(),
                    expires_at: Timestamp::from_secs(token.exp),
                    is_bound: false,
                    act: None,
                    may_act: None,
                    parent_jtis: vec![jti],
                };
                Ok(ActiveSubject { info, grant: Some(Box::new(live)) })
            }
        }
    }

    /// Reads the active grant of a refresh token or ID token that was issued to this client. Round trips: 1.
    async fn grant_of(
        &self,
        grant: GrantId,
        client_id: &ClientId,
        role: Role,
    ) -> Result<(LiveGrant, Arc<StoredClient>), HandlerError> {
        let live = grants::find(self.context.records.as_ref(), grant).await?.and_then(StoredGrant::into_live);
        let client = self.context.client(client_id, self.now).await?;
        let (Some(live), Some(client)) = (live, client) else { return Err(role.refusal()) };
        let is_good = client.existed_at(live.state.started_at) && live.grant.client_id == *client_id;
        if is_good { Ok((live, client)) } else { Err(role.refusal()) }
    }

    /// Checks that a refresh token is the current one, or was until a moment ago. A token that was used before is
    /// rejected, but nothing is revoked: an exchange is no use of it.
    fn is_current(&self, live: &LiveGrant, snapshot: &GrantSnapshot) -> bool {
        let windows = self.context.config.refresh_retry;
        let verdict = live.state.judge_refresh(snapshot.generation, self.now, windows);
        matches!(verdict, RefreshVerdict::Live | RefreshVerdict::Retry)
    }
}

fn info(claims: AccessTokenClaims) -> TokenInfo {
    let mut parent_jtis = claims.parent_jtis;
    parent_jtis.push(claims.jti);
    TokenInfo {
        subject: claims.sub,
        client_id: claims.client_id,
        scope: claims.scope,
        authorization_details: claims.authorization_details,
        expires_at: Timestamp::from_secs(claims.exp),
        is_bound: claims.cnf.is_some(),
        act: claims.act,
        may_act: claims.may_act,
        parent_jtis,
    }
}
