//! How a request arrives: new, from a client; or back, from sign-in or consent.

use crate::{answer, error_page};
use protocol::interaction::Interaction;
use protocol::{Error, GrantId, Parameters, StoredClient};
use runtime::authorization::Rejected;
use runtime::browser::Browser;
use runtime::{Context, Fault, Request, Response};
use std::sync::Arc;

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
    // In a client's request it is a parameter that nobody knows (RFC 6749 §3.1).
    if let (Some(sealed), None) = (parameters.value("interaction"), parameters.value("client_id")) {
        let opened = browser.open_interaction(context, sealed, request.received_at);
        let opened = opened.or_else(|| browser.adopt_interaction(context, sealed, request.received_at));
        let Some(interaction) = opened.filter(|interaction| interaction.device.is_none()) else {
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
    let checked = match context.check_authorization(&parameters, &client.client, request.received_at).await {
        Ok(checked) => checked,
        Err(Rejected::Fault(fault)) => return Err(fault),
        Err(Rejected::Shown(error)) => return refuse(error),
        Err(Rejected::Answered(target, error)) => return Ok(Err(Box::new(answer::error(context, &target, &error)?))),
    };
    let expires_at = request.received_at.after(context.config.interaction_lifetime);
    let interaction = Interaction {
        expected_subject: checked.expected_subject,
        pushed: checked.pushed.map(GrantId::name),
        ..Interaction::begin(checked.request, browser.known_id().map(str::to_owned), expires_at)
    };
    Ok(Ok(Arrived { interaction, client, is_posted: request.method == http::Method::POST }))
}

async fn find_client(
    parameters: &Parameters,
    request: &Request,
    context: &Context,
) -> Result<Result<Arc<StoredClient>, Error>, Fault> {
    if parameters.is_repeated("client_id") {
        return Ok(Err(Error::invalid_request("the parameter 'client_id' is repeated")));
    }
    let client_id = match parameters.required("client_id") {
        Ok(client_id) => client_id,
        Err(error) => return Ok(Err(error)),
    };
    Ok(context.client(client_id, request.received_at).await?.ok_or_else(unknown_client))
}

fn unknown_client() -> Error {
    Error::invalid_request("the client_id is unknown")
}
