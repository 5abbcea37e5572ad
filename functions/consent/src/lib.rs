//! The consent page: what a client asks for, and what the person says.

use http::{Method, StatusCode};
use pages::ScopeLine;
use protocol::interaction::{Decision, Interaction};
use protocol::{Error, ErrorCode, Parameters, StoredClient};
use runtime::browser::{self, Browser, SignedIn};
use runtime::{Context, Fault, Request, Response, entropy};
use storage::consents;

/// Shows the page, or takes what it sends.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, Fault> {
    let browser = Browser::of(request, context)?;
    let Ok(parameters) = request.parameters() else { return lost(request) };
    if parameters.refuse_repeated().is_err() {
        return lost(request);
    }
    let sealed = parameters.value("interaction").unwrap_or_default();
    let Some(interaction) = browser.open_interaction(context, sealed, request.received_at) else {
        return lost(request);
    };
    let Some(client) = context.client(&interaction.request.client_id, request.received_at).await? else {
        return lost(request);
    };
    let Some(signed_in) = SignedIn::of(request, context).await? else {
        return browser::forward(context, "/authorize", &interaction);
    };
    if request.method != Method::POST {
        return show(context, &browser, sealed, &interaction, &client, &signed_in);
    }
    if !browser.accepts_form(context, "consent", &signed_in.bind(sealed), parameters.value("csrf")) {
        return lost(request);
    }
    decide(context, interaction, &signed_in, &parameters).await
}

async fn decide(
    context: &Context,
    interaction: Interaction,
    signed_in: &SignedIn,
    parameters: &Parameters,
) -> Result<Response, Fault> {
    match parameters.value("decision") {
        Some("allow") => {
            let (records, subject) = (context.records.as_ref(), &signed_in.session.subject);
            let client_id = &interaction.request.client_id;
            let known = consents::find(records, subject, client_id).await?;
            consents::save(records, subject, client_id, known.with(&interaction.request.to_consent())).await?;
            let decision = Some(Decision::Allowed { session: signed_in.name.clone() });
            browser::forward(context, "/authorize", &Interaction { decision, ..interaction })
        }
        Some("switch") => {
            let mut interaction = Interaction { signed_in: None, decision: None, ..interaction };
            interaction.request.prompt.login = true;
            browser::forward(context, "/login", &interaction)
        }
        _ => browser::forward(context, "/authorize", &Interaction { decision: Some(Decision::Denied), ..interaction }),
    }
}

fn show(
    context: &Context,
    browser: &Browser,
    sealed: &str,
    interaction: &Interaction,
    client: &StoredClient,
    signed_in: &SignedIn,
) -> Result<Response, Fault> {
    let nonce = entropy::name()?;
    let scopes: Vec<ScopeLine<'_>> = ScopeLine::all(&interaction.request.scope).collect();
    let client = &client.client;
    let page = pages::consent(&pages::Consent {
        nonce: &nonce,
        client: client.into(),
        redirect_uri: interaction.request.target.redirect_uri(),
        user: &signed_in.session.name,
        scopes: &scopes,
        resources: &interaction.request.resources,
        interaction: sealed,
        csrf: &browser.form_token(context, "consent", &signed_in.bind(sealed)),
    });
    Ok(Response::page(StatusCode::OK, page.html, &page.csp).of_client(&client.client_id))
}

/// What a person is told whose request is over or began elsewhere.
fn lost(request: &Request) -> Result<Response, Fault> {
    let nonce = entropy::name()?;
    let error = Error::new(
        ErrorCode::InvalidRequest,
        "the interaction or the form's token is missing, over, or of another browser",
    );
    let page = pages::error(&pages::ErrorPage {
        nonce: &nonce,
        status: 400,
        title: "This request is over",
        message: "It took too long, was opened in another browser, or your browser does not keep cookies. Go back to the application and try again.",
        hint: None,
        request_id: &request.id,
    });
    Ok(Response::page(StatusCode::BAD_REQUEST, page.html, &page.csp).failed(&error))
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    runtime::worker::serve("consent", request, &env, |request, context| Box::pin(handle(request, context))).await
}
