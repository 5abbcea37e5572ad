//! API Gateway: HTTP requests as events of an HTTP API (payload format 2.0), and answers as HTTP responses.

use super::Emulator;
use super::function::Function;
use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, SET_COOKIE, USER_AGENT};
use hyper::{HeaderMap, Request, Response, StatusCode};
use serde_json::{Map, Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

/// The most that API Gateway takes in a body.
const MOST_BYTES: usize = 10 << 20;
/// The most that it takes in the request line and all header values together.
const MOST_HEAD_BYTES: usize = 10_240;

/// Answers one HTTP request, as API Gateway does.
pub(super) async fn serve(
    request: Request<Incoming>,
    peer: SocketAddr,
    emulator: Arc<Emulator>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    if head_length(&parts) > MOST_HEAD_BYTES {
        return Ok(message(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large"));
    }
    let Some(taken) = emulator.route(parts.method.as_str(), parts.uri.path()) else {
        return Ok(message(StatusCode::NOT_FOUND, "Not Found"));
    };
    let Ok(body) = Limited::new(body, MOST_BYTES).collect().await else {
        return Ok(message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"));
    };
    // On its own: Lambda finishes what a client no longer waits for.
    let answer = tokio::spawn(async move {
        let mut event = event(&taken.key, &parts, &body.to_bytes(), peer)?;
        if let Some(authorizer) = &taken.authorizer {
            match authorize(authorizer, &event).await? {
                Ok(context) => event["requestContext"]["authorizer"] = json!({ "lambda": context }),
                Err(refusal) => return Ok(refusal),
            }
        }
        response(&taken.function.invoke(Bytes::from(event.to_string())).await?)
    });
    Ok(answer.await.map_err(anyhow::Error::new).flatten().unwrap_or_else(|error| {
        eprintln!("  {error:#}");
        message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    }))
}

fn head_length(parts: &hyper::http::request::Parts) -> usize {
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let line = [parts.method.as_str(), target, "  HTTP/1.1"].map(str::len);
    line.into_iter().chain(parts.headers.values().map(HeaderValue::len)).sum()
}

/// What the authorizer says of the caller, or the answer of API Gateway that keeps it out: 401 without a token, 403
/// when the authorizer says no. When it fails, the answer is 500.
async fn authorize(authorizer: &Function, event: &Value) -> Result<Result<Value, Response<Full<Bytes>>>> {
    let Some(token) = event["headers"]["authorization"].as_str().filter(|token| !token.is_empty()) else {
        return Ok(Err(message(StatusCode::UNAUTHORIZED, "Unauthorized")));
    };
    let mut asked = event.clone();
    let method = event["requestContext"]["http"]["method"].as_str().unwrap_or_default();
    let path = event["rawPath"].as_str().unwrap_or_default();
    let route = format!("arn:aws:execute-api:us-east-1:000000000000:emulator/$default/{method}{path}");
    let fields = asked.as_object_mut().context("an event is an object")?;
    fields.remove("body");
    fields.remove("isBase64Encoded");
    fields.insert("type".to_owned(), json!("REQUEST"));
    fields.insert("routeArn".to_owned(), json!(route));
    fields.insert("identitySource".to_owned(), json!([token]));
    let answer = authorizer.invoke(Bytes::from(asked.to_string())).await?;
    let answer: Value = serde_json::from_slice(&answer).context("the authorizer's answer")?;
    let is_authorized = answer["isAuthorized"].as_bool().context("the authorizer's answer is no simple one")?;
    let forbidden = || message(StatusCode::FORBIDDEN, "Forbidden");
    Ok(if is_authorized { Ok(answer["context"].clone()) } else { Err(forbidden()) })
}

/// The event of a request. `key` is the key of the route that it takes.
pub(super) fn event(key: &str, parts: &hyper::http::request::Parts, body: &[u8], peer: SocketAddr) -> Result<Value> {
    let (headers, cookies) = headers(&parts.headers, peer);
    let path = decoded(parts.uri.path());
    let query = parts.uri.query().unwrap_or_default();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let text = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(is_text);
    let text = if text { std::str::from_utf8(body).ok() } else { None };
    let mut event = json!({
        "version": "2.0",
        "routeKey": key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "emulator",
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": peer.ip().to_string(),
                "userAgent": parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default(),
            },
            "requestId": super::random_id()?,
            "routeKey": key,
            "stage": "$default",
            "timeEpoch": u64::try_from(now.as_millis())?,
        },
        "isBase64Encoded": text.is_none() && !body.is_empty(),
    });
    let fields = event.as_object_mut().context("an event is an object")?;
    if !cookies.is_empty() {
        fields.insert("cookies".to_owned(), json!(cookies));
    }
    if !query.is_empty() {
        fields.insert("queryStringParameters".to_owned(), parameters(query));
    }
    if !body.is_empty() {
        fields.insert("body".to_owned(), json!(text.map_or_else(|| BASE64_STANDARD.encode(body), str::to_owned)));
    }
    Ok(event)
}

/// Names in lower case, repeated fields joined by commas, cookies apart.
fn headers(sent: &HeaderMap, peer: SocketAddr) -> (Map<String, Value>, Vec<String>) {
    let mut joined = Map::new();
    let mut cookies = Vec::new();
    for name in sent.keys() {
        let values = sent.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        if name == COOKIE {
            cookies.extend(
                values.flat_map(|value| value.split(';').map(|pair| pair.trim().to_owned()).collect::<Vec<_>>()),
            );
        } else {
            joined.insert(name.as_str().to_owned(), json!(values.collect::<Vec<_>>().join(",")));
        }
    }
    let forwarded =
        joined.get("x-forwarded-for").and_then(Value::as_str).map(|before| format!("{before}, {}", peer.ip()));
    joined.insert("x-forwarded-for".to_owned(), json!(forwarded.unwrap_or_else(|| peer.ip().to_string())));
    joined.insert("x-forwarded-port".to_owned(), json!("443"));
    joined.insert("x-forwarded-proto".to_owned(), json!("https"));
    (joined, cookies)
}

fn is_text(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.starts_with("text/")
        || ["application/json", "application/xml", "application/javascript"].contains(&essence.as_str())
}

/// The path with its escapes undone once, as an HTTP API hands it over.
fn decoded(path: &str) -> String {
    // `+` stands for itself in a path.
    let path = path.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(path.as_bytes()).map(|(name, _)| name.into_owned()).collect()
}

fn parameters(query: &str) -> Value {
    let mut parameters: Map<String, Value> = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let joined = match parameters.get(name.as_ref()).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value.into_owned(),
        };
        parameters.insert(name.into_owned(), Value::String(joined));
    }
    Value::Object(parameters)
}

/// The HTTP response that a function's answer asks for.
pub(super) fn response(answer: &[u8]) -> Result<Response<Full<Bytes>>> {
    let answer: Value = serde_json::from_slice(answer).context("the function's answer")?;
    let status = answer["statusCode"].as_u64().context("the answer has no status")?;
    let body = answer["body"].as_str().unwrap_or_default();
    let body = if answer["isBase64Encoded"] == true { BASE64_STANDARD.decode(body)? } else { body.as_bytes().to_vec() };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(u16::try_from(status)?)?;
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().context("a header is no text")?;
        response.headers_mut().insert(name.parse::<HeaderName>()?, HeaderValue::from_bytes(value.as_bytes())?);
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        let cookie = cookie.as_str().context("a cookie is no text")?;
        response.headers_mut().append(SET_COOKIE, HeaderValue::from_bytes(cookie.as_bytes())?);
    }
    Ok(response)
}

fn message(status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(json!({ "message": message }).to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The event of a form sent to a path.
pub(crate) fn form_event(path: &str, form: &str) -> Result<String> {
    let request =
        Request::post(path).header("host", "localhost").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let (parts, ()) = request.body(())?.into_parts();
    let event = event(&format!("ANY {path}"), &parts, form.as_bytes(), SocketAddr::from(([127, 0, 0, 1], 1)))?;
    Ok(event.to_string())
}
