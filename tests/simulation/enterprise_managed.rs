//! MCP Enterprise-Managed Authorization between two deployments: one is the identity provider of a company, the other the
//! authorization server of an MCP server.

use crate::common::{PASSWORD, deployment, stock};
use latchkey_http::Response;
use protocol::{Client, SecretVerifier, StoredClient};
use serde_json::{Value, json};
use simulation::{Flow, Instance, Tokens, VERIFIER, json_of};
use std::sync::Arc;
use storage::memory::Memory;
use storage::{Records, clients};

const RESOURCE_AS: &str = "https://auth.chat.test";
const MCP: &str = "https://mcp.chat.test/mcp";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TYPE: &str = "urn:ietf:params:oauth:token-type:";

async fn register(records: &dyn Records, client: Value) {
    let client: Client = serde_json::from_value(client).unwrap();
    assert_eq!(client.validate(), []);
    clients::save(records, &StoredClient::new(client, vec![SecretVerifier::new("secret", [7; 16])])).await.unwrap();
}

/// The identity provider, in which the client signs users in.
async fn identity_provider(records: Arc<Memory>, email: bool) -> Instance {
    let instance = deployment(records.clone()).await;
    let client = json!({
        "client_id": "spa",
        "redirect_uris": ["https://app.example/cb"],
        "grant_types": ["authorization_code", "refresh_token", EXCHANGE],
        "token_endpoint_auth_method": "client_secret_post",
        "require_pkce": true,
        "scope": "openid profile email offline_access",
        "token_exchange": { "id_jags": [{
            "audience": RESOURCE_AS, "client_id": "chat-client", "resources": [MCP], "scope": "chat.read chat.write", "email": email,
        }] },
    });
    register(records.as_ref(), client).await;
    instance
}

/// The authorization server of the MCP server, which trusts the identity provider by its published keys.
async fn resource_server(records: Arc<Memory>, idp: &Instance, more: Value) -> Instance {
    stock(records.as_ref()).await;
    let client = json!({ "client_id": "chat-client", "grant_types": [JWT_BEARER], "scope": "chat.read chat.list" });
    register(records.as_ref(), client).await;
    let metadata = idp.get("/.well-known/oauth-authorization-server").await;
    let mut trusted = json!({ "issuer": metadata["issuer"], "jwks": idp.get("/jwks").await, "id_jag": true });
    trusted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let resources = json!([{ "resource": MCP, "scopes": "chat.read chat.write" }]);
    Instance::start(
        records,
        &[
            ("LATCHKEY_ISSUER", RESOURCE_AS),
            ("LATCHKEY_TRUSTED_ISSUERS", &json!([trusted]).to_string()),
            ("LATCHKEY_RESOURCES", &resources.to_string()),
        ],
    )
}

trait Get {
    async fn get(&self, path: &str) -> Value;
}

impl Get for Instance {
    async fn get(&self, path: &str) -> Value {
        json_of(&self.send(http::Method::GET, path, &[], String::new()).await)
    }
}

async fn id_jag(idp: &Instance, subject_token: &str, kind: &str) -> Response {
    let form = [
        ("grant_type", EXCHANGE),
        ("client_id", "spa"),
        ("client_secret", "secret"),
        ("requested_token_type", &format!("{TYPE}id-jag")),
        ("audience", RESOURCE_AS),
        ("resource", MCP),
        ("subject_token", subject_token),
        ("subject_token_type", &format!("{TYPE}{kind}")),
    ];
    idp.post("/token", &form).await
}

async fn present(server: &Instance, assertion: &str) -> Response {
    let form = [
        ("grant_type", JWT_BEARER),
        ("client_id", "chat-client"),
        ("client_secret", "secret"),
        ("assertion", assertion),
    ];
    server.post("/token", &form).await
}

/// Signs the user in and returns the ID token and the refresh token.
async fn sign_in(idp: &Instance) -> (String, String) {
    let code = Flow::default().code(idp, PASSWORD, "openid profile offline_access").await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "spa"),
        ("client_secret", "secret"),
        ("redirect_uri", "https://app.example/cb"),
        ("code_verifier", VERIFIER),
        ("code", &code),
    ];
    let answer = idp.post("/token", &form).await;
    let tokens = Tokens::of(&answer);
    (json_of(&answer)["id_token"].as_str().unwrap().to_owned(), tokens.refresh)
}

fn token_of(response: &Response) -> String {
    let document = json_of(response);
    document["access_token"].as_str().unwrap_or_else(|| panic!("{document}")).to_owned()
}

/// A user of the company signs in once; the client gets a token of the MCP server without a page. An ID-JAG costs one call at the
/// identity provider; the access token costs two, or one for a user without an account.
#[tokio::test]
async fn a_token_of_one_deployment_follows_from_a_sign_in_at_another() {
    let (at_idp, at_server) = (Arc::new(Memory::new()), Arc::new(Memory::new()));
    let idp = identity_provider(at_idp.clone(), true).await;
    let (id_token, refresh) = sign_in(&idp).await;
    let by_email = json!({ "subject": { "username": "preferred" }, "email_domains": ["example.com"] });
    let federated = json!({ "subject": { "prefix": "acme:" } });
    for (subject, expected) in [(federated, "acme:alice-subject"), (by_email, "none")] {
        let server = resource_server(at_server.clone(), &idp, subject).await;
        let answer = present(&server, &token_of(&id_jag(&idp, &id_token, "id_token").await)).await;
        if expected == "none" {
            assert_eq!(json_of(&answer)["error"], "invalid_grant", "no claim names a user");
            continue;
        }
        let claims = crate::assertions::claims_of(&token_of(&answer));
        assert_eq!((claims["sub"].as_str(), claims["client_id"].as_str()), (Some(expected), Some("chat-client")));
        assert_eq!((claims["aud"].as_str(), claims["scope"].as_str()), (Some(MCP), Some("chat.read")));
        assert_eq!(claims["iss"], RESOURCE_AS);

        let before = at_idp.counts().total();
        let next = token_of(&id_jag(&idp, &id_token, "id_token").await);
        assert_eq!(at_idp.counts().total() - before, 2, "the grant and the address of the user");
        let before = at_server.counts().total();
        assert_eq!(present(&server, &next).await.status, 200);
        assert_eq!(at_server.counts().total() - before, 1);
        assert_eq!(json_of(&present(&server, &next).await)["error"], "invalid_grant", "used before");
        let by_refresh = token_of(&id_jag(&idp, &refresh, "refresh_token").await);
        assert_eq!(present(&server, &by_refresh).await.status, 200);
    }
}

/// The e-mail address links the user to an account, if the issuer vouches for its domain.
#[tokio::test]
async fn an_address_links_accounts_only_in_the_domains_of_the_issuer() {
    let (at_idp, at_server) = (Arc::new(Memory::new()), Arc::new(Memory::new()));
    let idp = identity_provider(at_idp.clone(), true).await;
    let (id_token, _) = sign_in(&idp).await;
    for (domains, status) in [(json!(["example.com"]), 200), (json!(["example.org"]), 400), (json!([]), 400)] {
        let subject = json!({ "subject": { "username": "email" }, "email_domains": domains });
        let server = resource_server(at_server.clone(), &idp, subject).await;
        let (name, subject) = (simulation::username("alice@example.com"), simulation::subject("alice-subject"));
        storage::directory::enter(at_server.as_ref(), &name, &subject).await.unwrap();
        let answer = present(&server, &token_of(&id_jag(&idp, &id_token, "id_token").await)).await;
        assert_eq!(answer.status, status, "{domains}: {}", json_of(&answer));
    }
}

/// A request that the policy or the assertion refuses costs no call.
#[tokio::test]
async fn what_is_refused_costs_nothing() {
    let (at_idp, at_server) = (Arc::new(Memory::new()), Arc::new(Memory::new()));
    let idp = identity_provider(at_idp.clone(), false).await;
    let (id_token, _) = sign_in(&idp).await;
    let server = resource_server(at_server.clone(), &idp, json!({ "subject": { "prefix": "acme:" } })).await;
    let good = token_of(&id_jag(&idp, &id_token, "id_token").await);
    assert_eq!(present(&server, &good).await.status, 200);

    let before = at_idp.counts().total();
    for (token, kind) in [(good.as_str(), "id_token"), (id_token.as_str(), "access_token"), ("x", "refresh_token")] {
        assert_eq!(json_of(&id_jag(&idp, token, kind).await)["error"], "invalid_request", "{kind}");
    }
    assert_eq!(at_idp.counts().total() - before, 0);

    let fresh = token_of(&id_jag(&idp, &id_token, "id_token").await);
    let before = at_server.counts().total();
    for forged in [id_token.as_str(), fresh.trim_end_matches(char::is_alphanumeric), "a.b.c"] {
        assert_eq!(json_of(&present(&server, forged).await)["error"], "invalid_grant");
    }
    let alone = [("grant_type", JWT_BEARER), ("assertion", fresh.as_str())];
    assert_eq!(json_of(&server.post("/token", &alone).await)["error"], "invalid_client");
    assert_eq!(at_server.counts().total() - before, 0);
}
