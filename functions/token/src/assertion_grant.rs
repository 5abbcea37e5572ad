//! What an assertion of a trusted issuer is good for, once it is proved (RFC 7521 §4.1): an access token, once.
//!
//! A grant stands behind the token, as behind those that a person's sign-in brings: so whoever signs a person out
//! everywhere, or lists what stands in their name, meets it like any other. The grant bears the assertion's name, and
//! the `create` that stores it is what makes the assertion single-use: no second record, no second round trip. The
//! grant outlives the assertion, so that the assertion cannot be used again while it is good.

use crate::Exchange;
use crate::issue::TokenResponse;
use platform::entropy;
use protocol::{AuthenticationContext, Grant, GrantState, MappedSubject, TrustedIssuer, resource};
use provider::HandlerError;
use serde_json::{Map, Value};
use storage::{directory, grants, users};
use types::{Algorithm, Error, ErrorCode, Timestamp};

/// The issuer that an assertion names, if it is trusted here with this client, and signs as it says it does. Proves
/// nothing yet.
pub(crate) fn named_issuer<'a>(
    exchange: &Exchange<'_>,
    trusted: &'a [TrustedIssuer],
    named: Option<&str>,
    algorithm: Algorithm,
) -> Result<&'a TrustedIssuer, Error> {
    let issuer = trusted
        .iter()
        .filter(|issuer| issuer.serves(&exchange.client.client))
        .find(|issuer| named == Some(&issuer.issuer))
        .ok_or_else(|| {
            Error::invalid_grant("the issuer of the assertion is not trusted here, or not with this client")
        })?;
    if !issuer.algorithms.contains(&algorithm) {
        return Err(Error::invalid_grant("the assertion is signed with an algorithm that its issuer does not use"));
    }
    Ok(issuer)
}

/// An assertion that was verified and meets the rules.
pub(crate) struct Accepted<'a> {
    /// Who made it.
    pub(crate) issuer: &'a TrustedIssuer,
    /// Whom it is about, in its issuer's words.
    pub(crate) subject: &'a str,
    /// What else it says.
    pub(crate) claims: &'a Map<String, Value>,
    /// Its name among all assertions.
    pub(crate) digest: [u8; 32],
    /// From when on it is refused for its age alone.
    pub(crate) forgotten_at: Timestamp,
    /// When its subject signed in, if it says so.
    pub(crate) authenticated_at: Option<Timestamp>,
}

/// Issues an access token, and no refresh token: the client comes with a new assertion (RFC 7521 §4.1). All that can
/// be refused is refused before the assertion counts as used. Two round trips; one when the subject is a machine.
pub(crate) async fn issue(exchange: &Exchange<'_>, accepted: Accepted<'_>) -> Result<TokenResponse, HandlerError> {
    let client = &exchange.client.client;
    let allowed = accepted.issuer.allowed_scope(client);
    let scope = exchange.parameters.scope()?.unwrap_or_else(|| allowed.clone());
    if !scope.is_within(&allowed) {
        let description = "scope asks for more than the client and the issuer may have";
        return Err(Error::new(ErrorCode::InvalidScope, description).into());
    }
    let resources = resource::requested(exchange.parameters, &exchange.context.config.resources, client)?;
    let subject = subject(exchange, &accepted).await?;

    let issuer = exchange.issuer();
    let name = exchange.context.subject_for(client, &subject);
    let mut claims = issuer.access_token_claims(&name, &scope, &resources)?;
    claims.auth_time = accepted.authenticated_at.map(Timestamp::as_secs);
    let id = grants::assertion_id(&subject, accepted.digest);
    let grant = Grant {
        client_id: client.client_id.clone(),
        subject,
        scope,
        nonce: None,
        authentication: AuthenticationContext::assertion(accepted.authenticated_at.unwrap_or(exchange.now)),
        sid: String::new(),
        claims: Default::default(),
        id_token_claims: Map::new(),
        resources,
    };
    let state = GrantState::active(exchange.now, entropy::name()?);
    claims.grant = Some(state.standing(id).to_claim(&exchange.context.secrets));
    let expires_at = accepted.forgotten_at.max(Timestamp::from_secs(claims.exp));
    if !grants::create_once(exchange.context.records.as_ref(), id, &grant, &state, expires_at).await? {
        return Err(Error::invalid_grant("the assertion was used before; make a new one for each request").into());
    }
    exchange.token_of(claims).await
}

/// Who the subject is here (RFC 7523 §3 (2)).
async fn subject(exchange: &Exchange<'_>, accepted: &Accepted<'_>) -> Result<String, HandlerError> {
    let records = exchange.context.records.as_ref();
    let found = match accepted.issuer.subject.map(accepted.subject, accepted.claims) {
        None => None,
        Some(MappedSubject::Machine(subject)) => Some(subject),
        Some(MappedSubject::Person(subject)) => users::find(records, &subject).await?.map(|user| user.subject),
        Some(MappedSubject::Username(name)) => directory::find(records, &name).await?.map(|entry| entry.subject),
    };
    found.ok_or_else(|| Error::invalid_grant("the assertion is about nobody who is known here").into())
}
