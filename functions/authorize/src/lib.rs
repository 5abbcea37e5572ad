//! The authorization endpoint (RFC 6749 §3.1, OpenID Connect Core §3.1.2): checks a request, sends the person to sign
//! in or to consent when that is needed, and issues the code.

mod arrive;

use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::SealedToken;
use protocol::interaction::{self, Interaction, Step};
use protocol::{
    AuthorizationCode, CodeBinding, Grant, GrantId, GrantState, PushedRequestId, ResponseType, StoredClient,
};
use provider::browser::{self, Browser, SignedIn};
use provider::{Context, Function, HandlerError, authorization_response};
use provider::{IdTokenBinding, TokenIssuer};
use storage::pushed::{self, Answer};
use storage::{consents, grants, users};
use types::{Error, ErrorCode, Timestamp};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::page("authorize", |request, context| Box::pin(handle(request, context)));

/// Answers an authorization request, new or on its way back from sign-in or consent.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let browser = Browser::of(request, context)?;
    let arrived = arrive::interaction(request, context, &browser).await?;
    request.log.client(&arrived.client.client.client_id);
    let response = if arrived.is_posted {
        browser::forward(context, "/authorize", &arrived.interaction)?
    } else {
        proceed(request, context, arrived.interaction, &arrived.client).await?
    };
    Ok(browser.remember(response, context))
}

/// Takes a request as far as it can go now.
async fn proceed(
    request: &Request,
    context: &Context,
    interaction: Interaction,
    client: &StoredClient,
) -> Result<Response, HandlerError> {
    let now = request.received_at;
    let signed_in = SignedIn::of(request, context).await?;
    let target = &interaction.request.target;
    let to_client = |error| HandlerError::Redirect(Box::new(target.clone()), error);
    let step = browser::step(context, &interaction, signed_in.as_ref(), &client.client, now).map_err(to_client)?;
    let (Step::Proceed, Some(signed_in)) = (step, signed_in) else {
        return browser::forward(context, "/login", &interaction);
    };
    if needs_consent(context, &interaction, &signed_in, client).await?.map_err(to_client)? {
        return browser::forward(context, "/consent", &interaction);
    }
    let Some(issued) = issue(context, &interaction, &signed_in, client, now).await? else {
        let error = Error::new(ErrorCode::InvalidRequestUri, "this pushed request was answered already");
        return Err(error.into());
    };
    let code = issued.code.expose();
    authorization_response::deliver(&target.code_response(code, issued.id_token, &context.config.issuer))
}

async fn needs_consent(
    context: &Context,
    interaction: &Interaction,
    signed_in: &SignedIn,
    client: &StoredClient,
) -> Result<Result<bool, Error>, HandlerError> {
    let judge = |remembered| interaction::needs_consent(interaction, &signed_in.name, &client.client, &remembered);
    let unremembered = judge(types::Scope::default());
    if unremembered == Ok(false)
        || !interaction::remembers_consent(&interaction.request, &client.client, &context.config.issuer)
    {
        return Ok(unremembered);
    }
    let remembered =
        consents::find(context.records.as_ref(), &signed_in.session.subject, &interaction.request.client_id).await?;
    Ok(judge(remembered))
}

/// A pushed request yields one code (RFC 9126 §7.3). Returns the code to answer with: the new one, or the earlier one if this
/// session already holds an unredeemed code for this request, because its answer was lost. Round trips: 1 for a pushed
/// request; 2 if it was answered before.
async fn claim_pushed_request(
    context: &Context,
    interaction: &Interaction,
    code: AuthorizationCode,
    sid: &str,
) -> Result<Option<AuthorizationCode>, HandlerError> {
    let records = context.records.as_ref();
    let Some(id) = interaction.pushed.as_deref().and_then(PushedRequestId::from_name) else { return Ok(Some(code)) };
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

/// What a client is answered with.
pub(crate) struct Issued {
    code: SealedToken,
    id_token: Option<String>,
}

/// Creates the grant and the code that stands for it (RFC 6749 §4.1.2); in the hybrid flow the ID token that goes with
/// the code. `None` when the request is a pushed one that was answered otherwise. One round trip, two when the ID token is
/// to hold claims of the profile; and those of a pushed request.
async fn issue(
    context: &Context,
    interaction: &Interaction,
    signed_in: &SignedIn,
    client: &StoredClient,
    now: Timestamp,
) -> Result<Option<Issued>, HandlerError> {
    let request = &interaction.request;
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
    let Some(code) = claim_pushed_request(context, interaction, code, &grant.sid).await? else { return Ok(None) };
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
