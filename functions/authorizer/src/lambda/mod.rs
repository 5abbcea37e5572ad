//! An authorizer of an API Gateway HTTP API (payload format 2.0).
//!
//! API Gateway answers 401 by itself when there is no Authorization header, 403 when the authorizer says no, and 500 when
//! it fails; an authorizer has no say in bodies and headers. What is wrong with a token is in the log.

mod http_client;

use crate::Guard;
use crate::guard::log_line;
use aws_lambda_events::apigw::{
    ApiGatewayCustomAuthorizerPolicy, ApiGatewayV2CustomAuthorizerIamPolicyResponse,
    ApiGatewayV2CustomAuthorizerSimpleResponse, ApiGatewayV2CustomAuthorizerV2Request,
};
use aws_lambda_events::iam::{IamPolicyEffect, IamPolicyStatement};
use http_client::Client;
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use resource_server::{Access, Claims, Denial, Presented, Settings, Timestamp};
use serde_json::{Map, Value, json};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The form of the answer, as the authorizer is configured in API Gateway (`EnableSimpleResponses`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `isAuthorized`.
    Simple,
    /// A policy of IAM.
    Iam,
}

impl Form {
    /// From `LATCHKEY_AUTHORIZER_RESPONSE`.
    pub fn parse(setting: Option<&str>) -> Result<Self, String> {
        match setting.map(str::trim) {
            None | Some("" | "simple") => Ok(Self::Simple),
            Some("iam") => Ok(Self::Iam),
            Some(other) => Err(format!("LATCHKEY_AUTHORIZER_RESPONSE: '{other}' is neither simple nor iam")),
        }
    }
}

/// Serves until Lambda ends the process. Settings are read while the instance starts; all that is wrong with them is
/// written to standard error, and the process fails.
pub fn run() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(), Error> {
    let lookup = |name: &str| std::env::var(name).ok();
    let form = Form::parse(lookup("LATCHKEY_AUTHORIZER_RESPONSE").as_deref());
    let (settings, form) = match (Settings::read(&lookup), form) {
        (Ok(settings), Ok(form)) => (settings, form),
        (settings, form) => {
            let mut problems = settings.err().unwrap_or_default();
            problems.extend(form.err());
            return Err(format!("the configuration has problems:\n  {}", problems.join("\n  ")).into());
        }
    };
    let tokio = lambda_tokio()?;
    tokio.block_on(async {
        let guard = Guard::new(settings, Arc::new(Client::new()));
        let guard = &guard;
        let serve = move |event: LambdaEvent<ApiGatewayV2CustomAuthorizerV2Request>| async move {
            let (answer, line) = authorize(&event.payload, guard, form, now()).await;
            println!("{line}");
            answer.map_err(Error::from)
        };
        Runtime::new(service_fn(serve)).run().await
    })
}

fn lambda_tokio() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// The answer to an event, and the line of the log. An error when it cannot be told whether the token is good: API
/// Gateway then lets nobody in.
pub async fn authorize(
    event: &ApiGatewayV2CustomAuthorizerV2Request,
    guard: &Guard,
    form: Form,
    now: Timestamp,
) -> (Result<Value, String>, Value) {
    let path = event.raw_path.as_deref().unwrap_or_default();
    let query = event.raw_query_string.as_deref().unwrap_or_default();
    let url = format!("{path}?{query}");
    let presented = Presented { method: &event.request_context.http.method, url: &url, headers: &event.headers };
    let outcome = guard.check(&presented, path, now).await;
    let id = event.request_context.request_id.as_deref().unwrap_or_default();
    let line = log_line(&presented, id, now, outcome.as_ref().map(Some));
    if let Err(Denial::Unavailable(_)) = outcome {
        return (Err("access tokens cannot be checked now".to_owned()), line);
    }
    let answer = match form {
        Form::Simple => simple(outcome.as_ref().ok()),
        Form::Iam => policy(outcome.as_ref().ok(), event.route_arn.as_deref().unwrap_or_default()),
    };
    (answer.map_err(|error| error.to_string()), line)
}

fn simple(access: Option<&Access>) -> serde_json::Result<Value> {
    let mut answer = ApiGatewayV2CustomAuthorizerSimpleResponse::default();
    answer.is_authorized = access.is_some();
    answer.context = Value::Object(access.map(context).unwrap_or_default());
    serde_json::to_value(answer)
}

fn policy(access: Option<&Access>, route: &str) -> serde_json::Result<Value> {
    let mut statement = IamPolicyStatement::default();
    statement.action = vec!["execute-api:Invoke".to_owned()];
    statement.effect = if access.is_some() { IamPolicyEffect::Allow } else { IamPolicyEffect::Deny };
    statement.resource = vec![route.to_owned()];
    let mut document = ApiGatewayCustomAuthorizerPolicy::default();
    document.version = Some("2012-10-17".to_owned());
    document.statement = vec![statement];
    let mut answer = ApiGatewayV2CustomAuthorizerIamPolicyResponse::default();
    answer.principal_id = Some(access.map_or("anonymous", |access| &access.claims.sub).to_owned());
    answer.policy_document = document;
    answer.context = Value::Object(access.map(context).unwrap_or_default());
    serde_json::to_value(answer)
}

/// What the API finds in `requestContext.authorizer.lambda`: text and numbers.
fn context(access: &Access) -> Map<String, Value> {
    let Claims { sub, client_id, scope, exp, others, .. } = &access.claims;
    let scope = scope.iter().collect::<Vec<_>>().join(" ");
    let mut context = Map::new();
    let plain = ["iss", "jti", "acr", "auth_time"].into_iter().filter_map(|name| Some((name, others.get(name)?)));
    context.extend(plain.map(|(name, value)| (name.to_owned(), value.clone())));
    for (name, value) in
        [("sub", json!(sub)), ("client_id", json!(client_id)), ("scope", json!(scope)), ("exp", json!(exp))]
    {
        context.insert(name.to_owned(), value);
    }
    context
}

#[allow(clippy::disallowed_methods, reason = "this is the platform's clock; Lambda has one")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
