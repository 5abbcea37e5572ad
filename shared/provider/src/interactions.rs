//! Interactions on their way through the browser: sealed in its URL, opened and checked when they return.

use crate::authorization_response::Answers;
use crate::browser::Browser;
use crate::sessions::SignedIn;
use crate::{Context, HandlerError};
use keys::Purpose;
use latchkey_http::Response;
use platform::entropy;
use protocol::{
    AccountPage, ActiveSession, Client, Interaction, NextPrompt, Requested, RequestedPage, StoredClient,
    UncheckedTarget,
};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;
use storage::pushed;
use types::{Error, Timestamp};

/// An interaction that returned, and its client.
pub struct OpenedInteraction {
    /// The interaction. Its redirect URI is one that the client has now.
    pub interaction: Interaction,
    /// The client that sent the request; `None` for a page of the user's own account.
    pub client: Option<Arc<StoredClient>>,
    /// True if the request begins anew, because the interaction expired, or started before the last sign-in in this browser:
    /// forms of it are out of date.
    pub has_restarted: bool,
}

/// An interaction that cannot continue: it is forged, too old, of another browser, or its client or redirect URI is gone.
#[derive(Default)]
pub struct ClosedInteraction {
    /// The client that sent the request, if the interaction is genuine.
    pub client: Option<Arc<StoredClient>>,
    /// The page of the user's own account that it was for.
    pub account: Option<AccountPage>,
}

impl ClosedInteraction {
    /// Returns the interaction of a client that cannot continue.
    pub const fn of_client(client: Arc<StoredClient>) -> Self {
        Self { client: Some(client), account: None }
    }

    /// Returns the error page, which leads to the client, or to the page of the user's own account.
    pub fn into_error(self, context: &Context) -> HandlerError {
        let error = HandlerError::page(
            "This sign-in is over",
            "It took too long, was opened in another browser, or your browser does not keep cookies. Start again at the application.",
            Error::invalid_request("the interaction is over, of another browser or for another page"),
        );
        match (self.client, self.account) {
            (Some(client), _) => error.of_client(context, &client),
            (None, Some(page)) => error.of_account(context, page),
            (None, None) => error,
        }
    }
}

impl OpenedInteraction {
    /// Opens an interaction that started in this browser. One that expired begins anew.
    pub async fn open(
        context: &Context,
        browser: &Browser,
        sealed: &str,
        now: Timestamp,
    ) -> Result<Result<Self, ClosedInteraction>, HandlerError> {
        Self::open_by(context, sealed, now, |interaction| of_browser(interaction, browser, context, now)).await
    }

    /// Opens an interaction that started in this browser, or that started with a POST from an unknown browser and is
    /// assigned to this one.
    pub async fn open_or_adopt(
        context: &Context,
        browser: &Browser,
        sealed: &str,
        now: Timestamp,
    ) -> Result<Result<Self, ClosedInteraction>, HandlerError> {
        Self::open_by(context, sealed, now, |interaction| match &interaction.browser {
            Some(_) => of_browser(interaction, browser, context, now),
            None if interaction.expires_at.is_past(now) => None,
            None => interaction.adopt(browser.id.clone()).map(|interaction| (interaction, false)),
        })
        .await
    }

    async fn open_by(
        context: &Context,
        sealed: &str,
        now: Timestamp,
        assign: impl FnOnce(Interaction<UncheckedTarget>) -> Option<(Interaction<UncheckedTarget>, bool)>,
    ) -> Result<Result<Self, ClosedInteraction>, HandlerError> {
        let Some(genuine) = open::<Interaction<UncheckedTarget>>(context, sealed) else {
            return Ok(Err(ClosedInteraction::default()));
        };
        let client = match genuine.requested.client_id() {
            Some(client_id) => match context.client(client_id, now).await? {
                Some(client) => Some(client),
                None => return Ok(Err(ClosedInteraction::default())),
            },
            None => None,
        };
        let account = genuine.requested.account_page();
        let settings = client.as_ref().map(|client| &client.client);
        let checked = assign(genuine)
            .and_then(|(interaction, has_restarted)| Some((interaction.recheck(settings).ok()?, has_restarted)));
        Ok(match checked {
            Some((interaction, has_restarted)) => Ok(Self { interaction, client, has_restarted }),
            None => Err(ClosedInteraction { client, account }),
        })
    }
}

/// Returns an interaction of this browser, and true if it begins anew. `None` if it is another browser's, or too old.
fn of_browser(
    interaction: Interaction<UncheckedTarget>,
    browser: &Browser,
    context: &Context,
    now: Timestamp,
) -> Option<(Interaction<UncheckedTarget>, bool)> {
    let id = interaction.browser.as_ref()?;
    let is_of_browser = *id == browser.id;
    if !is_of_browser && !browser.was(id) {
        None
    } else if interaction.expires_at.is_past(now) {
        let expires_at = now.after(context.config.interaction_lifetime);
        Some((interaction.restart(browser.id.clone(), now, expires_at)?, true))
    } else if is_of_browser {
        Some((interaction, false))
    } else {
        Some((interaction.move_to(browser.id.clone()), true))
    }
}

/// Seals a value that travels through a browser, which can neither read nor change it.
pub fn seal<T: Serialize>(context: &Context, value: &T) -> Result<String, HandlerError> {
    let json = serde_json::to_vec(value).map_err(HandlerError::unavailable)?;
    context.secrets.seal(Purpose::Interaction, &json).map_err(HandlerError::unavailable)
}

/// Opens a sealed value.
pub fn open<T: DeserializeOwned>(context: &Context, sealed: &str) -> Option<T> {
    types::json::decode(&context.secrets.open(Purpose::Interaction, sealed)?).ok()
}

/// Returns the interaction with its request: a pushed one that is too long to travel is read from the store. Round trips: 0; 1 for
/// such a request. Errors: a page if its record is gone.
pub async fn complete(
    context: &Context,
    interaction: Interaction,
    client: &Arc<StoredClient>,
) -> Result<Interaction, HandlerError> {
    let Some(id) = interaction.pushed_reference() else { return Ok(interaction) };
    let found = pushed::read(context.records.as_ref(), id).await?;
    match found.map(|found| found.request.recheck(&client.client)) {
        Some(Ok(request)) => Ok(interaction.complete(request)),
        Some(Err(_)) | None => Err(ClosedInteraction::of_client(Arc::clone(client)).into_error(context)),
    }
}

/// Returns the message that the response to this interaction answers: a form, once a page interrupted the request.
pub fn answers(interaction: &Interaction) -> Answers {
    if interaction.id().is_some() || interaction.has_user_acted() { Answers::Form } else { Answers::Client }
}

/// Redirects the browser to a page that asks the user for something.
pub fn ask(context: &Context, path: &str, interaction: &Interaction) -> Result<Response, HandlerError> {
    forward(context, path, &interaction.clone().interrupt(entropy::name()?))
}

/// Redirects the browser to the sign-in for a page of the user's own account.
pub fn sign_in(
    context: &Context,
    browser: &Browser,
    requested: RequestedPage,
    now: Timestamp,
) -> Result<Response, HandlerError> {
    let expires_at = now.after(context.config.interaction_lifetime);
    ask(context, "/login", &Interaction::start(Requested::Account(requested), Some(browser.id.clone()), expires_at))
}

/// Returns the response for a browser that comes back from the sign-in for a page of the user's own account: that page, without the
/// interaction. `None` if the user cancelled the sign-in. Round trips: 0.
pub fn signed_in_for(context: &Context, sealed: &str, page: AccountPage) -> Option<Response> {
    let href = match open::<Interaction<UncheckedTarget>>(context, sealed) {
        Some(opened) if opened.is_denied() => return None,
        // The page is that of this request, whatever the interaction says: only the link is taken over.
        Some(Interaction { requested: Requested::Account(requested), .. }) if requested.page.path() == page.path() => {
            requested.href()
        }
        Some(_) | None => page.path().to_owned(),
    };
    Some(Response::see_other(&format!("{}{href}", context.config.issuer)))
}

/// Returns the URL at which the request of a sealed interaction continues; `None` if it is forged. Round trips: 0.
pub fn continued(context: &Context, sealed: &str) -> Option<String> {
    let opened = open::<Interaction<UncheckedTarget>>(context, sealed)?;
    Some(format!("{}{}?interaction={sealed}", context.config.issuer, opened.requested.path()))
}

/// Redirects the browser to the endpoint that continues the request.
pub fn resume(context: &Context, interaction: &Interaction) -> Result<Response, HandlerError> {
    forward(context, interaction.requested.path(), interaction)
}

fn forward(context: &Context, path: &str, interaction: &Interaction) -> Result<Response, HandlerError> {
    Ok(Response::see_other(&location(context, path, interaction)?))
}

/// Returns the URL at which the request continues.
pub fn location(context: &Context, path: &str, interaction: &Interaction) -> Result<String, HandlerError> {
    Ok(format!("{}{path}?interaction={}", context.config.issuer, seal(context, &interaction.travelling())?))
}

/// Returns the interaction with the part of its scope that the user may grant. Errors: `invalid_scope`, for the client, if that is
/// none. Round trips: 0; 1 if only some users may grant a part of the scope.
pub async fn grantable(
    context: &Context,
    interaction: &Interaction,
    signed_in: &SignedIn,
) -> Result<Interaction, HandlerError> {
    let Requested::Authorization(requested) = &interaction.requested else { return Ok(interaction.clone()) };
    let request = &requested.request;
    match context.grantable(&signed_in.session.subject, &request.scope, &request.resources).await {
        Ok(scope) => Ok(interaction.clone().with_scope(&scope)),
        Err(HandlerError::Request(error)) => Err(HandlerError::Redirect(Box::new(request.target.clone()), error)),
        Err(fault) => Err(fault),
    }
}

/// Returns the next prompt, given the user who is signed in. The rules compare the `sub` that the client receives
/// ([`Context::subject_for`]); a page of the user's own account has no client.
pub fn next_prompt<'a>(
    context: &Context,
    interaction: &Interaction,
    signed_in: Option<&SignedIn>,
    client: impl Into<Option<&'a Client>>,
    now: Timestamp,
) -> Result<NextPrompt, Error> {
    let classes = &context.configuration.classes;
    let Some(SignedIn { id, session }) = signed_in else { return interaction.next_prompt(None, classes, now) };
    let of_client = client.into().map(|client| context.subject_for(client, &session.subject));
    let subject = of_client.as_ref().unwrap_or(&session.subject);
    let active = ActiveSession { id: *id, subject, authentication: &session.authentication };
    interaction.next_prompt(Some(&active), classes, now)
}
