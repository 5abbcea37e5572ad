//! Cloudflare Workers: requests, responses and settings.

use crate::{PlatformError, clock, entropy, stream};
use http::{HeaderMap, HeaderValue, Method};
use latchkey_http::{MAX_BODY, Request, RequestLog, Response};
use std::net::IpAddr;
use worker::js_sys::{Number, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::{Env, Headers, ResponseBuilder};

/// A variable or a secret. wrangler.toml may have it as text or as a number.
pub fn setting(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env.as_ref(), &JsValue::from_str(name)).ok()?;
    // The platform writes a number shorter than Rust's printing of floats, which nothing else needs, would weigh.
    let number = || value.unchecked_ref::<Number>().to_string_with_radix(10).ok().map(String::from);
    let text = value.as_string().or_else(|| value.as_f64().and_then(|_| number()))?;
    (!text.trim().is_empty()).then_some(text)
}

/// The request, with no more of its body than is needed to see that it is too long.
pub async fn read(request: worker::Request) -> Result<Request, PlatformError> {
    let inner = request.inner();
    let (path, query) = target(&inner.url());
    let method = Method::from_bytes(inner.method().as_bytes()).map_err(PlatformError::new)?;
    let sent = inner.headers();
    let text = |name: &str| sent.get(name).ok().flatten();
    let headers = headers(text)?;
    let address = text("cf-connecting-ip").and_then(|address| address.parse::<IpAddr>().ok());
    let id = match text("cf-ray") {
        Some(ray) => ray,
        None => entropy::name()?,
    };
    let body = match inner.body() {
        Some(body) => stream::read(&body, MAX_BODY).await.map_err(|error| PlatformError::new(format!("{error:?}")))?,
        None => Vec::new(),
    };
    Ok(Request {
        method,
        path,
        query,
        headers,
        body: body.into(),
        address,
        received_at: clock::now(),
        id,
        log: RequestLog::default(),
    })
}

/// Path and query of a URL as the platform writes it: `scheme://host/path?query`.
fn target(url: &str) -> (String, String) {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let target = after_scheme.split_once('/').map_or("", |(_, target)| target);
    let target = target.split('#').next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (format!("/{path}"), query.to_owned())
}

/// The header fields that functions read, by the platform's lookup, which has joined those that were sent more than once.
/// To make a name of each field that is sent would weigh 5 KB, for `http` knows eighty by heart.
fn headers(text: impl Fn(&str) -> Option<String>) -> Result<HeaderMap, PlatformError> {
    let mut map = HeaderMap::new();
    for name in Request::FIELDS {
        let Some(value) = text(name.as_str()) else { continue };
        // What is no byte here is no part of what we read: a cookie of somebody else's, in whatever encoding.
        let value: Vec<u8> = value.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).collect();
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            map.try_append(name, value).map_err(PlatformError::new)?;
        }
    }
    Ok(map)
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
