//! What the server itself fetches and sends, from and to URLs that clients registered. Every request keeps to
//! [`types::remote_url`]: https, public addresses, no redirects; a limit on size and a limit on time.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod web;

use async_trait::async_trait;
use http::StatusCode;
use std::fmt;
use std::time::Duration;
use types::remote_url::{self, EgressPolicy};
use url::Url;

/// How much of an answer is read unless the caller knows better, in bytes.
pub const LIMIT: usize = 64 * 1024;
/// How long a fetch may take in all unless the caller knows better.
pub const TIMEOUT: Duration = Duration::from_secs(3);

/// A request on its way out; its URL was judged.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Where to.
    pub url: Url,
    /// The form to post; a GET without one.
    pub form: Option<String>,
    /// The longest body to accept, in bytes.
    pub limit: usize,
    /// How long it may take, the last byte of the answer included.
    pub timeout: Duration,
    /// Which addresses may be connected to.
    pub reach: EgressPolicy,
}

/// An answer, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The status. A redirect is an answer like any other.
    pub status: StatusCode,
    /// `Cache-Control`, as sent.
    pub cache_control: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// The URL, or what its name stands for, is none that this server calls. Nothing was sent.
    Refused(&'static str),
    /// The answer is longer than was to be read.
    TooLong,
    /// It took too long.
    TimedOut,
    /// The peer could not be reached, or did not speak HTTP.
    Failed(String),
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => f.write_str(reason),
            Self::TooLong => f.write_str("the answer is too long"),
            Self::TimedOut => f.write_str("the answer took too long"),
            Self::Failed(reason) => write!(f, "there is no answer: {reason}"),
        }
    }
}

impl std::error::Error for FetchError {}

/// Lets time pass.
pub async fn pause(duration: Duration) {
    #[cfg(not(target_arch = "wasm32"))]
    tokio::time::sleep(duration).await;
    #[cfg(target_arch = "wasm32")]
    worker::send::SendFuture::new(worker::Delay::from(duration)).await;
}

/// Carries one request and brings its answer. It follows no redirect, and connects to no address but those that
/// `reach` allows.
#[async_trait]
pub trait Transport: Send + Sync {
    /// The answer, whole, within the request's limits.
    async fn send(&self, request: &Outgoing) -> Result<Fetched, FetchError>;
}

/// How functions reach other servers.
pub struct Fetcher {
    reach: EgressPolicy,
    transport: Box<dyn Transport>,
}

impl Fetcher {
    /// Over the platform's network. What it needs is built with the first request.
    pub fn new(reach: EgressPolicy) -> Self {
        #[cfg(not(target_arch = "wasm32"))]
        let transport = Box::new(native::Native);
        #[cfg(target_arch = "wasm32")]
        let transport = Box::new(web::Web);
        Self::over(transport, reach)
    }

    /// Over another transport; the same URLs are refused.
    pub fn over(transport: Box<dyn Transport>, reach: EgressPolicy) -> Self {
        Self { reach, transport }
    }

    /// How far it reaches.
    pub const fn reach(&self) -> EgressPolicy {
        self.reach
    }

    /// Gets what is at a URL, if it is no longer than `limit` bytes.
    pub async fn get(&self, url: &str, limit: usize, timeout: Duration) -> Result<Fetched, FetchError> {
        self.send(url, None, limit, timeout).await
    }

    /// Posts a form.
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<Fetched, FetchError> {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(url, Some(form), LIMIT, TIMEOUT).await
    }

    async fn send(
        &self,
        url: &str,
        form: Option<String>,
        limit: usize,
        timeout: Duration,
    ) -> Result<Fetched, FetchError> {
        let mut url = remote_url::parse(url, self.reach).map_err(FetchError::Refused)?;
        url.set_fragment(None);
        self.transport.send(&Outgoing { url, form, limit, timeout, reach: self.reach }).await
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("reach", &self.reach).finish_non_exhaustive()
    }
}
