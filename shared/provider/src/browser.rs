//! The browser at the other end: who it is, who is signed in there, which request it is in the midst of.

use crate::back_channel::Notices;
use crate::{Context, HandlerError, cookies};
use http::{Method, header};
use keys::Purpose;
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::interaction::{self, ActiveSession, Interaction, Step};
use protocol::{Client, SessionId, SessionToken};
use serde::{Serialize, de::DeserializeOwned};
use storage::grants::SessionGrants;
use storage::sessions::{self, Session};
use storage::sign_out;
use types::{Error, Timestamp};

/// A browser, known by a random cookie. Forms and links made for it are worth nothing in another.
#[derive(Clone, Debug)]
pub struct Browser {
    /// The cookie's value.
    pub id: String,
    is_new: bool,
    is_posted: bool,
}

/// Where a form was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormOrigin {
    /// In this browser, to whoever is signed in now.
    ThisSession,
    /// In this browser, before somebody signed in anew.
    OtherSession,
    /// Elsewhere, or nowhere.
    Elsewhere,
}

impl Browser {
    /// The browser that sent the request; a new name for one that sent none.
    pub fn of(request: &Request, context: &Context) -> Result<Self, HandlerError> {
        let name = cookies::wire_name(&context.config, cookies::BROWSER);
        let is_posted = request.method == Method::POST;
        match request.cookie(&name).filter(|id| id.len() == 22) {
            Some(id) => Ok(Self { id: id.to_owned(), is_new: false, is_posted }),
            None => Ok(Self { id: entropy::name()?, is_new: true, is_posted }),
        }
    }

    /// Its name, when this answer can tell it or it is told already. A POST without the cookie may be another site's, from
    /// which browsers leave cookies out (RFC 6265bis §5.6.7): the browser may have a name, and another would take its place.
    pub fn known_id(&self) -> Option<&str> {
        (!self.is_new || !self.is_posted).then_some(self.id.as_str())
    }

    /// Tells a new browser its name, with a page that works.
    pub fn remember(&self, response: Response, context: &Context) -> Response {
        if self.is_new && !self.is_posted && !response.status.is_client_error() {
            response.with(header::SET_COOKIE, &cookies::set(&context.config, cookies::BROWSER, &self.id, None))
        } else {
            response
        }
    }

    /// The token of a form that this browser is shown: against requests forged by other sites, sign-in by an
    /// attacker's form included (RFC 9700 §4.7). `bound` is what else the form carries.
    pub fn form_token(&self, context: &Context, form: &str, bound: &str) -> String {
        use base64::Engine;
        let tag = context.secrets.mac(Purpose::Form, &[self.id.as_bytes(), form.as_bytes(), bound.as_bytes()]);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(tag)
    }

    /// Whether a form came from a page that this browser was shown.
    pub fn accepts_form(&self, context: &Context, form: &str, bound: &str, token: Option<&str>) -> bool {
        let expected = self.form_token(context, form, bound);
        !self.is_new && token.is_some_and(|token| jose::constant_time_eq(token.as_bytes(), expected.as_bytes()))
    }

    /// The token of a form in which a person decides: good in this session alone.
    pub fn decision_token(&self, context: &Context, form: &str, sealed: &str, signed_in: &SignedIn) -> String {
        let in_session = self.form_token(context, form, &signed_in.bind(sealed));
        format!("{}.{in_session}", self.form_token(context, form, sealed))
    }

    /// Where a form was shown in which a person decides, by its token.
    pub fn form_origin(
        &self,
        context: &Context,
        form: &str,
        sealed: &str,
        signed_in: &SignedIn,
        token: Option<&str>,
    ) -> FormOrigin {
        let Some((in_browser, in_session)) = token.and_then(|token| token.split_once('.')) else {
            return FormOrigin::Elsewhere;
        };
        if !self.accepts_form(context, form, sealed, Some(in_browser)) {
            FormOrigin::Elsewhere
        } else if self.accepts_form(context, form, &signed_in.bind(sealed), Some(in_session)) {
            FormOrigin::ThisSession
        } else {
            FormOrigin::OtherSession
        }
    }

    /// Opens an interaction that began in this browser and is not over.
    pub fn open_interaction(&self, context: &Context, sealed: &str, now: Timestamp) -> Option<Interaction> {
        let interaction: Interaction = open(context, sealed)?;
        let is_ours = interaction.browser.as_ref() == Some(&self.id);
        (is_ours && !interaction.expires_at.is_past(now)).then_some(interaction)
    }

    /// Opens an interaction that began with a POST from a browser of which nothing was known, and makes it this one's. It
    /// is what the client asked, and nothing more: no browser's decisions come along.
    pub fn adopt_interaction(&self, context: &Context, sealed: &str, now: Timestamp) -> Option<Interaction> {
        let interaction: Interaction = open(context, sealed)?;
        let is_free = interaction.browser.is_none() && !interaction.expires_at.is_past(now);
        let browser = Some(self.id.clone());
        is_free.then_some(Interaction { browser, chosen: None, signed_in: None, decision: None, ..interaction })
    }
}

/// Seals what travels through a browser that must neither read nor change it.
pub fn seal<T: Serialize>(context: &Context, value: &T) -> Result<String, HandlerError> {
    let json = serde_json::to_vec(value).map_err(HandlerError::unavailable)?;
    context.secrets.seal(Purpose::Interaction, &json).map_err(HandlerError::unavailable)
}

/// Opens what was sealed.
pub fn open<T: DeserializeOwned>(context: &Context, sealed: &str) -> Option<T> {
    serde_json::from_slice(&context.secrets.open(Purpose::Interaction, sealed)?).ok()
}

/// Sends the browser on with its interaction.
pub fn forward(context: &Context, path: &str, interaction: &Interaction) -> Result<Response, HandlerError> {
    Ok(Response::see_other(&format!("{}{path}?interaction={}", context.config.issuer, seal(context, interaction)?)))
}

/// Somebody signed in, in this browser.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session's name in the store.
    pub id: SessionId,
    /// The same, as interactions name it.
    pub name: String,
    /// The session.
    pub session: Session,
}

impl SignedIn {
    /// Who is signed in, if anybody. One round trip; none when there is no genuine cookie.
    pub async fn of(request: &Request, context: &Context) -> Result<Option<Self>, HandlerError> {
        let Some(cookie) = request.cookie(&cookies::wire_name(&context.config, cookies::SESSION)) else {
            return Ok(None);
        };
        let Some(token) = SessionToken::open(&context.secrets, cookie, request.received_at) else { return Ok(None) };
        let id = token.session;
        let session = sessions::find(context.records.as_ref(), id).await?;
        Ok(session.map(|session| Self { id, name: id.name(), session }))
    }

    /// Ends the session and what was granted in it, but for offline use (OpenID Connect Back-Channel Logout §2.7). Says
    /// whom to tell, which is written down. What requests grant that are on their way is ended a minute later.
    pub async fn end(&self, context: &Context, now: Timestamp) -> Result<Notices, HandlerError> {
        let (records, session) = (context.records.as_ref(), &self.session);
        sign_out::begin(records, &session.subject, Some(&session.sid), now, &entropy::name()?).await?;
        let grants = SessionGrants::find(records, &session.subject, &session.sid).await?;
        let notices = Notices::begin(context, &session.subject, &grants.clients(), now).await?;
        grants.revoke(records, now, &entropy::name()?).await?;
        sessions::remove(records, self.id).await?;
        Ok(notices)
    }

    /// What the token of a form is bound to that a person decides in: the request, and the session that it was shown in.
    fn bind(&self, sealed: &str) -> String {
        format!("{sealed} {}", self.name)
    }
}

/// What must happen next in an interaction, as far as it depends on who is signed in. The rules see a person by the name
/// that the client knows them by ([`Context::subject_for`]).
pub fn step(
    context: &Context,
    interaction: &Interaction,
    signed_in: Option<&SignedIn>,
    client: &Client,
    now: Timestamp,
) -> Result<Step, Error> {
    let Some(SignedIn { name, session, .. }) = signed_in else { return interaction::step(interaction, None, now) };
    let subject = &context.subject_for(client, &session.subject);
    let active = ActiveSession { id: name, subject, authentication: &session.authentication };
    interaction::step(interaction, Some(&active), now)
}

/// The `Set-Cookie` value of a new session.
pub fn session_cookie(context: &Context, id: SessionId, now: Timestamp) -> Result<String, HandlerError> {
    let token = SessionToken { session: id, issued_at: now, expires_at: now.after(context.config.session_lifetime) };
    let token = token.seal(&context.secrets);
    Ok(cookies::set(&context.config, cookies::SESSION, token.expose(), Some(context.config.session_lifetime)))
}
