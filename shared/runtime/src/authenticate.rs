//! Who a client is, wherever a client says so (RFC 6749 §2.3).

use crate::{Context, Refusal, Request};
use protocol::{ClientCredentials, Error, ErrorCode, Parameters, StoredClient};
use std::sync::Arc;

impl Context {
    /// Finds and proves the client that sent the request (RFC 6749 §2.3, §3.2.1).
    pub async fn authenticate(&self, request: &Request, parameters: &Parameters) -> Result<Arc<StoredClient>, Refusal> {
        let credentials = ClientCredentials::from_request(request.authorization()?, parameters)?;
        let client = self.client(&credentials.client_id, request.received_at).await?;
        credentials.authenticate(client.as_deref())?;
        client.ok_or_else(|| Error::new(ErrorCode::InvalidClient, "the client is unknown").into())
    }
}
