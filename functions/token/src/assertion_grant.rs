//! Assertion grants (RFC 7521 §4.1): exchanges an assertion of a trusted issuer for an access token, once.
//!
//! The access token has a grant, as after a sign-in. So signing a user out everywhere, and listing the grants of a
//! user, includes it. The id of the grant is derived from the assertion, and the `create` that stores the grant makes
//! the assertion single-use: no second record, no second round trip. The grant outlives the assertion, so the
//! assertion cannot be used again while it is valid.

use crate::TokenRequest;
use crate::issue::TokenResponse;
use platform::entropy;
use protocol::{ActiveGrant, AuthenticationContext, Grant, GrantState, IdJag, MappedSubject, TrustedIssuer, resource};
use provider::{HandlerError, names};
use serde_json::{Map, Value};
use storage::{directory, grants, users};
use types::{Error, ErrorCode, Scope, Subject, Timestamp};

/// A verified assertion that meets the rules.
pub(crate) struct Accepted<'a> {
    /// The trusted issuer.
    pub(crate) issuer: &'a TrustedIssuer,
    /// The subject, as the issuer identifies it.
    pub(crate) subject: &'a str,
    /// The other claims.
    pub(crate) claims: &'a Map<String, Value>,
    /// Digest of issuer and `jti`: identifies the assertion. `None` if it may be presented again.
    pub(crate) digest: Option<[u8; 32]>,
    /// Time from which the assertion is rejected as expired.
    pub(crate) forgotten_at: Timestamp,
    /// `auth_time`: time of the subject's sign-in, if the assertion has it.
    pub(crate) authenticated_at: Option<Timestamp>,
    /// The limits of an ID-JAG.
    pub(crate) id_jag: Option<IdJag>,
}

/// Issues an access token without a refresh token: the client presents a new assertion instead (RFC 7521 §4.1). Every
/// check comes before the assertion counts as used. Round trips: 2; 1 if the subject is a machine.
pub(crate) async fn issue(request: &TokenRequest<'_>, accepted: Accepted<'_>) -> Result<TokenResponse, HandlerError> {
    let client = &request.client.client;
    if request.parameters.value("authorization_details").is_some() {
        // An access token without the details would allow more than the client asks for.
        let description = "an assertion about a user brings no authorization_details";
        return Err(Error::new(ErrorCode::InvalidAuthorizationDetails, description).into());
    }
    let allowed = accepted.issuer.allowed_scope(client);
    let (scope, resources) = match &accepted.id_jag {
        Some(id_jag) => within_id_jag(request, id_jag, allowed)?,
        None => {
            let scope = request.parameters.scope()?.unwrap_or_else(|| allowed.clone());
            if !scope.is_within(&allowed) {
                return Err(invalid_scope("scope asks for more than the client and the issuer may have").into());
            }
            let targets = request.context.configuration.targets(request.client);
            let resources = targets.or_implied(targets.named(request.parameters, client)?, &scope, client);
            (scope, resources)
        }
    };
    let (subject, user) = subject(request, &accepted).await?;
    let scope = match &user {
        Some(claims) => request.context.grantable_with(claims, &scope, &resources)?,
        None => scope,
    };

    request.spend_assertion().await?;
    let issuer = request.issuer();
    let name = request.context.subject_for(client, &subject);
    let mut claims = issuer.access_token_claims(&name, &scope, &resources)?;
    claims.auth_time = accepted.authenticated_at.map(Timestamp::as_secs);
    let id = match accepted.digest {
        Some(digest) => grants::assertion_id(&subject, digest),
        None => grants::new_id(&subject, entropy::bytes()?),
    };
    let grant = Grant {
        client_id: client.client_id.clone(),
        subject,
        scope,
        nonce: None,
        created_at: Some(request.now),
        authentication: AuthenticationContext::assertion(accepted.authenticated_at.unwrap_or(request.now)),
        session_group: None,
        outlives_session: false,
        claims: Default::default(),
        id_token_claims: Map::new(),
        operator_claims: Map::new(),
        resources,
        authorization_details: Default::default(),
    };
    let active = ActiveGrant::without_code(request.now, entropy::name()?);
    claims.grant = Some(active.snapshot(id).to_claim(&request.context.secrets));
    let state = GrantState::Active(active);
    let expires_at = accepted.forgotten_at.max(Timestamp::from_secs(claims.exp));
    if !grants::create_once(request.context.records.as_ref(), id, &grant, &state, expires_at).await? {
        return Err(Error::invalid_grant("the assertion was used before; make a new one for each request").into());
    }
    let mut response = request.token_of(claims).await?;
    response.subject = Some(grant.subject);
    Ok(response)
}

/// Returns scope and resources of a token for an ID-JAG: those of the request that the ID-JAG, the client and the issuer have, or
/// all of them (draft-ietf-oauth-identity-assertion-authz-grant §4.4.1, MCP Enterprise-Managed Authorization §5.1, §7.2.1, §7.6.2).
/// The token is for a resource in any case. Errors: `invalid_grant` if the ID-JAG names a resource that is none of the client's, or
/// no scope of it; `invalid_target`; `invalid_scope`.
fn within_id_jag(
    request: &TokenRequest<'_>,
    id_jag: &IdJag,
    allowed: Scope,
) -> Result<(Scope, Vec<String>), HandlerError> {
    let (client, config) = (&request.client.client, &request.context.config);
    let targets = request.context.configuration.targets(request.client);
    let bound = targets.known(&id_jag.resources, client).ok_or_else(|| {
        Error::invalid_grant("the assertion names a resource that is unknown here, or that this client may not ask for")
    })?;
    let requested = request.parameters.scope()?;
    let granted = id_jag.scope.as_ref().map_or(allowed.clone(), |scope| allowed.within(scope));
    let scope = requested.as_ref().map_or(granted.clone(), |scope| scope.within(&granted));
    let resources = match bound.is_empty() {
        true => targets.or_implied(targets.named(request.parameters, client)?, &scope, client),
        false => resource::narrowed(request.parameters, &bound, &config.audience)?,
    };
    if resources.is_empty() {
        let description = "the assertion names no resource: send the parameter resource";
        return Err(Error::new(ErrorCode::InvalidTarget, description).into());
    }
    let held = |scope: &Scope| resource::meaningful_scope(scope, &resources, &request.context.configuration.resources);
    if id_jag.scope.is_some() && held(&granted).is_empty() {
        return Err(Error::invalid_grant(
            "the resource has none of the scopes of the assertion, or not for this client",
        )
        .into());
    }
    let scope = held(&scope);
    if requested.is_some() && scope.is_empty() {
        return Err(invalid_scope("scope asks for nothing that the assertion, the client and the issuer have").into());
    }
    Ok((scope, resources))
}

fn invalid_scope(description: &'static str) -> Error {
    Error::new(ErrorCode::InvalidScope, description)
}

/// Maps the subject of the assertion to a subject here (RFC 7523 §3 (2)). Returns the claims of the user, too; `None` for a
/// machine.
async fn subject(
    request: &TokenRequest<'_>,
    accepted: &Accepted<'_>,
) -> Result<(Subject, Option<Map<String, Value>>), HandlerError> {
    let records = request.context.records.as_ref();
    let found = match accepted.issuer.map_subject(accepted.subject, accepted.claims) {
        None => None,
        Some(MappedSubject::Machine(subject)) => Some((subject, None)),
        Some(MappedSubject::User(subject)) => active_user(request, subject).await?,
        Some(MappedSubject::Username(name)) => match names::username(&name) {
            Some(username) => match directory::find(records, &username).await? {
                Some(entry) => active_user(request, entry.subject).await?,
                None => None,
            },
            None => None,
        },
    };
    found.ok_or_else(|| Error::invalid_grant("the subject of the assertion is not a user of this server").into())
}

/// Returns the subject and the claims of a user who may sign in.
async fn active_user(
    request: &TokenRequest<'_>,
    subject: Subject,
) -> Result<Option<(Subject, Option<Map<String, Value>>)>, HandlerError> {
    let user = users::find(request.context.records.as_ref(), &subject).await?;
    Ok(user.filter(|user| !user.disabled).map(|user| (user.subject, Some(user.claims))))
}
