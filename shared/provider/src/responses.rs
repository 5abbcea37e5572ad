//! Responses that several functions send.

use http::{HeaderName, StatusCode, header};
use latchkey_http::{Request, Response};
use pages::Page;
use types::{Error, ErrorCode};

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

/// Returns a page with its content security policy.
pub fn page(status: StatusCode, page: Page) -> Response {
    const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");
    Response::new(status)
        .with(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .with(header::CONTENT_SECURITY_POLICY, &page.csp)
        .with(PERMISSIONS, "camera=(), geolocation=(), microphone=()")
        .with_body(page.html)
}
