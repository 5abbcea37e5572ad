//! Workers KV as a cache.

use crate::cache::{Cache, FRESH};
use async_trait::async_trait;
use js_sys::{Object, Promise, Reflect};
use types::Timestamp;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::future_to_promise;
use worker::Env;
use worker::send::{SendFuture, SendWrapper};

#[wasm_bindgen(module = "cloudflare:workers")]
extern "C" {
    /// Keeps the current request alive after its response until the promise is settled.
    #[wasm_bindgen(js_name = waitUntil, catch)]
    fn wait_until(promise: &Promise) -> Result<(), JsValue>;
}

// `worker::KvStore` serializes its options and values, which makes each Worker 5 KB larger.
#[wasm_bindgen]
extern "C" {
    /// A KV namespace.
    #[derive(Clone, Debug)]
    type KvNamespace;

    #[wasm_bindgen(method, catch)]
    async fn get(this: &KvNamespace, name: &str, options: &Object) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    async fn put(this: &KvNamespace, name: &str, text: &str, options: &Object) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    async fn delete(this: &KvNamespace, name: &str) -> Result<JsValue, JsValue>;
}

/// Workers KV as a cache. Each failure of it counts as a miss.
#[derive(Clone, Debug)]
pub struct KvCache {
    store: SendWrapper<KvNamespace>,
}

impl KvCache {
    /// Returns the cache in the KV namespace of a binding; `None` if there is no such binding.
    pub fn of_binding(env: &Env, binding: &str) -> Option<Self> {
        let store = Reflect::get(env.as_ref(), &JsValue::from_str(binding)).ok().filter(JsValue::is_object)?;
        Some(Self { store: SendWrapper::new(store.unchecked_into()) })
    }
}

/// Returns an option with the seconds for which an entry is fresh.
fn fresh_for(option: &str) -> Object {
    let options = Object::new();
    // A new object takes every member.
    let _ = Reflect::set(&options, &JsValue::from_str(option), &JsValue::from(FRESH.as_secs() as u32));
    options
}

fn warn(failed: &str, name: &str, error: &JsValue) {
    worker::console_warn!("Workers KV did not {} {}: {:?}", failed, name, error);
}

async fn put(store: SendWrapper<KvNamespace>, name: String, text: String) {
    if let Err(error) = store.put(&name, &text, &fresh_for("expirationTtl")).await {
        warn("keep", &name, &error);
    }
}

#[async_trait]
impl Cache for KvCache {
    async fn read(&self, name: &str) -> Option<String> {
        SendFuture::new(async { self.store.get(name, &fresh_for("cacheTtl")).await.ok()?.as_string() }).await
    }

    async fn keep(&self, name: &str, text: String) {
        SendFuture::new(put(self.store.clone(), name.to_owned(), text)).await;
    }

    fn keep_soon(&self, name: &str, text: String) {
        let work = put(self.store.clone(), name.to_owned(), text);
        let promise = future_to_promise(async move {
            work.await;
            Ok(JsValue::UNDEFINED)
        });
        // Without a current request nothing keeps the promise alive.
        let _ = wait_until(&promise);
    }

    async fn forget(&self, name: &str) {
        SendFuture::new(async {
            if let Err(error) = self.store.delete(name).await {
                warn("forget", name, &error);
            }
        })
        .await;
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(worker::Date::now().as_millis())
    }
}
