//! Pages as responses, and how the pages that a request is interrupted for begin.

use crate::browser::Browser;
use crate::{Context, Fault, Request, Response, entropy};
use http::{HeaderName, StatusCode, header};
use pages::{ErrorPage, Page};
use protocol::interaction::Interaction;
use protocol::{Error, Parameters, StoredClient};
use std::sync::Arc;

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

/// A visit of a page that an authorization request is interrupted for: sign-in, consent.
pub struct Visit<'a> {
    /// The HTTP request.
    pub request: &'a Request,
    /// What the function has.
    pub context: &'a Context,
    /// The browser, the one that the authorization request came from.
    pub browser: Browser,
    /// What the page sent, or was asked with; none is repeated.
    pub parameters: Parameters,
    /// The authorization request on its way, and the same as it travels.
    pub interaction: Interaction,
    /// See [`Self::interaction`].
    pub sealed: String,
    /// The client that asks.
    pub client: Arc<StoredClient>,
}

impl<'a> Visit<'a> {
    /// The visit; or what the person is told whose request is over or began elsewhere.
    pub async fn open(request: &'a Request, context: &'a Context) -> Result<Result<Self, Box<Response>>, Fault> {
        let browser = Browser::of(request, context)?;
        let Ok(parameters) = request.parameters() else { return Self::over(request) };
        if parameters.refuse_repeated().is_err() {
            return Self::over(request);
        }
        let sealed = parameters.value("interaction").unwrap_or_default().to_owned();
        let Some(interaction) = browser.open_interaction(context, &sealed, request.received_at) else {
            return Self::over(request);
        };
        let Some(client) = context.client(&interaction.request.client_id, request.received_at).await? else {
            return Self::over(request);
        };
        Ok(Ok(Self { request, context, browser, parameters, interaction, sealed, client }))
    }

    fn over<T>(request: &Request) -> Result<Result<T, Box<Response>>, Fault> {
        let error = Error::invalid_request("the interaction is missing, over, or of another browser");
        let response = Response::error_page(
            request,
            "This sign-in is over",
            "It took too long, was opened in another browser, or your browser does not keep cookies. Go back to the application and try again.",
            &error,
        )?;
        Ok(Err(Box::new(response)))
    }

    /// Whether the form that was sent is one that this browser was shown; `bound` as it was when it was shown.
    pub fn accepts_form(&self, form: &str, bound: &str) -> bool {
        self.browser.accepts_form(self.context, form, bound, self.parameters.value("csrf"))
    }
}
