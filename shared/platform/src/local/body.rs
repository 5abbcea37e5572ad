//! The body of a request.

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use latchkey_http::MAX_BODY;

/// Maximum number of bytes of a body over the limit that are read before the response.
const MAX_DRAINED: usize = 2 * 1024 * 1024;

/// Reads a body. Returns one byte more than the limit, all of them zero, in place of a longer body; the application
/// rejects that. Returns `None` if the body breaks off.
pub(super) async fn read(mut incoming: Incoming) -> Option<Bytes> {
    match Limited::new(&mut incoming, MAX_BODY).collect().await {
        Ok(body) => Some(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            drain(&mut incoming).await;
            Some(vec![0; MAX_BODY.saturating_add(1)].into())
        }
        Err(_) => None,
    }
}

/// Reads the rest of a body and drops it: a client that is still writing would not see the response.
async fn drain(incoming: &mut Incoming) {
    let mut left = MAX_DRAINED;
    while let Some(Ok(frame)) = incoming.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            return;
        }
    }
}
