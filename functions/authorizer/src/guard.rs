//! An API and its rules: the scope that each request needs.

use http::StatusCode;
use latchkey_http::{ClientCertificate, Request};
use resource_server::{Access, AccessError, Http, RequestHead, ResourceServer, Scope, Settings};
use serde_json::{Value, json};
use std::sync::Arc;

/// A guard of one API.
#[derive(Debug)]
pub struct Guard {
    /// The settings.
    pub settings: Settings,
    server: ResourceServer,
}

impl Guard {
    /// Returns the guard of the API that the settings describe.
    pub fn new(settings: Settings, http: Arc<dyn Http>) -> Self {
        let server = ResourceServer::new(settings.config.clone(), http);
        Self { settings, server }
    }

    /// Checks the access token of a request, and the scope and the sign-in that its route needs.
    pub async fn check(&self, request: &Request) -> Result<Access, AccessError> {
        let url = format!("{}?{}", request.path, request.query);
        let certificate = request.certificate.as_ref().map(ClientCertificate::der);
        let head = RequestHead { method: &request.method, url: &url, headers: &request.headers, certificate };
        let needed = self.settings.needed(&request.method, &request.path);
        let sign_in = self.settings.needed_sign_in(&request.method, &request.path);
        match (needed, sign_in) {
            (Ok(needed), Ok(sign_in)) => self.server.check_sign_in(&head, &needed, &sign_in, request.received_at).await,
            // An invalid token takes precedence over a missing scope.
            (Err(error), _) | (_, Err(error)) => {
                self.server.check(&head, &Scope::default(), request.received_at).await?;
                Err(error)
            }
        }
    }

    /// Returns the response that tells the client why its request is rejected.
    pub fn respond_to(&self, error: &AccessError, request: &Request) -> http::Response<String> {
        let needed = self.settings.needed(&request.method, &request.path).unwrap_or_default();
        self.server.respond_to(error, &needed)
    }
}

/// Returns the log line of a request and the outcome of its check. It holds no token.
pub(crate) fn log_line(request: &Request, outcome: Result<Option<&Access>, &AccessError>) -> Value {
    let error = outcome.err();
    json!({
        "at": request.received_at.as_millis(),
        "request": request.id,
        "function": "authorizer",
        "method": request.method.as_str(),
        "status": error.map_or(StatusCode::OK, AccessError::status).as_u16(),
        "client": outcome.ok().flatten().map(|access| &access.claims.client_id),
        "error": error.and_then(AccessError::code).map(|code| code.as_str()),
        "reason": error.map(AccessError::reason),
    })
}
