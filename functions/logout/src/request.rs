//! A client's logout request (RP-Initiated Logout §2, §3).

use latchkey_http::Request;
use platform::entropy;
use protocol::{Client, Parameters, Sid, SignOutLink};
use provider::browser::Browser;
use provider::{Context, HandlerError, interactions};
use serde::{Deserialize, Serialize};
use storage::grants::SessionGrants;
use storage::sessions::Session;
use types::{ClientId, Subject, Timestamp};

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
    client.post_logout_redirect_uris.iter().any(|registered| registered.matches(post_logout_redirect_uri))
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
    /// The user; `None` if the client's `sub` is another one.
    subject: Option<Subject>,
}

impl LogoutRequest {
    /// Checks a request. What cannot be trusted is left out, and the user is asked (§2): a hint of other keys, an unknown client,
    /// a URI that the client did not register. The reason is in the log.
    pub(crate) async fn check(
        parameters: &Parameters,
        request: &Request,
        context: &Context,
    ) -> Result<Self, HandlerError> {
        let ignore = |reason: &str| request.log.error("invalid_request", reason);
        if parameters.refuse_repeated().is_err() {
            ignore("a parameter is repeated");
            return Ok(Self::default());
        }
        let mut logout = Self { state: parameters.value("state").map(str::to_owned), ..Self::default() };
        let hint = match parameters.value("id_token_hint") {
            Some(token) => context.id_token_hint(token, request.received_at).await?,
            None => None,
        };
        if hint.is_none() && parameters.value("id_token_hint").is_some() {
            ignore("id_token_hint is not an ID token of this server");
        }
        let named = parameters.value("client_id");
        if let (Some(named), Some(hint)) = (named, &hint)
            && named != hint.aud.as_str()
        {
            ignore("client_id is not the client that id_token_hint was issued to");
            return Ok(logout);
        }
        let client_id = hint.as_ref().map(|hint| hint.aud.as_str()).or(named);
        let stored = match client_id {
            Some(client_id) => context.named_client(client_id, request.received_at).await?,
            None => None,
        };
        let redirect_uri = parameters.value("post_logout_redirect_uri");
        let Some(stored) = stored else {
            if client_id.is_some() || redirect_uri.is_some() {
                ignore("the client_id is unknown, or post_logout_redirect_uri came without one");
            }
            return Ok(logout);
        };
        let client = &stored.client;
        logout.client_id = Some(client.client_id.clone());
        logout.client_name = Some(client.display_name().to_owned());
        logout.start_uri = client.start_uri(&context.config.issuer);
        logout.hint = hint.map(|hint| Hint {
            client_id: hint.aud,
            sid: hint.sid,
            // The subject of a pairwise client is not that of the user.
            subject: Some(hint.sub).filter(|_| client.pairwise_sector().is_none()),
        });
        logout.redirect_uri = redirect_uri.filter(|uri| is_registered(client, uri)).map(str::to_owned);
        if redirect_uri.is_some() && logout.redirect_uri.is_none() {
            ignore("the post_logout_redirect_uri is not registered for this client");
            logout.hint = None;
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

    /// Ends the client's grants of the session that a verified ID token names, for a request without the cookie of that session:
    /// a client may sign out from its server. Grants for offline use stay (OpenID Connect Core §11). Round trips: 1 for each 100
    /// records of the user.
    pub(crate) async fn end_named(&self, context: &Context, now: Timestamp) -> Result<(), HandlerError> {
        let Some(Hint { client_id, sid, subject: Some(subject) }) = &self.hint else { return Ok(()) };
        let records = context.records.as_ref();
        let grants = SessionGrants::of_client(records, subject, client_id, sid).await?;
        Ok(grants.revoke(records, now, &entropy::name()?).await?)
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
