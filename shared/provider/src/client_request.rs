//! Requests of clients that authenticate: the one way in for /token, /par, /revoke, /introspect and
//! /device_authorization.

use crate::{Context, HandlerError, RequestParameters};
use latchkey_http::Request;
use protocol::{Client, Parameters, StoredClient};
use std::sync::Arc;
use types::Timestamp;

/// A request of a client that is found and authenticated. The request log names the client.
pub struct ClientRequest<'a> {
    /// HTTP request.
    pub request: &'a Request,
    /// Running instance.
    pub context: &'a Context,
    /// Parameters of the body. None is repeated.
    pub parameters: Parameters,
    /// Client, as it is stored.
    pub stored: Arc<StoredClient>,
    /// Time when the request arrived.
    pub now: Timestamp,
}

impl<'a> ClientRequest<'a> {
    /// Reads the form and authenticates the client. Errors: `invalid_request`, `invalid_client`.
    pub async fn open(request: &'a Request, context: &'a Context) -> Result<Self, HandlerError> {
        Self::authenticate(request, context, Self::parameters(request)?).await
    }

    /// Reads the form, in which no parameter is repeated (RFC 6749 §3.2). Errors: `invalid_request`.
    pub fn parameters(request: &Request) -> Result<Parameters, HandlerError> {
        let parameters = request.form()?;
        parameters.refuse_repeated()?;
        Ok(parameters)
    }

    /// Authenticates the client, for an endpoint that checks some of the parameters first. Errors: `invalid_request`,
    /// `invalid_client`.
    pub async fn authenticate(
        request: &'a Request,
        context: &'a Context,
        parameters: Parameters,
    ) -> Result<Self, HandlerError> {
        let stored = context.authenticate(request, &parameters).await?;
        Ok(Self { request, context, parameters, stored, now: request.received_at })
    }

    /// Returns the settings of the client.
    pub fn client(&self) -> &Client {
        &self.stored.client
    }
}
