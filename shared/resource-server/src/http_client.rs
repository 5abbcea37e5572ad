//! The way to the authorization server.

use async_trait::async_trait;
use http::{Request, Response};

/// The longest answer that is made use of, in bytes.
pub(crate) const MAX_ANSWER: usize = 64 * 1024;

/// Sends requests to the authorization server. Implementations read the whole answer, give up after a few seconds,
/// and follow no redirect.
#[async_trait]
pub trait Http: Send + Sync {
    /// The answer, or why there is none. The request's URI is absolute.
    async fn send(&self, request: Request<String>) -> Result<Response<Vec<u8>>, String>;
}
