//! The consent page: the user sees what a client requests, and allows or denies it.

use http::{Method, StatusCode, header};
use latchkey_http::{Request, Response};
use pages::{ClaimLine, ConsentKind, ConsentView, ScopeLine};
use protocol::{AuthorizationRequest, NextPrompt, Requested, RequestedAuthorization};
use provider::authorization_response::{self, Answers};
use provider::browser::FormOrigin;
use provider::sessions::SignedIn;
use provider::{AuditEvent, CodeRequest, Context, Function, HandlerError, InteractionPage, interactions, responses};
use storage::consents;
use types::{Error, Scope};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::page("consent", |request, context| Box::pin(handle(request, context)));

/// Shows the page, or handles its form.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let answers = if request.method == Method::POST { Answers::Form } else { Answers::Client };
    authorization_response::with_error_delivered(answer(request, context).await, answers, request, context).await
}

async fn answer(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let mut page = InteractionPage::open(request, context).await?;
    let complete = interactions::complete(context, page.interaction.clone(), page.client()?);
    let (complete, signed_in) = futures::join!(complete, SignedIn::of(request, context));
    page.interaction = complete?;
    if !matches!(page.interaction.requested, Requested::Authorization(_)) {
        return Err(page.closed());
    }
    let Some(signed_in) = signed_in? else {
        return interactions::resume(context, &page.interaction);
    };
    // What the page shows, and what is remembered and granted. The page's own interaction travels on: another user may grant more.
    let grantable = interactions::grantable(context, &page.interaction, &signed_in).await?;
    let Requested::Authorization(requested) = &grantable.requested else { return Err(page.closed()) };
    if request.method == Method::POST {
        decide(&page, requested, &signed_in).await
    } else {
        show(&page, &requested.request, &signed_in)
    }
}

/// Handles the form.
async fn decide(
    page: &InteractionPage<'_>,
    requested: &RequestedAuthorization,
    signed_in: &SignedIn,
) -> Result<Response, HandlerError> {
    let (context, interaction) = (page.context, &page.interaction);
    if page.has_restarted {
        return interactions::resume(context, interaction);
    }
    match page.form_origin("consent", signed_in) {
        FormOrigin::ThisSession => {}
        FormOrigin::OtherSession => return interactions::resume(context, interaction),
        FormOrigin::Elsewhere => {
            return Err(HandlerError::page(
                "Nothing was decided",
                "The page is not one that you were shown. Go back to the application and try again.",
                Error::invalid_request("the CSRF token of the form is missing, or belongs to another browser"),
            ));
        }
    }
    let (subject, client) = (&signed_in.session.subject, &requested.request.client_id);
    match page.parameters.value("decision") {
        Some("allow") => allow(page, requested, signed_in).await,
        Some("switch") => interactions::ask(context, "/login", &interaction.clone().restart_as_other_user()?),
        _ => {
            AuditEvent::ConsentRefused { subject, client }.record(page.request);
            interactions::resume(context, &interaction.clone().deny())
        }
    }
}

/// Remembers the consent and answers the request, both at the same time. If the session does not fit the request any more,
/// the authorization endpoint asks for what lacks. Round trips: 2 at the same time; 1 more if the client had consent before.
async fn allow(
    page: &InteractionPage<'_>,
    requested: &RequestedAuthorization,
    signed_in: &SignedIn,
) -> Result<Response, HandlerError> {
    let (context, client) = (page.context, page.client()?);
    let refused = page.refused_claims();
    let allowed = page.interaction.clone().without_claims(&refused).allow(signed_in.id)?;
    let granted = allowed.clone().with_scope(&requested.request.scope);
    let Requested::Authorization(granted) = &granted.requested else { return Err(page.closed()) };
    let now = page.request.received_at;
    let prompt = interactions::next_prompt(context, &allowed, Some(signed_in), &client.client, now);
    let code = async {
        if prompt != Ok(NextPrompt::Proceed) {
            return interactions::resume(context, &allowed);
        }
        CodeRequest { request: page.request, context, interaction: &allowed, requested: granted, signed_in, client }
            .answer()
            .await
    };
    let (remembered, answer) = futures::join!(remember(page, &requested.request, signed_in, &refused), code);
    remembered?;
    answer
}

/// Adds the request to the consent that the user gave the client; authorization details are not remembered. Round trips: 1 if it is
/// the first, else 2; 0 if there is nothing to remember.
async fn remember(
    page: &InteractionPage<'_>,
    request: &AuthorizationRequest,
    signed_in: &SignedIn,
    refused: &[String],
) -> Result<(), HandlerError> {
    let (subject, client_id) = (&signed_in.session.subject, &request.client_id);
    if request.is_consent_forgotten() {
        AuditEvent::ConsentGiven { subject, client: client_id }.record(page.request);
        return Ok(());
    }
    let (stored, configuration) = (page.client()?, &page.context.configuration);
    let client = &stored.client;
    let (resources, definitions) = (&configuration.resources, &configuration.claims);
    let records = page.context.records.as_ref();
    let add = |earlier: &Scope| request.consent_to_remember(client, resources, definitions, earlier, refused);
    let identity = stored.identity_digest();
    consents::add(records, subject, client_id, identity.as_deref(), add).await?;
    AuditEvent::ConsentGiven { subject, client: client_id }.record(page.request);
    Ok(())
}

/// Shows the page.
fn show(
    page: &InteractionPage<'_>,
    request: &AuthorizationRequest,
    signed_in: &SignedIn,
) -> Result<Response, HandlerError> {
    let (frame, client) = (page.frame()?, page.client()?);
    let mut scope = request.scope.clone();
    if page.context.grant_outlives_session(client, &request.resources)
        && let Some(offline) = Scope::parse("offline_access")
    {
        // The page shows what is granted: access while the user is away.
        scope = scope.with(&offline);
    }
    let words = |name| page.context.configuration.scope_description(name);
    let scopes: Vec<ScopeLine<'_>> = ScopeLine::all(&scope, words, |name| page.interaction.is_new(name)).collect();
    let view = ConsentView {
        frame: &frame,
        client: pages::ClientProfile::of(client, &page.context.config.issuer),
        user: signed_in.profile(),
        scopes: &scopes,
        claims: &ClaimLine::all(&request.named_claims(), &page.context.configuration.claims, |claim| {
            page.interaction.refused_earlier(claim)
        }),
        resources: &request.resources,
        details: &request
            .authorization_details
            .words(&page.context.configuration.details_types, page.request.header(&header::ACCEPT_LANGUAGE)),
        interaction: &page.sealed,
        csrf: &page.browser.consent_token(page.context, "consent", &page.sealed, signed_in),
        kind: ConsentKind::Authorization { redirect_uri: request.target.redirect_uri().as_str() },
    };
    Ok(responses::page(StatusCode::OK, pages::consent(&view)))
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
