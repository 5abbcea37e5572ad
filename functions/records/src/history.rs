//! The history of an object, which Cloudflare keeps for 30 days. The crate `worker` has no calls for it.

use types::Timestamp;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::js_sys::{Function, Promise, Reflect};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Error, Result, State, Storage};

#[wasm_bindgen]
extern "C" {
    type History;

    #[wasm_bindgen(method, catch, js_name = getBookmarkForTime)]
    fn bookmark_for_time(this: &History, millis: f64) -> std::result::Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = getCurrentBookmark)]
    fn current_bookmark(this: &History) -> std::result::Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = onNextSessionRestoreBookmark)]
    fn on_next_session_restore_bookmark(this: &History, bookmark: &str) -> std::result::Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_name = setTimeout)]
    fn set_timeout(call: &Function, millis: u32) -> std::result::Result<JsValue, JsValue>;
}

/// Time from the answer to the restart.
const PAUSE: u32 = 20;

/// Lets the object go back to its state at a time when it starts the next time. Returns the bookmark that undoes this.
///
/// # Errors
/// Cloudflare has no history of the object at this time. workerd on this machine has none at all.
pub(crate) async fn rewind(storage: &Storage, at: Timestamp) -> Result<String> {
    let history: &History = AsRef::<JsValue>::as_ref(storage.as_raw()).unchecked_ref();
    // Exact: the number of milliseconds is below 2^53.
    #[expect(clippy::cast_precision_loss, reason = "as the comment says")]
    let millis = at.as_millis() as f64;
    let bookmark = text(history.bookmark_for_time(millis)?).await?;
    text(history.on_next_session_restore_bookmark(&bookmark)?).await
}

/// Returns the bookmark of the present state of the object.
pub(crate) async fn present(storage: &Storage) -> Result<String> {
    let history: &History = AsRef::<JsValue>::as_ref(storage.as_raw()).unchecked_ref();
    text(history.current_bookmark()?).await
}

/// Ends the object and every call of it after a moment. The next call starts it again.
///
/// The platform calls `abort` from a timer. It stops the code that is running, which must not be Rust's: the other objects of the
/// instance run in the same memory.
pub(crate) fn restart(state: &State) -> Result<()> {
    let state: &JsValue = state.as_raw().as_ref();
    let abort: Function = Reflect::get(state, &JsValue::from_str("abort"))?.dyn_into()?;
    let reason = JsValue::from_str("the object restarts to go back to an earlier time");
    set_timeout(abort.bind1(state, &reason).unchecked_ref(), PAUSE)?;
    Ok(())
}

async fn text(promise: Promise) -> Result<String> {
    JsFuture::from(promise).await?.as_string().ok_or_else(|| Error::from("a bookmark that is no text"))
}
