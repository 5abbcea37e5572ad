//! The consent page.

use askama::Template;

use crate::{ClientProfile, Page, client::destination, policy::Policy};

/// What the consent page shows. The form posts to `/consent`: `interaction`, `csrf` and `decision` = `allow`, `deny` or
/// `switch` (sign in as someone else).
#[derive(Debug, Clone, Copy)]
pub struct Consent<'a> {
    /// Fresh for each response: 128 random bits or more, base64url.
    pub nonce: &'a str,
    /// The application that asks.
    pub client: ClientProfile<'a>,
    /// The validated redirect URI: its host is shown, and the policy lets the form's redirect reach it.
    pub redirect_uri: &'a str,
    /// Display name of the account that is signed in.
    pub user: &'a str,
    /// What is asked for, in the order shown.
    pub scopes: &'a [ScopeLine<'a>],
    /// The resources that it is for (RFC 8707), when the request names any.
    pub resources: &'a [String],
    /// The sealed interaction.
    pub interaction: &'a str,
    /// The CSRF token.
    pub csrf: &'a str,
}

/// One scope that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct ScopeLine<'a> {
    /// The scope value as on the wire.
    pub name: &'a str,
    /// What it lets the application do; see [`scope_meaning`](crate::scope_meaning). Empty: only the name is shown.
    pub meaning: &'a str,
}

impl<'a> ScopeLine<'a> {
    /// The lines of a scope.
    pub fn all(scope: &'a types::Scope) -> impl Iterator<Item = Self> {
        scope.iter().map(|name| Self { name, meaning: crate::scope_meaning(name).unwrap_or_default() })
    }
}

/// Shows the consent page.
pub fn consent(view: &Consent<'_>) -> Page {
    let policy = Policy {
        logo_uri: view.client.logo_uri,
        form_self: true,
        form_target: Some(view.redirect_uri),
        ..Policy::new(view.nonce)
    };
    Page::new(&ConsentTemplate { view, destination: destination(view.redirect_uri) }, policy)
}

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentTemplate<'a> {
    view: &'a Consent<'a>,
    destination: String,
}
