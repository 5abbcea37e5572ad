//! The authorization response: its parameters, and the response mode that carries them to the client.
//!
//! A [`ResponseTarget`] says where a response goes. [`AuthorizationResponse`] joins a target and the parameters of the
//! response. [`AuthorizationResponse::delivery`] applies the response mode.

mod form_post;
mod fragment;
mod query;
mod target;

use serde::{Deserialize, Serialize};
pub use target::{ResponseTarget, UncheckedTarget};

/// `response_mode` (OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post Response Mode §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// `query`: in the query of the redirect.
    #[default]
    Query,
    /// `fragment`: in the fragment of the redirect.
    Fragment,
    /// `form_post`: in a form that the browser posts.
    FormPost,
}

impl ResponseMode {
    /// Every response mode.
    pub const ALL: [Self; 3] = [Self::Query, Self::Fragment, Self::FormPost];

    /// Returns the value on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }

    /// Returns the mode of a value on the wire.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }

    /// Returns the form in which parameters travel to a redirect URI.
    fn deliver(self, redirect_uri: &str, parameters: &ResponseParameters) -> Delivery {
        match self {
            Self::Query => query::deliver(redirect_uri, parameters),
            Self::Fragment => fragment::deliver(redirect_uri, parameters),
            Self::FormPost => form_post::deliver(redirect_uri, parameters),
        }
    }
}

/// Parameters of an authorization response in the order in which they are sent: name and value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseParameters(Vec<(&'static str, String)>);

impl ResponseParameters {
    /// Returns the names and values.
    pub fn pairs(&self) -> &[(&'static str, String)] {
        &self.0
    }

    /// Returns the parameters as `application/x-www-form-urlencoded`.
    fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

/// An authorization response: the parameters, and the target that receives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationResponse<'a> {
    /// The parameters of the response.
    pub parameters: ResponseParameters,
    /// Redirect URI and response mode.
    pub target: &'a ResponseTarget,
}

impl AuthorizationResponse<'_> {
    /// Returns the form in which the response travels through the browser.
    pub fn delivery(&self) -> Delivery {
        self.target.response_mode().deliver(self.target.redirect_uri().as_str(), &self.parameters)
    }
}

/// The form in which a response travels through the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The browser is redirected to this URI.
    Redirect(String),
    /// The browser posts a form with these fields.
    FormPost {
        /// The redirect URI.
        action: String,
        /// Name and value.
        fields: Vec<(&'static str, String)>,
    },
}
