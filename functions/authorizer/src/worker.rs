//! The gateway as a Cloudflare Worker, in front of an origin (`LATCHKEY_ORIGIN`) or of another Worker (service binding `API`).

use crate::authorization_server::AuthorizationServer;
use crate::gateway::{Gateway, GatewayDecision};
use http::{HeaderMap, StatusCode, header};
use latchkey_http::Response;
use platform::clock;
use platform::worker::{log_start, read_head, setting, write};
use resource_server::{DPOP_NONCE, Settings};
use serde_json::json;
use std::sync::{Arc, OnceLock};
use worker::wasm_bindgen::JsCast;
use worker::{Env, Fetch, Headers, RequestRedirect, event, web_sys};

/// Name of the service binding to the Worker behind the gateway.
const BINDING: &str = "API";

/// The first request makes it; it lives as long as the isolate.
static API: OnceLock<Api> = OnceLock::new();

struct Api {
    gateway: Gateway,
    /// Base URL of the API; `None` if it is behind the service binding.
    origin: Option<String>,
}

#[event(fetch)]
async fn fetch(request: worker::Request, env: Env, _: worker::Context) -> worker::Result<worker::Response> {
    let api = match api(&env) {
        Ok(api) => api,
        Err(problems) => return fault(StatusCode::INTERNAL_SERVER_ERROR, &problems.join("; ")),
    };
    let head = match read_head(&request) {
        Ok(head) => head,
        Err(error) => return fault(StatusCode::BAD_REQUEST, &error.reason),
    };
    let (decision, line) = api.gateway.decide(&head).await;
    worker::console_log!("{line}");
    match decision {
        GatewayDecision::Respond(answer) => write(answer),
        GatewayDecision::Forward { headers, dpop_nonce } => {
            let query = if head.query.is_empty() { String::new() } else { format!("?{}", head.query) };
            let target = format!("{}{query}", head.path);
            match forward(request.inner(), &target, &headers, api, &env).await {
                Ok(response) => with_nonce(response, dpop_nonce.as_deref()),
                Err(error) => fault(StatusCode::BAD_GATEWAY, &format!("the API does not answer: {error}")),
            }
        }
    }
}

/// Returns the instance's gateway. Errors: every problem of the settings.
fn api(env: &Env) -> Result<&'static Api, Vec<String>> {
    if let Some(api) = API.get() {
        return Ok(api);
    }
    log_start("authorizer");
    let lookup = |name: &str| setting(env, name);
    let origin = lookup("LATCHKEY_ORIGIN").map(|origin| origin.trim_end_matches('/').to_owned());
    let origin = origin.filter(|origin| !origin.is_empty());
    let mut problems = Vec::new();
    if origin.is_none() && env.service(BINDING).is_err() {
        problems
            .push(format!("LATCHKEY_ORIGIN: is not set, and there is no service binding {BINDING}; give one of them"));
    }
    match Settings::read(&lookup) {
        Ok(settings) if problems.is_empty() => {
            for warning in settings.warnings() {
                worker::console_warn!("{}", json!({ "function": "authorizer", "warning": warning }));
            }
            let gateway = Gateway::new(settings, Arc::new(AuthorizationServer::new()));
            Ok(API.get_or_init(|| Api { gateway, origin }))
        }
        settings => {
            problems.extend(settings.err().unwrap_or_default());
            Err(problems)
        }
    }
}

/// Forwards the request with these header fields. The bodies of request and response are streams, and are not read.
async fn forward(
    request: &web_sys::Request,
    target: &str,
    headers: &HeaderMap,
    api: &Api,
    env: &Env,
) -> worker::Result<worker::Response> {
    let url = match &api.origin {
        Some(origin) => format!("{origin}{target}"),
        None => request.url(),
    };
    // `new Request(url, request)` takes over method and body, without reading the body.
    let passed = web_sys::Request::new_with_str_and_init(&url, request.unchecked_ref())?;
    let fields = passed.headers();
    for (name, _) in Headers(request.headers()).entries() {
        fields.delete(&name)?;
    }
    for name in headers.keys() {
        // JavaScript expects each byte of a value as one character.
        let values = headers.get_all(name).iter().map(|value| value.as_bytes().iter().map(|byte| char::from(*byte)));
        for value in values {
            fields.append(name.as_str(), &value.collect::<String>())?;
        }
    }
    let init = web_sys::RequestInit::new();
    init.set_redirect(RequestRedirect::Manual.into());
    let passed = worker::Request::from(web_sys::Request::new_with_request_and_init(&passed, &init)?);
    match &api.origin {
        Some(_) => Fetch::Request(passed).send().await,
        None => worker::Response::try_from(env.service(BINDING)?.fetch_request(passed).await?),
    }
}

/// Adds the nonce for the client's next DPoP proof to a response of the API.
fn with_nonce(response: worker::Response, nonce: Option<&str>) -> worker::Result<worker::Response> {
    let Some(nonce) = nonce else { return Ok(response) };
    let fields = response.headers().clone();
    fields.set(DPOP_NONCE.as_str(), nonce)?;
    Ok(response.with_headers(fields))
}

/// Logs the reason of a fault, and tells the client the status alone.
fn fault(status: StatusCode, reason: &str) -> worker::Result<worker::Response> {
    let line = json!({ "at": clock::now().as_millis(), "function": "authorizer", "reason": reason });
    worker::console_error!("{line}");
    let code = if status == StatusCode::BAD_GATEWAY { "temporarily_unavailable" } else { "server_error" };
    write(Response::json(status, &json!({ "error": code })).with(header::CACHE_CONTROL, "no-store"))
}
