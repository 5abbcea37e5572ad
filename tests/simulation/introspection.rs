//! Introspection and revocation: round trips, and requests by other clients.

use crate::common::{PASSWORD, deployment};
use http::{Method, header};
use serde_json::{Value, json};
use simulation::{Flow, Instance, Tokens, altered, client_id, json_of};
use std::sync::Arc;
use std::time::Duration;
use storage::memory::Memory;

struct Server {
    memory: Arc<Memory>,
    instance: Instance,
}

impl Server {
    async fn start() -> Self {
        let memory = Arc::new(Memory::new());
        let instance = deployment(memory.clone()).await;
        Self { memory, instance }
    }

    /// Returns a token of the client itself.
    async fn token(&self, client_id: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", "secret")];
        Tokens::of(&self.instance.post("/token", &form).await).access
    }

    /// Introspects a token. Returns the number of round trips and the response.
    async fn introspect(&self, client_id: &str, token: &str, accept: &str) -> (u64, u16, Value) {
        let before = self.memory.counts().total();
        let form = [("token", token), ("client_id", client_id), ("client_secret", "secret")];
        let headers = [
            (header::CONTENT_TYPE, "application/x-www-form-urlencoded".to_owned()),
            (header::ACCEPT, accept.to_owned()),
        ];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let response = self.instance.send(Method::POST, "/introspect", &headers, body).await;
        let told = if accept == "application/json" { json_of(&response) } else { Value::Null };
        (self.memory.counts().total() - before, response.status.as_u16(), told)
    }

    async fn warm(&self) {
        for client_id in ["api", "other-api", "service", "opaque"] {
            self.introspect(client_id, "x.x.x", "application/json").await;
        }
        self.token("service").await;
    }
}

#[tokio::test]
async fn one_round_trip_tells_what_a_token_is_worth() {
    let server = Server::start().await;
    let code = Flow::default().code(&server.instance, PASSWORD, "openid").await;
    let person = Tokens::of(&Flow::redeem(&server.instance, &code).await).access;
    let tokens = [person, server.token("service").await, server.token("opaque").await];
    server.warm().await;
    for token in &tokens {
        for accept in ["application/json", "application/jwt", "application/token-introspection+jwt"] {
            let (trips, status, told) = server.introspect("api", token, accept).await;
            assert_eq!((trips, status), (1, 200), "{accept}");
            assert!(told.is_null() || told["active"] == true, "{told}");
        }
    }
}

#[tokio::test]
async fn what_is_forged_foreign_or_expired_costs_nothing() {
    let mut server = Server::start().await;
    let code = Flow::default().code(&server.instance, PASSWORD, "openid").await;
    let person = Tokens::of(&Flow::redeem(&server.instance, &code).await);
    let (jwt, opaque) = (server.token("service").await, server.token("opaque").await);
    server.warm().await;
    let inactive = (0, 200, json!({ "active": false }));
    for good in [&person.access, &jwt, &opaque] {
        assert_eq!(server.introspect("other-api", good, "application/json").await, inactive);
        assert_eq!(server.introspect("api", &altered(good), "application/json").await, inactive);
    }
    for (client_id, token) in [
        ("service", person.access.as_str()),
        ("service", &person.refresh),
        ("api", &person.refresh),
        ("service", &opaque),
        ("api", "lka_"),
        ("api", "lkr_x"),
        ("api", "x"),
    ] {
        assert_eq!(server.introspect(client_id, token, "application/json").await, inactive, "{token}");
    }
    server.instance.wait(Duration::from_secs(601));
    server.warm().await;
    for old in [&person.access, &jwt, &opaque] {
        assert_eq!(server.introspect("api", old, "application/json").await, inactive);
    }
}

#[tokio::test]
async fn an_opaque_token_is_revoked_in_one_round_trip() {
    let server = Server::start().await;
    let opaque = server.token("opaque").await;
    server.warm().await;
    let before = server.memory.counts().total();
    let form = [("token", opaque.as_str()), ("client_id", "opaque"), ("client_secret", "secret")];
    assert_eq!(server.instance.post("/revoke", &form).await.status.as_u16(), 200);
    assert_eq!(server.memory.counts().total() - before, 1);
    assert_eq!(server.introspect("api", &opaque, "application/json").await, (1, 200, json!({ "active": false })));
}

/// RFC 7662 §2.2: a token that the token endpoint rejects is inactive: a refresh token of an earlier client of this name.
#[tokio::test]
async fn a_refresh_token_dies_with_its_client() {
    let mut server = Server::start().await;
    let code = Flow::default().code(&server.instance, PASSWORD, "openid").await;
    let tokens = Tokens::of(&Flow::redeem(&server.instance, &code).await);
    let records = server.memory.as_ref();
    let api = storage::clients::find(records, &client_id("api")).await.unwrap().unwrap();
    let mut stored = storage::clients::find(records, &client_id("spa")).await.unwrap().unwrap();
    // Only clients that authenticate may introspect.
    stored.client.token_endpoint_auth_method = api.client.token_endpoint_auth_method;
    stored.secrets = api.secrets;
    storage::clients::save(records, &stored).await.unwrap();
    server.instance.wait(Duration::from_secs(61));
    let form = [("client_id", "spa"), ("client_secret", "secret"), ("token", tokens.refresh.as_str())];
    assert_eq!(json_of(&server.instance.post("/introspect", &form).await)["active"], true);
    server.instance.wait(Duration::from_secs(61));
    stored.since = Some(server.instance.now);
    storage::clients::save(server.memory.as_ref(), &stored).await.unwrap();
    assert_eq!(json_of(&server.instance.post("/introspect", &form).await), json!({ "active": false }));
}
