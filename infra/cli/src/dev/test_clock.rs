//! `latchkey dev --test-clock`: a clock that tests can move.

use http::HeaderName;
use latchkey_http::{ProxyFields, Request, Response};
use platform::local::Respond;
use std::sync::Arc;
use std::time::Duration;

/// The header field that moves the clock for one request: milliseconds to add.
const FIELD: HeaderName = HeaderName::from_static("latchkey-test-clock");

/// An application whose requests say how far their clock is ahead. It exists in `latchkey dev` alone: neither a Lambda
/// function nor a Worker can be made to read the header field.
pub(crate) struct TestClock<A> {
    application: Arc<A>,
    is_on: bool,
}

impl<A> TestClock<A> {
    /// With `is_on` false, the header field has no effect.
    pub(crate) fn new(application: Arc<A>, is_on: bool) -> Self {
        Self { application, is_on }
    }
}

impl<A: Respond> Respond for TestClock<A> {
    async fn respond(&self, mut request: Request) -> Response {
        if self.is_on {
            let sent = request.headers.get(FIELD).and_then(|value| value.to_str().ok());
            let ahead = sent.and_then(|value| value.parse().ok()).map_or(Duration::ZERO, Duration::from_millis);
            request.received_at = request.received_at.after(ahead);
        }
        self.application.respond(request).await
    }

    fn proxy_fields(&self) -> Option<ProxyFields<'_>> {
        self.application.proxy_fields()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue, Method, StatusCode};
    use latchkey_http::{Forwarded, RequestId, RequestLog};
    use types::Timestamp;

    struct Echo;

    impl Respond for Echo {
        async fn respond(&self, request: Request) -> Response {
            Response::new(StatusCode::OK).with_body(request.received_at.as_secs().to_string())
        }
    }

    async fn time(is_on: bool, sent: &'static str) -> String {
        let request = Request {
            method: Method::GET,
            path: "/".to_owned(),
            query: String::new(),
            headers: HeaderMap::from_iter([(FIELD, HeaderValue::from_static(sent))]),
            body: Vec::new().into(),
            address: None,
            place: None,
            certificate: None,
            forwarded: Forwarded::default(),
            received_at: Timestamp::from_secs(1_000),
            id: RequestId::default(),
            log: RequestLog::default(),
        };
        let response = TestClock::new(Arc::new(Echo), is_on).respond(request).await;
        String::from_utf8(response.body).unwrap()
    }

    #[tokio::test]
    async fn the_header_field_moves_the_clock_only_if_the_option_is_set() {
        assert_eq!(time(true, "5000").await, "1005");
        assert_eq!(time(false, "5000").await, "1000");
        assert_eq!(time(true, "soon").await, "1000");
    }
}
