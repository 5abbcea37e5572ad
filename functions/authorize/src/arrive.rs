//! The arrival of a request: new from a client, or back from sign-in or consent.

use crate::return_offer;
use latchkey_http::Request;
use protocol::{Interaction, Parameters, Requested, RequestedAuthorization, StoredClient};
use provider::browser::Browser;
use provider::interactions::{ClosedInteraction, OpenedInteraction};
use provider::{Context, HandlerError, RequestParameters, interactions};
use std::sync::Arc;
use types::Error;

/// An authorization request whose checks have passed.
pub(crate) struct Arrived {
    pub(crate) interaction: Interaction,
    pub(crate) client: Arc<StoredClient>,
    /// True if a client sent the request by POST. Browsers leave cookies out of a POST from another site, so the request
    /// continues by GET.
    pub(crate) is_posted: bool,
}

/// Returns the request that arrived. Errors: the request is wrong, or its interaction is over.
pub(crate) async fn interaction(
    request: &Request,
    context: &Context,
    browser: &Browser,
) -> Result<Arrived, HandlerError> {
    let parameters = request.parameters()?;
    let now = request.received_at;
    // In a client's request `interaction` is an unknown parameter, which is ignored (RFC 6749 §3.1).
    if let (Some(sealed), None) = (parameters.value("interaction"), parameters.value("client_id")) {
        return match OpenedInteraction::open_or_adopt(context, browser, sealed, now).await? {
            Ok(OpenedInteraction { interaction, client: Some(client), .. }) => {
                let interaction = interactions::complete(context, interaction, &client).await?;
                Ok(Arrived { interaction, client, is_posted: false })
            }
            Ok(_) => Err(ClosedInteraction::default().into_error(context)),
            Err(closed) => Err(closed.into_error(context)),
        };
    }
    let client = find_client(&parameters, request, context).await?;
    request.log.client(&client.client.client_id);
    let checked = context.check_authorization(&parameters, &client, now).await;
    let checked = match checked {
        Ok(checked) => checked,
        Err(error) => {
            let error = error.of_client(context, &client);
            return Err(return_offer::instead_of_redirect(error, &client, request, context).await);
        }
    };
    let requested = Requested::Authorization(Box::new(RequestedAuthorization {
        request: checked.request,
        expected_subject: checked.expected_subject,
        pushed: checked.pushed,
        stays_in_store: checked.stays_in_store,
        refused_claims: Vec::new(),
    }));
    let expires_at = now.after(context.config.interaction_lifetime);
    let interaction = Interaction::start(requested, browser.known_id().map(str::to_owned), expires_at);
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
    let client = context.requesting_client(parameters.required("client_id")?, request).await?;
    Ok(client.ok_or_else(|| Error::invalid_request("the client_id is unknown"))?)
}
