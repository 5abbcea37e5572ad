//! How a request arrives: new, from a client; or back, from sign-in or consent.

use crate::{answer, error_page};
use protocol::interaction::Interaction;
use protocol::{AuthorizationRequest, Error, Parameters, ResponseTarget, StoredClient};
use runtime::browser::{self, Browser};
use runtime::{Context, Fault, Request, Response};
use std::sync::Arc;

/// The longest interaction that can travel in the browser's URL, with room for what people decide on the way.
const MAX_SEALED: usize = runtime::shell::MAX_QUERY - 1024;

/// A request that passed every check.
pub(crate) struct Arrived {
    pub(crate) interaction: Interaction,
    pub(crate) client: Arc<StoredClient>,
    /// Whether it came by POST. Browsers leave cookies out of a POST from another site, so it goes on by GET.
    pub(crate) is_posted: bool,
}

/// The request, or the response that refuses it.
pub(crate) async fn interaction(
    request: &Request,
    context: &Context,
    browser: &Browser,
) -> Result<Result<Arrived, Box<Response>>, Fault> {
    let refuse = |error: Error| -> Result<_, Fault> { Ok(Err(Box::new(error_page(request, &error)?))) };
    let parameters = match request.parameters() {
        Ok(parameters) => parameters,
        Err(error) => return refuse(error),
    };
    if let Some(sealed) = parameters.value("interaction") {
        let opened = browser.open_interaction(context, sealed, request.received_at);
        let Some(interaction) = opened else {
            return refuse(Error::invalid_request("this sign-in is over, or began in another browser"));
        };
        return match context.client(&interaction.request.client_id, request.received_at).await? {
            Some(client) => Ok(Ok(Arrived { interaction, client, is_posted: false })),
            None => refuse(unknown_client()),
        };
    }
    let client = match find_client(&parameters, request, context).await? {
        Ok(client) => client,
        Err(error) => return refuse(error),
    };
    let target = match ResponseTarget::check(&parameters, &client.client) {
        Ok(target) => target,
        Err(error) => return refuse(error),
    };
    let checked = match AuthorizationRequest::check(&parameters, &client.client, target.clone()) {
        Ok(checked) => with_hint(checked, request, context).await?,
        Err(error) => Err(error),
    };
    match checked {
        Ok((checked, expected_subject)) => {
            let interaction = Interaction {
                request: checked,
                expected_subject,
                browser: browser.id.clone(),
                expires_at: request.received_at.after(context.config.interaction_lifetime),
                signed_in: None,
                decision: None,
            };
            if browser::seal(context, &interaction)?.len() > MAX_SEALED {
                return refuse(Error::invalid_request("the request is too long: it could not travel through sign-in"));
            }
            Ok(Ok(Arrived { interaction, client, is_posted: request.method == http::Method::POST }))
        }
        Err(error) => Ok(Err(Box::new(answer::error(context, &target, &error)?))),
    }
}

async fn find_client(
    parameters: &Parameters,
    request: &Request,
    context: &Context,
) -> Result<Result<Arc<StoredClient>, Error>, Fault> {
    let client_id = match parameters.required("client_id") {
        Ok(client_id) => client_id,
        Err(error) => return Ok(Err(error)),
    };
    Ok(context.client(client_id, request.received_at).await?.ok_or_else(unknown_client))
}

fn unknown_client() -> Error {
    Error::invalid_request("the client_id is unknown")
}

/// Who the ID token hint names (OpenID Connect Core §3.1.2.1). One that this server did not sign for this client is an
/// error.
async fn with_hint(
    mut checked: AuthorizationRequest,
    request: &Request,
    context: &Context,
) -> Result<Result<(AuthorizationRequest, Option<String>), Error>, Fault> {
    let Some(token) = checked.id_token_hint.take() else { return Ok(Ok((checked, None))) };
    match context.id_token_hint(&token, request.received_at).await? {
        Some(hint) if hint.aud == checked.client_id => Ok(Ok((checked, Some(hint.sub)))),
        _ => Ok(Err(Error::invalid_request("id_token_hint is not an ID token that this server issued to this client"))),
    }
}
