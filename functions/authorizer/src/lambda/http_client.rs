//! The way to the authorization server, over connections that are kept for the next request.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use resource_server::Http;
use std::time::Duration;

/// How long an exchange may take.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How long a connection is kept: Lambda freezes instances, and connections die unnoticed.
const IDLE: Duration = Duration::from_secs(20);
/// How much of an answer is read, in bytes.
const LIMIT: usize = 64 * 1024;

pub(super) struct Client {
    pool: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Client {
    /// Trusts the certificate authorities that browsers trust; http is for a server on the same machine.
    pub(super) fn new() -> Self {
        let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        let pool = legacy::Client::builder(TokioExecutor::new()).pool_idle_timeout(IDLE).build(connector);
        Self { pool }
    }
}

#[async_trait]
impl Http for Client {
    async fn send(&self, request: Request<String>) -> Result<Response<Vec<u8>>, String> {
        let mut request = request.map(|body| Full::new(Bytes::from(body)));
        request.headers_mut().insert(header::USER_AGENT, header::HeaderValue::from_static("latchkey"));
        let exchange = async {
            let response = self.pool.request(request).await.map_err(|error| error.to_string())?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, LIMIT).collect().await.map_err(|error| error.to_string())?;
            Ok(Response::from_parts(head, body.to_bytes().to_vec()))
        };
        tokio::time::timeout(TIMEOUT, exchange).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }
}
