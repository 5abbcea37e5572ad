//! Requests that the server itself sends: to URLs that clients registered ([`EgressPolicy::Public`]), and to the server that
//! the operator configured ([`EgressPolicy::Any`]). Each request keeps to [`types::remote_url`], follows no redirect, and is
//! limited in size and time.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod web;

use async_trait::async_trait;
use http::{Method, StatusCode, header};
use std::fmt;
use std::time::Duration;
use types::remote_url::{self, EgressPolicy};
use url::Url;

/// Default maximum length of an answer, in bytes.
pub const LIMIT: usize = 64 * 1024;
/// Default time limit of a fetch, from the first byte sent to the last byte received.
pub const TIMEOUT: Duration = Duration::from_secs(3);

/// The media type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

/// A request whose URL the egress policy allows.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// URL without a fragment.
    pub url: Url,
    /// The body to post, and its media type; the request is a GET if there is none.
    pub body: Option<(&'static str, String)>,
    /// `Accept`.
    pub accept: String,
    /// `Authorization`.
    pub authorization: Option<String>,
    /// Another header field.
    pub field: Option<(&'static str, String)>,
    /// Maximum length of the answer's body, in bytes.
    pub limit: usize,
    /// Time limit, including the last byte of the answer.
    pub timeout: Duration,
}

/// A complete answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The status. A redirect is an answer like any other.
    pub status: StatusCode,
    /// `Cache-Control`, as sent.
    pub cache_control: Option<String>,
    /// `Content-Type`, as sent.
    pub content_type: Option<String>,
    /// `ETag`, as sent.
    pub etag: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Reason for which there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// The egress policy forbids the URL or each address of its host. Nothing was sent.
    Refused(&'static str),
    /// The answer is longer than the limit.
    TooLong,
    /// The answer did not arrive within the time limit.
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

/// Waits.
pub async fn pause(duration: Duration) {
    #[cfg(not(target_arch = "wasm32"))]
    tokio::time::sleep(duration).await;
    #[cfg(target_arch = "wasm32")]
    worker::send::SendFuture::new(worker::Delay::from(duration)).await;
}

/// A transport of requests. It follows no redirect, and connects to no address that its egress policy forbids.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends the request and returns the complete answer.
    async fn send(&self, request: &Outgoing) -> Result<Fetched, FetchError>;
}

/// A client of other servers.
pub struct Fetcher {
    reach: EgressPolicy,
    transport: Box<dyn Transport>,
}

impl Fetcher {
    /// Returns a fetcher over the platform's network. The first request builds what it needs.
    pub fn new(reach: EgressPolicy) -> Self {
        #[cfg(not(target_arch = "wasm32"))]
        let transport = Box::new(native::Native::new(reach));
        #[cfg(target_arch = "wasm32")]
        let transport = Box::new(web::Web);
        Self::over(transport, reach)
    }

    /// Returns a fetcher over another transport; the egress policy holds for URLs all the same.
    pub fn over(transport: Box<dyn Transport>, reach: EgressPolicy) -> Self {
        Self { reach, transport }
    }

    /// Returns the egress policy.
    pub const fn reach(&self) -> EgressPolicy {
        self.reach
    }

    /// Gets a document of at most `limit` bytes.
    pub async fn get(&self, url: &str, limit: usize, timeout: Duration) -> Result<Fetched, FetchError> {
        self.transport.send(&Outgoing { limit, timeout, ..self.outgoing(url)? }).await
    }

    /// Gets a document of at most `limit` bytes with a header field of its own.
    pub async fn get_with(
        &self,
        url: &str,
        field: (&'static str, &'static str),
        limit: usize,
        timeout: Duration,
    ) -> Result<Fetched, FetchError> {
        let field = Some((field.0, field.1.to_owned()));
        self.transport.send(&Outgoing { limit, timeout, field, ..self.outgoing(url)? }).await
    }

    /// Gets a JSON document of at most `limit` bytes, if its `ETag` is no longer `etag` (RFC 9110 §13.1.2).
    pub async fn get_json(&self, url: &str, etag: Option<&str>, limit: usize) -> Result<Fetched, FetchError> {
        let field = etag.map(|etag| ("if-none-match", etag.to_owned()));
        let accept = "application/json".to_owned();
        self.transport.send(&Outgoing { limit, field, accept, ..self.outgoing(url)? }).await
    }

    /// Posts a form.
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<Fetched, FetchError> {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.transport.send(&Outgoing { body: Some((FORM, form)), ..self.outgoing(url)? }).await
    }

    /// Posts JSON, with a bearer token (RFC 6750 §2.1).
    pub async fn post_json(&self, url: &str, token: &str, json: String) -> Result<Fetched, FetchError> {
        let authorization = Some(format!("Bearer {token}"));
        self.transport
            .send(&Outgoing { body: Some(("application/json", json)), authorization, ..self.outgoing(url)? })
            .await
    }

    /// Posts JSON with a header field of its own.
    pub async fn post_json_with(
        &self,
        url: &str,
        field: (&'static str, String),
        json: String,
    ) -> Result<Fetched, FetchError> {
        let outgoing = self.outgoing(url)?;
        self.transport.send(&Outgoing { body: Some(("application/json", json)), field: Some(field), ..outgoing }).await
    }

    /// Sends a GET, or a POST whose body is a form, with the request's `Accept` and `Authorization`.
    pub async fn send(&self, request: http::Request<String>) -> Result<Fetched, FetchError> {
        let (head, body) = request.into_parts();
        let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let outgoing = self.outgoing(&head.uri.to_string())?;
        let outgoing = Outgoing {
            body: (head.method == Method::POST).then_some((FORM, body)),
            accept: text(header::ACCEPT).unwrap_or(outgoing.accept),
            authorization: text(header::AUTHORIZATION),
            ..outgoing
        };
        self.transport.send(&outgoing).await
    }

    fn outgoing(&self, url: &str) -> Result<Outgoing, FetchError> {
        let mut url = remote_url::parse(url, self.reach).map_err(FetchError::Refused)?;
        url.set_fragment(None);
        let accept = "*/*".to_owned();
        Ok(Outgoing { url, body: None, accept, authorization: None, field: None, limit: LIMIT, timeout: TIMEOUT })
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("reach", &self.reach).finish_non_exhaustive()
    }
}
