//! An API with its rules: which request needs which scope.

use http::StatusCode;
use resource_server::{Access, Denial, Http, Presented, ResourceServer, Scope, Settings, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

/// Checks requests to one API.
#[derive(Debug)]
pub struct Guard {
    /// What was configured.
    pub settings: Settings,
    server: ResourceServer,
}

impl Guard {
    /// Of an API as it is configured.
    pub fn new(settings: Settings, http: Arc<dyn Http>) -> Self {
        let server = ResourceServer::new(settings.config.clone(), http);
        Self { settings, server }
    }

    /// What the token of a request to this path lets its bearer do, if the rules let it do this.
    pub async fn check(&self, presented: &Presented<'_>, path: &str, now: Timestamp) -> Result<Access, Denial> {
        match self.settings.needed(presented.method, path) {
            Ok(needed) => self.server.check(presented, &needed, now).await,
            // Whoever has no good token hears that first.
            Err(denial) => {
                self.server.check(presented, &Scope::default(), now).await?;
                Err(denial)
            }
        }
    }

    /// The answer that tells a client why it is refused.
    pub fn refuse(&self, denial: &Denial) -> http::Response<String> {
        self.server.refuse(denial)
    }
}

/// A line of the log: what came of a check. Never a token.
pub(crate) fn log_line(
    presented: &Presented<'_>,
    request: &str,
    now: Timestamp,
    outcome: Result<Option<&Access>, &Denial>,
) -> Value {
    let denial = outcome.err();
    json!({
        "at": now.as_millis(),
        "request": request,
        "function": "authorizer",
        "method": presented.method.as_str(),
        "status": denial.map_or(StatusCode::OK, Denial::status).as_u16(),
        "client": outcome.ok().flatten().map(|access| &access.claims.client_id),
        "error": denial.and_then(Denial::code).map(|code| code.as_str()),
        "reason": denial.map(Denial::reason),
    })
}
