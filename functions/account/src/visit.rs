//! A request of a user who is signed in.

use crate::{authenticator, data, deletion, email, new_passkey, passkey, password, recovery_codes, sign_in};
use http::{Method, StatusCode, header};
use latchkey_http::{Request, Response};
use pages::{AccountOutcome, Frame};
use protocol::{AccountPage, Parameters, RequestedPage};
use provider::browser::{Browser, FormOrigin};
use provider::sessions::SignedIn;
use provider::{Context, HandlerError, RequestParameters, cookies, interactions, responses};
use std::time::Duration;
use storage::account::{self, Account};
use storage::sessions;
use storage::users::{self, User};
use types::{Error, ErrorCode, Subject, Timestamp};

/// The longest link of a mail that travels through the sign-in, in bytes.
const MAX_LINK: usize = 2048;

/// A request of a user who is signed in.
pub(crate) struct Visit<'a> {
    pub(crate) request: &'a Request,
    pub(crate) context: &'a Context,
    pub(crate) browser: &'a Browser,
    /// The page that the user signs in for.
    page: AccountPage,
    /// None is repeated.
    pub(crate) parameters: Parameters,
    pub(crate) signed_in: SignedIn,
}

impl<'a> Visit<'a> {
    /// Opens a request. Errors: the redirect to the sign-in. Round trips: 1; 0 without a valid cookie.
    pub(crate) async fn open(
        request: &'a Request,
        context: &'a Context,
        browser: &'a Browser,
    ) -> Result<Self, HandlerError> {
        let parameters = request.parameters()?;
        parameters.refuse_repeated()?;
        let page = match request.path.as_str() {
            data::PATH => AccountPage::Data,
            deletion::PATH => AccountPage::Deletion,
            email::PATH if parameters.value("link").is_some() => AccountPage::EmailAddressLink,
            email::PATH => AccountPage::EmailAddress,
            new_passkey::PATH => AccountPage::NewPasskey,
            authenticator::PATH | passkey::PATH | recovery_codes::PATH | sign_in::PATH => AccountPage::SignInMethods,
            password::PATH => AccountPage::Password,
            _ => AccountPage::Overview,
        };
        if let Some(sealed) = parameters.value("interaction") {
            let back = interactions::signed_in_for(context, sealed, page);
            let response =
                back.map_or_else(|| outcome(request, context, StatusCode::OK, AccountOutcome::NotSignedIn), Ok)?;
            return Err(response.into());
        }
        let now = request.received_at;
        match SignedIn::of(request, context).await? {
            Some(signed_in) if is_recent_enough(&signed_in, page, now) => {
                Ok(Self { request, context, browser, page, parameters, signed_in })
            }
            Some(_) | None => {
                let link = parameters.value("link").filter(|link| link.len() <= MAX_LINK).map(str::to_owned);
                let link = link.filter(|_| page == AccountPage::EmailAddressLink);
                Err(interactions::sign_in(context, browser, RequestedPage { page, link }, now)?.into())
            }
        }
    }

    pub(crate) const fn is_post(&self) -> bool {
        matches!(self.request.method, Method::POST)
    }

    pub(crate) const fn now(&self) -> Timestamp {
        self.request.received_at
    }

    pub(crate) const fn subject(&self) -> &Subject {
        &self.signed_in.session.subject
    }

    /// Reads the records of the user. Errors: the redirect to the sign-in if this session is over for all that follows from it. Round
    /// trips: 1 for each 100 records.
    pub(crate) async fn account(&self) -> Result<Account, HandlerError> {
        let records = self.context.records.as_ref();
        let account = account::read(records, self.subject(), self.now()).await?;
        let auth_time = self.signed_in.session.authentication.auth_time;
        if account.user.as_ref().is_none_or(|user| !user.removed && user.admits(auth_time)) {
            return Ok(account);
        }
        // The user was disabled, or signed out everywhere, while this session started.
        sessions::end(records, self.signed_in.id, self.now()).await?;
        let sign_in = interactions::sign_in(self.context, self.browser, self.page.into(), self.now())?;
        let cookie = cookies::clear(&self.context.config, cookies::SESSION);
        Err(sign_in.with(header::SET_COOKIE, &cookie).into())
    }

    /// Returns the user of this session; `None` if this session is over. Round trips: 1.
    pub(crate) async fn user(&self) -> Result<Option<User>, HandlerError> {
        let user = users::find(self.context.records.as_ref(), self.subject()).await?;
        Ok(user.filter(|user| user.admits(self.signed_in.session.authentication.auth_time)))
    }

    /// Returns the frame of the page that answers the request.
    pub(crate) fn frame(&self) -> Result<Frame, HandlerError> {
        responses::frame(self.request, self.context)
    }

    /// Shows an outcome.
    pub(crate) fn outcome(&self, status: StatusCode, shown: AccountOutcome<'_>) -> Result<Response, HandlerError> {
        outcome(self.request, self.context, status, shown)
    }

    /// Returns the CSRF token of a form about the thing `bound`. It is valid in this session only.
    pub(crate) fn form_token(&self, form: &str, bound: &str) -> String {
        self.browser.consent_token(self.context, form, bound, &self.signed_in)
    }

    /// Checks the CSRF token of a form. Errors: the page that says that nothing was changed.
    pub(crate) fn check_form(&self, form: &str, bound: &str) -> Result<(), HandlerError> {
        let csrf = self.parameters.value("csrf");
        match self.browser.form_origin(self.context, form, bound, &self.signed_in, csrf) {
            FormOrigin::ThisSession => Ok(()),
            FormOrigin::OtherSession | FormOrigin::Elsewhere => {
                let error = Error::invalid_request("the form is not one that this browser was shown in this session");
                self.request.log.error(error.code.as_str(), &error.description);
                Err(self.outcome(StatusCode::BAD_REQUEST, AccountOutcome::NotAccepted)?.into())
            }
        }
    }

    /// Returns the page for a thing that is not there, or that belongs to another user: both look the same.
    pub(crate) fn not_there(&self) -> Result<Response, HandlerError> {
        let error = Error::new(ErrorCode::InvalidRequest, "the user has no such application or session");
        self.request.log.error(error.code.as_str(), &error.description);
        self.outcome(StatusCode::NOT_FOUND, AccountOutcome::NotThere)
    }
}

/// True if the sign-in is as recent as the page demands.
fn is_recent_enough(signed_in: &SignedIn, page: AccountPage, now: Timestamp) -> bool {
    let age = now.since(signed_in.session.authentication.auth_time);
    page.max_age().is_none_or(|max_age| age <= Duration::from_secs(max_age))
}

fn outcome(
    request: &Request,
    context: &Context,
    status: StatusCode,
    outcome: AccountOutcome<'_>,
) -> Result<Response, HandlerError> {
    Ok(responses::page(status, pages::account_outcome(&responses::frame(request, context)?, outcome)))
}
