//! The sample API behind API Gateway and its Lambda authorizer. API Gateway can serve no document of its own, so the API
//! serves its metadata (RFC 9728) too, on a route without the authorizer.

use crate::Caller;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpRequestContext, ApiGatewayV2httpResponse};
use http::Response;
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use resource_server::Settings;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Serves until Lambda ends the process.
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
    let settings = Settings::read(&|name| std::env::var(name).ok()).map_err(|problems| problems.join("\n"))?;
    let settings = &settings;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let serve = move |event: LambdaEvent<ApiGatewayV2httpRequest>| async move {
            let response = respond(&event.payload, settings);
            println!("{}", log_line(&event.payload.request_context, &response));
            Ok::<_, Error>(answer(response))
        };
        Runtime::new(service_fn(serve)).run().await
    })
}

fn respond(event: &ApiGatewayV2httpRequest, settings: &Settings) -> Response<String> {
    if event.raw_path.as_deref() == Some(&settings.metadata_path) {
        return settings.metadata.respond(&event.request_context.http.method);
    }
    let length = event.body.as_ref().map_or(0, String::len);
    let length =
        if event.is_base64_encoded { decoded_length(event.body.as_deref().unwrap_or_default()) } else { length };
    crate::respond(&event.request_context.http.method, &event.headers, &caller(&event.request_context), length)
}

/// As the authorizer said.
fn caller(context: &ApiGatewayV2httpRequestContext) -> Caller {
    let text = |name: &str| {
        let said = context.authorizer.as_ref().and_then(|authorizer| authorizer.fields.get(name));
        said.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    Caller { subject: text("sub"), client: text("client_id"), scope: text("scope") }
}

fn decoded_length(base64: &str) -> usize {
    let digits = base64.trim_end_matches('=').len();
    digits.saturating_mul(3).div_euclid(4)
}

fn log_line(context: &ApiGatewayV2httpRequestContext, response: &Response<String>) -> Value {
    json!({
        "at": context.time_epoch,
        "request": context.request_id,
        "function": "demo-api",
        "method": context.http.method.as_str(),
        "status": response.status().as_u16(),
        "client": caller(context).client,
    })
}

fn answer(response: Response<String>) -> ApiGatewayV2httpResponse {
    let (head, body) = response.into_parts();
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = i64::from(head.status.as_u16());
    answer.headers = head.headers;
    answer.body = Some(body.into());
    answer
}
