//! Calls of another Worker through a service binding.

use crate::{PlatformError, stream};
use futures::future::{Either, select};
use std::pin::pin;
use std::time::Duration;
use worker::js_sys::{Function, Promise, Reflect};
use worker::send::{SendFuture, SendWrapper};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{Request, RequestInit, Response};
use worker::{Delay, Env};

/// Longest time for the answer of another Worker.
const PATIENCE: Duration = Duration::from_secs(10);

/// Another Worker of the deployment. Its answer does not come over the network: it runs in the same process.
pub struct Service {
    binding: SendWrapper<JsValue>,
    name: &'static str,
}

impl Service {
    /// Returns the Worker behind a service binding; `None` if there is no such binding.
    pub fn bound(env: &Env, name: &'static str) -> Option<Self> {
        let binding = Reflect::get(env.as_ref(), &JsValue::from_str(name)).ok().filter(JsValue::is_object)?;
        Some(Self { binding: SendWrapper::new(binding), name })
    }

    /// Sends a message and returns the answer, of at most `limit` bytes. Errors: the Worker does not answer in time, fails,
    /// or answers with another status than 200.
    pub async fn call(&self, message: &str, limit: usize) -> Result<Vec<u8>, PlatformError> {
        SendFuture::new(self.within_time(message, limit)).await
    }

    async fn within_time(&self, message: &str, limit: usize) -> Result<Vec<u8>, PlatformError> {
        let failed = |reason: &str| PlatformError::new(format_args!("service binding {}: {reason}", self.name));
        match select(pin!(self.exchange(message, limit)), pin!(Delay::from(PATIENCE))).await {
            Either::Left((Ok((200, body)), _)) if body.len() <= limit => Ok(body),
            Either::Left((Ok((200, _)), _)) => Err(failed("the answer is too long")),
            Either::Left((Ok((status, _)), _)) => Err(failed(&format!("status {status}"))),
            Either::Left((Err(error), _)) => Err(failed(&format!("{error:?}"))),
            Either::Right(_) => Err(failed("no answer in time")),
        }
    }

    /// Calls `fetch` of the binding. `worker::Fetcher` would convert the answer into a response of `http`, with all its
    /// header names.
    async fn exchange(&self, message: &str, limit: usize) -> Result<(u16, Vec<u8>), JsValue> {
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_body(&JsValue::from_str(message));
        let request = Request::new_with_str_and_init("https://service/", &init)?;
        let fetch: Function = Reflect::get(&self.binding, &JsValue::from_str("fetch"))?.dyn_into()?;
        let answer: Promise = fetch.call1(&self.binding, &request)?.dyn_into()?;
        let response: Response = JsFuture::from(answer).await?.dyn_into()?;
        let body = match response.body() {
            Some(body) => stream::read(&body, limit).await?,
            None => Vec::new(),
        };
        Ok((response.status(), body))
    }
}
