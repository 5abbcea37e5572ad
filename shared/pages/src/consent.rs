//! The consent page: of an authorization request, of a device, and of a backchannel request.

use askama::Template;
use protocol::DetailWords;

use crate::{
    ClientProfile, DeviceProfile, Frame, Page, UserProfile,
    asking_device::age,
    client::{destination, is_local},
    policy::{FormAction, Policy},
};

/// The consent page. The form sends `interaction`, `csrf` and `decision` = `allow`, `deny` or `switch` (sign in as another
/// user).
#[derive(Debug, Clone)]
pub struct ConsentView<'a> {
    /// The frame of the page.
    pub frame: &'a Frame,
    /// The client that requests access.
    pub client: ClientProfile<'a>,
    /// The user who is signed in.
    pub user: UserProfile<'a>,
    /// The requested scopes, in the order shown. None: the client only recognizes the user.
    pub scopes: &'a [ScopeLine<'a>],
    /// The claims that are requested by name, beside the scopes (OpenID Connect Core §5.5).
    pub claims: &'a [ClaimLine<'a>],
    /// The requested resources (RFC 8707).
    pub resources: &'a [String],
    /// The authorization details in words (RFC 9396). The page shows each value of them.
    pub details: &'a [DetailWords<'a>],
    /// The sealed interaction.
    pub interaction: &'a str,
    /// The CSRF token.
    pub csrf: &'a str,
    /// The kind of request, which determines the texts.
    pub kind: ConsentKind<'a>,
}

/// The kind of request that needs consent.
#[derive(Debug, Clone)]
pub enum ConsentKind<'a> {
    /// An authorization request. The form posts to `/consent`.
    Authorization {
        /// The validated redirect URI. Its host is shown.
        redirect_uri: &'a str,
    },
    /// A device authorization request (RFC 8628 §3.3). The form posts to `/device`. The page warns of an attacker who sent
    /// the code (RFC 8628 §5.4).
    Device {
        /// `user_code` as the device shows it.
        user_code: &'a str,
        /// The device that shows the code.
        device: Option<DeviceProfile<'a>>,
    },
    /// A backchannel authentication request (OpenID Connect CIBA Core §8). The form posts to `/requests`; its `decision` may also be
    /// `unexpected`.
    Backchannel {
        /// `binding_message`, which both devices show.
        binding_message: Option<&'a str>,
        /// Minutes since the request.
        minutes: u64,
    },
}

/// Texts and targets of the page.
struct Texts {
    /// Title of the document, before the name of the client.
    title: &'static str,
    /// Heading, before and after the name of the client.
    heading: [&'static str; 2],
    /// Path that the form posts to.
    action: &'static str,
    form_id: &'static str,
    allow: &'static str,
    deny: &'static str,
}

impl ConsentKind<'_> {
    const fn texts(&self) -> Texts {
        match self {
            Self::Authorization { .. } => Texts {
                title: "Allow access",
                heading: ["Allow", "to use your account?"],
                action: "/consent",
                form_id: "consent-form",
                allow: "Allow",
                deny: "Deny",
            },
            Self::Device { .. } => Texts {
                title: "Connect a device",
                heading: ["Connect", "to your account?"],
                action: "/device",
                form_id: "device-consent-form",
                allow: "Connect",
                deny: "Refuse",
            },
            Self::Backchannel { .. } => Texts {
                title: "Approve a request",
                heading: ["Allow", "to use your account?"],
                action: "/requests",
                form_id: "request-form",
                allow: "Approve",
                deny: "Deny",
            },
        }
    }

    const fn redirect_uri(&self) -> Option<&str> {
        match self {
            Self::Authorization { redirect_uri } => Some(redirect_uri),
            Self::Device { .. } | Self::Backchannel { .. } => None,
        }
    }

    const fn user_code(&self) -> Option<&str> {
        match self {
            Self::Authorization { .. } | Self::Backchannel { .. } => None,
            Self::Device { user_code, .. } => Some(user_code),
        }
    }

    const fn device(&self) -> Option<&DeviceProfile<'_>> {
        match self {
            Self::Authorization { .. } | Self::Backchannel { .. } => None,
            Self::Device { device, .. } => device.as_ref(),
        }
    }

    fn backchannel(&self) -> Option<BackchannelLine<'_>> {
        match self {
            Self::Authorization { .. } | Self::Device { .. } => None,
            Self::Backchannel { binding_message, minutes } => {
                Some(BackchannelLine { binding_message: *binding_message, age: age(*minutes) })
            }
        }
    }
}

/// The part of the page that a backchannel request has.
struct BackchannelLine<'a> {
    binding_message: Option<&'a str>,
    /// Time since the request, in words.
    age: String,
}

/// A requested scope.
#[derive(Debug, Clone, Copy)]
pub struct ScopeLine<'a> {
    /// Scope token on the wire.
    pub name: &'a str,
    /// Access that the scope gives; see [`scope_meaning`](crate::scope_meaning). Empty: only the name is shown.
    pub meaning: &'a str,
    /// True if the user consented to the rest of the request before, and not to this scope.
    pub is_new: bool,
}

impl<'a> ScopeLine<'a> {
    /// Returns the lines of a scope. `describe` returns the words of the deployment for a scope. `openid` has no line: each client
    /// that signs a user in recognizes the user.
    pub fn all(
        scope: &'a types::Scope,
        describe: impl Fn(&'a str) -> Option<&'a str>,
        is_new: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = Self> {
        scope.iter().filter(|name| *name != "openid").map(move |name| {
            let meaning = describe(name).or_else(|| crate::scope_meaning(name)).unwrap_or_default();
            Self { name, meaning, is_new: is_new(name) }
        })
    }
}

/// A claim that is requested by name. The form sends the field of one that the user may refuse only if its checkbox is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimLine<'a> {
    /// Name on the wire.
    pub name: &'a str,
    /// Data that the client learns; empty: only the name is shown.
    pub meaning: &'a str,
    /// Words of the operator about the claim, in place of the meaning.
    pub description: Option<&'a str>,
    /// True if the client needs the claim: there is no checkbox.
    pub is_essential: bool,
    /// True if the checkbox is on.
    pub is_checked: bool,
}

impl<'a> ClaimLine<'a> {
    /// Returns the lines of the claims, with the words of the operator for those that it defined. `was_refused` is true for a claim that the user refused earlier.
    pub fn all(
        claims: &[protocol::NamedClaim<'a>],
        definitions: &'a protocol::ClaimDefinitions,
        was_refused: impl Fn(&protocol::NamedClaim<'a>) -> bool,
    ) -> Vec<Self> {
        let line = |claim: &protocol::NamedClaim<'a>| Self {
            name: claim.name,
            meaning: crate::claim_meaning(claim.name).unwrap_or_default(),
            description: definitions.find(claim.name).and_then(|definition| definition.description.as_deref()),
            is_essential: claim.is_essential,
            is_checked: !was_refused(claim),
        };
        claims.iter().map(line).collect()
    }

    /// Returns the name of the form field of a claim.
    pub fn field(name: &str) -> String {
        format!("claim-{name}")
    }
}

/// Renders the consent page.
pub fn consent(view: &ConsentView<'_>) -> Page {
    let redirect_uri = view.kind.redirect_uri();
    let policy = Policy { logo: view.client.logo.is_some(), form_action: FormAction::Own, ..Policy::new(view.frame) };
    let template = ConsentTemplate {
        view,
        needed: view.claims.iter().filter(|claim| claim.is_essential).collect(),
        optional: view.claims.iter().filter(|claim| !claim.is_essential).collect(),
        texts: view.kind.texts(),
        user_code: view.kind.user_code(),
        local: redirect_uri.is_some_and(is_local),
        device: view.kind.device(),
        backchannel: view.kind.backchannel(),
        destination: redirect_uri.map(destination),
    };
    Page::new(&template, policy)
}

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentTemplate<'a> {
    view: &'a ConsentView<'a>,
    /// The claims that the client needs.
    needed: Vec<&'a ClaimLine<'a>>,
    /// The claims that the user may refuse.
    optional: Vec<&'a ClaimLine<'a>>,
    texts: Texts,
    user_code: Option<&'a str>,
    /// True if a program on this computer receives the response.
    local: bool,
    device: Option<&'a DeviceProfile<'a>>,
    backchannel: Option<BackchannelLine<'a>>,
    destination: Option<String>,
}
