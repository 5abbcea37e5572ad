//! API Gateway: HTTP requests become events of an HTTP API (payload format 2.0), and answers become HTTP responses.

use crate::{Emulator, Function};
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

/// The longest body that API Gateway accepts, in bytes.
const MOST_BYTES: usize = 10 << 20;
/// The longest request line and header values, together, that API Gateway accepts, in bytes.
const MOST_HEAD_BYTES: usize = 10_240;

/// Answers one HTTP request, as API Gateway does.
pub(crate) async fn serve(
    request: Request<Incoming>,
    peer: SocketAddr,
    emulator: Arc<Emulator>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (mut parts, body) = request.into_parts();
    // A handshake with a certificate of no CA of the truststore fails; there is no handshake here.
    let Some(certificate) = client_certificate(&mut parts.headers) else {
        return Ok(message(StatusCode::FORBIDDEN, "Forbidden"));
    };
    if head_length(&parts) > MOST_HEAD_BYTES {
        return Ok(message(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large"));
    }
    let Some(taken) = emulator.route(parts.method.as_str(), parts.uri.path()) else {
        return Ok(message(StatusCode::NOT_FOUND, "Not Found"));
    };
    let Ok(body) = Limited::new(body, MOST_BYTES).collect().await else {
        return Ok(message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"));
    };
    // In a task of its own, because Lambda finishes a run whose client has gone.
    let answer = tokio::spawn(async move {
        let mut event = event(&taken.key, &parts, &body.to_bytes(), peer)?;
        if let Some(certificate) = certificate {
            event["requestContext"]["authentication"] = json!({ "clientCert": certificate });
        }
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

/// The header field in which a test names the certificate of the TLS connection, as a Byte Sequence (RFC 9440 §2.1).
const CERTIFICATE: HeaderName = HeaderName::from_static("latchkey-test-certificate");
/// The header field in which a test says if the truststore has the CA of the certificate.
const CHAIN: HeaderName = HeaderName::from_static("latchkey-test-certificate-chain");

/// Takes the certificate of the TLS connection, in place of a custom domain with mutual TLS. Returns `None` if the truststore lacks its CA.
fn client_certificate(headers: &mut HeaderMap) -> Option<Option<Value>> {
    let (certificate, chain) = (headers.remove(CERTIFICATE), headers.remove(CHAIN));
    let Some(certificate) = certificate else { return Some(None) };
    if chain.is_none_or(|chain| chain != "verified") {
        return None;
    }
    let base64 = certificate.to_str().ok()?.trim_matches(':').to_owned();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
    Some(Some(json!({
        "clientCertPem": pem,
        "subjectDN": "CN=from the test",
        "issuerDN": "CN=Latchkey development CA",
        "serialNumber": "01",
        "validity": { "notBefore": "Jan  1 00:00:00 1975 GMT", "notAfter": "Jan  1 00:00:00 4096 GMT" },
    })))
}

/// Asks the authorizer. Returns the context that it gives, or the response of API Gateway: 401 without a token, 403 when
/// the authorizer denies access. A failure of the authorizer is an error, which becomes 500.
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
    let is_authorized = answer["isAuthorized"].as_bool().context("the authorizer did not give a simple response")?;
    let forbidden = || message(StatusCode::FORBIDDEN, "Forbidden");
    Ok(if is_authorized { Ok(answer["context"].clone()) } else { Err(forbidden()) })
}

/// Returns the event of a request. `key` is the key of its route.
pub(crate) fn event(key: &str, parts: &hyper::http::request::Parts, body: &[u8], peer: SocketAddr) -> Result<Value> {
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
            "requestId": crate::random_id()?,
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

/// Returns the header fields, with repeated fields joined by commas, and the cookies apart from them.
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

/// Decodes the escapes of the path once, as an HTTP API does.
fn decoded(path: &str) -> String {
    // `+` is no space in a path.
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

/// Returns the HTTP response that the answer of a function describes.
pub(crate) fn response(answer: &[u8]) -> Result<Response<Full<Bytes>>> {
    let answer: Value = serde_json::from_slice(answer).context("the function's answer")?;
    let status = answer["statusCode"].as_u64().context("the answer has no statusCode")?;
    let body = answer["body"].as_str().unwrap_or_default();
    let body = if answer["isBase64Encoded"] == true { BASE64_STANDARD.decode(body)? } else { body.as_bytes().to_vec() };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(u16::try_from(status)?)?;
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().context("a header is not a string")?;
        response.headers_mut().insert(name.parse::<HeaderName>()?, HeaderValue::from_bytes(value.as_bytes())?);
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        let cookie = cookie.as_str().context("a cookie is not a string")?;
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

/// Returns the event of a form that is posted to a path.
pub fn form_event(path: &str, form: &str) -> Result<String> {
    let request =
        Request::post(path).header("host", "localhost").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let (parts, ()) = request.body(())?.into_parts();
    let event = event(&format!("ANY {path}"), &parts, form.as_bytes(), SocketAddr::from(([127, 0, 0, 1], 1)))?;
    Ok(event.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event_of(request: Request<()>, body: &[u8]) -> Value {
        let (parts, ()) = request.into_parts();
        event("ANY /x", &parts, body, SocketAddr::from(([192, 0, 2, 1], 1))).unwrap()
    }

    #[test]
    fn a_request_becomes_an_event() {
        let request = Request::get("/a%20b?x=1&x=2&y=%26")
            .header("accept", "a")
            .header("accept", "b")
            .header("cookie", "one=1; two=2")
            .header("x-forwarded-for", "203.0.113.9");
        let event = event_of(request.body(()).unwrap(), b"");
        assert_eq!(event["rawPath"], "/a b");
        assert_eq!(event["rawQueryString"], "x=1&x=2&y=%26");
        assert_eq!(event["queryStringParameters"], json!({ "x": "1,2", "y": "&" }));
        assert_eq!(event["headers"]["accept"], "a,b");
        assert_eq!(event["headers"]["x-forwarded-for"], "203.0.113.9, 192.0.2.1");
        assert_eq!(event["cookies"], json!(["one=1", "two=2"]));
        assert_eq!(event["requestContext"]["http"]["sourceIp"], "192.0.2.1");
        assert_eq!((event["isBase64Encoded"].as_bool(), event.get("body")), (Some(false), None));
    }

    #[test]
    fn forms_are_base64_and_json_is_text() {
        let form: Value = serde_json::from_str(&form_event("/token", "a=b").unwrap()).unwrap();
        assert_eq!((form["isBase64Encoded"].as_bool(), form["body"].as_str()), (Some(true), Some("YT1i")));
        let request = Request::post("/").header("content-type", "application/json; charset=utf-8");
        let event = event_of(request.body(()).unwrap(), b"{}");
        assert_eq!((event["isBase64Encoded"].as_bool(), event["body"].as_str()), (Some(false), Some("{}")));
    }

    #[test]
    fn an_answer_becomes_a_response() {
        let answer = json!({
            "statusCode": 302,
            "headers": { "location": "/next" },
            "cookies": ["a=1", "b=2"],
            "isBase64Encoded": true,
            "body": "aGk=",
        });
        let response = response(answer.to_string().as_bytes()).unwrap();
        assert_eq!(response.status(), 302);
        assert_eq!(response.headers()["location"], "/next");
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
        assert!(super::response(b"{}").is_err());
    }
}
