//! Authorization requests, and the responses at the client.

use crate::call::{encode, is_error_text};
use crate::client::Client;
use crate::page::{Form, Page};
use crate::target::{issuer, url};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use url::Url;

/// Returns 32 random bytes in base64url, for a state, a nonce or a code verifier.
pub fn random() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("entropy");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An authorization request. A new one is valid; a test changes one part of it.
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthorizationRequest {
    /// The client that sends the request.
    pub client: Client,
    /// The parameters, in order, repeated ones included.
    pub parameters: Vec<(String, String)>,
    /// The code verifier of the code challenge.
    pub verifier: Option<String>,
}

impl AuthorizationRequest {
    /// Returns a request with `response_type=code`, PKCE S256, a state, a nonce and the scope `openid`.
    pub fn new(client: &Client) -> Self {
        let request = Self { client: client.clone(), parameters: Vec::new(), verifier: None };
        request
            .set("response_type", "code")
            .set("client_id", &client.id)
            .set("redirect_uri", &client.redirect_uri)
            .set("scope", "openid")
            .set("state", &random())
            .set("nonce", &random())
            .with_verifier(&random())
    }

    /// Sets a parameter in place of all of its name.
    pub fn set(self, name: &str, value: &str) -> Self {
        self.without(name).also(name, value)
    }

    /// Adds a parameter to those of the same name.
    pub fn also(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Removes a parameter.
    pub fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(key, _)| key != name);
        self
    }

    /// Sets the scope.
    pub fn scope(self, scope: &str) -> Self {
        self.set("scope", scope)
    }

    /// Requests a refresh token as OpenID Connect Core §11 demands: with consent.
    pub fn offline(self) -> Self {
        self.set("scope", "openid offline_access").set("prompt", "consent")
    }

    /// Sets the code verifier and its S256 challenge.
    pub fn with_verifier(mut self, verifier: &str) -> Self {
        self.verifier = Some(verifier.to_owned());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        self.set("code_challenge", &challenge).set("code_challenge_method", "S256")
    }

    /// Removes the code challenge.
    pub fn without_pkce(mut self) -> Self {
        self.verifier = None;
        self.without("code_challenge").without("code_challenge_method")
    }

    /// Returns the value of a parameter; empty if the request does not have it.
    pub fn value(&self, name: &str) -> &str {
        self.parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    /// Returns the URL of the request.
    pub fn url(&self) -> String {
        format!("{}?{}", url("/authorize"), encode(&self.parameters))
    }
}

/// An authorization response at the client's redirect URI.
#[derive(Clone, Debug)]
pub struct Callback {
    /// The redirect URI, without the parameters of the response.
    pub url: Url,
    /// `query`, `fragment` or `form_post`.
    pub mode: &'static str,
    /// The response's parameters.
    pub parameters: Vec<(String, String)>,
}

impl Callback {
    pub(crate) fn from_location(mut location: Url) -> Self {
        let (mode, parameters) = match location.fragment() {
            Some(fragment) => {
                ("fragment", form_urlencoded::parse(fragment.as_bytes()).into_owned().collect::<Vec<_>>())
            }
            None => ("query", location.query_pairs().into_owned().collect()),
        };
        if mode == "query" {
            location.set_query(None);
        }
        location.set_fragment(None);
        Self { url: location, mode, parameters }
    }

    /// Reads the response on a page that submits itself (OAuth 2.0 Form Post Response Mode §2).
    pub(crate) fn from_form_post(page: &Page) -> Option<Self> {
        if page.reply.status != 200 {
            return None;
        }
        let form = page
            .forms
            .iter()
            .find(|form| (form.has("code") || form.has("error") || form.has("response")) && form.method == "POST")?;
        Some(Self::from_form(form))
    }

    /// Reads a form that carries the response.
    pub(crate) fn from_form(form: &Form) -> Self {
        Self { url: form.action.clone(), mode: "form_post", parameters: form.fields.clone() }
    }

    /// Returns the value of a parameter. A repeated parameter fails the test.
    pub fn value(&self, name: &str) -> Option<&str> {
        let mut values = self.parameters.iter().filter(|(key, _)| key == name);
        let first = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} comes more than once: {self:?}");
        first
    }

    /// Returns the code. Each success must have the issuer (RFC 9207 §2), no error and no token.
    #[track_caller]
    pub fn code(&self) -> String {
        assert_eq!(self.value("error"), None, "{self:?}");
        assert_eq!(self.value("iss"), Some(issuer()), "RFC 9207 §2: {self:?}");
        for token in ["access_token", "id_token", "refresh_token"] {
            assert_eq!(self.value(token), None, "RFC 9700 §2.1.2: a token in the front channel: {self:?}");
        }
        self.value("code").unwrap_or_else(|| panic!("no code: {self:?}")).to_owned()
    }

    /// Returns the error code. Each error must have the issuer (RFC 9207 §2), no code and no token.
    #[track_caller]
    pub fn error(&self) -> &str {
        assert_eq!(self.value("code"), None, "{self:?}");
        assert_eq!(self.value("iss"), Some(issuer()), "RFC 9207 §2: {self:?}");
        if let Some(description) = self.value("error_description") {
            assert!(is_error_text(description), "RFC 6749 §4.1.2.1: {description:?}");
        }
        self.value("error").unwrap_or_else(|| panic!("no error: {self:?}"))
    }
}
