//! The clients that tests act as.

use crate::target::base;

/// Where clients are called back that say nothing else. No server is there: a test's browser stops before it.
pub(crate) const CALLBACK: &str = "https://suite.example/callback";

/// A registered client, as it knows itself.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its identifier.
    pub id: String,
    /// Its secret, when it is confidential.
    pub secret: Option<String>,
    /// How it authenticates.
    pub authentication: Authentication,
    /// The redirect URI that its requests name.
    pub redirect_uri: String,
}

/// How a client authenticates at the token and revocation endpoints (OpenID Connect Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// `none`: it sends its identifier only.
    None,
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
}

impl Client {
    /// A public client.
    pub fn public(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            secret: None,
            authentication: Authentication::None,
            redirect_uri: CALLBACK.to_owned(),
        }
    }

    /// A client that authenticates with Basic.
    pub fn confidential(id: &str, secret: &str) -> Self {
        Self { secret: Some(secret.to_owned()), authentication: Authentication::Basic, ..Self::public(id) }
    }

    /// The same client, authenticating otherwise.
    #[must_use]
    pub fn with(mut self, authentication: Authentication) -> Self {
        self.authentication = authentication;
        self
    }
}

/// The demo's public client.
pub fn spa() -> Client {
    Client { redirect_uri: format!("{}/playground/callback", base()), ..Client::public("demo-spa") }
}

/// The demo's confidential client; it need not use PKCE.
pub fn web() -> Client {
    Client {
        redirect_uri: format!("{}/playground/callback", base()),
        ..Client::confidential("demo-web", "demo-web-secret")
    }
}

/// The demo's machine client.
pub fn service() -> Client {
    Client::confidential("demo-service", "demo-service-secret")
}

/// The demo's gateway: it exchanges tokens of the public and the confidential client for the demo's API.
pub fn exchanger() -> Client {
    Client::confidential("demo-exchange", "demo-exchange-secret")
}
