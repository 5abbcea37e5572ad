//! Token exchange (RFC 8693): exchanges a token that the client received for one that it can present to another API.
//!
//! The new token names the grant of the subject token and the tokens from which it was exchanged, so it is revoked
//! with each of them. There is no refresh token: the client exchanges a valid token again.

use crate::Exchange;
use crate::issue::TokenResponse;
use protocol::token_exchange::{self, ExchangeRequest, ExchangedType, Facts, Held};
use protocol::{
    AccessTokenClaims, AccessTokenFormat, GrantStatus, RefreshVerdict, Standing, TokenContent, TokenExchangePolicy,
    TokenKind, judge_refresh, resource, sealed_token,
};
use provider::{Backing, HandlerError};
use storage::grants::{self, StoredGrant};
use types::{Error, OPAQUE_PREFIX, Timestamp};

/// Exchanges a token. Tokens that are forged, expired or not exchangeable by this client, and targets outside its
/// policy, are rejected without a storage call. Round trips: 1 for each token.
pub(crate) async fn exchange(exchange: &Exchange<'_>) -> Result<TokenResponse, HandlerError> {
    let client = &exchange.client.client;
    let policy = token_exchange::policy(client)?;
    let request = ExchangeRequest::parse(exchange.parameters)?;
    let audiences = token_exchange::targets(&request, policy)?;
    let resources = &exchange.context.config.resources;
    if request.issue == ExchangedType::Jwt && resource::format(client, &audiences, resources) != AccessTokenFormat::Jwt
    {
        return Err(Error::invalid_request("tokens for this audience are opaque; request an access_token").into());
    }
    let subject = exchange.proved(&request.subject, Role::Subject, policy).await?;
    let actor = match &request.actor {
        None => None,
        Some(actor) => Some(exchange.proved(actor, Role::Actor, policy).await?),
    };
    let subject = exchange.alive(subject, Role::Subject).await?;
    let actor = match actor {
        None => None,
        Some(actor) => Some(exchange.alive(actor, Role::Actor).await?.facts),
    };
    let issuer = &exchange.context.config.issuer;
    let decision =
        token_exchange::decide(&request, audiences, &subject.facts, actor.as_ref(), client, resources, issuer)?;

    let maker = exchange.issuer();
    let mut claims = match &subject.grant {
        Some(live) => maker.grant_claims(&live.grant, &live.standing(), &decision.scope, &decision.audiences)?,
        None => maker.access_token_claims(&subject.facts.subject, &decision.scope, &decision.audiences)?,
    };
    claims.exp = claims.exp.min(decision.expires_at.as_secs());
    claims.act = decision.act;
    claims.may_act = decision.may_act;
    claims.via = subject.facts.via;
    let mut response = exchange.token_of(claims).await?;
    response.issued_token_type = Some(request.issue.as_str());
    Ok(response)
}

/// The role of a token in the request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Subject,
    Actor,
}

impl Role {
    /// "If either the subject_token or actor_token are invalid for any reason, or are unacceptable based on policy …
    /// the error code MUST be invalid_request" (RFC 8693 §2.2.2).
    fn refusal(self) -> HandlerError {
        Error::invalid_request(match self {
            Self::Subject => {
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
enum Proved {
    Access(Box<AccessTokenClaims>),
    /// A refresh token or ID token: the grant snapshot, the client, the expiry.
    Granted {
        standing: Standing,
        client_id: String,
        expires_at: Timestamp,
        is_refresh: bool,
    },
}

/// A valid token.
struct Alive {
    facts: Facts,
    /// The grant of the token.
    grant: Option<Box<StoredGrant>>,
}

impl Exchange<'_> {
    /// Verifies a token and applies the client's policy to it. Round trips: 0.
    async fn proved(&self, held: &Held<'_>, role: Role, policy: &TokenExchangePolicy) -> Result<Proved, HandlerError> {
        let found = match held.kind {
            ExchangedType::AccessToken => self.access(held.token).await?,
            ExchangedType::RefreshToken => self.refresh(held.token, policy),
            ExchangedType::IdToken => self.id(held.token).await?,
            ExchangedType::Jwt if held.token.starts_with(OPAQUE_PREFIX) => None,
            ExchangedType::Jwt => match self.access(held.token).await? {
                Some(access) => Some(access),
                None => self.id(held.token).await?,
            },
        };
        let is_let_in = |proved: &Proved| {
            let issued_to = match proved {
                Proved::Access(claims) => &claims.client_id,
                Proved::Granted { client_id, .. } => client_id,
            };
            token_exchange::admits(policy, &self.client.client, issued_to, role == Role::Actor)
        };
        found.filter(is_let_in).ok_or_else(|| role.refusal())
    }

    async fn access(&self, token: &str) -> Result<Option<Proved>, HandlerError> {
        Ok(self.context.access_token(token, self.now).await?.map(|claims| Proved::Access(Box::new(claims))))
    }

    async fn id(&self, token: &str) -> Result<Option<Proved>, HandlerError> {
        Ok(self.context.id_token(token, self.now).await?.and_then(|token| {
            Some(Proved::Granted {
                standing: token.standing(&self.context.secrets)?,
                expires_at: Timestamp::from_secs(token.exp),
                client_id: token.aud,
                is_refresh: false,
            })
        }))
    }

    /// Opens a refresh token. It names its client only through its binding, so the clients of the policy are tried
    /// one by one.
    fn refresh(&self, token: &str, policy: &TokenExchangePolicy) -> Option<Proved> {
        let secrets = &self.context.secrets;
        let own = std::iter::once(&self.client.client.client_id);
        policy.subject_clients.iter().chain(own).find_map(|client_id| {
            let binding = sealed_token::refresh_binding(client_id);
            let TokenContent { standing, expires_at } =
                sealed_token::open(secrets, TokenKind::RefreshToken, token, &binding, self.now)?;
            Some(Proved::Granted { standing, client_id: client_id.clone(), expires_at, is_refresh: true })
        })
    }

    /// Checks that a verified token was not revoked. Round trips: 1.
    async fn alive(&self, proved: Proved, role: Role) -> Result<Alive, HandlerError> {
        match proved {
            Proved::Access(claims) => {
                let grant = match self.context.backing(&claims, self.now).await? {
                    None => return Err(role.refusal()),
                    Some(Backing::Client) => None,
                    Some(Backing::Grant(live)) => Some(live),
                };
                Ok(Alive { facts: facts(*claims), grant })
            }
            Proved::Granted { standing, client_id, expires_at, is_refresh } => {
                let live = grants::find(self.context.records.as_ref(), standing.grant).await?;
                let client = self.context.client(&client_id, self.now).await?;
                let (Some(live), Some(client)) = (live, client) else { return Err(role.refusal()) };
                let is_good = client.may_have_got(live.state.started_at)
                    && live.state.status == GrantStatus::Active
                    && live.grant.client_id == client_id
                    && (!is_refresh || self.is_current(&live, &standing));
                if !is_good {
                    return Err(role.refusal());
                }
                let facts = Facts {
                    subject: self.context.subject_for(&client.client, &live.grant.subject),
                    client_id,
                    scope: live.grant.scope.clone(),
                    expires_at,
                    act: None,
                    may_act: None,
                    via: Vec::new(),
                };
                Ok(Alive { facts, grant: Some(Box::new(live)) })
            }
        }
    }

    /// Checks that a refresh token is the current one, or was until a moment ago. A token that was used before is
    /// rejected, but nothing is revoked: an exchange is no use of it.
    fn is_current(&self, live: &StoredGrant, standing: &Standing) -> bool {
        let grace = self.context.config.refresh_grace;
        matches!(
            judge_refresh(&live.state, standing.generation, self.now, grace),
            RefreshVerdict::Live | RefreshVerdict::Retry
        )
    }
}

fn facts(claims: AccessTokenClaims) -> Facts {
    let mut via = claims.via;
    via.push(claims.jti);
    Facts {
        subject: claims.sub,
        client_id: claims.client_id,
        scope: claims.scope,
        expires_at: Timestamp::from_secs(claims.exp),
        act: claims.act,
        may_act: claims.may_act,
        via,
    }
}
