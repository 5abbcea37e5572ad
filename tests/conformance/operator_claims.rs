//! Claims that the operator defined: RFC 9068 §2.2.3.1, and the section `claims` of `tests/support/configuration.json`.

use serde_json::{Value, json};
use suite::{
    AuthorizationRequest, Browser, Call, Client, Page, TokenRequest, Tokens, admin, introspection, issuer, jwt,
    userinfo,
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
    // The stored resources name claims, too, which this configuration lacks.
    let of_claims = problems.as_array().into_iter().flatten().filter_map(Value::as_str);
    assert_eq!(of_claims.filter(|problem| problem.starts_with("claims: [")).count(), 7, "{problems}");
}

/// Claims by their names: one that the ID token may have, one that UserInfo must have, and some that this client may not have there.
const BY_NAME: &str = r#"{
    "id_token": { "groups": null, "entitlements": null, "https://suite.test/claims/level": null, "nothing": null },
    "userinfo": { "https://suite.test/claims/level": { "essential": true }, "plan": null, "roles": null },
    "defined": { "plan": "openid" }
}"#;

fn names(page: &Page, css: &str) -> Vec<String> {
    page.select(css)
}

/// Signs in and answers the consent page, which must be there.
fn consent(browser: &mut Browser, request: &AuthorizationRequest, username: &str) -> Page {
    let page = browser.authorize(request).login_page();
    browser.sign_in(&page, username, admin::PASSWORD).consent_page()
}

/// OpenID Connect Core §5.5: a claim of the operator may be requested by its name, without its scope. The user is asked for it as
/// itself, in the words of the operator; its destinations, clients and the scope of the client limit it as ever.
#[test]
fn a_claim_can_be_requested_by_its_name() {
    let (client, username) = (client("suite-claims-named", &[]), user("suite-claims-named-user"));
    let request = AuthorizationRequest::new(&client).scope("openid offline_access").set("claims", BY_NAME);
    let mut browser = Browser::new();
    let page = consent(&mut browser, &request, &username);
    assert_eq!(names(&page, "#scopes code"), ["offline_access", LEVEL], "what the client needs");
    assert_eq!(names(&page, "#optional code"), ["groups"], "what the user may refuse");
    assert!(page.select("#optional label").concat().contains("Your groups"), "{}", page.text());
    let callback = browser.decide(&page, "allow").callback();
    let tokens = TokenRequest::code(&request, &callback.code()).tokens();
    let released = |tokens: &Tokens| {
        let answer = userinfo(tokens.access()).expect(200).json();
        for name in ["groups", "entitlements", "plan", "roles", "nothing"] {
            assert!(answer.get(name).is_none(), "{name}: {answer}");
        }
        for name in ["entitlements", "plan", "roles", "nothing", LEVEL] {
            assert_eq!((claim(tokens.id(), name), claim(tokens.access(), name)), (Value::Null, Value::Null), "{name}");
        }
        assert_eq!(claim(tokens.access(), "groups"), Value::Null);
        (claim(tokens.id(), "groups"), answer[LEVEL].clone())
    };
    let expected = (json!(["staff", "admins"]), json!(3));
    assert_eq!(released(&tokens), expected);
    assert_eq!(released(&tokens.refresh_request().tokens()), expected);
    // The decision is remembered, and shown as what it is.
    let code = browser.authorize(&request).callback().code();
    assert_eq!(released(&TokenRequest::code(&request, &code).tokens()), expected);
    let consents = admin::consents(&username);
    let of_client = &consents[0];
    assert_eq!(
        (&of_client["scope"], &of_client["claims"]),
        (&json!("openid offline_access"), &json!(["groups", LEVEL]))
    );
    assert!(of_client.get("refused_claims").is_none(), "{consents}");
    let grants = admin::command(&["user", "grants", "--json", &username]);
    assert_eq!(grants[0]["claims"], json!(["groups", LEVEL]), "{grants}");
    let shown = admin::shown(&["user", "consents", &username]);
    assert!(shown.contains("groups") && !shown.contains("urn:latchkey"), "{shown}");
    // A claim is not its scope.
    let whole = AuthorizationRequest::new(&client).scope("openid groups").set("prompt", "none");
    assert_eq!(browser.authorize(&whole).callback().error(), "consent_required");
}

/// The user may refuse such a claim. The refusal is remembered and listed.
#[test]
fn a_named_claim_can_be_refused() {
    let settings = ["--set", "token_endpoint_auth_method=none", "--set", "scope=openid groups phone"];
    let (client, username) = (admin::client("suite-claims-refused", &settings), user("suite-claims-refused-user"));
    let claims = r#"{"id_token":{"groups":null},"userinfo":{"phone_number":null,"groups":null}}"#;
    let request = AuthorizationRequest::new(&client).scope("openid").set("claims", claims);
    let mut browser = Browser::new();
    let page = consent(&mut browser, &request, &username);
    assert_eq!(names(&page, "#optional code"), ["groups", "phone_number"]);
    let form = page.consent().expect("the form");
    let mut entries = form.filled(&[("decision", "allow")]);
    entries.retain(|(name, _)| name != "claim-groups");
    let code = browser.post("/consent", &entries).callback().code();
    let none = |code: &str| {
        let tokens = TokenRequest::code(&request, code).tokens();
        let answer = userinfo(tokens.access()).expect(200).json();
        assert_eq!((claim(tokens.id(), "groups"), answer.get("groups")), (Value::Null, None), "{answer}");
    };
    none(&code);
    none(&browser.authorize(&request).callback().code());
    let consents = admin::consents(&username);
    assert_eq!(
        (&consents[0]["claims"], &consents[0]["refused_claims"]),
        (&json!(["phone_number"]), &json!(["groups"])),
        "{consents}"
    );
    let shown = admin::shown(&["user", "consents", &username]);
    assert!(shown.contains("phone_number (your phone number)"), "{shown}");
}

/// The name is honoured where no scope would put the claim into the ID token; a client without the scope of the claim cannot name it.
#[test]
fn the_setting_of_the_client_does_not_hide_a_named_claim() {
    let username = user("suite-claims-named-never");
    let claims = r#"{"id_token":{"groups":{"essential":true}}}"#;
    let tokens = |client: &Client, scope: &str| {
        let request = AuthorizationRequest::new(client).scope(scope).set("claims", claims);
        let callback = Browser::new().complete_as(&request, &username, admin::PASSWORD);
        TokenRequest::code(&request, &callback.code()).tokens()
    };
    let never = client("suite-claims-named-never", &["--set", "scope_claims_in_id_token=never"]);
    assert_eq!(claim(tokens(&never, "openid").id(), "groups"), json!(["staff", "admins"]));
    assert_eq!(claim(tokens(&never, "openid groups").id(), "groups"), json!(["staff", "admins"]));
    let narrow = ["--set", "token_endpoint_auth_method=none", "--set", "scope=openid profile"];
    let narrow = admin::client("suite-claims-named-narrow", &narrow);
    assert_eq!(claim(tokens(&narrow, "openid").id(), "groups"), Value::Null);
}

/// The hybrid flow (OpenID Connect Core §3.3) has the claim in the ID token of the authorization response, too.
#[test]
fn a_named_claim_is_in_the_id_token_of_the_authorization_response() {
    let username = user("suite-claims-named-hybrid");
    let hybrid = client("suite-claims-hybrid", &["--set", r#"response_types=["code id_token"]"#]);
    let request = AuthorizationRequest::new(&hybrid)
        .scope("openid")
        .set("response_type", "code id_token")
        .set("claims", r#"{"id_token":{"groups":{"essential":true}}}"#);
    let callback = Browser::new().complete_as(&request, &username, admin::PASSWORD);
    assert_eq!(claim(callback.value("id_token").expect("an ID token"), "groups"), json!(["staff", "admins"]));
}

/// OpenID Connect Core §5.5 at a device (RFC 8628): the page shows the claim, and the tokens have it.
#[test]
fn a_device_can_name_a_claim() {
    let username = user("suite-claims-named-device");
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let client = client("suite-claims-device", &["--set", &format!("grant_types=[\"{device}\"]")]);
    let claims = r#"{"id_token":{"groups":null,"entitlements":null}}"#;
    let asked = Call::post("/device_authorization")
        .form(&[("client_id", client.id.as_str()), ("scope", "openid"), ("claims", claims)])
        .send()
        .expect(200)
        .json();
    let text = |name: &str| asked[name].as_str().expect("text").to_owned();
    let mut browser = Browser::new();
    let page = browser.open(&text("verification_uri_complete")).page();
    let page = browser.submit(&page.forms[0], &[]).login_page();
    let page = browser.sign_in(&page, &username, admin::PASSWORD).page();
    assert_eq!(names(&page, "#optional code"), ["groups"], "{}", page.text());
    browser.submit(page.deciding("allow").expect("the form"), &[("decision", "allow"), ("confirmed", "yes")]).page();
    let tokens = TokenRequest::new(&client, device).set("device_code", &text("device_code")).tokens();
    assert_eq!(claim(tokens.id(), "groups"), json!(["staff", "admins"]));
    assert_eq!(claim(tokens.id(), "entitlements"), Value::Null);
}
