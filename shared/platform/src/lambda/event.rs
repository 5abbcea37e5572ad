//! Events of an API Gateway HTTP API (payload format 2.0) as requests, and responses as its answers.
//!
//! `lambda_http` builds a URL from the event, and panics where that URL does not parse: API Gateway hands over the path
//! already decoded. Hence these types.

use crate::PlatformError;
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use latchkey_http::{CertificateChain, ClientCertificate, Forwarded, ProxyFields, Request, RequestLog, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;
use types::Timestamp;

/// Maximum age of the event's time by the machine's clock. An older one is not used.
const MAX_DELAY: Duration = Duration::from_secs(30);

/// The event: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    #[serde(default)]
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    request_context: EventContext,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    /// Of an event for an authorizer alone.
    route_arn: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventContext {
    /// Of a custom domain with mutual TLS alone.
    authentication: Option<Authentication>,
    authorizer: Option<Authorizer>,
    http: Http,
    #[serde(default)]
    request_id: String,
    #[serde(default)]
    time_epoch: u64,
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mutual-tls.html>.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authentication {
    client_cert: Option<EventCertificate>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventCertificate {
    client_cert_pem: String,
}

impl Authentication {
    /// Returns the certificate. API Gateway ends a handshake whose certificate leads to no trust anchor of the truststore.
    fn into_certificate(self) -> Option<ClientCertificate> {
        ClientCertificate::from_pem(&self.client_cert?.client_cert_pem, CertificateChain::Verified)
    }
}

#[derive(Debug, Deserialize)]
struct Authorizer {
    /// The context that a Lambda authorizer returned.
    lambda: Option<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    #[serde(default)]
    source_ip: String,
}

impl Event {
    /// Takes the context that a Lambda authorizer returned for the request; it is empty if there is none.
    pub(super) fn take_authorizer_context(&mut self) -> Map<String, Value> {
        let authorizer = self.request_context.authorizer.take();
        authorizer.and_then(|authorizer| authorizer.lambda).unwrap_or_default()
    }

    /// Returns the request. Of a body longer than `body_limit` bytes it decodes only enough to show that. `proxy` names the
    /// header fields of a trusted proxy. API Gateway writes the names of fields in lower case.
    pub(super) fn into_request(
        self,
        now: Timestamp,
        body_limit: usize,
        proxy: Option<ProxyFields<'_>>,
    ) -> Result<Request, PlatformError> {
        let context = self.request_context;
        let method = Method::from_bytes(context.http.method.as_bytes())
            .map_err(|_| PlatformError::new("the event's method is not a valid HTTP method"))?;
        let body = self.body.unwrap_or_default();
        let body = if self.is_base64_encoded { decode(&body, body_limit)? } else { Bytes::from(body) };
        let forwarded = Forwarded::read(proxy, |name| self.headers.get(name).cloned());
        Ok(Request {
            method,
            path: encode_path(&self.raw_path),
            query: self.raw_query_string,
            headers: headers(self.headers, &self.cookies),
            body,
            address: context.http.source_ip.parse().ok(),
            place: None,
            certificate: context.authentication.and_then(Authentication::into_certificate),
            forwarded,
            received_at: received_at(Timestamp::from_millis(context.time_epoch), now),
            id: context.request_id.into(),
            log: RequestLog::default(),
        })
    }
}

/// An event for an authorizer (payload format 2.0):
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct AuthorizerEvent(Event);

impl AuthorizerEvent {
    /// Returns the request, which has no body, and the ARN of its route.
    pub fn into_request(mut self, now: Timestamp) -> Result<(Request, String), PlatformError> {
        let route = self.0.route_arn.take().unwrap_or_default();
        Ok((self.0.into_request(now, 0, None)?, route))
    }
}

/// Returns the time at which API Gateway received the request, which includes the wait for a cold start. The machine's clock
/// decides if the two differ by more than such a wait.
fn received_at(said: Timestamp, now: Timestamp) -> Timestamp {
    if said <= now && now.since(said) <= MAX_DELAY { said } else { now }
}

fn headers(fields: BTreeMap<String, String>, cookies: &[String]) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(fields.len().saturating_add(1));
    for (name, value) in fields {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        {
            headers.append(name, value);
        }
    }
    if !cookies.is_empty() {
        headers.remove(header::COOKIE);
    }
    // One field for each cookie: a cookie that no field can hold removes no other.
    for cookie in cookies.iter().filter_map(|cookie| HeaderValue::from_bytes(cookie.as_bytes()).ok()) {
        headers.append(header::COOKIE, cookie);
    }
    headers
}

fn decode(body: &str, limit: usize) -> Result<Bytes, PlatformError> {
    // Whole groups of four characters, which hold at least one byte more than the limit.
    let most = limit.div_euclid(3).saturating_add(1).saturating_mul(4);
    let body = body.as_bytes();
    let (start, _) = body.split_at_checked(most).unwrap_or((body, &[]));
    let decoded =
        BASE64_STANDARD.decode(start).map_err(|_| PlatformError::new("the event's body is not valid base64"))?;
    Ok(Bytes::from(decoded))
}

/// Returns the path as in a URL: percent-encodes each byte that a URL's path cannot hold, and keeps all others.
fn encode_path(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [byte, after @ ..] = rest {
        let byte = *byte;
        rest = after;
        let escape = || matches!(after, [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => encoded.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' => encoded.push(char::from(byte)),
            b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@' | b'/' => encoded.push(char::from(byte)),
            b'%' if escape() => encoded.push('%'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The answer to an event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    status_code: u16,
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    body: String,
    is_base64_encoded: bool,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        let mut cookies = Vec::new();
        for (name, value) in &response.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            if name == header::SET_COOKIE {
                cookies.push(value.into_owned());
            } else {
                headers
                    .entry(name.as_str().to_owned())
                    .and_modify(|joined| {
                        joined.push_str(", ");
                        joined.push_str(&value);
                    })
                    .or_insert_with(|| value.clone().into_owned());
            }
        }
        let (body, is_base64_encoded) = match String::from_utf8(response.body) {
            Ok(text) => (text, false),
            Err(binary) => (BASE64_STANDARD.encode(binary.as_bytes()), true),
        };
        Self { status_code: response.status.as_u16(), headers, cookies, body, is_base64_encoded }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const PROXY: Option<ProxyFields<'_>> =
        Some(ProxyFields { address: "x-address", certificate: Some("x-certificate") });

    fn event(json: serde_json::Value) -> Request {
        serde_json::from_value::<Event>(json).unwrap().into_request(NOW, 8, PROXY).unwrap()
    }

    #[test]
    fn a_request_keeps_what_was_sent() {
        let request = event(serde_json::json!({
            "version": "2.0",
            "rawPath": "/admin/users/a b?ü%41%",
            "rawQueryString": "a=1&a=%20&b",
            "cookies": ["one=1", "two=2"],
            "headers": { "host": "id.example", "x-list": "a,b", "x-bad\n": "x" },
            "requestContext": {
                "http": { "method": "POST", "path": "/", "sourceIp": "2001:db8::1" },
                "requestId": "r1",
                "timeEpoch": NOW.as_millis() - 29_000,
            },
            "body": "YT1iJmM=",
            "isBase64Encoded": true,
        }));
        assert_eq!(request.path, "/admin/users/a%20b%3F%C3%BC%41%25");
        assert_eq!(request.query, "a=1&a=%20&b");
        assert_eq!(request.cookie("two"), Some("2"));
        assert_eq!(request.headers.len(), 4);
        assert_eq!(request.body, "a=b&c");
        assert_eq!(request.address, Some("2001:db8::1".parse().unwrap()));
        assert_eq!(request.received_at.as_millis(), NOW.as_millis() - 29_000);
        assert_eq!(request.id.as_str(), "r1");
    }

    #[test]
    fn a_strange_cookie_hides_no_other() {
        for strange in ["city=M\u{fc}nchen", "city=M\u{fffd}nchen", "city=\u{1}", ""] {
            let context = serde_json::json!({ "http": { "method": "GET" } });
            let apart = serde_json::json!({ "cookies": ["one=1", strange, "two=2"], "requestContext": context });
            assert_eq!(event(apart).cookie("two"), Some("2"), "{strange:?}");
        }
        let field = serde_json::json!({
            "headers": { "cookie": "one=1; city=M\u{fc}nchen; two=2" },
            "requestContext": { "http": { "method": "GET" } },
        });
        assert_eq!(event(field).cookie("two"), Some("2"));
    }

    #[test]
    fn a_clock_that_cannot_be_right_is_not_used() {
        for said in [0, NOW.as_millis() - 31_000, NOW.as_millis() + 1] {
            assert_eq!(received_at(Timestamp::from_millis(said), NOW), NOW);
        }
    }

    #[test]
    fn a_long_body_is_decoded_just_beyond_the_limit() {
        for length in [8, 9, 10, 100_000] {
            let body = decode(&BASE64_STANDARD.encode(vec![b'x'; length]), 8).unwrap();
            assert_eq!(body.len() > 8, length > 8);
            assert!(body.len() < 16);
        }
    }

    #[test]
    fn the_certificate_is_that_of_the_context() {
        let pem = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n";
        let of = |authentication: serde_json::Value| {
            event(serde_json::json!({
                "headers": { "client-cert": ":AAEC:", "x-certificate": ":AAEC:", "x-amzn-mtls-clientcert": pem },
                "requestContext": { "http": { "method": "GET" }, "authentication": authentication },
            }))
        };
        let expected = ClientCertificate::new(vec![0, 1, 2], CertificateChain::Verified);
        let members = serde_json::json!({ "clientCert": { "clientCertPem": pem, "subjectDN": "CN=x" } });
        assert_eq!(of(members).certificate, Some(expected));
        for none in [
            serde_json::json!(null),
            serde_json::json!({}),
            serde_json::json!({ "clientCert": null }),
            serde_json::json!({ "clientCert": { "clientCertPem": "" } }),
        ] {
            let request = of(none);
            assert_eq!(request.certificate, None);
            assert_eq!(request.forwarded.certificate.as_deref(), Some(":AAEC:"));
        }
    }

    #[test]
    fn the_context_of_an_authorizer_is_taken() {
        let mut event: Event = serde_json::from_value(serde_json::json!({
            "requestContext": { "http": { "method": "GET" }, "authorizer": { "lambda": { "sub": "ada" } } },
        }))
        .unwrap();
        assert_eq!(Value::Object(event.take_authorizer_context()), serde_json::json!({ "sub": "ada" }));
        for authorizer in
            [serde_json::json!(null), serde_json::json!({ "jwt": {} }), serde_json::json!({ "lambda": null })]
        {
            let context = serde_json::json!({ "http": { "method": "GET" }, "authorizer": authorizer });
            let event = serde_json::from_value::<Event>(serde_json::json!({ "requestContext": context }));
            assert!(event.unwrap().take_authorizer_context().is_empty());
        }
    }

    #[test]
    fn an_answer_repeats_cookies_and_joins_the_rest() {
        let response = Response::new(StatusCode::OK)
            .with(header::SET_COOKIE, "a=1")
            .with(header::SET_COOKIE, "b=2")
            .with(header::VARY, "origin")
            .with(header::VARY, "accept")
            .with_body("text");
        assert_eq!(
            serde_json::to_value(Answer::from(response)).unwrap(),
            serde_json::json!({
                "statusCode": 200,
                "headers": { "vary": "origin, accept" },
                "cookies": ["a=1", "b=2"],
                "body": "text",
                "isBase64Encoded": false,
            })
        );
        let binary = Answer::from(Response::new(StatusCode::OK).with_body(vec![0xff]));
        assert_eq!((binary.body.as_str(), binary.is_base64_encoded), ("/w==", true));
    }
}
