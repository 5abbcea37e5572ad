//! The browser that sends a request: its cookie, and the CSRF tokens of the forms that it is shown.

use crate::sessions::SignedIn;
use crate::{Context, HandlerError, cookies};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Method, header};
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
        match request.cookie(&name).filter(|id| id.len() == ID_LENGTH) {
            Some(id) => Ok(Self { id: id.to_owned(), is_new: false, is_posted }),
            None => Ok(Self { id: entropy::name()?, is_new: true, is_posted }),
        }
    }

    /// Returns the id if the browser has the cookie, or if this response may set it. A POST without the cookie may come
    /// from another site: browsers leave the cookie out then (RFC 6265bis §5.6.7), and a new one would replace it.
    pub fn known_id(&self) -> Option<&str> {
        (!self.is_new || !self.is_posted).then_some(self.id.as_str())
    }

    /// Adds the cookie to a response, if the browser is new and the response is no error.
    pub fn remember(&self, response: Response, context: &Context) -> Response {
        if self.is_new && !self.is_posted && !response.status.is_client_error() {
            response.with(header::SET_COOKIE, &cookies::set(&context.config, cookies::BROWSER, &self.id, None))
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
