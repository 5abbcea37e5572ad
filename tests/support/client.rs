//! The clients of the tests.

use crate::target::base;

/// The default redirect URI. No server runs there: the browser of a test stops before it.
pub(crate) const CALLBACK: &str = "https://suite.example/callback";

/// A registered client with its credentials.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its identifier.
    pub id: String,
    /// Its secret, if it is confidential.
    pub secret: Option<String>,
    /// Its authentication method.
    pub authentication: Authentication,
    /// The redirect URI that its requests name.
    pub redirect_uri: String,
}

/// Authentication methods at the token and revocation endpoints (OpenID Connect Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// `none`: the client sends only its identifier.
    None,
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
}

impl Client {
    /// Returns a public client.
    pub fn public(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            secret: None,
            authentication: Authentication::None,
            redirect_uri: CALLBACK.to_owned(),
        }
    }

    /// Returns a client that authenticates with Basic.
    pub fn confidential(id: &str, secret: &str) -> Self {
        Self { secret: Some(secret.to_owned()), authentication: Authentication::Basic, ..Self::public(id) }
    }

    /// Sets the authentication method.
    #[must_use]
    pub fn with(mut self, authentication: Authentication) -> Self {
        self.authentication = authentication;
        self
    }
}

/// Returns the public client of the demo.
pub fn spa() -> Client {
    Client { redirect_uri: format!("{}/playground/callback", base()), ..Client::public("demo-spa") }
}

/// Returns the confidential client of the demo, which may omit PKCE.
pub fn web() -> Client {
    Client {
        redirect_uri: format!("{}/playground/callback", base()),
        ..Client::confidential("demo-web", "demo-web-secret-7Kq2Xv9Tb4")
    }
}

/// Returns the client of the demo for client credentials.
pub fn service() -> Client {
    Client::confidential("demo-service", "demo-service-secret-7Kq2Xv9Tb4")
}

/// Returns the gateway of the demo: it exchanges tokens of the other demo clients for tokens for the sample API.
pub fn exchanger() -> Client {
    Client::confidential("demo-exchange", "demo-exchange-secret-7Kq2Xv9Tb4")
}
