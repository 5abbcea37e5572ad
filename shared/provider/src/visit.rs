//! How the pages begin that an authorization request is interrupted for: sign-in, consent.

use crate::browser::{Browser, FormOrigin, SignedIn};
use crate::{Context, HandlerError, RequestParameters};
use latchkey_http::Request;
use protocol::interaction::Interaction;
use protocol::{Parameters, StoredClient};
use std::sync::Arc;
use types::Error;

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
    /// Opens the interaction that the request names. Errors: the page [`Self::over`].
    pub async fn open(request: &'a Request, context: &'a Context) -> Result<Self, HandlerError> {
        let browser = Browser::of(request, context)?;
        let parameters = request.parameters().map_err(|_| Self::over())?;
        parameters.refuse_repeated().map_err(|_| Self::over())?;
        let sealed = parameters.value("interaction").unwrap_or_default().to_owned();
        let interaction = browser.open_interaction(context, &sealed, request.received_at).ok_or_else(Self::over)?;
        let client =
            context.client(&interaction.request.client_id, request.received_at).await?.ok_or_else(Self::over)?;
        request.log.client(&client.client.client_id);
        Ok(Self { request, context, browser, parameters, interaction, sealed, client })
    }

    /// Returns the error page for an interaction that expired, began in another browser or belongs to another page.
    pub fn over() -> HandlerError {
        HandlerError::page(
            "This sign-in is over",
            "It took too long, was opened in another browser, or your browser does not keep cookies. Go back to the application and try again.",
            Error::invalid_request("the interaction is missing, over, of another browser or for another page"),
        )
    }

    /// Whether the form that was sent is one that this browser was shown; `bound` as it was when it was shown.
    pub fn accepts_form(&self, form: &str, bound: &str) -> bool {
        self.browser.accepts_form(self.context, form, bound, self.parameters.value("csrf"))
    }

    /// Where the form was shown in which a person decides.
    pub fn form_origin(&self, form: &str, signed_in: &SignedIn) -> FormOrigin {
        self.browser.form_origin(self.context, form, &self.sealed, signed_in, self.parameters.value("csrf"))
    }
}
