//! Cloudflare Workers: requests, responses, settings and calls of other Workers.

pub use crate::service::Service;

use crate::{PlatformError, clock, entropy, stream, version};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use latchkey_http::{
    CertificateChain, ClientCertificate, Forwarded, MAX_BODY, ProxyFields, Request, RequestId, RequestLog, Response,
};
use std::net::IpAddr;
use std::sync::Once;
use worker::js_sys::{Function, Number, Object, Promise, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, Headers, ResponseBuilder, web_sys};

/// Runs once in each isolate.
static START: Once = Once::new();

/// Logs the version of the function with the first call in an isolate. Later calls do nothing.
pub fn log_start(function: &str) {
    START.call_once(|| worker::console_log!("{}", version::start_line(function, clock::now())));
}

/// Returns a variable or a secret that is not blank. wrangler.toml may hold it as text or as a number.
pub fn setting(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env.as_ref(), &JsValue::from_str(name)).ok()?;
    // The platform writes the number: Rust's code that prints floats would make each Worker larger.
    let number = || value.unchecked_ref::<Number>().to_string_with_radix(10).ok().map(String::from);
    let text = value.as_string().or_else(|| value.as_f64().and_then(|_| number()))?;
    (!text.trim().is_empty()).then_some(text)
}

/// Returns the request with the header fields of [`Request::FIELDS`]. A body is read up to one byte or chunk beyond the
/// limit, which shows that it is too long. `proxy` names the header fields of a trusted proxy.
pub async fn read(request: worker::Request, proxy: Option<ProxyFields<'_>>) -> Result<Request, PlatformError> {
    let sent = request.inner().headers();
    let headers = known_headers(|name| sent.get(name).ok().flatten())?;
    let body = read_body(&request, MAX_BODY).await?;
    let forwarded = Forwarded::read(proxy, |name| sent.get(name).ok().flatten());
    Ok(Request { body: body.into(), forwarded, ..head(request.inner(), headers)? })
}

/// Returns the request with all its header fields, and without its body.
pub fn read_head(request: &worker::Request) -> Result<Request, PlatformError> {
    head(request.inner(), all_headers(request.headers()))
}

/// Counts a request in the rate limit of a binding, by a key. True if the limit allows the request; also without such a binding,
/// and if the platform fails: this limit comes before those of the functions, which count exactly.
pub async fn is_within_limit(env: &Env, binding: &str, key: &str) -> bool {
    let outcome = async {
        let limiter = Reflect::get(env.as_ref(), &JsValue::from_str(binding)).ok().filter(JsValue::is_object)?;
        let options = Object::new();
        Reflect::set(&options, &JsValue::from_str("key"), &JsValue::from_str(key)).ok()?;
        let limit: Function = Reflect::get(&limiter, &JsValue::from_str("limit")).ok()?.dyn_into().ok()?;
        let outcome: Promise = limit.call1(&limiter, &options).ok()?.dyn_into().ok()?;
        let outcome = JsFuture::from(outcome).await.ok()?;
        Reflect::get(&outcome, &JsValue::from_str("success")).ok()?.as_bool()
    };
    outcome.await.unwrap_or(true)
}

/// Reads a body up to its end, or until it is longer than `limit` bytes.
pub async fn read_body(request: &worker::Request, limit: usize) -> Result<Vec<u8>, PlatformError> {
    match request.inner().body() {
        Some(body) => stream::read(&body, limit).await.map_err(|error| PlatformError::new(format!("{error:?}"))),
        None => Ok(Vec::new()),
    }
}

fn head(inner: &web_sys::Request, headers: HeaderMap) -> Result<Request, PlatformError> {
    let (path, query) = target(&inner.url());
    let method = Method::from_bytes(inner.method().as_bytes()).map_err(PlatformError::new)?;
    let sent = inner.headers();
    let text = |name: &str| sent.get(name).ok().flatten();
    let address = text("cf-connecting-ip").and_then(|address| address.parse::<IpAddr>().ok());
    let id = match text("cf-ray") {
        Some(ray) => RequestId::from(ray),
        None => entropy::name()?.into(),
    };
    Ok(Request {
        method,
        path,
        query,
        headers,
        body: Bytes::new(),
        address,
        place: place(inner),
        certificate: certificate(inner),
        forwarded: Forwarded::default(),
        received_at: clock::now(),
        id,
        log: RequestLog::default(),
    })
}

/// Returns a member of a JavaScript value that is an object.
fn object(of: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(of, &JsValue::from_str(name)).ok().filter(JsValue::is_object)
}

/// Returns a member of a JavaScript value that is text, and not empty.
fn text(of: &JsValue, name: &str) -> Option<String> {
    Reflect::get(of, &JsValue::from_str(name)).ok()?.as_string().filter(|text| !text.is_empty())
}

/// Returns the certificate of the client's TLS connection, as the platform tells it: all members of `tlsClientAuth` are texts, and a
/// certificate that is not presented, or that leads to no CA, has texts, too:
/// <https://developers.cloudflare.com/ssl/client-certificates/client-certificate-variables/>.
fn certificate(inner: &web_sys::Request) -> Option<ClientCertificate> {
    let of_client = object(&object(inner, "cf")?, "tlsClientAuth")?;
    let has = |name: &str, value: &str| text(&of_client, name).as_deref() == Some(value);
    let is_verified = has("certVerified", "SUCCESS") && !has("certRevoked", "1");
    let chain = if is_verified { CertificateChain::Verified } else { CertificateChain::Unverified };
    let field = text(&of_client, "certRFC9440").filter(|_| has("certPresented", "1"))?;
    ClientCertificate::from_byte_sequence(&field, chain)
}

/// Returns city and country of the client, as the platform knows them.
fn place(inner: &web_sys::Request) -> Option<String> {
    let cf = object(inner, "cf")?;
    let text = |name: &str| text(&cf, name);
    Some(match (text("city"), text("country")) {
        (Some(city), Some(country)) => format!("{city}, {country}"),
        (city, country) => city.or(country)?,
    })
}

/// Splits a URL as the platform writes it into path and query: `scheme://host/path?query`.
fn target(url: &str) -> (String, String) {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let target = after_scheme.split_once('/').map_or("", |(_, target)| target);
    let target = target.split('#').next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (format!("/{path}"), query.to_owned())
}

/// Returns the header fields that functions read, by the platform's lookup, which joins the values of a repeated field. A
/// Worker that makes a `HeaderName` of each field is 5 KB larger, because `http` knows eighty names.
fn known_headers(text: impl Fn(&str) -> Option<String>) -> Result<HeaderMap, PlatformError> {
    let mut map = HeaderMap::new();
    for name in Request::FIELDS {
        if let Some(value) = text(name.as_str()).and_then(|value| value_of(&value)) {
            map.try_append(name, value).map_err(PlatformError::new)?;
        }
    }
    Ok(map)
}

/// Returns all header fields. The platform joins the values of a repeated field.
pub fn all_headers(headers: &Headers) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers.entries() {
        if let (Ok(name), Some(value)) = (HeaderName::from_bytes(name.as_bytes()), value_of(&value)) {
            map.append(name, value);
        }
    }
    map
}

/// Returns a value as sent. JavaScript gives each byte as one character; any other character becomes `?`, because other
/// hosts of the domain can set cookies in any encoding.
fn value_of(value: &str) -> Option<HeaderValue> {
    let bytes: Vec<u8> = value.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).collect();
    HeaderValue::from_bytes(&bytes).ok()
}

/// Writes a response as the platform sends it.
pub fn write(response: Response) -> worker::Result<worker::Response> {
    let headers = Headers::new();
    for (name, value) in &response.headers {
        if let Ok(value) = value.to_str() {
            headers.append(name.as_str(), value)?;
        }
    }
    let builder = ResponseBuilder::new().with_status(response.status.as_u16()).with_headers(headers);
    Ok(if response.body.is_empty() { builder.empty() } else { builder.fixed(response.body) })
}
