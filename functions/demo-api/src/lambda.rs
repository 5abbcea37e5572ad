//! The sample API behind API Gateway and its Lambda authorizer. API Gateway serves no documents, so the API serves its own
//! metadata (RFC 9728) too, on a route without the authorizer.

use crate::Caller;
use latchkey_http::{Request, Response};
use platform::lambda;
use resource_server::Settings;
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// Serves until Lambda ends the process.
pub fn run() -> ExitCode {
    lambda::run("demo-api", async || {
        let settings = Settings::read(&|name| std::env::var(name).ok()).map_err(|problems| problems.join("\n"))?;
        lambda::serve_authorized(async |request, context| {
            let caller = caller(&context);
            let response = respond(&request, &caller, &settings);
            println!("{}", log_line(&request, &response, &caller));
            response
        })
        .await
    })
}

fn respond(request: &Request, caller: &Caller, settings: &Settings) -> Response {
    if request.path == settings.metadata_path {
        return settings.metadata.respond(&request.method).into();
    }
    crate::respond(&request.method, &request.headers, caller, request.body.len())
}

/// Reads the context that the authorizer returned.
fn caller(context: &Map<String, Value>) -> Caller {
    let text = |name: &str| context.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Caller { subject: text("sub"), client: text("client_id"), scope: text("scope") }
}

fn log_line(request: &Request, response: &Response, caller: &Caller) -> Value {
    json!({
        "at": request.received_at.as_millis(),
        "request": request.id,
        "function": "demo-api",
        "method": request.method.as_str(),
        "status": response.status.as_u16(),
        "client": caller.client,
    })
}
