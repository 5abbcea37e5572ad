//! The consent page: of an authorization request, and of a device.

use askama::Template;

use crate::{
    ClientProfile, DeviceProfile, Page,
    client::{destination, is_local},
    policy::{FormAction, Policy},
};

/// The consent page. The form sends `interaction`, `csrf` and `decision` = `allow`, `deny` or `switch` (sign in as another
/// user).
#[derive(Debug, Clone)]
pub struct ConsentView<'a> {
    /// Nonce, new for each response: 128 random bits or more, base64url.
    pub nonce: &'a str,
    /// The client that requests access.
    pub client: ClientProfile<'a>,
    /// Display name of the user who is signed in.
    pub user: &'a str,
    /// The requested scopes, in the order shown.
    pub scopes: &'a [ScopeLine<'a>],
    /// The requested resources (RFC 8707).
    pub resources: &'a [String],
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
        }
    }

    const fn redirect_uri(&self) -> Option<&str> {
        match self {
            Self::Authorization { redirect_uri } => Some(redirect_uri),
            Self::Device { .. } => None,
        }
    }

    const fn user_code(&self) -> Option<&str> {
        match self {
            Self::Authorization { .. } => None,
            Self::Device { user_code, .. } => Some(user_code),
        }
    }

    const fn device(&self) -> Option<&DeviceProfile<'_>> {
        match self {
            Self::Authorization { .. } => None,
            Self::Device { device, .. } => device.as_ref(),
        }
    }
}

/// A requested scope.
#[derive(Debug, Clone, Copy)]
pub struct ScopeLine<'a> {
    /// Scope token on the wire.
    pub name: &'a str,
    /// Access that the scope gives; see [`scope_meaning`](crate::scope_meaning). Empty: only the name is shown.
    pub meaning: &'a str,
}

impl<'a> ScopeLine<'a> {
    /// Returns the lines of a scope. `describe` returns the words of the deployment for a scope.
    pub fn all(scope: &'a types::Scope, describe: impl Fn(&'a str) -> Option<&'a str>) -> impl Iterator<Item = Self> {
        scope.iter().map(move |name| {
            let meaning = describe(name).or_else(|| crate::scope_meaning(name)).unwrap_or_default();
            Self { name, meaning }
        })
    }
}

/// Renders the consent page.
pub fn consent(view: &ConsentView<'_>) -> Page {
    let redirect_uri = view.kind.redirect_uri();
    let policy = Policy { logo_uri: view.client.logo_uri, form_action: FormAction::Own, ..Policy::new(view.nonce) };
    let template = ConsentTemplate {
        view,
        texts: view.kind.texts(),
        user_code: view.kind.user_code(),
        local: redirect_uri.is_some_and(is_local),
        device: view.kind.device(),
        destination: redirect_uri.map(destination),
    };
    Page::new(&template, policy)
}

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentTemplate<'a> {
    view: &'a ConsentView<'a>,
    texts: Texts,
    user_code: Option<&'a str>,
    /// True if a program on this computer receives the response.
    local: bool,
    device: Option<&'a DeviceProfile<'a>>,
    destination: Option<String>,
}
