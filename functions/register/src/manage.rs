//! Management of a registration (RFC 7592 §2).

use crate::{answer, authority, document, metadata, sector, statement};
use http::StatusCode;
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::registration::{self, Registration};
use protocol::{RegistrationAccessToken, SecretRotation, SecretVerifier, StoredClient};
use provider::{Context, HandlerError};
use serde_json::Value;
use storage::clients;
use storage::registrations::{self, Registered};
use types::{ClientId, Error, ErrorCode};

/// A client that presented its registration access token, with its registration and the generation of the token.
struct Shown {
    stored: StoredClient,
    registered: Registered,
    generation: u32,
}

/// The client of a registration access token.
enum Presented {
    /// A client that manages itself.
    Own(Shown),
    /// A client that identical registrations share, with the registration that they share.
    Shared(StoredClient, Registration),
}

impl Presented {
    /// Returns the client, to be changed or deleted. Errors: `access_denied` for a shared client, which the operator alone may
    /// change.
    fn own(self) -> Result<Shown, Error> {
        match self {
            Self::Own(shown) => Ok(shown),
            Self::Shared(..) => Err(Error::new(
                ErrorCode::AccessDenied,
                "identical registrations share this client: only the operator may change or delete it; a client that \
                 manages itself registers with an initial access token, or as a confidential client",
            )),
        }
    }
}

/// Reads the settings (§2.1).
pub(crate) async fn read(client_id: &ClientId, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let shown = match authorized(client_id, request, context).await? {
        Presented::Own(shown) => shown,
        Presented::Shared(stored, registration) => {
            let document = document(context, &stored, &registration, 0, 0)?;
            return Ok(answer(request, StatusCode::OK, &document, client_id));
        }
    };
    let Shown { stored, registered, generation } = shown;
    let write_id = entropy::name()?;
    // A client that has the newest token needs no older one any more.
    let confirmed = registrations::change(context.records.as_ref(), client_id, registered, |state| {
        let active = state.accepting(generation).ok_or_else(refused)?;
        Ok::<_, HandlerError>(active.read_with(generation, write_id.clone()))
    });
    let registered = confirmed.await?.ok_or_else(gone)?;
    let active = registered.state.accepting(generation).ok_or_else(gone)?;
    let document = document(context, &stored, &registered.registration, active.secret, generation)?;
    Ok(answer(request, StatusCode::OK, &document, client_id))
}

/// Replaces the settings (§2.2). Omitted members are removed. `new_client_secret`, a member of our own, generates a
/// secret: `"replace"`, or `"add"` to keep the previous one.
///
/// The registration is advanced before the client is written. If the response is lost, the same request with the same
/// token writes the same again and gets the same response.
pub(crate) async fn replace(
    client_id: &ClientId,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let Shown { stored: before, registered, generation } = authorized(client_id, request, context).await?.own()?;
    let records = context.records.as_ref();
    let mut metadata = metadata(request)?;
    registration::check_replacement(client_id, &metadata)?;
    check_secret(metadata.remove("client_secret"), &before)?;
    let rotation = SecretRotation::parse(metadata.remove("new_client_secret").as_ref())
        .map_err(|problem| Error::new(ErrorCode::InvalidClientMetadata, problem.to_string()))?;
    // The claims of the software statement stay in force, even if the statement has expired since.
    let sent_statement = metadata.remove("software_statement");
    let said = match &registered.registration.software_statement {
        Some(known) if sent_statement.as_ref().is_none_or(|sent| sent.as_str() == Some(known)) => {
            statement::claims(known)
        }
        None if sent_statement.is_none() => None,
        _ => return Err(invalid("software_statement: must be the one of the registration").into()),
    };
    let policy = &context.config.registration;
    let limits = context.registration_limits();
    let mut client = registration::read(client_id, metadata, said.as_ref(), &limits)?;
    if before.origin.is_open() && !policy.request_uris {
        client.request_uris.clear();
    }
    sector::check(&client, context).await?;
    let needs_secret = client.has_secret() && before.secrets.is_empty();
    let makes_secret = rotation != SecretRotation::Keep || needs_secret;
    let write_id = entropy::name()?;
    let replaced = registrations::change(records, client_id, registered, |state| {
        let active = state.accepting(generation).ok_or_else(gone)?;
        Ok::<_, HandlerError>(Some(active.replaced_with(generation, makes_secret, write_id.clone())))
    });
    let registered = replaced.await?.ok_or_else(gone)?;
    let active = registered.state.accepting(generation).ok_or_else(gone)?;
    let secret = crate::client_secret(context, client_id, &registered.registration, active.secret);
    let new = SecretVerifier::new(&secret, entropy::bytes()?);
    let (stored, ()) = clients::change(records, client_id, |before| {
        let before = before.filter(|before| before.is_of(&registered.registration)).ok_or_else(gone)?;
        // A retry must not add the same secret again.
        let rotation = if before.accepts(&secret) { SecretRotation::Keep } else { rotation };
        let secrets = if client.has_secret() { rotation.apply(&before.secrets, new.clone()) } else { Vec::new() };
        // The operator reviewed what pages showed then. A retry changes nothing.
        let reviewed = before.reviewed && before.client == client;
        Ok::<_, HandlerError>((StoredClient { client: client.clone(), secrets, reviewed, ..before }, ()))
    })
    .await?;
    context.forget_client(client_id);
    let document = document(context, &stored, &registered.registration, active.secret, active.tokens.latest)?;
    Ok(answer(request, StatusCode::OK, &document, client_id))
}

/// Deletes a client (§2.3). Its grants end with it: nothing is issued or introspected for a client that does not
/// exist, and a later client with the same client_id gets only newer grants. The registration ends before the client
/// is removed, so a repeated request completes an interrupted deletion.
pub(crate) async fn delete(
    client_id: &ClientId,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let Shown { registered, generation, .. } = shown(client_id, request, context).await?.own()?;
    let records = context.records.as_ref();
    let write_id = entropy::name()?;
    let ended = registrations::end(records, client_id, registered, request.received_at, &write_id, |state| {
        if !state.may_end_with(generation) {
            return Err(HandlerError::from(gone()));
        }
        Ok(())
    });
    ended.await?.ok_or_else(gone)?;
    clients::remove(records, client_id).await?;
    context.forget_client(client_id);
    Ok(Response::new(StatusCode::NO_CONTENT))
}

pub(crate) fn refused() -> Error {
    authority::invalid_token("the registration access token is unknown, or not the newest")
}

/// Returns the client of the request's token, to be read or changed.
async fn authorized(client_id: &ClientId, request: &Request, context: &Context) -> Result<Presented, HandlerError> {
    match shown(client_id, request, context).await? {
        Presented::Own(shown) if shown.registered.state.accepting(shown.generation).is_none() => Err(refused().into()),
        presented => Ok(presented),
    }
}

/// Returns the client of the request's token; its deletion may be incomplete. Rejects alike a token of another
/// client, of a deleted client, and of a client_id that belongs to another client now (§2.1).
async fn shown(client_id: &ClientId, request: &Request, context: &Context) -> Result<Presented, HandlerError> {
    let token = request.bearer()?.ok_or_else(refused)?;
    let token = RegistrationAccessToken::open(&context.secrets, token, client_id).ok_or_else(refused)?;
    let records = context.records.as_ref();
    let Some(registered) = registrations::find(records, client_id).await? else {
        return shared(client_id, &token, request, context).await;
    };
    request.log.client(client_id);
    let generation = token.generation;
    let is_its = registered.registration.id == token.registration;
    if !(is_its && registered.state.may_end_with(generation)) {
        return Err(refused().into());
    }
    let stored = clients::find(records, client_id).await?;
    let stored = stored.filter(|stored| stored.is_of(&registered.registration) && stored.is_there(request.received_at));
    Ok(Presented::Own(Shown { stored: stored.ok_or_else(gone)?, registered, generation }))
}

/// Returns the shared client of a token. Rejects a token of a client that expired or was deleted since.
async fn shared(
    client_id: &ClientId,
    token: &RegistrationAccessToken,
    request: &Request,
    context: &Context,
) -> Result<Presented, HandlerError> {
    let stored = clients::find(context.records.as_ref(), client_id).await?;
    let stored = stored.filter(|stored| stored.is_there(request.received_at)).ok_or_else(refused)?;
    let registration = registration::of_shared(&stored).filter(|known| known.id == token.registration);
    let registration = registration.filter(|_| token.generation == 0).ok_or_else(refused)?;
    request.log.client(client_id);
    Ok(Presented::Shared(stored, registration))
}

/// Checks `client_secret`: a client may send its current one but cannot choose one (§2.2).
fn check_secret(sent: Option<Value>, before: &StoredClient) -> Result<(), Error> {
    match sent {
        None => Ok(()),
        Some(Value::String(secret)) if before.accepts(&secret) => Ok(()),
        Some(_) => Err(invalid("client_secret: is not the client's own; leave it out")),
    }
}

fn invalid(description: &'static str) -> Error {
    Error::new(ErrorCode::InvalidClientMetadata, description)
}

fn gone() -> Error {
    authority::invalid_token("the client is gone")
}
