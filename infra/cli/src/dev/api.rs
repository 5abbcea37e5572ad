//! The demo API behind the gateway's checks, in this process.

use crate::failure::Failure;
use ::provider::Context;
use async_trait::async_trait;
use authorizer::gateway::{Gateway, GatewayDecision};
use demo_api::Caller;
use functions::Server;
use http::Method;
use latchkey_http::{Forwarded, Request, RequestLog, Response};
use platform::entropy;
use resource_server::{DPOP_NONCE, Http, Settings};
use std::sync::Arc;

/// The demo API and its gateway.
pub(crate) struct Api {
    gateway: Gateway,
    metadata_path: String,
}

impl Api {
    /// Reads the settings of the API. The gateway calls the provider, `server`.
    pub(crate) fn new(lookup: &dyn Fn(&str) -> Option<String>, server: &Arc<Server>) -> Result<Self, Failure> {
        let settings = Settings::read(lookup).map_err(|problems| Failure::new(problems.join("\n")))?;
        let metadata_path = settings.metadata_path.clone();
        Ok(Self { gateway: Gateway::new(settings, Arc::new(Inside(Arc::clone(server)))), metadata_path })
    }

    /// True if the API serves a path.
    pub(crate) fn serves(&self, path: &str) -> bool {
        let below = path.strip_prefix(demo_api::PATH);
        below.is_some_and(|below| below.is_empty() || below.starts_with('/')) || path == self.metadata_path
    }

    /// Answers a request: with the gateway's rejection, or with the API's response.
    pub(crate) async fn answer(&self, request: &Request, context: &Context) -> Response {
        let (decision, line) = self.gateway.decide(request).await;
        (context.log)(&line.to_string());
        match decision {
            GatewayDecision::Respond(answer) => answer,
            GatewayDecision::Forward { headers, dpop_nonce } => {
                let caller = Caller::of_headers(&headers);
                let response = demo_api::respond(&request.method, &headers, &caller, request.body.len());
                match dpop_nonce {
                    Some(nonce) => response.with(DPOP_NONCE, &nonce),
                    None => response,
                }
            }
        }
    }
}

/// Transport to the provider of this process, without a network.
struct Inside(Arc<Server>);

#[async_trait]
impl Http for Inside {
    async fn send(&self, request: http::Request<String>) -> Result<http::Response<Vec<u8>>, String> {
        let (head, body) = request.into_parts();
        let request = Request {
            method: if head.method == Method::POST { Method::POST } else { Method::GET },
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body: body.into(),
            address: None,
            place: None,
            certificate: None,
            forwarded: Forwarded::default(),
            received_at: crate::clock::now(),
            id: entropy::name().map_err(|error| error.reason)?.into(),
            log: RequestLog::default(),
        };
        let response = self.0.respond(request).await;
        let mut answer = http::Response::new(response.body);
        *answer.status_mut() = response.status;
        *answer.headers_mut() = response.headers;
        Ok(answer)
    }
}
