//! A page that interrupts a request: sign-in, consent.

use crate::browser::{Browser, FormOrigin};
use crate::interactions::{self, OpenedInteraction};
use crate::sessions::SignedIn;
use crate::{Context, HandlerError, RequestParameters};
use latchkey_http::Request;
use protocol::{Interaction, Parameters, StoredClient};
use std::sync::Arc;
use types::Error;

/// A request to a page that interrupts an authorization request or a device authorization request.
pub struct InteractionPage<'a> {
    /// The HTTP request.
    pub request: &'a Request,
    /// Context of the function.
    pub context: &'a Context,
    /// The browser in which the interaction started.
    pub browser: Browser,
    /// Parameters of the HTTP request; none is repeated.
    pub parameters: Parameters,
    /// The interaction.
    pub interaction: Interaction,
    /// The interaction as it travels.
    pub sealed: String,
    /// The client that sent the request.
    pub client: Arc<StoredClient>,
    /// True if the interaction started before the last sign-in in this browser: a form of it is out of date.
    pub has_moved: bool,
}

impl<'a> InteractionPage<'a> {
    /// Opens the interaction that the HTTP request names. Errors: the page [`Self::over`].
    pub async fn open(request: &'a Request, context: &'a Context) -> Result<Self, HandlerError> {
        let browser = Browser::of(request, context)?;
        let parameters = request.parameters().map_err(|_| Self::over())?;
        parameters.refuse_repeated().map_err(|_| Self::over())?;
        let sealed = parameters.value("interaction").unwrap_or_default().to_owned();
        let opened = OpenedInteraction::open(context, &browser, &sealed, request.received_at).await?;
        let OpenedInteraction { interaction, client, has_moved } = opened.ok_or_else(Self::over)?;
        let sealed = if has_moved { interactions::seal(context, &interaction)? } else { sealed };
        request.log.client(&client.client.client_id);
        Ok(Self { request, context, browser, parameters, interaction, sealed, client, has_moved })
    }

    /// Returns the error page for an interaction that expired, started in another browser or belongs to another page.
    pub fn over() -> HandlerError {
        HandlerError::page(
            "This sign-in is over",
            "It took too long, was opened in another browser, or your browser does not keep cookies. Go back to the application and try again.",
            Error::invalid_request("the interaction is missing, over, of another browser or for another page"),
        )
    }

    /// True if the CSRF token is that of a form that this browser was shown; `bound` is what the token was bound to.
    pub fn accepts_form(&self, form: &str, bound: &str) -> bool {
        self.browser.accepts_form(self.context, form, bound, self.parameters.value("csrf"))
    }

    /// Returns the place where a consent form was shown.
    pub fn form_origin(&self, form: &str, signed_in: &SignedIn) -> FormOrigin {
        self.browser.form_origin(self.context, form, &self.sealed, signed_in, self.parameters.value("csrf"))
    }
}
