//! The authorization endpoint (RFC 6749 §3.1, OpenID Connect Core §3.1.2). It checks a request, redirects the user to
//! sign-in or consent where needed, and issues the code.

mod arrive;
mod return_offer;

use arrive::Arrived;
use latchkey_http::{Request, Response};
use protocol::{Interaction, NextPrompt, Requested, RequestedAuthorization, StoredClient};
use provider::authorization_response::{self, Answers};
use provider::browser::Browser;
use provider::interactions::ClosedInteraction;
use provider::sessions::SignedIn;
use provider::{CodeRequest, Context, Function, HandlerError, interactions};
use storage::consents;
use types::Scope;

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::page("authorize", |request, context| Box::pin(handle(request, context)));

/// Answers an authorization request that is new, or that returns from sign-in or consent.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let result = answer(request, context).await;
    authorization_response::with_error_delivered(result, Answers::Client, request, context).await
}

async fn answer(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let browser = Browser::of(request, context)?;
    let arrived = arrive::interaction(request, context, &browser).await?;
    request.log.client(&arrived.client.client.client_id);
    let response = if arrived.is_posted {
        interactions::resume(context, &arrived.interaction)?
    } else {
        let result = match proceed(request, context, &arrived).await {
            Err(error) if !arrived.interaction.has_user_acted() => {
                Err(return_offer::instead_of_redirect(error, &arrived.client, request, context).await)
            }
            result => result,
        };
        let answers = interactions::answers(&arrived.interaction);
        authorization_response::with_error_delivered(result, answers, request, context).await?
    };
    Ok(browser.remember(response, context))
}

/// Redirects to the next page that the request needs, or responds with the code.
async fn proceed(request: &Request, context: &Context, arrived: &Arrived) -> Result<Response, HandlerError> {
    let Arrived { interaction, client, .. } = arrived;
    let Requested::Authorization(requested) = &interaction.requested else {
        return Err(ClosedInteraction::of_client(client.clone()).into_error(context));
    };
    let now = request.received_at;
    let signed_in = SignedIn::of(request, context).await?;
    let target = &requested.request.target;
    let to_client = |error| HandlerError::Redirect(Box::new(target.clone()), error);
    let prompt = interactions::next_prompt(context, interaction, signed_in.as_ref(), &client.client, now);
    let (NextPrompt::Proceed, Some(signed_in)) = (prompt.map_err(to_client)?, signed_in) else {
        return interactions::ask(context, "/login", interaction);
    };
    if names_other_user(context, interaction, &signed_in).await? {
        let interaction = interaction.clone().require_selection();
        // With `prompt=none` this is an error for the client.
        interactions::next_prompt(context, &interaction, Some(&signed_in), &client.client, now).map_err(to_client)?;
        return interactions::ask(context, "/login", &interaction);
    }
    let earlier = earlier_consent(context, interaction, requested, &signed_in, client).await?;
    let asked = step_up(context, interaction, client, &earlier);
    let interaction = &interactions::grantable(context, &asked, &signed_in).await?;
    let Requested::Authorization(requested) = &interaction.requested else {
        return Err(ClosedInteraction::of_client(client.clone()).into_error(context));
    };
    let issuer = &context.config.issuer;
    if interaction.needs_consent(signed_in.id, &client.client, issuer, &earlier).map_err(to_client)? {
        // The request travels on as it is: another user may grant more of it.
        return interactions::ask(context, "/consent", &asked.with_earlier_consent(&earlier));
    }
    let requested = RequestedAuthorization {
        request: requested.request.clone().without_refused(&earlier),
        ..requested.as_ref().clone()
    };
    CodeRequest { request, context, interaction, requested: &requested, signed_in: &signed_in, client }.answer().await
}

/// True if `login_hint` names another user than the one who is signed in, and the user has not chosen yet (OpenID Connect Core
/// §3.1.2.1). Round trips: 1; 0 without a hint, or if it is the sign-in name.
async fn names_other_user(
    context: &Context,
    interaction: &Interaction,
    signed_in: &SignedIn,
) -> Result<bool, HandlerError> {
    match interaction.requested.login_hint() {
        Some(hint) if !interaction.has_user_acted() => signed_in.is_other_than(hint, context).await,
        _ => Ok(false),
    }
}

/// Adds the scopes of the requested resources that the user allowed earlier, if the client registered itself or has a metadata
/// document. Such clients ask for what a challenge names, and for nothing else. A client of the operator gets what it asks for.
fn step_up(context: &Context, interaction: &Interaction, client: &StoredClient, earlier: &Scope) -> Interaction {
    let interaction = interaction.clone();
    if client.origin.is_operator() {
        return interaction;
    }
    interaction.with_earlier_scope(&client.client, context.configuration.targets(client).resources, earlier)
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
    let issuer = &context.config.issuer;
    let without = interaction.needs_consent(signed_in.id, &client.client, issuer, &Scope::default());
    let may_use = requested.request.may_use_earlier_consent(&client.client, issuer);
    if without == Ok(false) || !may_use {
        return Ok(Scope::default());
    }
    let subject = &signed_in.session.subject;
    let identity = client.identity_digest();
    Ok(consents::find(context.records.as_ref(), subject, &client.client.client_id, identity.as_deref()).await?)
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
