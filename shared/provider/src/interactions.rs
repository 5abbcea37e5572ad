//! Interactions on their way through the browser: sealed in its URL, opened and checked when they return.

use crate::authorization_response::Answers;
use crate::browser::Browser;
use crate::sessions::SignedIn;
use crate::{Context, HandlerError};
use keys::Purpose;
use latchkey_http::Response;
use platform::entropy;
use protocol::{ActiveSession, Client, Interaction, NextPrompt, StoredClient, UncheckedTarget};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;
use types::{Error, Timestamp};

/// An interaction that returned, and its client.
pub struct OpenedInteraction {
    /// The interaction. Its redirect URI is one that the client has now.
    pub interaction: Interaction,
    /// The client that sent the request.
    pub client: Arc<StoredClient>,
    /// True if the interaction started before the last sign-in in this browser: forms of it are out of date.
    pub has_moved: bool,
}

impl OpenedInteraction {
    /// Opens an interaction that started in this browser; `None` if it expired, started in another browser, or if the
    /// client or its redirect URI is gone.
    pub async fn open(
        context: &Context,
        browser: &Browser,
        sealed: &str,
        now: Timestamp,
    ) -> Result<Option<Self>, HandlerError> {
        let opened = open_unexpired(context, sealed, now).and_then(|interaction| of_browser(interaction, browser));
        Self::recheck(context, opened, now).await
    }

    /// Opens an interaction that started in this browser, or that started with a POST from an unknown browser and is
    /// assigned to this one.
    pub async fn open_or_adopt(
        context: &Context,
        browser: &Browser,
        sealed: &str,
        now: Timestamp,
    ) -> Result<Option<Self>, HandlerError> {
        let opened = open_unexpired(context, sealed, now).and_then(|interaction| match &interaction.browser {
            Some(_) => of_browser(interaction, browser),
            None => interaction.adopt(browser.id.clone()).map(|interaction| (interaction, false)),
        });
        Self::recheck(context, opened, now).await
    }

    async fn recheck(
        context: &Context,
        opened: Option<(Interaction<UncheckedTarget>, bool)>,
        now: Timestamp,
    ) -> Result<Option<Self>, HandlerError> {
        let Some((opened, has_moved)) = opened else { return Ok(None) };
        let Some(client) = context.client(opened.requested.client_id(), now).await? else { return Ok(None) };
        let interaction = opened.recheck(&client.client).ok();
        Ok(interaction.map(|interaction| Self { interaction, client, has_moved }))
    }
}

/// Returns an interaction of this browser, and true if it started before the last sign-in. `None` if it is another browser's.
fn of_browser(
    interaction: Interaction<UncheckedTarget>,
    browser: &Browser,
) -> Option<(Interaction<UncheckedTarget>, bool)> {
    let id = interaction.browser.as_ref()?;
    if *id == browser.id {
        Some((interaction, false))
    } else if browser.was(id) {
        Some((interaction.move_to(browser.id.clone()), true))
    } else {
        None
    }
}

fn open_unexpired(context: &Context, sealed: &str, now: Timestamp) -> Option<Interaction<UncheckedTarget>> {
    open(context, sealed).filter(|interaction: &Interaction<_>| !interaction.expires_at.is_past(now))
}

/// Seals a value that travels through a browser, which can neither read nor change it.
pub fn seal<T: Serialize>(context: &Context, value: &T) -> Result<String, HandlerError> {
    let json = serde_json::to_vec(value).map_err(HandlerError::unavailable)?;
    context.secrets.seal(Purpose::Interaction, &json).map_err(HandlerError::unavailable)
}

/// Opens a sealed value.
pub fn open<T: DeserializeOwned>(context: &Context, sealed: &str) -> Option<T> {
    serde_json::from_slice(&context.secrets.open(Purpose::Interaction, sealed)?).ok()
}

/// Returns the message that the response to this interaction answers: a form, once a page interrupted the request.
pub fn answers(interaction: &Interaction) -> Answers {
    if interaction.id().is_some() || interaction.has_user_acted() { Answers::Form } else { Answers::Client }
}

/// Redirects the browser to a page that asks the user for something.
pub fn ask(context: &Context, path: &str, interaction: &Interaction) -> Result<Response, HandlerError> {
    forward(context, path, &interaction.clone().interrupt(entropy::name()?))
}

/// Redirects the browser to the endpoint that continues the request.
pub fn resume(context: &Context, interaction: &Interaction) -> Result<Response, HandlerError> {
    forward(context, interaction.requested.path(), interaction)
}

fn forward(context: &Context, path: &str, interaction: &Interaction) -> Result<Response, HandlerError> {
    Ok(Response::see_other(&format!("{}{path}?interaction={}", context.config.issuer, seal(context, interaction)?)))
}

/// Returns the next prompt, given the user who is signed in. The rules compare the `sub` that the client receives
/// ([`Context::subject_for`]).
pub fn next_prompt(
    context: &Context,
    interaction: &Interaction,
    signed_in: Option<&SignedIn>,
    client: &Client,
    now: Timestamp,
) -> Result<NextPrompt, Error> {
    let Some(SignedIn { id, session }) = signed_in else { return interaction.next_prompt(None, now) };
    let subject = &context.subject_for(client, &session.subject);
    let active = ActiveSession { id: *id, subject, authentication: &session.authentication };
    interaction.next_prompt(Some(&active), now)
}
