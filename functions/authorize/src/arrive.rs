//! How a request arrives: new, from a client; or back, from sign-in or consent.

use latchkey_http::Request;
use protocol::interaction::Interaction;
use protocol::{Parameters, PushedRequestId, StoredClient};
use provider::browser::Browser;
use provider::{Context, HandlerError, RequestParameters};
use std::sync::Arc;
use types::Error;

/// A request that passed every check.
pub(crate) struct Arrived {
    pub(crate) interaction: Interaction,
    pub(crate) client: Arc<StoredClient>,
    /// Whether it came by POST. Browsers leave cookies out of a POST from another site, so it goes on by GET.
    pub(crate) is_posted: bool,
}

/// Returns the request that arrived, checked.
pub(crate) async fn interaction(
    request: &Request,
    context: &Context,
    browser: &Browser,
) -> Result<Arrived, HandlerError> {
    let parameters = request.parameters()?;
    // In a client's request it is a parameter that nobody knows (RFC 6749 §3.1).
    if let (Some(sealed), None) = (parameters.value("interaction"), parameters.value("client_id")) {
        let opened = browser.open_interaction(context, sealed, request.received_at);
        let opened = opened.or_else(|| browser.adopt_interaction(context, sealed, request.received_at));
        let Some(interaction) = opened.filter(|interaction| interaction.device.is_none()) else {
            return Err(Error::invalid_request("this sign-in is over, or began in another browser").into());
        };
        let client = context.client(&interaction.request.client_id, request.received_at).await?;
        return Ok(Arrived { interaction, client: client.ok_or_else(unknown_client)?, is_posted: false });
    }
    let client = find_client(&parameters, request, context).await?;
    request.log.client(&client.client.client_id);
    let checked = context.check_authorization(&parameters, &client.client, request.received_at).await?;
    let expires_at = request.received_at.after(context.config.interaction_lifetime);
    let interaction = Interaction {
        expected_subject: checked.expected_subject,
        pushed: checked.pushed.map(PushedRequestId::name),
        ..Interaction::begin(checked.request, browser.known_id().map(str::to_owned), expires_at)
    };
    Ok(Arrived { interaction, client, is_posted: request.method == http::Method::POST })
}

async fn find_client(
    parameters: &Parameters,
    request: &Request,
    context: &Context,
) -> Result<Arc<StoredClient>, HandlerError> {
    if parameters.is_repeated("client_id") {
        return Err(Error::invalid_request("the parameter 'client_id' is repeated").into());
    }
    let client = context.client(parameters.required("client_id")?, request.received_at).await?;
    Ok(client.ok_or_else(unknown_client)?)
}

fn unknown_client() -> Error {
    Error::invalid_request("the client_id is unknown")
}
