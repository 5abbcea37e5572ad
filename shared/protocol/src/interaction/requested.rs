//! The request that an interaction is about: one arm for each way to request a grant from a user.

use super::account::{AccountPage, RequestedPage};
use super::pushed::PushedReference;
use crate::{
    AskingDevice, AuthenticationClasses, AuthenticationContext, AuthorizationRequest, BackchannelRequest, ClaimRequest,
    Client, DecisionId, DeviceRequest, NamedClaim, Prompt, PushedRequestId, RedirectUri, ResponseTarget,
    UncheckedTarget, UserCode,
};
use serde::{Deserialize, Serialize};
use types::{ClientId, Error, Scope, Subject};

/// The request that an interaction is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requested<Target = ResponseTarget> {
    /// An authorization request (RFC 6749 §4.1.1).
    Authorization(Box<RequestedAuthorization<Target>>),
    /// An authorization request that was pushed, and whose record stays in the store while the user signs in (RFC 9126).
    Pushed(Box<PushedReference<Target>>),
    /// A device authorization request (RFC 8628 §3.1).
    Device(Box<RequestedDevice>),
    /// A backchannel authentication request (CIBA Core §7.1).
    Backchannel(RequestedBackchannel),
    /// A page of the user's own account.
    Account(RequestedPage),
}

/// An authorization request on its way to a code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestedAuthorization<Target = ResponseTarget> {
    /// The request.
    pub request: AuthorizationRequest<Target>,
    /// `sub` of the ID token hint: this user must sign in.
    pub expected_subject: Option<Subject>,
    /// The pushed request that this is (RFC 9126). It may be answered once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed: Option<PushedRequestId>,
    /// True if the pushed request is too long to travel: only [`PushedReference`] does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stays_in_store: bool,
    /// The claims that the user refused on the consent page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_claims: Vec<String>,
}

/// A device that waits for the user's approval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestedDevice {
    /// The request.
    pub request: DeviceRequest,
    /// `user_code` that the device shows.
    pub user_code: UserCode,
    /// The record that will hold the user's decision.
    pub decision: DecisionId,
}

/// A backchannel authentication request that waits for the approval of its user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestedBackchannel {
    /// The request.
    pub request: BackchannelRequest,
    /// The record that will hold the user's decision.
    pub decision: DecisionId,
    /// `sub` of the user, as the client receives it: this user must sign in.
    pub expected_subject: Subject,
}

/// The sign-in that a request requires (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Debug, Default)]
pub(super) struct SignInPolicy<'a> {
    pub(super) prompt: Prompt,
    /// In seconds.
    pub(super) max_age: Option<u64>,
    /// `sub` of the ID token hint, and of the `claims` parameter.
    subjects: [Option<&'a str>; 2],
    /// `acr_values`; any class suffices if there are none.
    acr_values: &'a [String],
    /// True if a class of `acr_values` is necessary.
    needs_acr_values: bool,
    /// `acr` of the `claims` parameter.
    acr_claim: Option<ClaimRequest>,
}

/// The relation of the class of a sign-in to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClassVerdict {
    /// The class is what the request asks for.
    Met,
    /// The request would like another class.
    Unwanted,
    /// The request needs another class.
    Unmet,
}

impl<'a> SignInPolicy<'a> {
    fn of<T>(request: &'a AuthorizationRequest<T>, expected: Option<&'a Subject>, is_for_access: bool) -> Self {
        Self {
            prompt: request.prompt,
            max_age: request.max_age,
            subjects: [expected.map(Subject::as_str), request.claims.subject()],
            acr_values: &request.acr_values,
            needs_acr_values: is_for_access,
            acr_claim: request.claims.id_token("acr"),
        }
    }

    /// Judges the class of a sign-in (OpenID Connect Core §5.5.1.1, RFC 9470 §5).
    pub(super) fn judge_class(
        &self,
        classes: &AuthenticationClasses,
        authentication: &AuthenticationContext,
    ) -> ClassVerdict {
        let is_met =
            self.acr_values.is_empty() || self.acr_values.iter().any(|acr| classes.satisfies(authentication, acr));
        let of_claim = self.acr_claim.as_ref().filter(|claim| !classes.meets(authentication, claim));
        match of_claim {
            Some(claim) if claim.essential => ClassVerdict::Unmet,
            _ if !is_met && self.needs_acr_values => ClassVerdict::Unmet,
            // A wish that no sign-in fulfils leads to no page.
            Some(claim) if classes.can_meet(claim) => ClassVerdict::Unwanted,
            _ if !is_met => ClassVerdict::Unwanted,
            _ => ClassVerdict::Met,
        }
    }

    /// True if this user may answer the request.
    pub(super) fn accepts(&self, subject: &Subject) -> bool {
        self.subjects.iter().flatten().all(|expected| *expected == subject.as_str())
    }
}

impl<Target> Requested<Target> {
    /// Returns the client that sent the request; `None` for a page of the user's own account.
    pub fn client_id(&self) -> Option<&ClientId> {
        match self {
            Self::Authorization(requested) => Some(&requested.request.client_id),
            Self::Pushed(reference) => Some(&reference.sign_in.client_id),
            Self::Device(device) => Some(&device.request.client_id),
            Self::Backchannel(backchannel) => Some(&backchannel.request.client_id),
            Self::Account(_) => None,
        }
    }

    /// Returns the page of the user's own account; `None` if a client asks.
    pub const fn account_page(&self) -> Option<AccountPage> {
        match self {
            Self::Account(requested) => Some(requested.page),
            Self::Authorization(_) | Self::Pushed(_) | Self::Device(_) | Self::Backchannel(_) => None,
        }
    }

    /// Returns the path of the endpoint to which the browser returns after sign-in.
    pub const fn path(&self) -> &'static str {
        match self {
            Self::Authorization(_) | Self::Pushed(_) => "/authorize",
            Self::Device(_) => "/device",
            Self::Backchannel(_) => "/requests",
            Self::Account(requested) => requested.page.path(),
        }
    }

    /// Returns `login_hint`.
    pub fn login_hint(&self) -> Option<&str> {
        match self {
            Self::Authorization(requested) => requested.request.login_hint.as_deref(),
            Self::Pushed(reference) => reference.sign_in.login_hint.as_deref(),
            Self::Device(_) | Self::Backchannel(_) | Self::Account(_) => None,
        }
    }

    /// Returns the device that asks; `None` if the request comes through the browser.
    pub fn asking_device(&self) -> Option<&AskingDevice> {
        match self {
            Self::Authorization(_) | Self::Pushed(_) | Self::Backchannel(_) | Self::Account(_) => None,
            Self::Device(device) => device.request.asked_by.as_deref(),
        }
    }

    /// Returns the sign-in that the request requires.
    pub(super) fn sign_in_policy(&self) -> SignInPolicy<'_> {
        match self {
            Self::Authorization(requested) => {
                let request = &requested.request;
                SignInPolicy::of(request, requested.expected_subject.as_ref(), request.is_for_access())
            }
            Self::Pushed(reference) => {
                SignInPolicy::of(&reference.sign_in, reference.expected_subject.as_ref(), reference.is_for_access)
            }
            Self::Device(device) => {
                SignInPolicy { acr_claim: device.request.claims.id_token("acr"), ..SignInPolicy::default() }
            }
            Self::Backchannel(backchannel) => SignInPolicy {
                subjects: [Some(backchannel.expected_subject.as_str()), None],
                acr_values: &backchannel.request.acr_values,
                needs_acr_values: true,
                ..SignInPolicy::default()
            },
            Self::Account(requested) => SignInPolicy { max_age: requested.page.max_age(), ..SignInPolicy::default() },
        }
    }
}

impl Requested {
    /// Returns the scope that the user is asked for; `None` if no client asks.
    fn scope(&self) -> Option<&Scope> {
        match self {
            Self::Authorization(requested) => Some(&requested.request.scope),
            Self::Pushed(reference) => Some(&reference.sign_in.scope),
            Self::Device(device) => Some(&device.request.scope),
            Self::Backchannel(backchannel) => Some(&backchannel.request.scope),
            Self::Account(_) => None,
        }
    }

    /// Returns the claims that the user is asked for by name, beside the scope.
    pub fn named_claims(&self) -> Vec<NamedClaim<'_>> {
        match self {
            Self::Authorization(requested) => requested.request.named_claims(),
            // The page that asks for them reads the request.
            Self::Pushed(_) => Vec::new(),
            Self::Device(device) => device.request.named_claims(),
            Self::Backchannel(_) | Self::Account(_) => Vec::new(),
        }
    }

    /// Returns the request without these claims.
    #[must_use]
    pub(super) fn without_claims(self, refused: &[String]) -> Self {
        match self {
            Self::Authorization(requested) => {
                let RequestedAuthorization { request, refused_claims, .. } = *requested;
                let request = AuthorizationRequest { claims: request.claims.without(refused), ..request };
                let refused_claims = [refused_claims, refused.to_vec()].concat();
                Self::Authorization(Box::new(RequestedAuthorization { request, refused_claims, ..*requested }))
            }
            Self::Pushed(reference) => Self::Pushed(reference),
            Self::Device(device) => {
                let RequestedDevice { request, user_code, decision } = *device;
                let request = DeviceRequest { claims: request.claims.without(refused), ..request };
                Self::Device(Box::new(RequestedDevice { request, user_code, decision }))
            }
            Self::Backchannel(backchannel) => Self::Backchannel(backchannel),
            Self::Account(page) => Self::Account(page),
        }
    }

    /// Returns the part of an earlier consent that is about this request.
    pub(super) fn of_consent(&self, earlier: &Scope) -> Scope {
        let claims: Vec<String> =
            self.named_claims().iter().flat_map(|claim| [claim.released(), claim.refused()]).collect();
        earlier.filtered(|token| {
            self.scope().is_some_and(|scope| scope.contains(token)) || claims.iter().any(|claim| claim == token)
        })
    }

    /// Returns the redirect URI that the response goes to; `None` if the response does not go through the browser.
    pub fn redirect_uri(&self) -> Option<&RedirectUri> {
        match self {
            Self::Authorization(requested) => Some(requested.request.target.redirect_uri()),
            Self::Pushed(reference) => Some(reference.sign_in.target.redirect_uri()),
            Self::Device(_) | Self::Backchannel(_) | Self::Account(_) => None,
        }
    }
}

impl Requested<UncheckedTarget> {
    /// Checks a request that was sealed; `client` is `None` for a page of the user's own account. Errors: `invalid_request`, for the
    /// user.
    pub(super) fn recheck(self, client: Option<&Client>) -> Result<Requested, Error> {
        let other = || Error::invalid_request("the request belongs to another client");
        let Some(client) = client else {
            return if let Self::Account(page) = self { Ok(Requested::Account(page)) } else { Err(other()) };
        };
        Ok(match self {
            Self::Authorization(requested) => {
                let RequestedAuthorization { request, expected_subject, pushed, stays_in_store, refused_claims } =
                    *requested;
                let request = request.recheck(client)?;
                Requested::Authorization(Box::new(RequestedAuthorization {
                    request,
                    expected_subject,
                    pushed,
                    stays_in_store,
                    refused_claims,
                }))
            }
            Self::Pushed(reference) => Requested::Pushed(Box::new(reference.recheck(client)?)),
            Self::Device(device) if device.request.client_id == client.client_id => Requested::Device(device),
            Self::Backchannel(asked) if asked.request.client_id == client.client_id => Requested::Backchannel(asked),
            Self::Device(_) | Self::Backchannel(_) | Self::Account(_) => return Err(other()),
        })
    }
}
