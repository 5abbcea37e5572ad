//! An API and its rules: the scope that each request needs.

use http::StatusCode;
use latchkey_http::Request;
use resource_server::{Access, Denial, Http, Presented, ResourceServer, Scope, Settings};
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

    /// Checks the access token of a request, and the scope that its route needs.
    pub async fn check(&self, request: &Request) -> Result<Access, Denial> {
        let url = format!("{}?{}", request.path, request.query);
        let presented = Presented { method: &request.method, url: &url, headers: &request.headers };
        match self.settings.needed(&request.method, &request.path) {
            Ok(needed) => self.server.check(&presented, &needed, request.received_at).await,
            // A request without a valid token is told so first.
            Err(denial) => {
                self.server.check(&presented, &Scope::default(), request.received_at).await?;
                Err(denial)
            }
        }
    }

    /// Returns the response that tells the client why its request is rejected.
    pub fn refuse(&self, denial: &Denial) -> http::Response<String> {
        self.server.refuse(denial)
    }
}

/// Returns the log line of a request and the outcome of its check. It holds no token.
pub(crate) fn log_line(request: &Request, outcome: Result<Option<&Access>, &Denial>) -> Value {
    let denial = outcome.err();
    json!({
        "at": request.received_at.as_millis(),
        "request": request.id,
        "function": "authorizer",
        "method": request.method.as_str(),
        "status": denial.map_or(StatusCode::OK, Denial::status).as_u16(),
        "client": outcome.ok().flatten().map(|access| &access.claims.client_id),
        "error": denial.and_then(Denial::code).map(|code| code.as_str()),
        "reason": denial.map(Denial::reason),
    })
}
