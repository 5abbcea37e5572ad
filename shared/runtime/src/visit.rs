//! How the pages begin that an authorization request is interrupted for: sign-in, consent.

use crate::browser::{Browser, FormOrigin, SignedIn};
use crate::{Context, Fault, Request, Response};
use protocol::interaction::Interaction;
use protocol::{Error, Parameters, StoredClient};
use std::sync::Arc;

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
        let Ok(parameters) = request.parameters() else { return Ok(Err(Box::new(Self::over(request)?))) };
        if parameters.refuse_repeated().is_err() {
            return Ok(Err(Box::new(Self::over(request)?)));
        }
        let sealed = parameters.value("interaction").unwrap_or_default().to_owned();
        let Some(interaction) = browser.open_interaction(context, &sealed, request.received_at) else {
            return Ok(Err(Box::new(Self::over(request)?)));
        };
        let Some(client) = context.client(&interaction.request.client_id, request.received_at).await? else {
            return Ok(Err(Box::new(Self::over(request)?)));
        };
        Ok(Ok(Self { request, context, browser, parameters, interaction, sealed, client }))
    }

    /// What the person is told whose request is over, began elsewhere or has nothing to do with the page.
    pub fn over(request: &Request) -> Result<Response, Fault> {
        let error = Error::invalid_request("the interaction is missing, over, of another browser or for another page");
        Response::error_page(
            request,
            "This sign-in is over",
            "It took too long, was opened in another browser, or your browser does not keep cookies. Go back to the application and try again.",
            &error,
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
