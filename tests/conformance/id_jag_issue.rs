//! ID-JAGs that this server issues as the identity provider: draft-ietf-oauth-identity-assertion-authz-grant §4.3, with MCP
//! Enterprise-Managed Authorization §4 and §7.

use serde_json::{Value, json};
use std::sync::OnceLock;
use suite::trusted::{ID_JAG, ID_JAGS, changed, jwt_bearer, people};
use suite::{
    AuthorizationRequest, Browser, Call, Client, TokenRequest, Tokens, admin, issuer, jwt, now, revoke, spa, url,
};

const ID: &str = "urn:ietf:params:oauth:token-type:id_token";
const REFRESH: &str = "urn:ietf:params:oauth:token-type:refresh_token";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const JAG: &str = "urn:ietf:params:oauth:token-type:id-jag";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const CHAT: &str = "https://auth.chat.test";
const MCP: &str = "https://mcp.chat.test/mcp";

fn policy() -> Value {
    json!({ "id_jags": [
        { "audience": CHAT, "client_id": "f53f191f9311af35", "resources": [MCP], "scope": "chat.read chat.history" },
        { "audience": "https://wiki.test", "client_id": "wiki", "scope": "wiki.read", "relying_party": "suite-jag-rp", "email": true },
        { "audience": issuer(), "client_id": "suite-jag-client", "scope": "demo:read" },
    ] })
}

fn client(id: &str, more: &[&str]) -> Client {
    let grants = format!("grant_types=[\"authorization_code\",\"refresh_token\",\"{GRANT}\"]");
    let policy = format!("token_exchange={}", policy());
    let mut arguments = vec!["--confidential", "--scope", "openid email offline_access", "--set", "skip_consent=true"];
    arguments.extend(["--set", &grants, "--set", &policy]);
    arguments.extend_from_slice(more);
    admin::client(id, &arguments)
}

fn app() -> Client {
    client("suite-jag-client", &[])
}

fn sign_in(client: &Client) -> Tokens {
    let request = AuthorizationRequest::new(client).scope("openid email offline_access");
    TokenRequest::code(&request, &Browser::new_signed_in().complete(&request).code()).tokens()
}

/// Tokens of one grant, for tests that do not end it.
fn shared() -> &'static Tokens {
    static TOKENS: OnceLock<Tokens> = OnceLock::new();
    TOKENS.get_or_init(|| sign_in(&app()))
}

fn exchange(client: &Client, token: &str, kind: &str) -> TokenRequest {
    let request = TokenRequest::new(client, GRANT).set("requested_token_type", JAG).set("audience", CHAT);
    request.set("subject_token", token).set("subject_token_type", kind)
}

fn refused(request: &TokenRequest) {
    request.send().expect_error(400, "invalid_request");
}

/// Reads a response with an ID-JAG (§4.3.4), which is no access token.
#[track_caller]
fn id_jag(request: &TokenRequest) -> (Value, jwt::Jwt) {
    let document = request.send().expect(200).expect_no_store().json();
    assert_eq!((document["issued_token_type"].as_str(), document["token_type"].as_str()), (Some(JAG), Some("N_A")));
    assert!(document.get("refresh_token").is_none() && document.get("id_token").is_none(), "{document}");
    let token = jwt::verify(document["access_token"].as_str().expect("a JWT"));
    (document, token)
}

/// §3.1, §4.3: the ID-JAG is for the other server, its client, its resource and its scope, and lives for minutes.
#[test]
fn an_id_token_is_exchanged_for_an_id_jag() {
    let (document, token) = id_jag(&exchange(&app(), shared().id(), ID).set("resource", MCP).set("scope", "chat.read"));
    assert_eq!((document["scope"].as_str(), document["expires_in"].as_u64()), (Some("chat.read"), Some(300)));
    let id_token = jwt::read(shared().id());
    assert_eq!(token.header["typ"], json!(ID_JAG));
    assert_eq!((token.text("iss"), token.text("sub")), (issuer(), id_token.text("sub")));
    assert_eq!((token.text("aud"), token.text("client_id")), (CHAT, "f53f191f9311af35"));
    assert_eq!((token.text("resource"), token.text("scope")), (MCP, "chat.read"));
    assert_eq!(token.number("auth_time"), id_token.number("auth_time"));
    assert!(token.number("exp") - token.number("iat") <= 300 && token.number("iat") <= now());
    assert!(token.claims.get("email").is_none(), "no personal data without the setting (EMA §7.4.3)");
    let (_, again) = id_jag(&exchange(&app(), shared().id(), ID));
    assert_ne!(again.text("jti"), token.text("jti"));
    assert_eq!((again.text("resource"), again.text("scope")), (MCP, "chat.read chat.history"), "the policy decides");
}

/// §4.3: a refresh token may be the subject token. It is not rotated.
#[test]
fn a_refresh_token_is_exchanged_too() {
    let tokens = sign_in(&app());
    let (_, token) = id_jag(&exchange(&app(), tokens.refresh(), REFRESH));
    assert_eq!(token.text("sub"), jwt::read(tokens.id()).text("sub"));
    let next = tokens.refresh_request().tokens();
    id_jag(&exchange(&app(), next.refresh(), REFRESH));
}

/// §4.3.3: the subject token is of the client that authenticates, valid, and of the stated type.
#[test]
fn the_subject_token_is_the_clients_own() {
    let other = client("suite-jag-other", &[]);
    for (token, kind) in [(shared().id(), ID), (shared().refresh(), REFRESH)] {
        refused(&exchange(&other, token, kind));
    }
    for (token, kind) in [
        (shared().access(), ACCESS),
        (shared().access(), ID),
        (shared().id(), JWT),
        (shared().id(), REFRESH),
        (shared().refresh(), ID),
        (shared().id(), "urn:ietf:params:oauth:token-type:saml2"),
        ("nonsense", ID),
    ] {
        refused(&exchange(&app(), token, kind));
    }
    refused(&exchange(&app(), &jwt::tampered(shared().id(), |claims| claims["sub"] = json!("admin")), ID));
    refused(&exchange(&app(), &jwt::unsigned(shared().id()), ID));
    let actor =
        exchange(&app(), shared().id(), ID).set("actor_token", shared().access()).set("actor_token_type", ACCESS);
    refused(&actor);
    let ended = sign_in(&app());
    id_jag(&exchange(&app(), ended.id(), ID));
    revoke(&app(), ended.refresh(), None).expect(200);
    refused(&exchange(&app(), ended.id(), ID));
    refused(&exchange(&app(), ended.refresh(), REFRESH));
}

/// MCP Enterprise-Managed Authorization §7.6.1, §7.7: the policy of the operator decides, and the client authenticates.
#[test]
fn the_policy_decides() {
    let right = || exchange(&app(), shared().id(), ID);
    for (name, value) in [
        ("audience", "https://unknown.test"),
        ("audience", issuer()),
        ("resource", "https://mcp.other.test"),
        ("resource", url("/demo-api").as_str()),
    ] {
        right().set(name, value).send().expect_error(400, "invalid_target");
    }
    right().set("audience", "https://wiki.test").set("resource", MCP).send().expect_error(400, "invalid_target");
    right().set("scope", "admin").send().expect_error(400, "invalid_scope");
    let (document, _) = id_jag(&right().set("scope", "chat.read admin"));
    assert_eq!(document["scope"], json!("chat.read"), "narrowed, and the response says so");
    refused(&right().set("authorization_details", "[]"));
    refused(&right().without("audience"));
    refused(&right().also("audience", "https://wiki.test"));
    right().by(&Client::public("suite-jag-client")).send().expect_error(401, "invalid_client");
    // A client without a policy, or with one for other exchanges alone.
    exchange(&suite::exchanger(), shared().id(), ID).send().expect_error(400, "invalid_target");
    exchange(&spa(), shared().id(), ID).send().expect_error(400, "unauthorized_client");
}

/// §3.1: "The identifier MUST be the same as the subject identifier used in an Identity Assertion for the Resource Authorization
/// Server as a Relying Party", so a pairwise one differs from that of the client.
#[test]
fn the_subject_is_the_one_that_the_audience_knows() {
    let pairwise = ["--set", "subject_type=pairwise"];
    let relying_party = admin::client(
        "suite-jag-rp",
        &[
            "https://wiki.test/callback",
            "--confidential",
            "--set",
            "subject_type=pairwise",
            "--set",
            "skip_consent=true",
            "--scope",
            "openid",
        ],
    );
    let relying_party = Client { redirect_uri: "https://wiki.test/callback".to_owned(), ..relying_party };
    let at_wiki = {
        let request = AuthorizationRequest::new(&relying_party).scope("openid");
        let tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
        jwt::read(tokens.id()).text("sub").to_owned()
    };
    let app = client("suite-jag-pairwise", &pairwise);
    let tokens = sign_in(&app);
    let own = jwt::read(tokens.id()).text("sub").to_owned();
    let (_, token) = id_jag(&exchange(&app, tokens.id(), ID).set("audience", "https://wiki.test"));
    assert_eq!(token.text("sub"), at_wiki);
    assert_ne!(token.text("sub"), own);
    // The operator let this server have the address; the claims are those of the user.
    assert!(token.claims.get("email").is_some(), "{token:?}");
    // Without a relying party the client learns no public subject.
    let (_, token) = id_jag(&exchange(&app, tokens.id(), ID));
    assert!(token.text("sub") != own && token.text("sub") != jwt::read(shared().id()).text("sub"));
}

/// §9.3: an ID-JAG of this server is no grant here, and nothing else here either.
#[test]
fn an_id_jag_of_this_server_is_good_for_nothing_here() {
    let (document, token) = id_jag(&exchange(&app(), shared().id(), ID));
    let own = document["access_token"].as_str().expect("a JWT");
    jwt_bearer(&app(), own).send().expect_error(400, "unauthorized_client");
    suite::trusted::unauthenticated(own).send().expect_error(400, "invalid_grant");
    jwt_bearer(&suite::trusted::bearer(), own).send().expect_error(400, "invalid_grant");
    for kind in [ID, ACCESS, JWT, REFRESH, JAG] {
        refused(&exchange(&app(), own, kind));
        let access =
            TokenRequest::new(&suite::exchanger(), GRANT).set("subject_token", own).set("subject_token_type", kind);
        refused(&access.set("audience", &url("/demo-api")));
    }
    // API Gateway answers 403 to all that an authorizer refuses.
    let status = if suite::platform() == "lambda" { 403 } else { 401 };
    Call::get("/demo-api").bearer(own).send().expect(status);
    suite::userinfo(own).expect(401);
    assert_eq!(suite::introspection(&app(), own)["active"], json!(false));
    // Nor is one of another identity provider a subject token.
    let claims = suite::trusted::id_jag_claims(ID_JAGS, token.text("sub"), "suite-jag-client");
    refused(&exchange(&app(), &people().sign_as(ID_JAG, &changed(claims, &json!({}))), ID));
}

/// §7.1: the metadata name the token type.
#[test]
fn the_metadata_name_the_token_type() {
    let metadata = Call::get("/.well-known/oauth-authorization-server").send().expect(200).json();
    assert_eq!(metadata["identity_chaining_requested_token_types_supported"], json!([JAG]));
}
