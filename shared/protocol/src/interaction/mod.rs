//! The interaction with the user that a request needs: sign-in, selection of an account, consent (OpenID Connect Core
//! §3.1.2.3, §3.1.2.4).

mod account;
mod pushed;
mod requested;
mod state;

use crate::authorization::unmet;
use crate::{
    AuthenticationClasses, AuthenticationContext, Client, NamedClaim, Resource, ResponseTarget, SessionId,
    UncheckedTarget,
};
pub use account::{AccountPage, RequestedPage};
pub use pushed::PushedReference;
use requested::ClassVerdict;
pub use requested::{Requested, RequestedAuthorization, RequestedBackchannel, RequestedDevice};
use serde::{Deserialize, Serialize};
use state::InteractionState;
use std::time::Duration;
use types::{Error, ErrorCode, Issuer, Scope, Subject, Timestamp};

/// Time in which an interaction that expired can be restarted: a day. A tab that stayed open over night leads to a new sign-in.
const RESTART_LIMIT: Duration = Duration::from_secs(86_400);

/// A request on its way through sign-in and consent. It travels sealed in the URL of the browser.
///
/// An interaction that is deserialized has an [`UncheckedTarget`]. [`Self::recheck`] makes it usable again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction<Target = ResponseTarget> {
    /// The request.
    pub requested: Requested<Target>,
    /// The browser in which the interaction started; every other browser is rejected. `None` until the browser is known: the
    /// request was posted and continues by GET.
    pub browser: Option<String>,
    /// The end of the interaction.
    pub expires_at: Timestamp,
    /// Random identifier; `None` until a page interrupts the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// True if the user asked to use another account: an earlier session is not enough.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    requires_sign_in: bool,
    /// True if the user must select the account: `login_hint` names another user than the session.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    requires_selection: bool,
    /// The part of the request that the user consented to earlier; empty if there is none.
    #[serde(default, skip_serializing_if = "Scope::is_empty")]
    consented: Scope,
    state: InteractionState,
}

impl<Target> Interaction<Target> {
    /// Returns an interaction in which the user has done nothing.
    pub fn start(requested: Requested<Target>, browser: Option<String>, expires_at: Timestamp) -> Self {
        Self {
            requested,
            browser,
            expires_at,
            id: None,
            requires_sign_in: false,
            requires_selection: false,
            consented: Scope::default(),
            state: InteractionState::Started,
        }
    }

    /// Assigns an interaction without a browser to this browser. Only the request is kept, not what a user did before;
    /// `None` if the interaction has a browser.
    #[must_use]
    pub fn adopt(self, browser: String) -> Option<Self> {
        self.browser.is_none().then(|| self.move_to(browser))
    }

    /// Assigns the request of an interaction to this browser, whose id is new. What the user did before is dropped.
    #[must_use]
    pub fn move_to(self, browser: String) -> Self {
        Self { id: self.id, ..Self::start(self.requested, Some(browser), self.expires_at) }
    }

    /// Restarts the request of an interaction that expired, in the browser in which it began. What the user did before is dropped.
    /// `None` if it expired more than a day ago.
    #[must_use]
    pub fn restart(self, browser: String, now: Timestamp, expires_at: Timestamp) -> Option<Self> {
        let may_restart = !self.expires_at.after(RESTART_LIMIT).is_past(now);
        may_restart.then(|| Self { expires_at, ..self.move_to(browser) })
    }

    /// Returns the interaction with an identifier, because a page interrupts the request. An interaction keeps the identifier
    /// that it has. `random` has 128 random bits or more.
    #[must_use]
    pub fn interrupt(self, random: String) -> Self {
        Self { id: self.id.or(Some(random)), ..self }
    }

    /// Returns the identifier; `None` if no page interrupted the request.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl Interaction<UncheckedTarget> {
    /// Checks an interaction that was sealed: the client, and the redirect URI. `client` is `None` for a page of the user's own account.
    /// Errors: `invalid_request`, for the user.
    pub fn recheck(self, client: Option<&Client>) -> Result<Interaction, Error> {
        let Self { requested, browser, expires_at, id, requires_sign_in, requires_selection, consented, state } = self;
        let requested = requested.recheck(client)?;
        Ok(Interaction { requested, browser, expires_at, id, requires_sign_in, requires_selection, consented, state })
    }
}

/// The session of the user who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveSession<'a> {
    /// The session.
    pub id: SessionId,
    /// `sub` of the user, as the client receives it.
    pub subject: &'a Subject,
    /// The sign-in.
    pub authentication: &'a AuthenticationContext,
}

/// The relation of the session to a request that needs a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInReason {
    /// The user of the session signs in again.
    Confirm,
    /// The request names another user.
    NamesOther,
    /// The user asked to use another account.
    OtherWanted,
}

/// The page that must be shown before the request proceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextPrompt {
    /// The user must sign in.
    SignIn,
    /// The user must select an account.
    SelectAccount,
    /// The session fits the request; consent is next.
    Proceed,
}

impl Interaction {
    /// Returns the next prompt, given the session of the user who is signed in. Errors: for the client, at the target.
    pub fn next_prompt(
        &self,
        session: Option<&ActiveSession<'_>>,
        classes: &AuthenticationClasses,
        now: Timestamp,
    ) -> Result<NextPrompt, Error> {
        if self.is_denied() {
            return Err(Error::new(ErrorCode::AccessDenied, "the user denied the request"));
        }
        let policy = self.requested.sign_in_policy();
        let ask = |prompt, reason| match policy.prompt.none {
            true => Err(Error::new(ErrorCode::LoginRequired, format!("{reason}, and prompt=none allows no page"))),
            false => Ok(prompt),
        };
        let Some(session) = session else { return ask(NextPrompt::SignIn, "no user is signed in") };
        let signed_in_for_this = self.state.signed_in(session.id);
        if !policy.accepts(session.subject) {
            return match signed_in_for_this {
                true => Err(Error::new(ErrorCode::LoginRequired, "the request names another user than signed in")),
                false => ask(NextPrompt::SignIn, "another user is signed in than the request names"),
            };
        }
        let class = policy.judge_class(classes, session.authentication);
        if signed_in_for_this {
            return match class {
                ClassVerdict::Unmet => {
                    Err(unmet("the sign-in of the user does not reach the acr that the request needs"))
                }
                ClassVerdict::Met | ClassVerdict::Unwanted => Ok(NextPrompt::Proceed),
            };
        }
        if class != ClassVerdict::Met {
            return ask(NextPrompt::SignIn, "the sign-in does not have the acr that the request asks for");
        }
        let is_too_old = policy.max_age.is_some_and(|max_age| {
            max_age == 0 || now.since(session.authentication.auth_time) > Duration::from_secs(max_age)
        });
        if policy.prompt.login || self.requires_sign_in || is_too_old {
            return ask(NextPrompt::SignIn, "the sign-in is older than max_age allows");
        }
        if (policy.prompt.select_account || self.requires_selection) && !self.state.selected(session.id) {
            return match policy.prompt.none {
                true => Err(Error::new(
                    ErrorCode::AccountSelectionRequired,
                    "login_hint names another user than signed in, and prompt=none allows no page",
                )),
                false => Ok(NextPrompt::SelectAccount),
            };
        }
        Ok(NextPrompt::Proceed)
    }

    /// Returns the interaction with this scope: the part of the scope that the user may grant.
    #[must_use]
    pub fn with_scope(mut self, scope: &Scope) -> Self {
        if let Requested::Authorization(requested) = &mut self.requested {
            requested.request.scope = scope.clone();
        }
        self
    }

    /// Returns the interaction with the scopes of its resources that the user allowed the client earlier; see
    /// [`AuthorizationRequest::add_earlier_scope`](crate::AuthorizationRequest::add_earlier_scope).
    #[must_use]
    pub fn with_earlier_scope(mut self, client: &Client, resources: &[Resource], earlier: &Scope) -> Self {
        if let Requested::Authorization(requested) = &mut self.requested {
            requested.request.add_earlier_scope(client, resources, earlier);
        }
        self
    }

    /// Returns the interaction of a request whose `login_hint` names another user than the session: the user selects the account.
    #[must_use]
    pub fn require_selection(self) -> Self {
        Self { requires_selection: true, ..self }
    }

    /// Returns the relation of the session to a request that needs a sign-in. `subject` is the `sub` that the client receives.
    pub fn sign_in_reason(&self, subject: &Subject) -> SignInReason {
        if !self.requested.sign_in_policy().accepts(subject) {
            SignInReason::NamesOther
        } else if self.requires_sign_in {
            SignInReason::OtherWanted
        } else {
            SignInReason::Confirm
        }
    }

    /// Returns the interaction with the part of its request that the user consented to earlier.
    #[must_use]
    pub fn with_earlier_consent(self, earlier: &Scope) -> Self {
        Self { consented: self.requested.of_consent(earlier), ..self }
    }

    /// True if the user refused the claim earlier.
    pub fn refused_earlier(&self, claim: &NamedClaim<'_>) -> bool {
        claim.is_refused(&self.consented)
    }

    /// Returns the interaction without the claims that the user refuses.
    #[must_use]
    pub fn without_claims(self, refused: &[String]) -> Self {
        Self { requested: self.requested.without_claims(refused), ..self }
    }

    /// True if the user consented to other scopes of this request earlier, and not to this one.
    pub fn is_new(&self, token: &str) -> bool {
        !self.consented.is_empty() && !self.consented.contains(token)
    }

    /// True if the user must be asked for consent in this session. `remembered` is the earlier consent, `issuer` the issuer
    /// identifier of this server. Errors: for the client, at the target.
    pub fn needs_consent(
        &self,
        session: SessionId,
        client: &Client,
        issuer: &Issuer,
        remembered: &Scope,
    ) -> Result<bool, Error> {
        if self.state.allowed(session) {
            return Ok(false);
        }
        match &self.requested {
            Requested::Authorization(requested) => requested.request.needs_consent(client, issuer, remembered),
            Requested::Pushed(_) | Requested::Device(_) | Requested::Backchannel(_) | Requested::Account(_) => Ok(true),
        }
    }
}
