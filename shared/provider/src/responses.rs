//! Responses that several functions send.

use crate::{Context, HandlerError};
use http::{HeaderName, StatusCode, header};
use latchkey_http::{Request, Response};
use pages::{Frame, Page, Refusal, Refused};
use platform::entropy;
use protocol::Language;
use std::time::Duration;
use types::{Error, ErrorCode};

/// `Cache-Control` of the metadata document and of the JWK Set. A new signing key is published for longer before it signs.
pub const METADATA_CACHE: &str = "public, max-age=300";

/// Returns the value of `Retry-After` (RFC 9110 §10.2.3): the delay in whole seconds, and up to a quarter more, at least two
/// seconds more, at random. Clients that failed at the same moment do not return at the same moment.
pub fn retry_after(delay: Duration) -> String {
    let least = delay.as_secs().max(1);
    let spread = least.div_euclid(4).max(2).saturating_add(1);
    // Without randomness the delay has no spread.
    let random = entropy::bytes::<4>().map(u32::from_le_bytes).unwrap_or_default();
    least.saturating_add(u64::from(random).checked_rem(spread).unwrap_or_default()).to_string()
}

/// Returns an error as JSON (RFC 6749 §5.2) and records it in the log. A failed client authentication names the scheme.
pub fn error(request: &Request, error: &Error) -> Response {
    request.log.error(error.code.as_str(), &error.description);
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let response = Response::json(status, &error.to_body()).with(header::PRAGMA, "no-cache");
    if error.code == ErrorCode::InvalidClient {
        return response.with(header::WWW_AUTHENTICATE, "Basic realm=\"latchkey\", charset=\"UTF-8\"");
    }
    response
}

/// Returns the response to a request that a rate limit refuses: 429 (RFC 6585 §4), with the time to wait.
pub fn too_many(request: &Request, wait: Duration, description: &'static str) -> Response {
    let error = Error::new(ErrorCode::TemporarilyUnavailable, description);
    request.log.error(error.code.as_str(), &error.description);
    Response::json(StatusCode::TOO_MANY_REQUESTS, &error.to_body()).with(header::RETRY_AFTER, &retry_after(wait))
}

/// Returns the frame of the page that answers the request.
pub fn frame(_: &Request, _: &Context) -> Result<Frame, HandlerError> {
    Ok(Frame { nonce: entropy::name()?, language: Language::default() })
}

/// Returns a page with its content security policy and its language.
pub fn page(status: StatusCode, page: Page) -> Response {
    const PERMITTED: &str = "camera=(), geolocation=(), microphone=(), publickey-credentials-create=(self), publickey-credentials-get=(self)";
    const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");
    Response::new(status)
        .with(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .with(header::CONTENT_SECURITY_POLICY, &page.csp)
        .with(header::CONTENT_LANGUAGE, page.language.tag())
        .with(PERMISSIONS, PERMITTED)
        .with_body(page.html)
}

/// Returns the page for a request that no function handles. `None` without randomness for its nonce.
pub(crate) fn refused(
    request: &Request,
    context: &Context,
    reason: Refusal,
    status: StatusCode,
    hint: &str,
) -> Option<Response> {
    let frame = frame(request, context).ok()?;
    let page = Refused { frame: &frame, reason, status: status.as_u16(), hint, request_id: request.id.as_str() };
    Some(self::page(status, pages::refused(&page)).open())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn retry_after_is_spread_and_never_too_short() {
        for (delay, most) in [(0, 3), (1, 3), (100, 125)] {
            let seen: BTreeSet<u64> =
                (0..200).map(|_| retry_after(Duration::from_secs(delay)).parse().unwrap()).collect();
            assert!(seen.len() > 1, "{delay}: {seen:?}");
            assert!(seen.iter().all(|seconds| (delay.max(1)..=most).contains(seconds)), "{delay}: {seen:?}");
        }
    }
}
