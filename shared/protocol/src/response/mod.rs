//! The authorization response: its parameters, and the response mode that carries them to the client.
//!
//! A [`ResponseTarget`] says where a response goes. [`AuthorizationResponse`] joins a target and the parameters of the
//! response, as they are or in a JWT that is still to be signed. [`PlainResponse::delivery`] applies the response mode.

mod form_post;
mod fragment;
mod jarm;
mod query;
mod target;

pub use jarm::{ResponseClaims, UnsignedResponse};
use serde::{Deserialize, Serialize};
pub use target::{ResponseTarget, UncheckedTarget};

/// `response_mode` (OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post Response Mode §2, JARM §2.3).
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
    /// `query.jwt`: in a JWT, in the query of the redirect.
    #[serde(rename = "query.jwt")]
    QueryJwt,
    /// `fragment.jwt`: in a JWT, in the fragment of the redirect.
    #[serde(rename = "fragment.jwt")]
    FragmentJwt,
    /// `form_post.jwt`: in a JWT, in a form that the browser posts.
    #[serde(rename = "form_post.jwt")]
    FormPostJwt,
}

impl ResponseMode {
    /// Every response mode.
    pub const ALL: [Self; 6] =
        [Self::Query, Self::Fragment, Self::FormPost, Self::QueryJwt, Self::FragmentJwt, Self::FormPostJwt];

    /// The value on the wire of the JWT in the default mode of the response type (JARM §2.3.4).
    pub const JWT: &str = "jwt";

    /// Returns the values that a request may name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::as_str).chain([Self::JWT])
    }

    /// Returns the mode that puts the parameters of this one into a JWT.
    pub(crate) const fn in_jwt(self) -> Self {
        match self {
            Self::Query | Self::QueryJwt => Self::QueryJwt,
            Self::Fragment | Self::FragmentJwt => Self::FragmentJwt,
            Self::FormPost | Self::FormPostJwt => Self::FormPostJwt,
        }
    }

    /// True if the parameters are in a JWT.
    pub const fn is_jwt(self) -> bool {
        matches!(self, Self::QueryJwt | Self::FragmentJwt | Self::FormPostJwt)
    }

    /// Returns the value on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
            Self::QueryJwt => "query.jwt",
            Self::FragmentJwt => "fragment.jwt",
            Self::FormPostJwt => "form_post.jwt",
        }
    }

    /// Returns the mode of a value on the wire.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }

    /// Returns the form in which parameters travel to a redirect URI.
    fn deliver(self, redirect_uri: &str, parameters: &ResponseParameters) -> Delivery {
        match self {
            Self::Query | Self::QueryJwt => query::deliver(redirect_uri, parameters),
            Self::Fragment | Self::FragmentJwt => fragment::deliver(redirect_uri, parameters),
            Self::FormPost | Self::FormPostJwt => form_post::deliver(redirect_uri, parameters),
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

/// An authorization response, as its response mode wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationResponse<'a> {
    /// Parameters that travel as they are.
    Plain(PlainResponse<'a>),
    /// Parameters that travel in a JWT.
    Jwt(UnsignedResponse<'a>),
}

impl AuthorizationResponse<'_> {
    /// Returns the length of the redirect without signature and encryption, in bytes; `None` if the browser posts a form.
    pub fn redirect_length(&self) -> Option<usize> {
        let plain = match self {
            Self::Plain(plain) => plain.clone(),
            Self::Jwt(unsigned) => PlainResponse { parameters: unsigned.parameters.clone(), target: unsigned.target },
        };
        match plain.delivery() {
            Delivery::Redirect(location) => Some(location.len()),
            Delivery::FormPost { .. } => None,
        }
    }
}

/// The parameters of a response that travel as they are, and the target that receives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainResponse<'a> {
    parameters: ResponseParameters,
    target: &'a ResponseTarget,
}

impl PlainResponse<'_> {
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
