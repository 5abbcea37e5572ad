//! Calls of another Worker through a service binding.

use crate::{PlatformError, stream};
use futures::future::{Either, select};
use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;
use worker::js_sys::{Function, Promise, Reflect};
use worker::send::{SendFuture, SendWrapper};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{Request, RequestInit, Response};
use worker::{Delay, Env};

/// Longest time for the answer of another Worker.
const PATIENCE: Duration = Duration::from_secs(10);

/// Another Worker of the deployment, behind a service binding. Its answer does not come over the network: it runs in the same
/// process. Meant for a `static`, which the first request binds for the life of the isolate.
pub struct Service {
    name: &'static str,
    binding: OnceLock<SendWrapper<JsValue>>,
}

impl Service {
    /// Returns the Worker behind the service binding of this name, which is not bound yet.
    pub const fn new(name: &'static str) -> Self {
        Self { name, binding: OnceLock::new() }
    }

    /// Remembers the binding, if there is one and none is remembered.
    pub fn bind(&self, env: &Env) {
        if self.binding.get().is_none()
            && let Some(binding) =
                Reflect::get(env.as_ref(), &JsValue::from_str(self.name)).ok().filter(JsValue::is_object)
        {
            // No other request runs between the two lines.
            let _ = self.binding.set(SendWrapper::new(binding));
        }
    }

    /// Sends a message and returns the answer, of at most `limit` bytes. Errors: there is no such binding; the Worker does not
    /// answer in time, fails, or answers with another status than 200.
    pub async fn call(&self, message: &str, limit: usize) -> Result<Vec<u8>, PlatformError> {
        SendFuture::new(self.within_time(message, limit)).await
    }

    async fn within_time(&self, message: &str, limit: usize) -> Result<Vec<u8>, PlatformError> {
        let failed = |reason: &str| PlatformError::new(format_args!("service binding {}: {reason}", self.name));
        let Some(binding) = self.binding.get() else { return Err(failed("there is none")) };
        match select(pin!(exchange(binding, message, limit)), pin!(Delay::from(PATIENCE))).await {
            Either::Left((Ok((200, body)), _)) if body.len() <= limit => Ok(body),
            Either::Left((Ok((200, _)), _)) => Err(failed("the answer is too long")),
            Either::Left((Ok((status, _)), _)) => Err(failed(&format!("status {status}"))),
            Either::Left((Err(error), _)) => Err(failed(&format!("{error:?}"))),
            Either::Right(_) => Err(failed("no answer in time")),
        }
    }
}

/// Calls `fetch` of the binding. `worker::Fetcher` would convert the answer into a response of `http`, with all its
/// header names.
async fn exchange(binding: &JsValue, message: &str, limit: usize) -> Result<(u16, Vec<u8>), JsValue> {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&JsValue::from_str(message));
    let request = Request::new_with_str_and_init("https://service/", &init)?;
    let fetch: Function = Reflect::get(binding, &JsValue::from_str("fetch"))?.dyn_into()?;
    let answer: Promise = fetch.call1(binding, &request)?.dyn_into()?;
    let response: Response = JsFuture::from(answer).await?.dyn_into()?;
    let body = match response.body() {
        Some(body) => stream::read(&body, limit).await?,
        None => Vec::new(),
    };
    Ok((response.status(), body))
}
