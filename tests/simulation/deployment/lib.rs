//! A deployment in one process: the real functions, a store that counts or fails, a clock that the test sets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "for tests alone")]

mod flow;

use http::{HeaderMap, HeaderValue, Method, header};
use keys::{AdminPrivateKey, Secret};
use latchkey_http::{ClientCertificate, Forwarded, Request, RequestLog, Response};
use protocol::administration::AdminRequest;
use protocol::{Client, SecretVerifier, StoredClient, Username};
use provider::{Context, ScheduledRun};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use storage::{Records, clients, users};
use types::{ClientId, Subject, Timestamp};

pub use flow::{Flow, Tokens, VERIFIER, altered, onward};

/// The issuer of the deployment.
pub const ISSUER: &str = "https://as.example";
/// The user's name.
pub const USERNAME: &str = "alice";
/// The time of each request, unless a test sets another.
pub const T0: Timestamp = Timestamp::from_secs(1_800_000_000);
/// The secret of the deployment.
pub const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// One running instance of every function.
pub struct Instance {
    context: Context,
    /// The time of the next request.
    pub now: Timestamp,
    /// The address of the client of the next request.
    pub address: IpAddr,
    /// The certificate of the TLS connection of the next request.
    pub certificate: Option<ClientCertificate>,
}

impl Instance {
    /// Starts an instance on this store, with settings besides issuer and secret.
    pub fn start(records: Arc<dyn Records>, settings: &[(&str, &str)]) -> Self {
        let lookup = |name: &str| {
            let set = settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            set.or_else(|| match name {
                "LATCHKEY_ISSUER" => Some(ISSUER.to_owned()),
                "LATCHKEY_SECRET" => Some(SECRET.to_owned()),
                "LATCHKEY_ADMIN_KEY" => Some(admin_key().public().to_string()),
                _ => None,
            })
        };
        suite::serve_at(ISSUER);
        Self {
            context: Context::new(&lookup, records, Box::new(|_| ())).unwrap(),
            now: T0,
            address: [192, 0, 2, 1].into(),
            certificate: None,
        }
    }

    /// Returns the context of the functions.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Returns the context, to replace a part.
    pub fn context_mut(&mut self) -> &mut Context {
        &mut self.context
    }

    /// Reads the configuration, as an earlier request would have done.
    pub async fn warm(&self) {
        self.context.current_configuration(self.now).await.unwrap();
    }

    /// Moves the clock forward.
    pub fn wait(&mut self, duration: Duration) {
        self.now = self.now.after(duration);
    }

    /// Returns a run of a scheduled function at this time.
    pub fn scheduled_run(&self) -> ScheduledRun {
        ScheduledRun::new("run".to_owned().into(), self.now)
    }

    /// Sends a request to the function that serves its path.
    pub async fn send(
        &self,
        method: Method,
        path_and_query: &str,
        headers: &[(header::HeaderName, String)],
        body: String,
    ) -> Response {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let mut fields = HeaderMap::new();
        for (name, value) in headers {
            fields.append(name, HeaderValue::from_str(value).unwrap());
        }
        let request = Request {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: fields,
            body: body.into(),
            address: Some(self.address),
            place: None,
            certificate: self.certificate.clone(),
            forwarded: Forwarded::default(),
            received_at: self.now,
            id: "test".to_owned().into(),
            log: RequestLog::default(),
        };
        functions::respond(request, &self.context).await
    }

    /// Sends a request to the admin API, signed by the key that is derived from the secret.
    pub async fn administer(&self, method: Method, path_and_query: &str, body: String) -> Response {
        let token = self.admin_token(&method, path_and_query, &body).await;
        let headers =
            [(header::AUTHORIZATION, format!("Bearer {token}")), (header::CONTENT_TYPE, "application/json".to_owned())];
        self.send(method, path_and_query, &headers, body).await
    }

    /// Signs a token for one request to the admin API.
    pub async fn admin_token(&self, method: &Method, path_and_query: &str, body: &str) -> String {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let request = AdminRequest { method: method.as_str(), path, query, body: body.as_bytes() };
        admin_key().token(&request, &self.context.config.issuer, self.now).await.unwrap()
    }

    /// Posts a form, as a client without a browser.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(Method::POST, path, &[(header::CONTENT_TYPE, "application/x-www-form-urlencoded".to_owned())], body)
            .await
    }
}

/// Returns the admin key of the deployment.
pub fn admin_key() -> AdminPrivateKey {
    AdminPrivateKey::derived(&Secret::parse(SECRET).unwrap()).unwrap()
}

/// Returns a `sub`.
pub fn subject(sub: &str) -> Subject {
    Subject::parse(sub).unwrap()
}

/// Returns a sign-in name.
pub fn username(name: &str) -> Username {
    provider::names::username(name).unwrap()
}

/// Returns a `client_id`.
pub fn client_id(id: &str) -> ClientId {
    ClientId::parse(id).unwrap()
}

/// Returns the JSON body of a response.
pub fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body)
        .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&response.body)))
}

/// Stores the user and the clients of the tests.
pub async fn seed(records: &dyn Records, password_hash: &str) {
    for client in [
        json!({
            "client_id": "spa",
            "redirect_uris": ["https://app.example/cb"],
            "post_logout_redirect_uris": ["https://app.example/bye"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
            "scope": "openid profile email offline_access",
            "scope_claims_in_id_token": "never",
        }),
        json!({
            "client_id": "device",
            "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
            "scope": "openid profile offline_access",
        }),
        json!({ "client_id": "service", "grant_types": ["client_credentials"], "scope": "read write" }),
        json!({
            "client_id": "opaque",
            "grant_types": ["client_credentials"],
            "scope": "read",
            "access_token_format": "opaque",
        }),
        json!({
            "client_id": "asserter",
            "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
            "scope": "read",
        }),
        json!({
            "client_id": "gateway",
            "grant_types": ["urn:ietf:params:oauth:grant-type:token-exchange", "client_credentials"],
            "scope": "openid profile",
            "token_exchange": {
                "subject_clients": ["spa"],
                "subject_token_types": [
                    "urn:ietf:params:oauth:token-type:access_token",
                    "urn:ietf:params:oauth:token-type:refresh_token",
                    "urn:ietf:params:oauth:token-type:id_token",
                ],
                "subject_audiences": [ISSUER],
                "audiences": ["https://api.example"],
                "impersonation": true,
            },
        }),
        json!({ "client_id": "api", "grant_types": [], "introspects": [ISSUER] }),
        json!({ "client_id": "other-api", "grant_types": [], "introspects": ["https://other.example"] }),
    ] {
        let client: Client = serde_json::from_value(client).unwrap();
        assert_eq!(client.validate(), []);
        let secrets = if client.is_confidential() { vec![SecretVerifier::new("secret", [7; 16])] } else { Vec::new() };
        clients::save(records, &StoredClient::new(client, secrets)).await.unwrap();
    }
    let claims = json!({ "name": "Alice", "email": "alice@example.com" });
    let user = users::User::new(subject("alice-subject"), USERNAME.into(), claims.as_object().unwrap().clone());
    users::save(records, &user, T0).await.unwrap();
    let name = Some(user.display_name().to_owned());
    let credential = users::Credential::new(user.subject, password_hash.to_owned(), name);
    users::save_credential(records, &username(USERNAME), &credential).await.unwrap();
}
