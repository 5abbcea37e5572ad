//! The sample API as a Cloudflare Worker without a route: only the gateway's service binding reaches it.

use crate::{Caller, respond};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use worker::{Env, Headers, ResponseBuilder, event};

#[event(fetch)]
async fn fetch(mut request: worker::Request, _: Env, _: worker::Context) -> worker::Result<worker::Response> {
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers().entries() {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            headers.append(name, value);
        }
    }
    let method = Method::from_bytes(request.inner().method().as_bytes()).unwrap_or_default();
    let length = if request.inner().body().is_some() { request.bytes().await?.len() } else { 0 };
    let response = respond(&method, &headers, &Caller::of_headers(&headers), length);
    let fields = Headers::new();
    for (name, value) in response.headers() {
        fields.set(name.as_str(), value.to_str().unwrap_or_default())?;
    }
    let builder = ResponseBuilder::new().with_status(response.status().as_u16()).with_headers(fields);
    let body = response.into_body();
    Ok(if body.is_empty() { builder.empty() } else { builder.fixed(body.into_bytes()) })
}
