//! Workers KV as a cache.

use crate::cache::{Cache, FRESH};
use async_trait::async_trait;
use types::Timestamp;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::future_to_promise;
use worker::KvStore;
use worker::send::SendFuture;

#[wasm_bindgen(module = "cloudflare:workers")]
extern "C" {
    /// Keeps the current request alive after its response until the promise is settled.
    #[wasm_bindgen(js_name = waitUntil, catch)]
    fn wait_until(promise: &js_sys::Promise) -> Result<(), JsValue>;
}

/// Workers KV as a cache. Each failure of it counts as a miss.
#[derive(Clone, Debug)]
pub struct KvCache {
    store: KvStore,
}

impl KvCache {
    /// Returns the cache in a KV namespace.
    pub fn new(store: KvStore) -> Self {
        Self { store }
    }
}

async fn put(store: KvStore, name: String, text: String) {
    if let Ok(put) = store.put(&name, text)
        && let Err(error) = put.expiration_ttl(FRESH.as_secs()).execute().await
    {
        worker::console_warn!("Workers KV did not keep {}: {}", name, error);
    }
}

#[async_trait]
impl Cache for KvCache {
    async fn read(&self, name: &str) -> Option<String> {
        SendFuture::new(self.store.get(name).cache_ttl(FRESH.as_secs()).text()).await.ok().flatten()
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
        if let Err(error) = SendFuture::new(self.store.delete(name)).await {
            worker::console_warn!("Workers KV did not forget {}: {}", name, error);
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(worker::Date::now().as_millis())
    }
}
