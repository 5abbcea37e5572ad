//! Claims that the operator defined: RFC 9068 §2.2.3.1, and the section `claims` of `tests/support/configuration.json`.

use serde_json::{Value, json};
use suite::{
    AuthorizationRequest, Browser, Call, Client, TokenRequest, Tokens, admin, introspection, issuer, jwt, userinfo,
};

const LEVEL: &str = "https://suite.test/claims/level";
const SCOPE: &str = "openid profile groups offline_access suite:roles";

/// Returns a client that may ask for the scopes of the claims.
fn client(id: &str, more: &[&str]) -> Client {
    admin::client(id, &[&["--set", "token_endpoint_auth_method=none", "--scope", SCOPE], more].concat())
}

/// Returns a user with values of all claims.
fn user(name: &str) -> String {
    let name = admin::user(name);
    admin::command(&[
        "user",
        "set-claim",
        "--json",
        &name,
        "groups=staff",
        "groups=admins",
        "entitlements=build",
        "roles=[\"owner\"]",
        "plan=gold",
        &format!("{LEVEL}=3"),
    ]);
    name
}

fn tokens(client: &Client, username: &str, scope: &str, resource: Option<&str>) -> Tokens {
    let mut request = AuthorizationRequest::new(client).scope(scope);
    if let Some(resource) = resource {
        request = request.set("resource", resource);
    }
    let callback = Browser::new().complete_as(&request, username, admin::PASSWORD);
    TokenRequest::code(&request, &callback.code()).tokens()
}

fn claim(token: &str, name: &str) -> Value {
    jwt::verify(token).claims[name].clone()
}

/// Each destination has the claims that are defined for it, and no others; the scope releases them.
#[test]
fn a_claim_is_where_its_definition_says() {
    let (client, username) = (client("suite-claims", &[]), user("suite-claims-user"));
    let all = tokens(&client, &username, "openid groups", None);
    let groups = json!(["staff", "admins"]);
    assert_eq!(claim(all.id(), "groups"), groups);
    assert_eq!(claim(all.access(), "groups"), groups);
    for name in ["entitlements", "roles", "plan", LEVEL] {
        assert_eq!((claim(all.id(), name), claim(all.access(), name)), (Value::Null, Value::Null), "{name}");
    }
    let answer = userinfo(all.access()).expect(200).json();
    assert_eq!((&answer["groups"], &answer[LEVEL]), (&groups, &json!(3)));
    assert!(answer.get("entitlements").is_none() && answer.get("roles").is_none() && answer.get("plan").is_none());
    let none = tokens(&client, &username, "openid profile", None);
    assert_eq!((claim(none.id(), "groups"), claim(none.access(), "groups")), (Value::Null, Value::Null));
    let answer = userinfo(none.access()).expect(200).json();
    assert!(answer.get("groups").is_none() && answer.get(LEVEL).is_none() && answer.get("plan").is_none(), "{answer}");
}

/// A definition may name clients and resources.
#[test]
fn a_claim_may_be_for_some_clients_and_resources() {
    let username = user("suite-claims-user");
    let plan = client("suite-claims-plan", &[]);
    let answer = userinfo(tokens(&plan, &username, "openid profile", None).access()).expect(200).json();
    assert_eq!(answer["plan"], "gold");
    let of_resource = tokens(&plan, &username, "openid groups suite:roles", Some("https://suite.test/roles"));
    let token = jwt::verify(of_resource.access());
    assert_eq!((&token.claims["roles"], &token.claims["scope"]), (&json!(["owner"]), &json!("suite:roles")));
    let own = tokens(&plan, &username, "openid groups", None);
    assert_eq!(claim(own.access(), "roles"), Value::Null);
}

/// A client whose ID tokens hold no claims of scopes gets none of these there, either.
#[test]
fn the_setting_of_the_client_decides_about_its_id_token() {
    let username = user("suite-claims-user");
    let never = client("suite-claims-never", &["--set", "scope_claims_in_id_token=never"]);
    let tokens = tokens(&never, &username, "openid groups", None);
    assert_eq!(claim(tokens.id(), "groups"), Value::Null);
    assert_eq!(claim(tokens.access(), "groups"), json!(["staff", "admins"]));
}

/// A resource server sees the claims of introspection as they are now; the client and the token do not have them.
#[test]
fn introspection_has_the_current_values() {
    let username = user("suite-claims-introspected");
    let client = client("suite-claims", &[]);
    let introspects = format!("introspects=[\"{}\"]", issuer());
    let api = admin::client("suite-claims-api", &["--confidential", "--set", "grant_types=[]", "--set", &introspects]);
    let tokens = tokens(&client, &username, "openid groups", None);
    assert_eq!(introspection(&api, tokens.access())["entitlements"], json!(["build"]));
    admin::command(&["user", "set-claim", "--json", &username, "entitlements=deploy"]);
    let seen = introspection(&api, tokens.access());
    assert_eq!((&seen["entitlements"], &seen["active"]), (&json!(["deploy"]), &json!(true)));
    assert!(seen.get("groups").is_none() && seen.get("introspection_claims").is_none(), "{seen}");
}

/// Tokens of a refresh hold the values of its time.
#[test]
fn a_refresh_has_the_current_values() {
    let username = user("suite-claims-refreshed");
    let always = client("suite-claims-always", &["--set", "scope_claims_in_id_token=always"]);
    let first = tokens(&always, &username, "openid groups offline_access", None);
    admin::command(&["user", "set-claim", "--json", &username, "groups=guests"]);
    let second = first.refresh_request().tokens();
    assert_eq!(
        (claim(second.access(), "groups"), claim(second.id(), "groups")),
        (json!(["guests"]), json!(["guests"]))
    );
    admin::command(&["user", "set-claim", "--json", &username, "--remove", "groups"]);
    let third = second.refresh_request().tokens();
    assert_eq!((claim(third.access(), "groups"), claim(third.id(), "groups")), (Value::Null, Value::Null));
}

/// The metadata list the claims and their scopes, and the consent page has the words of the operator.
#[test]
fn users_and_clients_can_know_them() {
    let metadata = Call::get("/.well-known/openid-configuration").send().expect(200).json();
    let has = |list: &str, value: &str| metadata[list].as_array().is_some_and(|list| list.contains(&json!(value)));
    for name in ["groups", "entitlements", "roles", "plan", LEVEL] {
        assert!(has("claims_supported", name), "{name}");
    }
    assert!(has("scopes_supported", "groups"));
    let request =
        AuthorizationRequest::new(&client("suite-claims", &[])).scope("openid groups").set("prompt", "consent");
    let username = user("suite-claims-consenting");
    let mut browser = Browser::new();
    let page = browser.authorize(&request).login_page();
    let page = browser.sign_in(&page, &username, admin::PASSWORD).consent_page();
    assert!(page.text().contains("Your groups"), "{}", page.text());
}

/// The definition decides the type of a value. A claim without a definition, and one that the server sets, cannot be stored.
#[test]
fn values_are_checked_against_the_definition() {
    let name = user("suite-claims-checked");
    for (wrong, part) in [
        (format!("{LEVEL}=high"), "must be a number"),
        ("plan=[\"gold\"]".to_owned(), "must be a string"),
        ("groups=".to_owned(), "must be a list"),
        ("department=sales".to_owned(), "section claims"),
        ("iss=https://other.example".to_owned(), "section claims"),
        ("sub=other".to_owned(), "section claims"),
    ] {
        let refusal = admin::refused(&["user", "set-claim", "--json", &name, &wrong], "");
        assert!(refusal.contains(part), "{wrong}: {refusal}");
    }
    let shown = admin::command(&["user", "show", "--json", &name]);
    assert_eq!((&shown["claims"]["plan"], &shown["claims"]["groups"]), (&json!("gold"), &json!(["staff", "admins"])));
}

/// A definition cannot take the name of a claim that the server or OpenID Connect sets, nor a scope without a meaning for users.
#[test]
fn names_of_the_protocol_cannot_be_defined() {
    let key = admin::key(&["configuration:write"]);
    let path = "/admin/configuration";
    let send = |method: &str, body: &str| {
        let call = Call::new(method, path).bearer(&key.token(method, path, body)).through_proxy(&suite::address());
        if body.is_empty() { call.send() } else { call.body("application/json", body).send() }
    };
    let version = send("GET", "").expect(200).json()["version"].clone();
    let claims: Vec<Value> = ["iss", "aud", "exp", "cnf", "act", "scope", "email"]
        .iter()
        .map(|name| json!({ "name": name, "type": "string", "scopes": "groups" }))
        .chain([json!({ "name": "x", "type": "text", "scopes": "openid" })])
        .collect();
    let body = json!({ "version": version, "sections": { "claims": claims }, "dry_run": true }).to_string();
    let type_alone = send("PUT", &body).expect(400).json()["problems"].clone();
    assert!(type_alone.to_string().contains("claims: [7] type: must be one of string"), "{type_alone}");
    let body = json!({ "version": version, "sections": { "claims": claims[..7] }, "dry_run": true }).to_string();
    let problems = send("PUT", &body).expect(400).json()["problems"].clone();
    assert_eq!(problems.as_array().map(Vec::len), Some(7), "{problems}");
}
