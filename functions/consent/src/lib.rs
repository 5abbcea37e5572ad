//! The consent page: shows the scopes that a client requests, and receives the user's decision.

use http::{Method, StatusCode};
use latchkey_http::{Request, Response};
use pages::ScopeLine;
use platform::entropy;
use protocol::interaction::{self, Decision, Interaction};
use provider::browser::{self, FormOrigin, SignedIn};
use provider::{Context, Function, HandlerError, Visit, responses};
use storage::consents;
use types::Error;

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::page("consent", |request, context| Box::pin(handle(request, context)));

/// Shows the page (GET) or applies the decision (POST).
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let visit = Visit::open(request, context).await?;
    if visit.interaction.device.is_some() {
        return Err(Visit::over());
    }
    let Some(signed_in) = SignedIn::of(request, context).await? else {
        return browser::forward(context, "/authorize", &visit.interaction);
    };
    if request.method == Method::POST { decide(visit, &signed_in).await } else { show(&visit, &signed_in) }
}

async fn decide(visit: Visit<'_>, signed_in: &SignedIn) -> Result<Response, HandlerError> {
    match visit.form_origin("consent", signed_in) {
        FormOrigin::ThisSession => {}
        FormOrigin::OtherSession => return browser::forward(visit.context, "/authorize", &visit.interaction),
        FormOrigin::Elsewhere => {
            return Err(HandlerError::page(
                "Nothing was decided",
                "The page is not one that you were shown. Go back to the application and try again.",
                Error::invalid_request("the form's token is missing, or of another browser"),
            ));
        }
    }
    let Visit { context, interaction, parameters, client, .. } = visit;
    match parameters.value("decision") {
        Some("allow") => {
            let (records, subject) = (context.records.as_ref(), &signed_in.session.subject);
            let client_id = &interaction.request.client_id;
            let before = consents::find(records, subject, client_id).await?;
            let (client, resources) = (&client.client, &context.config.resources);
            let allowed = interaction::to_remember(&interaction.request, client, resources, &before);
            consents::save(records, subject, client_id, &allowed).await?;
            let decision = Some(Decision::Allowed { session: signed_in.name.clone() });
            browser::forward(context, "/authorize", &Interaction { decision, ..interaction })
        }
        Some("switch") => browser::forward(context, "/login", &interaction.switched()),
        _ => browser::forward(context, "/authorize", &Interaction { decision: Some(Decision::Denied), ..interaction }),
    }
}

fn show(visit: &Visit<'_>, signed_in: &SignedIn) -> Result<Response, HandlerError> {
    let nonce = entropy::name()?;
    let asked = &visit.interaction.request;
    let scope = asked.scope_to_consent();
    let scopes: Vec<ScopeLine<'_>> = ScopeLine::all(&scope).collect();
    let client = &visit.client.client;
    let page = pages::consent(&pages::Consent {
        nonce: &nonce,
        client: client.into(),
        redirect_uri: asked.target.redirect_uri(),
        user: &signed_in.session.name,
        scopes: &scopes,
        resources: &asked.resources,
        interaction: &visit.sealed,
        csrf: &visit.browser.decision_token(visit.context, "consent", &visit.sealed, signed_in),
    });
    Ok(responses::page(StatusCode::OK, page))
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
