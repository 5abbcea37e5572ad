//! Registration of clients (RFC 7591 §3).

use crate::{answer, authority, client_secret, document, metadata, quota, sector, statement};
use http::StatusCode;
use keys::Purpose;
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::registration::{self, Registration, RegistrationState};
use protocol::{Client, ClientOrigin, InitialAccessToken, RACE, RegistrationId, SecretVerifier, StoredClient};
use provider::{Context, HandlerError};
use serde_json::{Map, Value};
use std::time::Duration;
use storage::clients;
use storage::registrations::{self, Initial, InitialUse, Registered};
use types::{ClientId, Error, ErrorCode, Timestamp};

/// Time for which the last use of an initial access token can be repeated after a lost response.
const RETRIED: Duration = Duration::from_secs(600);

/// The authorization of a registration.
enum Authority {
    /// Open registration.
    Open,
    /// An initial access token.
    Initial(InitialAccessToken),
    /// A verified software statement.
    Statement,
}

/// Registers a client, if the deployment's policy allows it.
pub(crate) async fn register(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let policy = &context.config.registration;
    if !policy.is_offered() {
        return Err(Error::new(ErrorCode::AccessDenied, "clients cannot register themselves here").into());
    }
    context.check_clock(request).await?;
    let initial = authority::initial_access(request, context)?;
    if initial.is_none() && !policy.open && !policy.statement {
        return Err(authority::invalid_token("registering takes an initial access token").into());
    }
    let mut metadata = metadata(request)?;
    let now = request.received_at;
    let (software_statement, said) = match metadata.remove("software_statement") {
        None | Some(Value::Null) => (None, None),
        Some(Value::String(text)) => {
            let said = statement::verify(&text, context, now).await?;
            (Some(text), Some(said))
        }
        Some(_) => {
            return Err(Error::new(ErrorCode::InvalidSoftwareStatement, "software_statement: must be a string").into());
        }
    };
    let authority = match (initial, &said) {
        (Some(token), _) => Authority::Initial(token),
        (None, Some(_)) if policy.statement || policy.open => Authority::Statement,
        (None, _) if policy.open => Authority::Open,
        (None, _) => {
            return Err(
                authority::invalid_token("registering takes a software statement or an initial access token").into()
            );
        }
    };
    let limits = context.registration_limits();
    let client_id = ClientId::try_from(entropy::name()?).map_err(HandlerError::unavailable)?;
    let mut client = registration::read(&client_id, metadata, said.as_ref(), &limits)?;
    if matches!(authority, Authority::Open) {
        if !policy.request_uris {
            client.request_uris.clear();
        }
        if !client.is_confidential() {
            return shared(client, context, request).await;
        }
        quota::take_open(&client, request, context).await?;
    }
    if let (Authority::Statement, Some(said)) = (&authority, &said) {
        quota::take_stated(said, request, context).await?;
    }
    sector::check(&client, context).await?;
    match authority {
        Authority::Open => {
            let unused_until = now.after(policy.unused_lifetime);
            create(client, ClientOrigin::OpenRegistration, None, Some(unused_until), context, request).await
        }
        Authority::Statement => {
            create(client, ClientOrigin::SoftwareStatement, software_statement, None, context, request).await
        }
        Authority::Initial(token) => with_initial_access(&token, client, software_statement, context, request).await,
    }
}

/// Returns the fingerprint of the metadata without the client_id: equal for identical registrations.
fn fingerprint(client: &Client, statement: Option<&str>, context: &Context) -> String {
    let mut document: Map<String, Value> = registration::document(client);
    document.remove("client_id");
    let text = Value::Object(document).to_string();
    let parts = [b"same registration".as_slice(), text.as_bytes(), statement.unwrap_or_default().as_bytes()];
    authority::base64url(&context.secrets.mac(Purpose::ClientSecret, &parts))
}

/// Registers a public client openly. Identical registrations share one client, because every installation of the same
/// software sends the same metadata. A registration of a client that exists counts against no quota. Round trips: 1 for an
/// existing client, 3 if its lifetime is extended; 4 for a new one, 5 over IPv6; 1 more for each name that the operator has
/// taken.
async fn shared(client: Client, context: &Context, request: &Request) -> Result<Response, HandlerError> {
    let (now, lifetime) = (request.received_at, context.config.registration.unused_lifetime);
    let records = context.records.as_ref();
    for client_id in registration::shared_names(&client) {
        let known = clients::find(records, &client_id).await?.filter(|known| known.is_there(now));
        if known.as_ref().is_some_and(|known| !known.is_shared()) {
            // The operator made the client confidential, or created another client of this name.
            continue;
        }
        let stored = match known {
            Some(known) if known.extension(lifetime, now).is_none() => known,
            // A client that the operator deletes at this moment is gone after the answer, too.
            Some(known) => clients::extend(records, &client_id, lifetime, now).await?.unwrap_or(known),
            None => {
                quota::take_open(&client, request, context).await?;
                sector::check(&client, context).await?;
                let client = Client { client_id: client_id.clone(), ..client.clone() };
                let new = StoredClient {
                    since: Some(now),
                    origin: ClientOrigin::SharedRegistration,
                    unused_until: Some(now.after(lifetime)),
                    ..StoredClient::new(client, Vec::new())
                };
                clients::share(records, &new, now).await?
            }
        };
        context.forget_client(&client_id);
        if let Some(registration) = registration::of_shared(&stored) {
            let document = document(context, &stored, &registration, 0, 0)?;
            return Ok(answer(request, StatusCode::CREATED, &document, &client_id));
        }
    }
    Err(HandlerError::unavailable("every name of a shared client is taken by another client"))
}

/// Registers with an initial access token. One of several concurrent requests gets its last use. A later request with
/// the same metadata counts as a retry and gets the same response.
async fn with_initial_access(
    token: &InitialAccessToken,
    client: Client,
    statement: Option<String>,
    context: &Context,
    request: &Request,
) -> Result<Response, HandlerError> {
    let now = request.received_at;
    let records = context.records.as_ref();
    let attempt = InitialUse {
        fingerprint: fingerprint(&client, statement.as_deref(), context),
        client_id: client.client_id.clone(),
        at: now,
    };
    let origin = ClientOrigin::InitialAccessToken;
    let (id, most) = (token.id.name(), token.max_uses);
    let forgotten_at = token.expires_at.after(RETRIED);
    let write_id = entropy::name()?;
    let spent = || authority::invalid_token("the initial access token is used up");
    match registrations::use_initial(records, &id, most, forgotten_at, &attempt, &write_id).await? {
        Initial::Used => create(client, origin, statement, None, context, request).await,
        Initial::Spent => Err(spent().into()),
        Initial::Again(earlier) => {
            let age = now.since(earlier.at);
            if age <= RACE || age > RETRIED {
                return Err(spent().into());
            }
            let again = Client { client_id: earlier.client_id.clone(), ..client };
            let registered = registrations::find(records, &earlier.client_id).await?;
            let is_as_made = |registered: &Registered| registered.state.unchanged().is_some();
            match (clients::find(records, &earlier.client_id).await?, registered) {
                (Some(stored), Some(registered))
                    if is_as_made(&registered) && stored.is_of(&registered.registration) =>
                {
                    let document = document(context, &stored, &registered.registration, 0, 0)?;
                    Ok(answer(request, StatusCode::CREATED, &document, &earlier.client_id))
                }
                // The earlier request broke off before the client was stored. A client that was deleted since has a
                // registration that ended.
                (None, Some(registered)) if is_as_made(&registered) => {
                    finish(again, origin, &registered.registration, None, context, request).await
                }
                (None, None) => create(again, origin, statement, None, context, request).await,
                _ => Err(spent().into()),
            }
        }
    }
}

/// Stores a client, its registration first: no client without a registration ever exists.
async fn create(
    client: Client,
    origin: ClientOrigin,
    software_statement: Option<String>,
    unused_until: Option<Timestamp>,
    context: &Context,
    request: &Request,
) -> Result<Response, HandlerError> {
    let now = request.received_at;
    let records = context.records.as_ref();
    let id = RegistrationId::new([0, 0], entropy::bytes()?);
    let registration = Registration { id, registered_at: now, software_statement };
    let state = RegistrationState::new(entropy::name()?);
    registrations::create(records, &client.client_id, &registration, &state, unused_until).await?;
    finish(client, origin, &registration, unused_until, context, request).await
}

/// Stores the client of a stored registration.
async fn finish(
    client: Client,
    origin: ClientOrigin,
    registration: &Registration,
    unused_until: Option<Timestamp>,
    context: &Context,
    request: &Request,
) -> Result<Response, HandlerError> {
    let secrets = secrets(context, &client, registration, 0)?;
    let since = Some(registration.registered_at);
    let stored = StoredClient { since, origin, unused_until, ..StoredClient::new(client, secrets) };
    clients::save(context.records.as_ref(), &stored).await?;
    context.forget_client(&stored.client.client_id);
    let document = document(context, &stored, registration, 0, 0)?;
    Ok(answer(request, StatusCode::CREATED, &document, &stored.client.client_id))
}

/// Returns the verifier of the client secret, if the client has one.
fn secrets(
    context: &Context,
    client: &Client,
    registration: &Registration,
    generation: u32,
) -> Result<Vec<SecretVerifier>, HandlerError> {
    if !client.has_secret() {
        return Ok(Vec::new());
    }
    let secret = client_secret(context, &client.client_id, registration, generation);
    Ok(vec![SecretVerifier::new(&secret, entropy::bytes()?)])
}
