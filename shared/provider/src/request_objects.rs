//! Request objects that clients pass by URL (RFC 9101 §5.2, OpenID Connect Core §6.2).

use crate::Context;
use crate::fetch_pace::Pace;
use platform::fetch;
use protocol::{RequestObject, StoredClient};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use types::{BoundedCache, Error, ErrorCode, Timestamp};

/// The most URLs whose request objects an instance keeps.
const MAX_URLS: usize = 64;
/// Time for which an object is used again if the fragment of its URL is the hash of the object.
const HASHED_LIFETIME: Duration = Duration::from_secs(600);
/// Time for which the last object, or the failure to fetch one, is used again where the URL may not be asked.
const REUSE: Duration = Duration::from_secs(5);
/// The pace at which one URL is asked.
const URL: Pace = Pace { burst: 5, interval: Duration::from_secs(1) };

/// The last fetches of the request objects at URLs without their fragments.
pub(crate) struct RequestObjects(Mutex<BoundedCache<String, Fetches>>);

impl Default for RequestObjects {
    fn default() -> Self {
        Self(Mutex::new(BoundedCache::new(MAX_URLS)))
    }
}

/// The fetches of one URL.
#[derive(Default)]
struct Fetches {
    used_until: Timestamp,
    last: Option<Last>,
}

/// The outcome of a fetch.
struct Last {
    at: Timestamp,
    /// The object; `None` if there was none.
    object: Option<Fetched>,
}

#[derive(Clone)]
struct Fetched {
    text: String,
    /// The hash of the content, as the fragment of a URL writes it.
    hash: String,
}

/// The next step for a request that names a URL.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Fetch,
    Use(String),
    Fail,
    Wait,
}

impl Fetches {
    fn next(&mut self, fragment: Option<&str>, now: Timestamp) -> Step {
        let last = self.last.as_ref().filter(|last| last.at <= now);
        let age = last.map_or(Duration::MAX, |last| now.since(last.at));
        match last.map(|last| last.object.as_ref()) {
            Some(Some(object)) if Some(object.hash.as_str()) == fragment && age < HASHED_LIFETIME => {
                Step::Use(object.text.clone())
            }
            Some(None) if age < REUSE => Step::Fail,
            _ if URL.take(&mut self.used_until, now) => Step::Fetch,
            Some(Some(object)) if fragment.is_none() && age < REUSE => Step::Use(object.text.clone()),
            _ => Step::Wait,
        }
    }
}

impl RequestObjects {
    fn with<T>(&self, url: &str, now: Timestamp, work: impl FnOnce(&mut Fetches) -> T) -> T {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).update(url, now, work)
    }
}

impl Context {
    /// Returns the request object at a URL that the client registered. The object is used again for ten minutes if the URL
    /// names its hash. Fetches are paced per URL, per host, and for all clients that registered openly: an anonymous request to
    /// the authorization endpoint causes them. Errors: `invalid_request_uri`; `temporarily_unavailable` beyond the pace.
    pub(crate) async fn request_object_at(
        &self,
        uri: &str,
        stored: &StoredClient,
        now: Timestamp,
    ) -> Result<String, Error> {
        let refuse = |description: String| Error::new(ErrorCode::InvalidRequestUri, description);
        if uri.len() > RequestObject::MAX_REQUEST_URI {
            return Err(refuse(format!("request_uri is longer than {} characters", RequestObject::MAX_REQUEST_URI)));
        }
        if stored.origin.is_open() && !self.config.registration.request_uris {
            return Err(refuse(
                "clients that registered without an initial access token pass no request_uri here; push the request (RFC 9126)".to_owned(),
            ));
        }
        if !RequestObject::is_registered(&stored.client, uri) {
            return Err(refuse("the request_uri is not among the client's request_uris".to_owned()));
        }
        let (url, fragment) = uri.split_once('#').map_or((uri, None), |(url, fragment)| (url, Some(fragment)));
        let none = || refuse("the request_uri does not answer with status 200 and a request object".to_owned());
        let next = self.request_objects.with(url, now, |fetches| fetches.next(fragment, now));
        match next {
            Step::Use(object) => return Ok(object),
            Step::Fail => return Err(none()),
            Step::Fetch if self.fetch_pace.take_host(url, stored.origin.is_open(), now) => {}
            Step::Fetch | Step::Wait => {
                let description = "the request_uri was fetched too often in a short time; try again in some seconds";
                return Err(Error::new(ErrorCode::TemporarilyUnavailable, description));
            }
        }
        let object = self.fetch_object(url).await;
        let last = Last { at: now, object: object.clone() };
        self.request_objects.with(url, now, |fetches| fetches.last = Some(last));
        object.map(|object| object.text).ok_or_else(none)
    }

    async fn fetch_object(&self, url: &str) -> Option<Fetched> {
        let fetched = self.fetch.get(url, jose::MAX_JWT_LENGTH, fetch::TIMEOUT).await;
        let fetched = fetched.map_err(|error| self.log_fetch_error(&error)).ok();
        let fetched = fetched.filter(|fetched| fetched.status == http::StatusCode::OK)?;
        let hash = RequestObject::hash(&fetched.body);
        let text = String::from_utf8(fetched.body).ok()?;
        Some(Fetched { text: text.trim().to_owned(), hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn at(seconds: u64) -> Timestamp {
        T0.after(Duration::from_secs(seconds))
    }

    fn fetched(text: &str, seconds: u64) -> Option<Last> {
        let object = Fetched { text: text.to_owned(), hash: RequestObject::hash(text.as_bytes()) };
        Some(Last { at: at(seconds), object: Some(object) })
    }

    #[test]
    fn an_object_whose_hash_the_url_names_is_fetched_once() {
        let hash = RequestObject::hash(b"one");
        let mut fetches = Fetches::default();
        assert_eq!(fetches.next(Some(&hash), at(0)), Step::Fetch);
        fetches.last = fetched("one", 0);
        for seconds in 0..600 {
            assert_eq!(fetches.next(Some(&hash), at(seconds)), Step::Use("one".to_owned()));
        }
        assert_eq!(fetches.next(Some(&RequestObject::hash(b"two")), at(1)), Step::Fetch, "the content changed");
        assert_eq!(fetches.next(Some(&hash), at(600)), Step::Fetch);
    }

    #[test]
    fn without_a_hash_the_url_is_asked_at_its_pace() {
        let mut fetches = Fetches::default();
        for index in 0..5 {
            assert_eq!(fetches.next(None, at(0)), Step::Fetch, "{index}");
        }
        assert_eq!(fetches.next(None, at(0)), Step::Wait, "no fetch has ended");
        fetches.last = fetched("one", 0);
        assert_eq!(fetches.next(None, at(0)), Step::Use("one".to_owned()));
        assert_eq!(fetches.next(Some("x"), at(0)), Step::Wait, "another content is wanted");
        assert_eq!(fetches.next(None, at(1)), Step::Fetch);
        assert_eq!(fetches.next(None, at(1)), Step::Use("one".to_owned()));
    }

    #[test]
    fn a_url_that_fails_is_asked_again_after_seconds() {
        let mut fetches = Fetches { last: Some(Last { at: at(0), object: None }), ..Fetches::default() };
        for seconds in 0..5 {
            assert_eq!(fetches.next(None, at(seconds)), Step::Fail);
        }
        assert_eq!(fetches.next(None, at(5)), Step::Fetch);
    }
}
