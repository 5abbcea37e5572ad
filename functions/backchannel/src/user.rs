//! The user whom a hint names (CIBA Core §7.1).

use protocol::{Client, MappedSubject, StoredClient, UserHint};
use provider::{Context, HandlerError, PresentedAssertion, names};
use storage::users::User;
use storage::{directory, grants, users};
use types::{Error, ErrorCode, Subject, Timestamp};

/// Returns the user whom the hint names. Errors: `unknown_user_id` if no user may sign in by it; `expired_login_hint_token`;
/// `invalid_request`. Round trips: 2; 1 for an ID token of a client without pairwise subjects.
pub(crate) async fn find(
    hint: UserHint<'_>,
    client: &StoredClient,
    context: &Context,
    now: Timestamp,
) -> Result<User, HandlerError> {
    let subject = match hint {
        UserHint::LoginHint(name) => by_name(name, context).await?,
        UserHint::IdToken(token) => by_id_token(token, &client.client, context, now).await?,
        UserHint::LoginHintToken(token) => by_hint_token(token, client, context, now).await?,
    };
    let user = match subject {
        Some(subject) => users::find(context.records.as_ref(), &subject).await?,
        None => None,
    };
    let unknown = || Error::new(ErrorCode::UnknownUserId, "the hint names no user of this server");
    Ok(user.filter(|user| !user.disabled && !user.removed).ok_or_else(unknown)?)
}

async fn by_name(name: &str, context: &Context) -> Result<Option<Subject>, HandlerError> {
    match names::username(name) {
        Some(username) => Ok(directory::find(context.records.as_ref(), &username).await?.map(|entry| entry.subject)),
        None => Ok(None),
    }
}

/// Returns the user of an ID token that this server issued to the client. A pairwise `sub` leads back to its user by the grant of the token.
async fn by_id_token(
    token: &str,
    client: &Client,
    context: &Context,
    now: Timestamp,
) -> Result<Option<Subject>, HandlerError> {
    let hint = context.id_token_hint(token, now).await?.filter(|hint| hint.aud == client.client_id);
    let Some(hint) = hint else {
        let description = "id_token_hint is not an ID token that this server issued to this client";
        return Err(Error::invalid_request(description).into());
    };
    if client.pairwise_sector().is_none() {
        return Ok(Some(hint.sub));
    }
    let Some(grant) = hint.grant(&context.secrets) else { return Ok(None) };
    Ok(grants::find(context.records.as_ref(), grant).await?.map(|found| found.grant.subject))
}

/// Returns the user whom a JWT of a trusted issuer names, by the rules of that issuer. It proves nothing: the user decides.
async fn by_hint_token(
    token: &str,
    client: &StoredClient,
    context: &Context,
    now: Timestamp,
) -> Result<Option<Subject>, HandlerError> {
    let refuse = |description: &'static str| HandlerError::from(Error::invalid_request(description));
    let presented = PresentedAssertion::parse(token).ok_or_else(|| refuse("login_hint_token is not a signed JWT"))?;
    presented.check_algorithm(&client.client).map_err(|error| Error::invalid_request(error.description))?;
    let issuer = presented.trusted_issuer(context)?.filter(|issuer| issuer.serves(client));
    let issuer =
        issuer.ok_or_else(|| refuse("the issuer of login_hint_token is not trusted here, or not with this client"))?;
    let assertion = match presented.verified(issuer, context, now).await {
        Ok(assertion) => assertion,
        Err(HandlerError::Request(_)) if presented.has_expired(now) => {
            return Err(Error::new(ErrorCode::ExpiredLoginHintToken, "login_hint_token has expired").into());
        }
        Err(HandlerError::Request(error)) => return Err(Error::invalid_request(error.description).into()),
        Err(fault) => return Err(fault),
    };
    match issuer.map_subject(&assertion.subject, &assertion.claims) {
        Some(MappedSubject::User(subject)) => Ok(Some(subject)),
        Some(MappedSubject::Username(name)) => by_name(&name, context).await,
        Some(MappedSubject::Machine(_)) | None => Ok(None),
    }
}
