//! A client's logout request (RP-Initiated Logout §2, §3).

use crate::error_page;
use latchkey_http::Request;
use protocol::Sid;
use protocol::{Client, Parameters, SignOutLink};
use provider::browser::Browser;
use provider::{Context, HandlerError, interactions};
use serde::{Deserialize, Serialize};
use storage::sessions::Session;
use types::{ClientId, Error};

/// A checked logout request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct LogoutRequest {
    client_id: Option<ClientId>,
    /// The client's display name.
    #[serde(skip_serializing)]
    pub(crate) client_name: Option<String>,
    /// The URI at which the user starts again at the client.
    #[serde(skip_serializing)]
    pub(crate) start_uri: Option<String>,
    /// The registered post-logout redirect URI.
    pub(crate) redirect_uri: Option<String>,
    state: Option<String>,
    hint: Option<Hint>,
}

/// A logout request that was sealed. The client may have changed since, so [`Self::recheck`] must make it usable again.
#[derive(Deserialize)]
struct SealedLogoutRequest {
    client_id: Option<ClientId>,
    redirect_uri: Option<String>,
    state: Option<String>,
    hint: Option<Hint>,
}

impl SealedLogoutRequest {
    /// Returns the part of the request that still holds. A redirect URI that the client does not have any more is left
    /// out (§3); if the client is gone, so is its hint, and the user is asked. Round trips: 1 if the client is not cached.
    async fn recheck(self, request: &Request, context: &Context) -> Result<LogoutRequest, HandlerError> {
        let Self { client_id, redirect_uri, state, hint } = self;
        let stored = match &client_id {
            Some(client_id) => context.client(client_id, request.received_at).await?,
            None => None,
        };
        let Some(stored) = stored else { return Ok(LogoutRequest { state, ..LogoutRequest::default() }) };
        let client_name = Some(stored.client.display_name().to_owned());
        let start_uri = stored.client.start_uri(&context.config.issuer);
        let redirect_uri = redirect_uri.filter(|uri| is_registered(&stored.client, uri));
        Ok(LogoutRequest { client_id, client_name, start_uri, redirect_uri, state, hint })
    }
}

fn is_registered(client: &Client, post_logout_redirect_uri: &str) -> bool {
    client.post_logout_redirect_uris.iter().any(|registered| registered.as_str() == post_logout_redirect_uri)
}

/// The place where a link was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkOrigin {
    /// In this browser.
    ThisBrowser,
    /// In this browser, before the last sign-in: a form of that time is out of date.
    BeforeSignIn,
    /// In a browser that sent no cookie, because another site posted the request.
    UnknownBrowser,
}

/// The session that a verified ID token names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Hint {
    client_id: ClientId,
    sid: Sid,
}

impl LogoutRequest {
    /// Checks a request. The browser is redirected to a URI that the client registered, or to none (§3). Errors: an error
    /// page.
    pub(crate) async fn check(
        parameters: &Parameters,
        request: &Request,
        context: &Context,
    ) -> Result<Self, HandlerError> {
        let wrong = |description| error_page(Error::invalid_request(description));
        parameters.refuse_repeated().map_err(error_page)?;
        let mut logout = Self { state: parameters.value("state").map(str::to_owned), ..Self::default() };
        logout.client_id = match parameters.value("client_id") {
            Some(named) => Some(ClientId::parse(named).ok_or_else(|| wrong("the client_id is unknown"))?),
            None => None,
        };
        if let Some(token) = parameters.value("id_token_hint") {
            let hint = context.id_token_hint(token, request.received_at).await?;
            let hint = hint.ok_or_else(|| wrong("id_token_hint is not an ID token of this server"))?;
            if logout.client_id.as_ref().is_some_and(|client_id| *client_id != hint.aud) {
                return Err(wrong("client_id is not the client that id_token_hint was issued to"));
            }
            logout.client_id = Some(hint.aud.clone());
            logout.hint = Some(Hint { client_id: hint.aud, sid: hint.sid });
        }
        let Some(client_id) = logout.client_id.clone() else {
            return match parameters.value("post_logout_redirect_uri") {
                Some(_) => Err(wrong("post_logout_redirect_uri needs an id_token_hint or a client_id")),
                None => Ok(logout),
            };
        };
        let stored = context.client(&client_id, request.received_at).await?;
        let stored = stored.ok_or_else(|| wrong("the client_id is unknown"))?;
        logout.client_name = Some(stored.client.display_name().to_owned());
        logout.start_uri = stored.client.start_uri(&context.config.issuer);
        if let Some(uri) = parameters.value("post_logout_redirect_uri") {
            if !is_registered(&stored.client, uri) {
                return Err(wrong(
                    "the post_logout_redirect_uri is not registered for this client; it must match to the character",
                ));
            }
            logout.redirect_uri = Some(uri.to_owned());
        }
        Ok(logout)
    }

    /// Seals the request as a link, which is bound to the browser if it has a cookie.
    pub(crate) fn seal(&self, request: &Request, context: &Context, browser: &Browser) -> Result<String, HandlerError> {
        let expires_at = request.received_at.after(context.config.interaction_lifetime);
        let link = SignOutLink { request: interactions::seal(context, self)?, expires_at };
        Ok(link.seal(&context.secrets, browser.known_id()).into_exposed())
    }

    /// Opens a link and checks its request against the client again; `None` if it is forged, expired or of another browser.
    pub(crate) async fn open(
        link: &str,
        request: &Request,
        context: &Context,
        browser: &Browser,
    ) -> Result<Option<(Self, LinkOrigin)>, HandlerError> {
        let open = |browser| SignOutLink::open(&context.secrets, link, browser, request.received_at).ok();
        let opened = if let Some(opened) = open(Some(&browser.id)) {
            Some((opened, LinkOrigin::ThisBrowser))
        } else if let Some(opened) = browser.previous().and_then(|previous| open(Some(previous))) {
            Some((opened, LinkOrigin::BeforeSignIn))
        } else {
            open(None).map(|opened| (opened, LinkOrigin::UnknownBrowser))
        };
        let Some((opened, origin)) = opened else { return Ok(None) };
        match interactions::open::<SealedLogoutRequest>(context, &opened.request) {
            Some(sealed) => Ok(Some((sealed.recheck(request, context).await?, origin))),
            None => Ok(None),
        }
    }

    /// True if the client sent an ID token, which was verified.
    pub(crate) fn has_hint(&self) -> bool {
        self.hint.is_some()
    }

    /// True if a verified ID token names this session. Its `sid` suffices: a session has one user, whatever `sub` the
    /// client has for that user.
    pub(crate) fn names(&self, session: &Session) -> bool {
        self.hint.as_ref().is_some_and(|hint| hint.sid == session.group.sid(&hint.client_id))
    }

    /// Returns the post-logout redirect URI with the client's `state`.
    pub(crate) fn return_to(&self) -> Option<String> {
        let uri = self.redirect_uri.as_ref()?;
        let Some(state) = &self.state else { return Some(uri.clone()) };
        let separator = if uri.contains('?') { '&' } else { '?' };
        let encoded = form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
        Some(format!("{uri}{separator}{encoded}"))
    }
}
