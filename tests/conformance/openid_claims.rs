//! Claims: OpenID Connect Core §5.1, §5.4, §5.5.

use serde_json::{Value, json};
use suite::registration::Registered;
use suite::{AuthorizationRequest, Browser, TokenRequest, Tokens, admin, jwt, spa, userinfo};

fn tokens(request: &AuthorizationRequest) -> Tokens {
    TokenRequest::code(request, &Browser::signed_in().complete(request).code()).tokens()
}

fn claims_of_scope(scope: &str) -> Value {
    userinfo(tokens(&AuthorizationRequest::new(&spa()).scope(scope)).access()).expect(200).json()
}

fn with_claims(claims: &Value) -> AuthorizationRequest {
    AuthorizationRequest::new(&spa()).scope("openid").set("claims", &claims.to_string())
}

const PROFILE: [&str; 14] = [
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
];

/// Core §5.4: each scope asks for its claims and for no others; `sub` always comes.
#[test]
fn each_scope_brings_its_claims_alone() {
    let scopes: [(&str, &[&str]); 5] = [
        ("openid", &[]),
        ("openid profile", &PROFILE),
        ("openid email", &["email", "email_verified"]),
        ("openid address", &["address"]),
        ("openid phone", &["phone_number", "phone_number_verified"]),
    ];
    for (scope, allowed) in scopes {
        let claims = claims_of_scope(scope);
        let claims = claims.as_object().expect("an object");
        assert!(claims["sub"].is_string(), "{scope}");
        for name in claims.keys() {
            assert!(name == "sub" || allowed.contains(&name.as_str()), "{scope} brings {name}");
        }
        assert!(allowed.is_empty() || claims.len() > 1, "{scope} brings nothing: {claims:?}");
    }
}

/// Core §5.1: the claims have their JSON types.
#[test]
fn claims_have_their_types() {
    let claims = claims_of_scope("openid profile email address phone");
    for (name, value) in claims.as_object().expect("an object") {
        let is_right = match name.as_str() {
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "updated_at" => value.is_u64(),
            "address" => value.is_object(),
            _ => value.is_string(),
        };
        assert!(is_right, "{name}: {value}");
    }
}

/// Core §5.3.2: a claim without a value is left out, not null or empty.
#[test]
fn no_claim_is_null() {
    for (name, value) in claims_of_scope("openid profile email address phone").as_object().expect("an object") {
        assert!(!value.is_null() && value != "", "{name}");
    }
}

/// Core §5.5: single claims for userinfo, without their scope.
#[test]
fn userinfo_claims_can_be_asked_for() {
    let request = with_claims(&json!({"userinfo": {"email": null, "name": {"essential": true}}}));
    let claims = userinfo(tokens(&request).access()).expect(200).json();
    assert!(claims["email"].is_string() && claims["name"].is_string(), "{claims}");
    assert!(claims.get("phone_number").is_none() && claims.get("given_name").is_none(), "{claims}");
}

/// Core §5.4: many libraries read the ID token alone. The first ID token of a grant has the claims of the scopes unless the
/// operator or the client's registration says otherwise. That of a refresh has them where the operator says so, as they are then.
#[test]
fn id_tokens_have_the_claims_of_the_scopes() {
    let user = admin::user("suite-scope-claims");
    let sample = |setting: Option<&str>| {
        let id = format!("suite-scope-claims-{}", setting.unwrap_or("default"));
        let value = format!("scope_claims_in_id_token={}", setting.unwrap_or_default());
        let mut arguments = vec!["--confidential"];
        arguments.extend(setting.iter().flat_map(|_| ["--set", value.as_str()]));
        let client = admin::client(&id, &arguments);
        let request =
            AuthorizationRequest::new(&client).scope("openid profile offline_access").set("prompt", "consent");
        let callback = Browser::new().complete_as(&request, &user, admin::PASSWORD);
        TokenRequest::code(&request, &callback.code()).tokens()
    };
    let name_in = |token: &str| jwt::verify(token).claims.get("name").cloned();
    let (is, none) = (Some(json!(user)), None);
    for (setting, first, refreshed) in
        [(None, &is, &none), (Some("never"), &none, &none), (Some("code"), &is, &none), (Some("always"), &is, &is)]
    {
        let tokens = sample(setting);
        let again = tokens.refresh_request().tokens();
        assert_eq!((&name_in(tokens.id()), &name_in(again.id())), (first, refreshed), "{setting:?}");
        let narrowed = again.refresh_request().set("scope", "openid").tokens();
        assert_eq!(name_in(narrowed.id()), None, "the claims follow the scope: {setting:?}");
        assert_eq!(jwt::verify(tokens.id()).claims.get("email"), None, "no claim of another scope");
        assert_eq!(userinfo(tokens.access()).expect(200).json()["name"], user.as_str());
    }
    let always = sample(Some("always"));
    admin::command(&["user", "add", "--json", &user, "--claim", "name=Another"]);
    let again = always.refresh_request().tokens();
    assert_eq!(name_in(again.id()), Some(json!("Another")), "the claims as they are now");
    admin::sign_out(&user);
    again.refresh_request().send().expect(400);
}

/// Core §5.4: a client that registers itself gets the claims of the scopes from UserInfo alone.
#[test]
fn a_registered_client_gets_the_claims_from_userinfo() {
    let client = Registered::new(&json!({ "redirect_uris": ["https://suite.example/callback"] })).client();
    let tokens = tokens(&AuthorizationRequest::new(&client).scope("openid profile"));
    assert_eq!(jwt::verify(tokens.id()).claims.get("name"), None);
    assert!(userinfo(tokens.access()).expect(200).json()["name"].is_string());
}

/// Core §5.1: `preferred_username` is the sign-in name unless the operator sets another one.
#[test]
fn the_preferred_username_is_the_sign_in_name() {
    let user = admin::user("suite-preferred");
    let request = AuthorizationRequest::new(&spa()).scope("openid profile");
    let callback = Browser::new().complete_as(&request, &user, admin::PASSWORD);
    let tokens = TokenRequest::code(&request, &callback.code()).tokens();
    assert_eq!(jwt::verify(tokens.id()).claims["preferred_username"], user.as_str());
    assert_eq!(userinfo(tokens.access()).expect(200).json()["preferred_username"], user.as_str());
}

/// Core §5.5: single claims for the ID token.
#[test]
fn id_token_claims_can_be_asked_for() {
    let request = with_claims(&json!({"id_token": {"email": {"essential": true}, "name": null}}));
    let tokens = tokens(&request);
    let token = jwt::verify(tokens.id());
    assert!(token.claims["email"].is_string() && token.claims["name"].is_string(), "{token:?}");
    assert!(token.claims.get("phone_number").is_none(), "{token:?}");
    let claims = userinfo(tokens.access()).expect(200).json();
    assert!(claims.get("email").is_none(), "{claims}");
}

/// Core §3.1.2.4: claims requested by name are released with consent: the page shows them, and what was
/// allowed without them is not enough.
#[test]
fn claims_asked_for_by_name_are_consented_to() {
    for member in ["userinfo", "id_token"] {
        let id = format!("suite-claims-{member}");
        let client =
            admin::client(&id, &["--set", "token_endpoint_auth_method=none", "--scope", "openid email address"]);
        let mut browser = Browser::new_signed_in();
        let plain = AuthorizationRequest::new(&client).scope("openid");
        browser.complete(&plain).code();
        let more =
            plain.set("claims", &json!({ member: { "email": null, "address": { "essential": true } } }).to_string());
        assert_eq!(browser.authorize(&more.clone().set("prompt", "none")).callback().error(), "consent_required");
        let page = browser.authorize(&more).consent_page();
        let text = page.text();
        assert!(text.contains("mail") && text.contains("ddress"), "{text}");
        let tokens = TokenRequest::code(&more, &browser.complete(&more).code()).tokens();
        let released = match member {
            "userinfo" => userinfo(tokens.access()).expect(200).json(),
            _ => Value::Object(jwt::verify(tokens.id()).claims.as_object().expect("an object").clone()),
        };
        assert!(released["email"].is_string() && released["address"].is_object(), "{released}");
        browser.authorize(&more.set("prompt", "none")).callback().code();
    }
}

/// A client gets no more by asking for claims by name than by scope.
#[test]
fn claims_beyond_the_clients_scope_are_not_released() {
    let client =
        admin::client("suite-few-claims", &["--set", "token_endpoint_auth_method=none", "--scope", "openid email"]);
    let wanted = json!({ "email": null, "phone_number": null, "address": null, "birthdate": { "essential": true } });
    let request = AuthorizationRequest::new(&client)
        .scope("openid")
        .set("claims", &json!({ "userinfo": wanted, "id_token": wanted }).to_string());
    let tokens = TokenRequest::code(&request, &Browser::new_signed_in().complete(&request).code()).tokens();
    for released in [userinfo(tokens.access()).expect(200).json(), jwt::verify(tokens.id()).claims] {
        assert!(released["email"].is_string(), "{released}");
        for claim in ["phone_number", "address", "birthdate"] {
            assert!(released.get(claim).is_none(), "{released}");
        }
    }
}

/// Core §5.5: unknown members, claims and languages are ignored.
#[test]
fn unknown_claims_are_ignored() {
    let request = with_claims(&json!({
        "userinfo": {"https://example.com/shoe": {"essential": true}, "name#ja-Kana-JP": null, "password": null},
        "id_token": {"password_hash": null},
        "future": {"x": null},
    }));
    let tokens = tokens(&request);
    let claims = userinfo(tokens.access()).expect(200).json();
    assert_eq!(claims.as_object().map(serde_json::Map::len), Some(1), "{claims}");
    assert!(jwt::verify(tokens.id()).claims.get("password_hash").is_none());
}

/// Core §5.5: a claim that the user does not have is no error, even if it is essential.
#[test]
fn a_missing_essential_claim_is_no_error() {
    let request = with_claims(&json!({"userinfo": {"middle_name": {"essential": true}, "gender": {"value": "x"}}}));
    userinfo(tokens(&request).access()).expect(200);
}

/// Core §5.5: anything but a JSON object of requests gets `invalid_request`.
#[test]
fn malformed_claims_are_refused() {
    for claims in
        ["x", "{", "[]", "1", "null", r#"{"userinfo":1}"#, r#"{"userinfo":{"email":1}}"#, r#"{"id_token":["email"]}"#]
    {
        let request = AuthorizationRequest::new(&spa()).set("claims", claims);
        assert_eq!(Browser::signed_in().authorize(&request).callback().error(), "invalid_request", "{claims}");
    }
}

/// Core §5.5: deep nesting is refused or ignored, never a crash.
#[test]
fn deeply_nested_claims_are_harmless() {
    let deep = format!(r#"{{"userinfo":{{"email":{{"value":{}1{}}}}}}}"#, "[".repeat(500), "]".repeat(500));
    let request = AuthorizationRequest::new(&spa()).set("claims", &deep);
    Browser::signed_in().authorize(&request).callback();
}

/// Core §5.5.1.1: an essential `acr` that cannot be reached fails; a voluntary one does not.
#[test]
fn an_essential_acr_that_cannot_be_reached_fails() {
    let essential =
        with_claims(&json!({"id_token": {"acr": {"essential": true, "values": ["urn:example:unheard-of"]}}}));
    let callback = Browser::signed_in().authorize(&essential).callback();
    assert!(
        matches!(callback.error(), "unmet_authentication_requirements" | "access_denied" | "login_required"),
        "{callback:?}"
    );
    let voluntary = with_claims(&json!({"id_token": {"acr": {"values": ["urn:example:unheard-of"]}}}));
    tokens(&voluntary);
}

/// Core §5.5: requested claims stay with the grant through refreshes.
#[test]
fn asked_claims_stay_through_a_refresh() {
    let request = AuthorizationRequest::new(&spa()).offline().set("claims", r#"{"userinfo":{"email":null}}"#);
    let first = tokens(&request);
    let second = first.refresh_request().tokens();
    assert!(userinfo(second.access()).expect(200).json()["email"].is_string());
}
