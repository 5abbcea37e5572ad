//! Requests to the authorization server.

use async_trait::async_trait;
use http::{HeaderValue, Request, Response, header};
use platform::Fetcher;
use resource_server::Http;
use types::remote_url::EgressPolicy;

/// A client of the authorization server, which is the operator's and may be at any address. On Lambda its connections stay
/// open between requests. On Workers, a server in the gateway's own zone needs the flag `global_fetch_strictly_public`.
pub(crate) struct AuthorizationServer(Fetcher);

impl AuthorizationServer {
    pub(crate) fn new() -> Self {
        Self(Fetcher::new(EgressPolicy::Any))
    }
}

#[async_trait]
impl Http for AuthorizationServer {
    async fn send(&self, request: Request<String>) -> Result<Response<Vec<u8>>, String> {
        let fetched = self.0.send(request).await.map_err(|error| error.to_string())?;
        let mut response = Response::new(fetched.body);
        *response.status_mut() = fetched.status;
        for (name, value) in
            [(header::CONTENT_TYPE, fetched.content_type), (header::CACHE_CONTROL, fetched.cache_control)]
        {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        Ok(response)
    }
}
