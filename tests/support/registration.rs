//! Clients that register themselves (RFC 7591) and manage their registration (RFC 7592).

use crate::call::{Call, Reply};
use crate::client::Client;
use serde_json::{Value, json};

/// Sends metadata to the registration endpoint.
pub fn register(metadata: &Value) -> Reply {
    Call::post("/register").body("application/json", metadata.to_string()).send()
}

/// Sends metadata to the registration endpoint with an initial access token.
pub fn register_with(token: &str, metadata: &Value) -> Reply {
    Call::post("/register").bearer(token).body("application/json", metadata.to_string()).send()
}

/// A client that registered itself, with the response of the server.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The whole response.
    pub document: Value,
}

impl Registered {
    /// Registers a client, which must succeed.
    #[track_caller]
    pub fn new(metadata: &Value) -> Self {
        Self::read(register(metadata))
    }

    /// Reads a response, which must meet RFC 7591 §3.2.1 and RFC 7592 §3.
    #[track_caller]
    pub fn read(reply: Reply) -> Self {
        let reply = reply.expect(201).expect_no_store();
        let document = reply.json();
        assert!(document["client_id"].as_str().is_some_and(|id| !id.is_empty()), "{reply:?}");
        let has_secret = document.get("client_secret").is_some();
        assert_eq!(has_secret, document.get("client_secret_expires_at").is_some(), "RFC 7591 §3.2.1: {reply:?}");
        assert!(document["registration_access_token"].is_string(), "RFC 7592 §3: {reply:?}");
        assert!(document["registration_client_uri"].is_string(), "RFC 7592 §3: {reply:?}");
        Self { document }
    }

    /// Returns a member that is a string; empty if it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.document[name].as_str().unwrap_or_default()
    }

    /// Returns the registration access token.
    pub fn token(&self) -> &str {
        self.text("registration_access_token")
    }

    /// Sends a request to its `registration_client_uri` with this token.
    pub fn send(&self, method: &str, token: &str, body: Option<&Value>) -> Reply {
        let call = Call::new(method, self.text("registration_client_uri")).bearer(token);
        match body {
            Some(body) => call.body("application/json", body.to_string()).send(),
            None => call.send(),
        }
    }

    /// Reads its settings.
    pub fn get(&self) -> Reply {
        self.send("GET", self.token(), None)
    }

    /// Returns the body of a request that replaces the settings, with changes. Members that are null are removed (RFC 7592 §2.2).
    pub fn replacement(&self, changes: &Value) -> Value {
        let mut settings = self.document.as_object().expect("an object").clone();
        for ours in
            ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"]
        {
            settings.remove(ours);
        }
        settings.extend(changes.as_object().expect("an object").clone());
        settings.retain(|_, value| !value.is_null());
        json!(settings)
    }

    /// Replaces its settings, with its token.
    pub fn replace(&self, changes: &Value) -> Reply {
        self.send("PUT", self.token(), Some(&self.replacement(changes)))
    }

    /// Returns the client with its credentials.
    pub fn client(&self) -> Client {
        let id = self.text("client_id");
        let client = match self.document["client_secret"].as_str() {
            Some(secret) => Client::confidential(id, secret),
            None => Client::public(id),
        };
        match self.document["redirect_uris"][0].as_str() {
            Some(uri) => Client { redirect_uri: uri.to_owned(), ..client },
            None => client,
        }
    }
}
