//! Pages as responses.

use crate::{Fault, Request, Response, entropy};
use http::{HeaderName, StatusCode, header};
use pages::{ErrorPage, Page};
use protocol::Error;

impl Response {
    /// A page, with its content security policy.
    pub fn page(status: StatusCode, page: Page) -> Self {
        const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");
        Self::new(status)
            .with(header::CONTENT_TYPE, "text/html; charset=utf-8")
            .with(header::CONTENT_SECURITY_POLICY, &page.csp)
            .with(PERMISSIONS, "camera=(), geolocation=(), microphone=()")
            .with_body(page.html)
    }

    /// The page for an error that must not, or cannot, be sent to a client: `title` and `message` for the person, the
    /// error's description for the client's developer.
    pub fn error_page(request: &Request, title: &str, message: &str, error: &Error) -> Result<Self, Fault> {
        let nonce = entropy::name()?;
        let (status, hint, request_id) = (StatusCode::BAD_REQUEST, Some(error.description.as_ref()), &*request.id);
        let page =
            pages::error(&ErrorPage { nonce: &nonce, status: status.as_u16(), title, message, hint, request_id });
        Ok(Self::page(status, page).failed(error))
    }
}

impl Fault {
    /// The fault as a person sees it. Nothing is lost by it: the page can be reloaded, its form and all.
    ///
    /// # Errors
    /// The same fault, when there is not even a page.
    pub fn into_page(self, request: &Request) -> Result<Response, Self> {
        let Ok(nonce) = entropy::name() else { return Err(self) };
        let page = pages::error(&ErrorPage {
            nonce: &nonce,
            status: StatusCode::SERVICE_UNAVAILABLE.as_u16(),
            title: "We cannot answer just now",
            message: "Something on our side is busy or broken. Nothing you did is lost: wait a moment, then reload this page.",
            hint: None,
            request_id: &request.id,
        });
        Ok(Response::page(StatusCode::SERVICE_UNAVAILABLE, page).owning_up(&self))
    }
}
