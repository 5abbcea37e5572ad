//! An authorizer of an API Gateway HTTP API (payload format 2.0).
//!
//! API Gateway itself answers 401 if there is no Authorization header, 403 if the authorizer rejects the request, and 500 if
//! it fails. An authorizer cannot set body or headers of these responses, so the reason is in the log alone.

use crate::Guard;
use crate::authorization_server::AuthorizationServer;
use crate::guard::log_line;
use latchkey_http::Request;
use platform::lambda;
use resource_server::{Access, AccessError, Claims, Settings};
use serde_json::{Map, Value, json};
use std::process::ExitCode;
use std::sync::Arc;

/// The form of the answer, as configured in API Gateway (`EnableSimpleResponses`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `isAuthorized`.
    Simple,
    /// An IAM policy.
    Iam,
}

impl Form {
    /// Reads `LATCHKEY_AUTHORIZER_RESPONSE`.
    pub fn parse(setting: Option<&str>) -> Result<Self, String> {
        match setting.map(str::trim) {
            None | Some("" | "simple") => Ok(Self::Simple),
            Some("iam") => Ok(Self::Iam),
            Some(other) => Err(format!("LATCHKEY_AUTHORIZER_RESPONSE: '{other}' is neither simple nor iam")),
        }
    }
}

/// Serves until Lambda ends the process. Settings are read while the instance starts. Invalid settings are written to standard
/// error, all of them, and fail the process.
pub fn run() -> ExitCode {
    lambda::run("authorizer", async || {
        let (guard, form) = configure(&|name| std::env::var(name).ok())?;
        lambda::serve_authorizer(async |request, route| {
            let (answer, line) = authorize(&request, &route, &guard, form).await;
            println!("{line}");
            Ok(answer?)
        })
        .await
    })
}

fn configure(lookup: &dyn Fn(&str) -> Option<String>) -> Result<(Guard, Form), String> {
    let form = Form::parse(lookup("LATCHKEY_AUTHORIZER_RESPONSE").as_deref());
    match (Settings::read(lookup), form) {
        (Ok(settings), Ok(form)) => {
            for warning in settings.warnings() {
                println!("{}", json!({ "function": "authorizer", "warning": warning }));
            }
            Ok((Guard::new(settings, Arc::new(AuthorizationServer::new())), form))
        }
        (settings, form) => {
            let mut problems = settings.err().unwrap_or_default();
            problems.extend(form.err());
            Err(format!("the configuration has problems:\n  {}", problems.join("\n  ")))
        }
    }
}

/// Returns the answer to an event, and the log line. An error if the token cannot be checked: API Gateway then rejects the
/// request.
pub async fn authorize(
    request: &Request,
    route: &str,
    guard: &Guard,
    form: Form,
) -> (Result<Value, &'static str>, Value) {
    let outcome = guard.check(request).await;
    let line = log_line(request, outcome.as_ref().map(Some));
    if let Err(AccessError::Unavailable(_)) = outcome {
        return (Err("access tokens cannot be checked now"), line);
    }
    let access = outcome.as_ref().ok();
    let answer = match form {
        Form::Simple => json!({ "isAuthorized": access.is_some(), "context": context(access) }),
        Form::Iam => policy(access, route),
    };
    (Ok(answer), line)
}

fn policy(access: Option<&Access>, route: &str) -> Value {
    let effect = if access.is_some() { "Allow" } else { "Deny" };
    json!({
        "principalId": access.map_or("anonymous", |access| access.claims.sub.as_str()),
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{ "Action": ["execute-api:Invoke"], "Effect": effect, "Resource": [route] }],
        },
        "context": context(access),
    })
}

/// Returns the members that the API finds in `requestContext.authorizer.lambda`: strings and numbers. Authorization details are JSON
/// in a string.
fn context(access: Option<&Access>) -> Map<String, Value> {
    let mut context = Map::new();
    let Some(access) = access else { return context };
    let Claims { sub, client_id, scope, exp, others, .. } = &access.claims;
    let scope = scope.iter().collect::<Vec<_>>().join(" ");
    let plain = ["iss", "jti", "acr", "auth_time"].into_iter().filter_map(|name| Some((name, others.get(name)?)));
    context.extend(plain.map(|(name, value)| (name.to_owned(), value.clone())));
    for (name, value) in
        [("sub", json!(sub)), ("client_id", json!(client_id)), ("scope", json!(scope)), ("exp", json!(exp))]
    {
        context.insert(name.to_owned(), value);
    }
    if let Some(details) = others.get("authorization_details") {
        context.insert("authorization_details".to_owned(), json!(details.to_string()));
    }
    context
}
