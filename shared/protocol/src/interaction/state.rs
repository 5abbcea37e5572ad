//! The state of an interaction: what the user has done so far.

use super::Interaction;
use crate::SessionId;
use serde::{Deserialize, Serialize};
use types::{Error, ErrorCode};

/// The state of an interaction. Every transition is a method of [`Interaction`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum InteractionState {
    /// The user has done nothing.
    #[default]
    Started,
    /// The user signed in, or selected the account.
    Authenticated(UserSession),
    /// The user allowed the request in this session.
    Allowed(UserSession),
    /// The user denied the request, or cancelled the sign-in. No transition leaves this state.
    Denied,
}

/// A session of the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UserSession {
    id: SessionId,
    origin: SessionOrigin,
}

/// The relation of a session to the interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SessionOrigin {
    /// The session existed before.
    Earlier,
    /// The session existed before, and the user selected it for this request.
    Selected,
    /// The user created the session by signing in for this request.
    SignedIn,
}

impl InteractionState {
    /// True if the user signed in for this request, which created this session.
    pub(super) fn signed_in(&self, session: SessionId) -> bool {
        self.origin(session) == Some(SessionOrigin::SignedIn)
    }

    /// True if the user selected this session for the request.
    pub(super) fn selected(&self, session: SessionId) -> bool {
        self.origin(session) == Some(SessionOrigin::Selected)
    }

    /// True if the user allowed the request in this session.
    pub(super) fn allowed(&self, session: SessionId) -> bool {
        matches!(self, Self::Allowed(allowed) if allowed.id == session)
    }

    fn origin(&self, session: SessionId) -> Option<SessionOrigin> {
        match self {
            Self::Authenticated(known) | Self::Allowed(known) if known.id == session => Some(known.origin),
            Self::Started | Self::Authenticated(_) | Self::Allowed(_) | Self::Denied => None,
        }
    }
}

impl<Target> Interaction<Target> {
    /// True if the request demands a sign-in of its own (`prompt=login`, `max_age`), and this session comes from it. Such a
    /// sign-in counts for one response (OpenID Connect Core §3.1.2.1).
    pub fn uses_sign_in(&self, session: SessionId) -> bool {
        let policy = self.requested.sign_in_policy();
        (policy.prompt.login || policy.max_age.is_some()) && self.state.signed_in(session)
    }

    /// Returns the interaction after its sign-in was used for a response: the session counts like one that existed before.
    #[must_use]
    pub fn sign_in_used(self) -> Self {
        Self { state: InteractionState::Started, ..self }
    }

    /// True if the user did anything for this request in this browser: signed in, selected the account, allowed or denied.
    pub fn has_user_acted(&self) -> bool {
        self.state != InteractionState::Started
    }

    /// True if the user denied the request, or cancelled the sign-in.
    pub fn is_denied(&self) -> bool {
        self.state == InteractionState::Denied
    }

    /// Records that the user signed in, which created this session. Errors: the interaction is denied.
    pub fn sign_in(self, session: SessionId) -> Result<Self, Error> {
        self.authenticate(session, SessionOrigin::SignedIn)
    }

    /// Records that the user continues with the account of this session. Errors: the interaction is denied.
    pub fn continue_as(self, session: SessionId) -> Result<Self, Error> {
        let origin = match self.state.origin(session) {
            Some(SessionOrigin::SignedIn) => SessionOrigin::SignedIn,
            Some(SessionOrigin::Selected | SessionOrigin::Earlier) | None => SessionOrigin::Selected,
        };
        self.authenticate(session, origin)
    }

    /// Records that the user allows the request in this session. Errors: the interaction is denied.
    pub fn allow(self, session: SessionId) -> Result<Self, Error> {
        let origin = self.state.origin(session).unwrap_or(SessionOrigin::Earlier);
        self.advance(InteractionState::Allowed(UserSession { id: session, origin }))
    }

    /// Records that the user denies the request, or cancels the sign-in.
    #[must_use]
    pub fn deny(self) -> Self {
        Self { state: InteractionState::Denied, ..self }
    }

    /// Restarts the interaction for another user, who must sign in. Errors: the interaction is denied.
    pub fn restart_as_other_user(self) -> Result<Self, Error> {
        let restarted = self.advance(InteractionState::Started)?;
        Ok(Self { requires_sign_in: true, ..restarted })
    }

    fn authenticate(self, id: SessionId, origin: SessionOrigin) -> Result<Self, Error> {
        self.advance(InteractionState::Authenticated(UserSession { id, origin }))
    }

    fn advance(self, state: InteractionState) -> Result<Self, Error> {
        match self.state {
            InteractionState::Started | InteractionState::Authenticated(_) | InteractionState::Allowed(_) => {
                Ok(Self { state, ..self })
            }
            InteractionState::Denied => {
                Err(Error::new(ErrorCode::AccessDenied, "the user denied this request before; start again"))
            }
        }
    }
}
