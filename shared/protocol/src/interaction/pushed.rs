//! A pushed request that is too long to travel through sign-in (RFC 9126 §1): its record stays in the store until consent.

use super::Interaction;
use super::requested::{Requested, RequestedAuthorization};
use crate::{AuthorizationRequest, Client, PushedRequestId, ResponseTarget, UncheckedTarget};
use serde::{Deserialize, Serialize};
use types::{Error, Scope, Subject};

/// The reference to a pushed request, and the part of it that sign-in needs. No code is issued from that part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PushedReference<Target = ResponseTarget> {
    /// The pushed request.
    pub id: PushedRequestId,
    /// `sub` of the ID token hint: this user must sign in.
    pub(super) expected_subject: Option<Subject>,
    pub(super) sign_in: AuthorizationRequest<Target>,
    /// True if the request is for access to an API.
    pub(super) is_for_access: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refused_claims: Vec<String>,
}

impl PushedReference {
    /// Returns the reference of a pushed request.
    pub(super) fn of(id: PushedRequestId, requested: &RequestedAuthorization) -> Self {
        Self {
            id,
            expected_subject: requested.expected_subject.clone(),
            sign_in: requested.request.for_sign_in(),
            is_for_access: requested.request.is_for_access(),
            refused_claims: requested.refused_claims.clone(),
        }
    }

    /// Returns the request as it was pushed, with what the way through sign-in changed: scopes that the user allowed earlier, and
    /// claims that the user refused.
    fn complete(&self, pushed: AuthorizationRequest) -> RequestedAuthorization {
        let scope: Scope = self.sign_in.scope.clone();
        let claims = pushed.claims.clone().without(&self.refused_claims);
        RequestedAuthorization {
            request: AuthorizationRequest { scope, claims, ..pushed },
            expected_subject: self.expected_subject.clone(),
            pushed: Some(self.id),
            stays_in_store: true,
            refused_claims: self.refused_claims.clone(),
        }
    }
}

impl PushedReference<UncheckedTarget> {
    /// Checks the target. Errors: `invalid_request`, for the user.
    pub(super) fn recheck(self, client: &Client) -> Result<PushedReference, Error> {
        let Self { id, expected_subject, sign_in, is_for_access, refused_claims } = self;
        let sign_in = sign_in.recheck(client)?;
        Ok(PushedReference { id, expected_subject, sign_in, is_for_access, refused_claims })
    }
}

impl Interaction {
    /// Returns the pushed request that stays in the store, if the interaction has only its reference.
    pub fn pushed_reference(&self) -> Option<PushedRequestId> {
        match &self.requested {
            Requested::Pushed(reference) => Some(reference.id),
            Requested::Authorization(_) | Requested::Device(_) | Requested::Backchannel(_) | Requested::Account(_) => {
                None
            }
        }
    }

    /// Returns the interaction with its request, which was read from the store.
    #[must_use]
    pub fn complete(self, pushed: AuthorizationRequest) -> Self {
        let Requested::Pushed(reference) = &self.requested else { return self };
        let requested = Requested::Authorization(Box::new(reference.complete(pushed)));
        Self { requested, ..self }
    }

    /// Returns the interaction as it travels: a pushed request that is too long is only named.
    #[must_use]
    pub fn travelling(&self) -> Self {
        let requested = match &self.requested {
            Requested::Authorization(requested) if requested.stays_in_store => {
                requested.pushed.map(|id| Requested::Pushed(Box::new(PushedReference::of(id, requested))))
            }
            Requested::Authorization(_)
            | Requested::Pushed(_)
            | Requested::Device(_)
            | Requested::Backchannel(_)
            | Requested::Account(_) => None,
        };
        let travelling = self.clone();
        match requested {
            Some(requested) => Self { requested, ..travelling },
            None => travelling,
        }
    }
}
