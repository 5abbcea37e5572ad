//! Registration of clients (RFC 7591 §3).

use crate::{answer, authority, client_secret, document, metadata, sector, statement};
use http::StatusCode;
use keys::Purpose;
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::registration::{self, Limits, Registration, RegistrationState};
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
    let limits = Limits { scopes: &policy.scopes, grants: &policy.grants, reach: context.fetch.reach() };
    let client_id = ClientId::try_from(entropy::name()?).map_err(HandlerError::unavailable)?;
    let client = registration::read(&client_id, metadata, said.as_ref(), &limits)?;
    if matches!(authority, Authority::Open) {
        authority::take_quota(request, context).await?;
    }
    sector::check(&client, context).await?;
    match authority {
        Authority::Open if !client.is_confidential() => same_or_new(client, context, request).await,
        Authority::Open => {
            let unused_until = now.after(policy.unused_lifetime);
            create(client, ClientOrigin::OpenRegistration, None, None, Some(unused_until), context, request).await
        }
        Authority::Statement => {
            create(client, ClientOrigin::SoftwareStatement, software_statement, None, None, context, request).await
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
/// software sends the same metadata. A shared client has no owner: its registration access tokens can read it but
/// neither change nor delete it, since a change would affect all of them.
async fn same_or_new(client: Client, context: &Context, request: &Request) -> Result<Response, HandlerError> {
    let now = request.received_at;
    let records = context.records.as_ref();
    let fingerprint = fingerprint(&client, None, context);
    let unused_until = now.after(context.config.registration.unused_lifetime);
    let known = registrations::find_same(records, &fingerprint).await?;
    if let Some(known) = &known
        && let Some(response) = share(known, &fingerprint, context, request).await?
    {
        return Ok(response);
    }
    let client_id = client.client_id.clone();
    let (origin, same) = (ClientOrigin::OpenRegistration, Some(fingerprint.clone()));
    let response = create(client, origin, None, same, Some(unused_until), context, request).await?;
    let claimed = registrations::claim_same(records, &fingerprint, known.as_ref(), &client_id, unused_until).await?;
    if claimed != client_id
        && let Some(shared) = share(&claimed, &fingerprint, context, request).await?
    {
        // Another request was faster, and the client_id of this one was never sent to a client.
        clients::remove(records, &client_id).await?;
        registrations::remove(records, &client_id).await?;
        context.forget_client(&client_id);
        return Ok(shared);
    }
    Ok(response)
}

/// Returns the response for an existing client; `None` if it is deleted or changed.
async fn share(
    client_id: &ClientId,
    fingerprint: &str,
    context: &Context,
    request: &Request,
) -> Result<Option<Response>, HandlerError> {
    let now = request.received_at;
    let records = context.records.as_ref();
    let stored = clients::find(records, client_id).await?.filter(|stored| stored.is_there(now));
    let (Some(stored), Some(registered)) = (stored, registrations::find(records, client_id).await?) else {
        return Ok(None);
    };
    if !stored.is_of(&registered.registration) {
        return Ok(None);
    }
    let is_same = |state: &RegistrationState| state.fingerprint.as_deref() == Some(fingerprint);
    let write_id = entropy::name()?;
    let shared = registrations::change(records, client_id, registered, |state| {
        Ok::<_, HandlerError>((is_same(state) && !state.shared).then(|| state.shared(write_id.clone())))
    });
    let Some(registered) = shared.await?.filter(|registered| is_same(&registered.state)) else { return Ok(None) };
    let state = &registered.state;
    let document = document(context, &stored, &registered.registration, state.secret, state.latest)?;
    Ok(Some(answer(request, StatusCode::CREATED, &document, client_id)))
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
        Initial::Used => create(client, origin, statement, None, None, context, request).await,
        Initial::Spent => Err(spent().into()),
        Initial::Again(earlier) => {
            let age = now.since(earlier.at);
            if age <= RACE || age > RETRIED {
                return Err(spent().into());
            }
            let again = Client { client_id: earlier.client_id.clone(), ..client };
            let registered = registrations::find(records, &earlier.client_id).await?;
            let is_as_made = |registered: &Registered| registered.state.latest == 0 && !registered.state.ended;
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
                (None, None) => create(again, origin, statement, None, None, context, request).await,
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
    fingerprint: Option<String>,
    unused_until: Option<Timestamp>,
    context: &Context,
    request: &Request,
) -> Result<Response, HandlerError> {
    let now = request.received_at;
    let records = context.records.as_ref();
    let id = RegistrationId::new([0, 0], entropy::bytes()?);
    let registration = Registration { id, registered_at: now, software_statement };
    let state = RegistrationState::new(fingerprint, entropy::name()?);
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
