//! The browser that sends a request: its cookie, and the CSRF tokens of the forms that it is shown.

use crate::sessions::SignedIn;
use crate::{Context, HandlerError, cookies};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, Method, header};
use keys::Purpose;
use latchkey_http::{Request, Response};
use platform::entropy;

/// Length of the browser cookie: 128 random bits, base64url.
const ID_LENGTH: usize = 22;

/// A browser, identified by a random cookie. Forms and links made for it are rejected in another browser.
#[derive(Clone, Debug)]
pub struct Browser {
    /// Value of the cookie.
    pub id: String,
    /// The id before the last sign-in.
    previous: Option<String>,
    is_new: bool,
    is_posted: bool,
}

/// The place where a form was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormOrigin {
    /// In this browser, in the session that is active now.
    ThisSession,
    /// In this browser, in another session than the active one.
    OtherSession,
    /// In another browser, or nowhere.
    Elsewhere,
}

impl Browser {
    /// Returns the browser that sent the request. A browser without the cookie gets a new id.
    pub fn of(request: &Request, context: &Context) -> Result<Self, HandlerError> {
        let name = cookies::wire_name(&context.config, cookies::BROWSER);
        let is_posted = request.method == Method::POST;
        let cookie = request.cookie(&name).unwrap_or_default();
        let (id, previous) = cookie.split_once('.').map_or((cookie, None), |(id, previous)| (id, Some(previous)));
        if [id].into_iter().chain(previous).any(|id| id.len() != ID_LENGTH) {
            return Ok(Self { id: entropy::name()?, previous: None, is_new: true, is_posted });
        }
        Ok(Self { id: id.to_owned(), previous: previous.map(str::to_owned), is_new: false, is_posted })
    }

    /// Returns the browser with a new id, for a sign-in. An attacker who planted the earlier cookie, or read it, has nothing
    /// that is bound to the signed-in browser. Pages that are open in other tabs lead on: see [`Self::was`].
    pub fn renewed(&self) -> Result<Self, HandlerError> {
        Ok(Self {
            id: entropy::name()?,
            previous: Some(self.id.clone()),
            is_new: self.is_new,
            is_posted: self.is_posted,
        })
    }

    /// Returns the browser with a new id, for a sign-out. No page of before leads on.
    pub fn replaced(&self) -> Result<Self, HandlerError> {
        Ok(Self { previous: None, ..self.renewed()? })
    }

    /// Returns the id before the last sign-in.
    pub fn previous(&self) -> Option<&str> {
        self.previous.as_deref()
    }

    /// True if this was the id of the browser before the last sign-in. A request that started then may go on, but nothing that
    /// the user did for it counts, and its forms are out of date.
    pub fn was(&self, id: &str) -> bool {
        self.previous.as_deref() == Some(id)
    }

    /// Returns the `Set-Cookie` value of the browser cookie: the id, and the one before the last sign-in.
    pub fn cookie(&self, context: &Context) -> String {
        let value = match &self.previous {
            Some(previous) => format!("{}.{previous}", self.id),
            None => self.id.clone(),
        };
        cookies::set(&context.config, cookies::BROWSER, &value, None)
    }

    /// Returns the id if the browser has the cookie, or if this response may set it. A POST without the cookie may come
    /// from another site: browsers leave the cookie out then (RFC 6265bis §5.6.7), and a new one would replace it.
    pub fn known_id(&self) -> Option<&str> {
        (!self.is_new || !self.is_posted).then_some(self.id.as_str())
    }

    /// Adds the cookie to a response, if the browser is new, and the response is no error and has no browser cookie yet.
    pub fn remember(&self, response: Response, context: &Context) -> Response {
        let name = cookies::wire_name(&context.config, cookies::BROWSER);
        let is_ours = |field: &HeaderValue| {
            field.as_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
        };
        let has_cookie = response.headers.get_all(header::SET_COOKIE).iter().any(is_ours);
        if self.is_new && !self.is_posted && !response.status.is_client_error() && !has_cookie {
            response.with(header::SET_COOKIE, &self.cookie(context))
        } else {
            response
        }
    }

    /// Returns the CSRF token of a form that this browser is shown (RFC 9700 §4.7). `bound` is the other content of the
    /// form that must not change.
    pub fn form_token(&self, context: &Context, form: &str, bound: &str) -> String {
        URL_SAFE_NO_PAD
            .encode(context.secrets.mac(Purpose::Form, &[self.id.as_bytes(), form.as_bytes(), bound.as_bytes()]))
    }

    /// True if the CSRF token is that of a form that this browser was shown.
    pub fn accepts_form(&self, context: &Context, form: &str, bound: &str, token: Option<&str>) -> bool {
        let expected = self.form_token(context, form, bound);
        !self.is_new && token.is_some_and(|token| jose::constant_time_eq(token.as_bytes(), expected.as_bytes()))
    }

    /// Returns the CSRF token of a consent form. It is valid in this session only.
    pub fn consent_token(&self, context: &Context, form: &str, sealed: &str, signed_in: &SignedIn) -> String {
        let in_session = self.form_token(context, form, &bind(sealed, signed_in));
        format!("{}.{in_session}", self.form_token(context, form, sealed))
    }

    /// Returns the place where a consent form was shown, by its CSRF token.
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
        } else if self.accepts_form(context, form, &bind(sealed, signed_in), Some(in_session)) {
            FormOrigin::ThisSession
        } else {
            FormOrigin::OtherSession
        }
    }
}

/// Returns the content that the CSRF token of a consent form is bound to: the request, and the session.
fn bind(sealed: &str, signed_in: &SignedIn) -> String {
    format!("{sealed} {}", signed_in.id.name())
}
