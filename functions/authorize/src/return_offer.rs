//! Errors for a client that registered openly: a page, not a redirect (RFC 9700 §4.11.2).

use latchkey_http::Request;
use protocol::StoredClient;
use provider::{Context, HandlerError, authorization_response};

/// Returns the page that offers to continue, in place of a redirect with an error to a client that registered openly. The
/// user has not acted for the request yet: a link alone would make this server an open redirector. A frame shows no page, and
/// no address of this server either, so there the error is sent at once, as silent authentication needs
/// (`infra/decisions/errors-for-open-clients.md`).
pub(crate) async fn instead_of_redirect(
    error: HandlerError,
    client: &StoredClient,
    request: &Request,
    context: &Context,
) -> HandlerError {
    match error {
        HandlerError::Redirect(target, error) if client.origin.is_open() && !request.is_for_frame() => {
            match authorization_response::offer(&target, &error, request, context).await {
                Ok(page) => page.into(),
                Err(fault) => fault,
            }
        }
        other => other,
    }
}
