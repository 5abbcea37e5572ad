//! Requests to the authorization server.

use async_trait::async_trait;
use http::{Request, Response};

/// Maximum length of an answer that is used, in bytes.
pub(crate) const MAX_ANSWER: usize = 64 * 1024;

/// A client that sends requests to the authorization server. Implementations read the whole answer, time out after
/// [`HTTP_TIMEOUT`](crate::HTTP_TIMEOUT) or less, and follow no redirect.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends a request, whose URI is absolute, and returns the answer, or the reason for which there is none.
    async fn send(&self, request: Request<String>) -> Result<Response<Vec<u8>>, String>;
}
