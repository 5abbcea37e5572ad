//! Streams of Workers: the body of a request, and of a fetched answer.

use worker::js_sys::{Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{ReadableStream, ReadableStreamDefaultReader};

/// Reads a stream to its end, or until it is longer than `limit` bytes; the rest stays unread.
pub(crate) async fn read(stream: &ReadableStream, limit: usize) -> Result<Vec<u8>, JsValue> {
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut bytes = Vec::new();
    while bytes.len() <= limit {
        let read = JsFuture::from(reader.read()).await?;
        if Reflect::get(&read, &"done".into())?.is_truthy() {
            break;
        }
        let piece: Uint8Array = Reflect::get(&read, &"value".into())?.dyn_into()?;
        bytes.extend_from_slice(&piece.to_vec());
    }
    Ok(bytes)
}
