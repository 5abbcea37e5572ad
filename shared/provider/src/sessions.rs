//! The session of the user who is signed in at a browser.

use crate::back_channel::LogoutNotifications;
use crate::{Context, HandlerError, cookies};
use latchkey_http::Request;
use platform::{clock, entropy};
use protocol::{ClaimDestination, ClaimsRequest, Client, ScopeClaims, SessionId, SessionToken, TokenError};
use serde_json::{Map, Value};
use storage::consents;
use storage::grants::SessionGrants;
use storage::passkeys;
use storage::second_factor;
use storage::sessions::{self, Session};
use storage::sign_out::{self, Ended};
use storage::users;
use types::{Audience, ClientId, Scope, Subject, Timestamp};

/// A user who is signed in at this browser.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Id of the session in the store.
    pub id: SessionId,
    /// The session.
    pub session: Session,
}

/// The claims about a user that tokens of a grant hold.
#[derive(Clone, Debug, Default)]
pub struct TokenClaims {
    /// Standard claims of the ID token.
    pub id_token: Map<String, Value>,
    /// Claims that the operator defined, of ID token and access token.
    pub of_operator: Map<String, Value>,
}

impl SignedIn {
    /// Returns the user whose session cookie the request has. A cookie of an earlier epoch is no session. Round trips: 1; 0
    /// without a valid cookie. Errors: a cookie of a later epoch, a fault of the store.
    pub async fn of(request: &Request, context: &Context) -> Result<Option<Self>, HandlerError> {
        let Some(cookie) = request.cookie(&cookies::wire_name(&context.config, cookies::SESSION)) else {
            return Ok(None);
        };
        let id = match SessionToken::open(&context.secrets, cookie, request.received_at) {
            Ok(token) => token.session,
            Err(TokenError::Invalid | TokenError::OlderEpoch) => return Ok(None),
            Err(TokenError::NewerEpoch) => return Err(HandlerError::newer_epoch()),
        };
        let session = sessions::find(context.records.as_ref(), id).await?;
        Ok(session.map(|session| Self { id, session }))
    }

    /// Returns the user as pages show it.
    pub fn profile(&self) -> pages::UserProfile<'_> {
        pages::UserProfile { name: &self.session.name, username: self.session.username.as_deref() }
    }

    /// True if `login_hint` names another user: it is neither the sign-in name nor another identifier of this user. Case does
    /// not matter. Round trips: 1; 0 if it is the sign-in name.
    pub async fn is_other_than(&self, login_hint: &str, context: &Context) -> Result<bool, HandlerError> {
        let hint = login_hint.trim().to_lowercase();
        if self.session.username.as_ref().is_some_and(|username| username.to_lowercase() == hint) {
            return Ok(false);
        }
        let user = users::find(context.records.as_ref(), &self.session.subject).await?;
        Ok(user.is_some_and(|user| !user.is_named(&hint)))
    }

    /// Returns the claims about the user that tokens of a grant hold. The ID token has those requested by name, and those of the scope
    /// if the client's ID tokens hold them. Both tokens may have claims that the operator defined. `None` if the sign-in does not
    /// count any more. Round trips: 0; 1 if there are such claims.
    pub async fn token_claims(
        &self,
        context: &Context,
        client: &Client,
        scope: &Scope,
        resources: &[String],
        claims: &ClaimsRequest,
    ) -> Result<Option<TokenClaims>, HandlerError> {
        let definitions = &context.configuration.claims;
        let of_scope = match client.scope_claims_in_id_token {
            ScopeClaims::Code | ScopeClaims::Always if scope.contains("openid") => scope,
            ScopeClaims::Never | ScopeClaims::Code | ScopeClaims::Always => &Scope::default(),
        };
        let audience = Audience::of(resources, &context.config.audience);
        let of_operator = || {
            let by_scope = definitions.released(ClaimDestination::IdToken, client, of_scope, &[]);
            let by_name = definitions.named(ClaimDestination::IdToken, client, claims);
            let in_access_token =
                definitions.released(ClaimDestination::AccessToken, client, scope, audience.as_slice());
            by_scope.chain(by_name).chain(in_access_token)
        };
        if !claims.wants_id_token_profile(of_scope) && of_operator().next().is_none() {
            return Ok(Some(TokenClaims::default()));
        }
        let user = users::find(context.records.as_ref(), &self.session.subject).await?;
        let user = user.filter(|user| user.admits(self.session.authentication.auth_time));
        Ok(user.map(|user| TokenClaims {
            id_token: claims.for_id_token(of_scope, &user.profile()),
            of_operator: definitions.select(of_operator(), &user.claims),
        }))
    }

    /// Ends the session and its grants, except those for offline use (OpenID Connect Back-Channel Logout §2.7). Grants of
    /// requests that are in progress are ended a minute later. Returns the notifications for the clients, which are stored.
    pub async fn end(&self, context: &Context, now: Timestamp) -> Result<LogoutNotifications, HandlerError> {
        let (records, session) = (context.records.as_ref(), &self.session);
        let write_id = entropy::name()?;
        let begin = sign_out::begin(records, &session.subject, Some(session.group), now, &write_id);
        let (begun, grants) = futures::join!(begin, SessionGrants::find(records, &session.subject, session.group));
        begun?;
        let grants = grants?;
        let notifications = LogoutNotifications::begin(context, &session.subject, &grants.clients(), now).await?;
        grants.revoke(records, now, &entropy::name()?).await?;
        sessions::end(records, self.id, now).await?;
        Ok(notifications)
    }
}

/// Ends all sessions and all grants of a user. What does not end within [`sign_out::TIME_LIMIT`] is left to the scheduled run.
/// Returns what ended, and the notifications for the clients, which are stored.
pub async fn end_everywhere(
    context: &Context,
    subject: &Subject,
    now: Timestamp,
) -> Result<(Ended, LogoutNotifications), HandlerError> {
    let records = context.records.as_ref();
    let notifications =
        LogoutNotifications::begin(context, subject, &sign_out::clients(records, subject).await?, now).await?;
    let is_over = clock::time_limit(sign_out::TIME_LIMIT);
    let ended = sign_out::everywhere(records, subject, now, &entropy::name()?, &is_over).await?;
    Ok((ended, notifications))
}

/// Ends all that a user has, and removes the profile; the mark of the user stays. The credential and the directory entry are the caller's: it removes the
/// former first and the latter last, so that an interrupted removal can be repeated.
pub async fn erase(context: &Context, subject: &Subject, now: Timestamp) -> Result<(), HandlerError> {
    let records = context.records.as_ref();
    let (_, notifications) = end_everywhere(context, subject, now).await?;
    notifications.send(context, now).await;
    sign_out::forget_consents(records, subject, now).await?;
    passkeys::forget(records, subject).await?;
    second_factor::remove(records, subject).await?;
    Ok(users::remove(records, subject, now, now.after(users::MARK_KEPT)).await?)
}

/// Withdraws the consent of a user to a client, and ends the client's grants: its refresh tokens are rejected at once, and the next
/// request asks the user again. A grant that a request makes at the same time ends within a minute. Round trips: 1 to 2 for the
/// consent and, at the same time, those of [`sign_out::from_client`].
pub async fn withdraw(
    context: &Context,
    subject: &Subject,
    client_id: &ClientId,
    now: Timestamp,
) -> Result<Ended, HandlerError> {
    let (records, write_id) = (context.records.as_ref(), entropy::name()?);
    let is_over = clock::time_limit(sign_out::TIME_LIMIT);
    let (removed, ended) = futures::join!(
        consents::remove(records, subject, client_id, now),
        sign_out::from_client(records, subject, client_id, now, &write_id, &is_over)
    );
    removed?;
    Ok(ended?)
}

/// Returns the `Set-Cookie` value of a new session.
pub fn session_cookie(context: &Context, id: SessionId, now: Timestamp) -> Result<String, HandlerError> {
    let token = SessionToken { session: id, issued_at: now, expires_at: now.after(context.config.session_lifetime) };
    let token = token.seal(&context.secrets);
    Ok(cookies::set(&context.config, cookies::SESSION, token.expose(), Some(context.config.session_lifetime)))
}
