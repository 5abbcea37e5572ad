//! The authorization endpoint (RFC 6749 §3.1, OpenID Connect Core §3.1.2). It checks a request, redirects the user to
//! sign-in or consent where needed, and issues the code.

mod arrive;

use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::{
    AuthorizationCode, CodeBinding, Grant, GrantId, GrantState, Interaction, NextPrompt, Requested,
    RequestedAuthorization, ResponseType, SealedToken, StoredClient,
};
use provider::browser::Browser;
use provider::sessions::SignedIn;
use provider::{
    AuditEvent, Context, Function, HandlerError, IdTokenBinding, TokenIssuer, authorization_response, interactions,
};
use storage::pushed::{self, Answer};
use storage::{consents, grants, users};
use types::{Error, ErrorCode, Scope, Timestamp};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::page("authorize", |request, context| Box::pin(handle(request, context)));

/// Answers an authorization request that is new, or that returns from sign-in or consent.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let browser = Browser::of(request, context)?;
    let arrived = arrive::interaction(request, context, &browser).await?;
    request.log.client(&arrived.client.client.client_id);
    let response = if arrived.is_posted {
        interactions::resume(context, &arrived.interaction)?
    } else {
        proceed(request, context, &arrived.interaction, &arrived.client).await?
    };
    Ok(browser.remember(response, context))
}

/// Redirects to the next page that the request needs, or responds with the code.
async fn proceed(
    request: &Request,
    context: &Context,
    interaction: &Interaction,
    client: &StoredClient,
) -> Result<Response, HandlerError> {
    let Requested::Authorization(requested) = &interaction.requested else { return Err(arrive::over()) };
    let now = request.received_at;
    let signed_in = SignedIn::of(request, context).await?;
    let target = &requested.request.target;
    let to_client = |error| HandlerError::Redirect(Box::new(target.clone()), error);
    let prompt = interactions::next_prompt(context, interaction, signed_in.as_ref(), &client.client, now);
    let (NextPrompt::Proceed, Some(signed_in)) = (prompt.map_err(to_client)?, signed_in) else {
        return interactions::forward(context, "/login", interaction);
    };
    let earlier = earlier_consent(context, interaction, requested, &signed_in, client).await?;
    if interaction.needs_consent(&signed_in.name, &client.client, &earlier).map_err(to_client)? {
        return interactions::forward(context, "/consent", interaction);
    }
    let Some(issued) = issue(context, requested, &signed_in, client, now).await? else {
        let error = Error::new(ErrorCode::InvalidRequestUri, "this pushed request was answered already");
        return Err(error.into());
    };
    AuditEvent::CodeIssued { subject: &signed_in.session.subject, client: &client.client.client_id }.record(request);
    let code = issued.code.expose();
    authorization_response::deliver(&target.code_response(code, issued.id_token, &context.config.issuer))
}

/// Returns the consent that the user gave the client earlier. Round trips: 1; 0 if the request needs no earlier consent, or
/// may not use it.
async fn earlier_consent(
    context: &Context,
    interaction: &Interaction,
    requested: &RequestedAuthorization,
    signed_in: &SignedIn,
    client: &StoredClient,
) -> Result<Scope, HandlerError> {
    let without = interaction.needs_consent(&signed_in.name, &client.client, &Scope::default());
    let may_use = requested.request.may_use_earlier_consent(&client.client, &context.config.issuer);
    if without == Ok(false) || !may_use {
        return Ok(Scope::default());
    }
    let subject = &signed_in.session.subject;
    Ok(consents::find(context.records.as_ref(), subject, &client.client.client_id).await?)
}

/// Claims the pushed request for a new code: a pushed request yields one code (RFC 9126 §7.3). Returns the code to answer
/// with: the new one, or the earlier one if this session already holds an unredeemed code for the request, because the
/// response was lost. `None` if the request was answered otherwise. Round trips: 0 for a request that was not pushed; 1; 2
/// if the request was answered before.
async fn claim_pushed_request(
    context: &Context,
    requested: &RequestedAuthorization,
    code: AuthorizationCode,
    sid: &str,
) -> Result<Option<AuthorizationCode>, HandlerError> {
    let records = context.records.as_ref();
    let Some(id) = requested.pushed else { return Ok(Some(code)) };
    let answer = Answer { grant: code.grant.name(), issued_at: code.issued_at, sid: sid.to_owned() };
    let Some(before) = pushed::answer(records, id, &answer).await? else { return Ok(None) };
    if before == answer {
        return Ok(Some(code));
    }
    let Some(grant) = GrantId::from_name(&before.grant).filter(|_| before.sid == sid) else { return Ok(None) };
    let found = grants::find(records, grant).await?;
    let is_unredeemed = found.is_some_and(|found| matches!(found.state, GrantState::Issued(_)));
    let issued_at = before.issued_at;
    let expires_at = issued_at.after(context.config.code_lifetime);
    Ok(is_unredeemed.then_some(AuthorizationCode { grant, issued_at, expires_at }))
}

/// The tokens of the authorization response.
struct Issued {
    code: SealedToken,
    id_token: Option<String>,
}

/// Creates the grant and issues its code (RFC 6749 §4.1.2), in the hybrid flow with the ID token. `None` if the request was
/// pushed and answered before. Round trips: 1; 2 if the ID token has claims of the profile; and those of
/// [`claim_pushed_request`].
async fn issue(
    context: &Context,
    requested: &RequestedAuthorization,
    signed_in: &SignedIn,
    client: &StoredClient,
    now: Timestamp,
) -> Result<Option<Issued>, HandlerError> {
    let request = &requested.request;
    let subject = &signed_in.session.subject;
    let id_token_claims = if request.claims.wants_id_token_profile() {
        let user = users::find(context.records.as_ref(), subject).await?;
        user.map(|user| request.claims.for_id_token(&user.claims)).unwrap_or_default()
    } else {
        serde_json::Map::new()
    };
    let grant = Grant {
        client_id: request.client_id.clone(),
        subject: subject.clone(),
        scope: request.scope.clone(),
        nonce: request.nonce.clone(),
        authentication: signed_in.session.authentication.clone(),
        sid: signed_in.session.sid.clone(),
        resources: request.resources.clone(),
        claims: request.claims.clone(),
        id_token_claims,
    };
    let (id, lifetime) = (grants::new_id(subject, entropy::bytes()?), context.config.code_lifetime);
    let state = GrantState::issued(entropy::name()?);
    grants::create(context.records.as_ref(), id, &grant, &state, now.after(lifetime)).await?;
    let code = AuthorizationCode { grant: id, issued_at: now, expires_at: now.after(lifetime) };
    let Some(code) = claim_pushed_request(context, requested, code, &grant.sid).await? else { return Ok(None) };
    let binding = CodeBinding {
        client_id: &request.client_id,
        redirect_uri: request.target.redirect_uri(),
        code_challenge: request.code_challenge.as_ref().map_or("", |challenge| challenge.as_str()),
    };
    let code = code.seal(&context.secrets, binding);
    let id_token = match request.response_type {
        ResponseType::Code => None,
        ResponseType::CodeIdToken => {
            let issuer = TokenIssuer { context, client: &client.client, now };
            let binding = IdTokenBinding {
                code: Some(code.expose()),
                nonce: request.nonce.as_deref(),
                ..IdTokenBinding::default()
            };
            Some(issuer.id_token(&grant, binding).await?)
        }
    };
    Ok(Some(Issued { code, id_token }))
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
