//! Fetching with the platform's `fetch`. A Worker resolves no names: the platform keeps private networks out of reach (with
//! the flag `global_fetch_strictly_public` for this zone too), and the egress policy judges the URL before.

use super::{FetchError, Fetched, Outgoing, Transport};
use crate::stream;
use async_trait::async_trait;
use futures::future::{Either, select};
use http::StatusCode;
use std::fmt::Display;
use std::pin::pin;
use worker::send::SendFuture;
use worker::wasm_bindgen::JsValue;
use worker::web_sys::{self, RequestInit, RequestRedirect};
use worker::{AbortController, AbortSignal, Delay, Fetch, Headers, Request, ResponseBody};

pub(super) struct Web;

#[async_trait]
impl Transport for Web {
    async fn send(&self, request: &Outgoing) -> Result<Fetched, FetchError> {
        SendFuture::new(within_time(request)).await
    }
}

async fn within_time(request: &Outgoing) -> Result<Fetched, FetchError> {
    let controller = AbortController::default();
    let signal = controller.signal();
    let outcome = match select(pin!(exchange(request, &signal)), pin!(Delay::from(request.timeout))).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => Err(FetchError::TimedOut),
    };
    if outcome.is_err() {
        // The rest of the answer is not needed.
        controller.abort();
    }
    outcome
}

async fn exchange(request: &Outgoing, signal: &AbortSignal) -> Result<Fetched, FetchError> {
    let headers = Headers::new();
    headers.set("accept", &request.accept).map_err(failed)?;
    headers.set("user-agent", "latchkey").map_err(failed)?;
    if let Some(authorization) = &request.authorization {
        headers.set("authorization", authorization).map_err(failed)?;
    }
    if let Some((name, value)) = &request.field {
        headers.set(name, value).map_err(failed)?;
    }
    let init = RequestInit::new();
    init.set_redirect(RequestRedirect::Manual);
    if let Some((media_type, body)) = &request.body {
        headers.set("content-type", media_type).map_err(failed)?;
        init.set_method("POST");
        init.set_body(&JsValue::from_str(body));
    }
    init.set_headers(&headers.0);
    let message = web_sys::Request::new_with_str_and_init(request.url.as_str(), &init)
        .map_err(|error| FetchError::Failed(format!("{error:?}")))?;
    let response = Fetch::Request(Request::from(message)).send_with_signal(signal).await.map_err(failed)?;
    let status = StatusCode::from_u16(response.status_code()).map_err(failed)?;
    let text = |name| response.headers().get(name).ok().flatten();
    let (cache_control, content_type, etag) = (text("cache-control"), text("content-type"), text("etag"));
    let body = match response.body() {
        ResponseBody::Stream(body) => {
            stream::read(body, request.limit).await.map_err(|error| FetchError::Failed(format!("{error:?}")))?
        }
        _ => Vec::new(),
    };
    if body.len() > request.limit {
        return Err(FetchError::TooLong);
    }
    Ok(Fetched { status, cache_control, content_type, etag, body })
}

fn failed(error: impl Display) -> FetchError {
    FetchError::Failed(error.to_string())
}
