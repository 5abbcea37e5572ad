//! A page that interrupts a request: sign-in, consent.

use crate::browser::{Browser, FormOrigin};
use crate::interactions::{self, ClosedInteraction, OpenedInteraction};
use crate::sessions::SignedIn;
use crate::{Context, HandlerError, RequestParameters, responses};
use latchkey_http::Request;
use pages::Frame;
use protocol::{Interaction, Parameters, StoredClient};
use std::sync::Arc;
use types::{ClientId, Error};

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
    /// The client that sent the request; `None` for a page of the user's own account.
    pub client: Option<Arc<StoredClient>>,
    /// True if the request begins anew, because the interaction expired, or started before the last sign-in in this browser: a
    /// form of it is out of date.
    pub has_restarted: bool,
}

impl<'a> InteractionPage<'a> {
    /// Opens the interaction that the HTTP request names. Errors: a page that says why the request cannot continue, or what the
    /// page is for.
    pub async fn open(request: &'a Request, context: &'a Context) -> Result<Self, HandlerError> {
        let browser = Browser::of(request, context)?;
        let over = |_| ClosedInteraction::default().into_error(context);
        let parameters = request.parameters().map_err(over)?;
        parameters.refuse_repeated().map_err(over)?;
        let Some(sealed) = parameters.value("interaction").map(str::to_owned) else { return Err(purpose(request)) };
        let opened = OpenedInteraction::open(context, &browser, &sealed, request.received_at).await?;
        let OpenedInteraction { interaction, client, has_restarted } =
            opened.map_err(|closed| closed.into_error(context))?;
        let sealed = if has_restarted { interactions::seal(context, &interaction.travelling())? } else { sealed };
        if let Some(client) = &client {
            request.log.client(&client.client.client_id);
        }
        Ok(Self { request, context, browser, parameters, interaction, sealed, client, has_restarted })
    }

    /// Returns the frame of a page of the interaction.
    pub fn frame(&self) -> Result<Frame, HandlerError> {
        responses::frame(self.request, self.context)
    }

    /// Returns the error page for an interaction that belongs to another page.
    pub fn closed(&self) -> HandlerError {
        let account = self.interaction.requested.account_page();
        ClosedInteraction { client: self.client.clone(), account }.into_error(self.context)
    }

    /// Returns the identifier of the client that sent the request; `None` for a page of the user's own account.
    pub fn client_id(&self) -> Option<&ClientId> {
        self.client.as_ref().map(|stored| &stored.client.client_id)
    }

    /// Returns the client that sent the request. Errors: the page for an interaction that belongs to another page.
    pub fn client(&self) -> Result<&Arc<StoredClient>, HandlerError> {
        self.client.as_ref().ok_or_else(|| self.closed())
    }

    /// Returns the claims that the user refuses on the consent form: those that the client does not need, and whose checkbox is off.
    pub fn refused_claims(&self) -> Vec<String> {
        refused_claims(&self.interaction, &self.parameters)
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

/// Returns the claims that the user refuses on a consent form.
pub fn refused_claims(interaction: &Interaction, parameters: &Parameters) -> Vec<String> {
    let claims = interaction.requested.named_claims();
    let is_refused = |name: &str| parameters.value(&pages::ClaimLine::field(name)).is_none();
    let refused = claims.iter().filter(|claim| !claim.is_essential && is_refused(claim.name));
    refused.map(|claim| claim.name.to_owned()).collect()
}

/// Returns the page for a user who opened a page of an interaction without a request: what the page is for.
fn purpose(request: &Request) -> HandlerError {
    let message = match request.path.as_str() {
        "/consent" => {
            "On this page you decide whether an application may use your account. Open the application, and sign in there."
        }
        _ => "On this page you sign in to an application. Open the application, and sign in there.",
    };
    let error = Error::invalid_request("the parameter 'interaction' is missing");
    HandlerError::page("An application brings you here", message, error)
}
