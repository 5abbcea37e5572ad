//! Calls of the token, revocation and userinfo endpoints.

use crate::authorization::AuthorizationRequest;
use crate::browser::Browser;
use crate::call::{Call, Reply};
use crate::client::{Authentication, Client};
use crate::race::at_once;
use serde_json::Value;

/// A token request. A new one is valid; a test changes one part of it.
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenRequest {
    /// The client that sends the request.
    pub client: Client,
    /// The parameters in order, without those that authenticate the client.
    pub parameters: Vec<(String, String)>,
}

impl TokenRequest {
    /// Returns a request of any grant type.
    pub fn new(client: &Client, grant_type: &str) -> Self {
        Self { client: client.clone(), parameters: Vec::new() }.set("grant_type", grant_type)
    }

    /// Returns a request that redeems the code of an authorization request (RFC 6749 §4.1.3).
    pub fn code(request: &AuthorizationRequest, code: &str) -> Self {
        let redeem = Self::new(&request.client, "authorization_code").set("code", code);
        let redeem = redeem.set("redirect_uri", request.value("redirect_uri"));
        match &request.verifier {
            Some(verifier) => redeem.set("code_verifier", verifier),
            None => redeem,
        }
    }

    /// Returns a request that uses a refresh token (RFC 6749 §6).
    pub fn refresh(client: &Client, token: &str) -> Self {
        Self::new(client, "refresh_token").set("refresh_token", token)
    }

    /// Returns a request for a token for the client itself (RFC 6749 §4.4).
    pub fn client_credentials(client: &Client) -> Self {
        Self::new(client, "client_credentials")
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

    /// Sets another client.
    pub fn by(mut self, client: &Client) -> Self {
        self.client = client.clone();
        self
    }

    /// Returns the HTTP request.
    pub fn call(&self) -> Call {
        authenticated(Call::post("/token"), &self.client, &self.parameters)
    }

    /// Sends the request.
    pub fn send(&self) -> Reply {
        self.call().send()
    }

    /// Sends the request 32 times at the same moment.
    pub fn send_at_once(&self) -> Vec<Reply> {
        at_once(|_| self.send())
    }

    /// Sends the request, which must succeed. Returns the tokens.
    #[track_caller]
    pub fn tokens(&self) -> Tokens {
        Tokens::read(&self.client, self.send())
    }
}

/// Adds a form and the authentication of a client to a request.
pub fn authenticated(call: Call, client: &Client, parameters: &[(String, String)]) -> Call {
    let secret = client.secret.clone().unwrap_or_default();
    let mut parameters = parameters.to_vec();
    if client.authentication == Authentication::Basic {
        return call.basic(&client.id, &secret).form(&parameters);
    }
    parameters.push(("client_id".to_owned(), client.id.clone()));
    if client.authentication == Authentication::Post {
        parameters.push(("client_secret".to_owned(), secret));
    }
    call.form(&parameters)
}

/// A successful token response.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The client that received them.
    pub client: Client,
    /// The whole document.
    pub document: Value,
}

impl Tokens {
    /// Reads a successful response, which must meet RFC 6749 §5.1.
    #[track_caller]
    pub fn read(client: &Client, reply: Reply) -> Self {
        let reply = reply.expect(200).expect_no_store();
        let document = reply.json();
        assert!(document["access_token"].as_str().is_some_and(|token| !token.is_empty()), "no access_token: {reply:?}");
        let kind = if reply.asked().has_header("dpop") { "DPoP" } else { "Bearer" };
        assert_eq!(document["token_type"], kind, "{reply:?}");
        assert!(document["expires_in"].as_u64().is_some_and(|seconds| seconds > 0), "no expires_in: {reply:?}");
        Self { client: client.clone(), document }
    }

    /// Returns a member that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.document.get(name).map(|value| value.as_str().unwrap_or_else(|| panic!("{name} is not text: {self:?}")))
    }

    /// The access token.
    pub fn access(&self) -> &str {
        self.text("access_token").expect("read() saw it")
    }

    /// Returns the refresh token, which must be present.
    #[track_caller]
    pub fn refresh(&self) -> &str {
        self.text("refresh_token").unwrap_or_else(|| panic!("no refresh_token: {self:?}"))
    }

    /// Returns the ID token, which must be present.
    #[track_caller]
    pub fn id(&self) -> &str {
        self.text("id_token").unwrap_or_else(|| panic!("no id_token: {self:?}"))
    }

    /// Returns a request that uses the refresh token.
    #[track_caller]
    pub fn refresh_request(&self) -> TokenRequest {
        TokenRequest::refresh(&self.client, self.refresh())
    }

    /// True if UserInfo accepts the access token. Any status but 200 and 401 fails the test.
    #[track_caller]
    pub fn is_live(&self) -> bool {
        let reply = userinfo(self.access());
        assert!(matches!(reply.status, 200 | 401), "{reply:?}");
        reply.status == 200
    }
}

/// Returns the tokens of a new grant by the demo user, with a refresh token.
#[track_caller]
pub fn grant(client: &Client) -> Tokens {
    let request = AuthorizationRequest::new(client).offline();
    let code = Browser::signed_in().complete(&request).code();
    TokenRequest::code(&request, &code).tokens()
}

/// Calls UserInfo with a token in the Authorization header.
pub fn userinfo(token: &str) -> Reply {
    Call::get("/userinfo").bearer(token).send()
}

/// Revokes a token (RFC 7009 §2.1).
pub fn revoke(client: &Client, token: &str, hint: Option<&str>) -> Reply {
    let mut parameters = vec![("token".to_owned(), token.to_owned())];
    parameters.extend(hint.map(|hint| ("token_type_hint".to_owned(), hint.to_owned())));
    authenticated(Call::post("/revoke"), client, &parameters).send()
}

/// Introspects a token (RFC 7662 §2.1) and accepts this media type.
pub fn introspect(client: &Client, token: &str, accept: &str) -> Reply {
    let parameters = [("token".to_owned(), token.to_owned())];
    authenticated(Call::post("/introspect").header("accept", accept), client, &parameters).send()
}

/// Introspects a token. Returns the JSON response.
#[track_caller]
pub fn introspection(client: &Client, token: &str) -> Value {
    introspect(client, token, "application/json").expect(200).expect_no_store().json()
}

/// Returns the text with one character replaced. The result always differs from the text.
///
/// # Panics
/// If `position` is beyond the end, or the text is not ASCII.
pub fn altered(text: &str, position: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).expect("ASCII")
}
