//! Rich authorization requests: RFC 9396, with the section `authorization_details_types` of `tests/support/configuration.json`.

use serde_json::{Value, json};
use suite::pushed::{push, pushed, reference};
use suite::{
    AuthorizationRequest, Browser, Call, Client, Page, Signer, TokenRequest, Tokens, admin, introspection, issuer, jwt,
    now, registration, trusted,
};

const NOTES: &str = "https://suite.test/notes";
const ROLES: &str = "https://suite.test/roles";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const ALL_TYPES: &str = r#"authorization_details_types=["payment_initiation","account_information","suite_notes"]"#;
const SCOPE: &str = "openid profile offline_access notes:read suite:roles";

/// Returns a public client that may use every type.
fn client() -> Client {
    admin::client("suite-rar", &["--set", "token_endpoint_auth_method=none", "--scope", SCOPE, "--set", ALL_TYPES])
}

fn user() -> String {
    admin::user("suite-rar-user")
}

fn payment(amount: &str) -> Value {
    json!({
        "type": "payment_initiation",
        "instructedAmount": { "currency": "EUR", "amount": amount },
        "creditorName": "Merchant A",
        "creditorAccount": { "iban": "DE02100100109307118603" },
    })
}

fn account(actions: &[&str], location: &str) -> Value {
    json!({ "type": "account_information", "actions": actions, "locations": [location] })
}

fn note(note: &str) -> Value {
    json!({ "type": "suite_notes", "note": note })
}

/// Returns a request for details alone: it has no scope.
fn request(details: &Value) -> AuthorizationRequest {
    AuthorizationRequest::new(&client()).without("scope").set("authorization_details", &details.to_string())
}

fn consent_page(browser: &mut Browser, request: &AuthorizationRequest) -> Page {
    let page = browser.authorize(request).login_page();
    browser.sign_in(&page, &user(), admin::PASSWORD).consent_page()
}

fn code(request: &AuthorizationRequest) -> String {
    Browser::new().complete_as(request, &user(), admin::PASSWORD).code()
}

fn tokens(request: &AuthorizationRequest) -> Tokens {
    TokenRequest::code(request, &code(request)).tokens()
}

fn details(tokens: &Tokens) -> Value {
    tokens.document["authorization_details"].clone()
}

fn claim(tokens: &Tokens) -> Value {
    jwt::verify(tokens.access()).claims["authorization_details"].clone()
}

fn error_of(request: &AuthorizationRequest) -> (String, String) {
    let callback = Browser::new().authorize(request).callback();
    (callback.error().to_owned(), callback.value("error_description").unwrap_or_default().to_owned())
}

fn refused(request: &TokenRequest) -> String {
    let reply = request.send().expect_error(400, "invalid_authorization_details");
    reply.json()["error_description"].as_str().expect("a description").to_owned()
}

/// §2, §3, §7: details without a scope lead to tokens. "The AS MUST also return the authorization_details as granted by the resource
/// owner and assigned to the respective access token."
#[test]
fn details_alone_lead_to_a_token_with_them() {
    let asked = json!([payment("123.50")]);
    let tokens = tokens(&request(&asked));
    assert_eq!((details(&tokens), claim(&tokens)), (asked.clone(), asked));
    assert_eq!((tokens.text("scope"), tokens.document.get("id_token")), (None, None));
    assert_eq!(jwt::verify(tokens.access()).claims["aud"], issuer());
}

/// §3.1: "the AS MUST process both sets of requirements in combination".
#[test]
fn details_and_scope_are_granted_together() {
    let asked = json!([payment("1.00")]);
    let request = request(&asked).scope("openid profile");
    let mut browser = Browser::new();
    let page = consent_page(&mut browser, &request);
    assert!(page.text().contains("Pay once from your account") && !page.select("#scopes code").is_empty());
    let code = browser.decide(&page, "allow").callback().code();
    let tokens = TokenRequest::code(&request, &code).tokens();
    assert_eq!((tokens.text("scope"), details(&tokens)), (Some("openid profile"), asked));
    assert_eq!(jwt::verify(tokens.id()).claims.get("authorization_details"), None);
}

/// §5: "The AS MUST refuse to process any unknown authorization details type or authorization details not conforming to the
/// respective type definition." The description names the place.
#[test]
fn details_that_do_not_conform_are_refused_with_their_place() {
    let changed = |name: &str, value: Value| {
        let mut detail = payment("1");
        detail[name] = value;
        json!([detail])
    };
    for (wrong, part) in [
        (json!([payment("1"), { "type": "unknown" }]), "authorization_details[1].type: 'unknown' is unknown"),
        (changed("colour", json!("red")), "authorization_details[0].colour: is an unknown member"),
        (changed("creditorName", json!(7)), "[0].creditorName: must be of the type string"),
        (changed("creditorName", json!("")), "[0].creditorName: must have at least 1 characters"),
        (changed("creditorAccount", json!({})), "[0].creditorAccount.iban: is missing"),
        (
            changed("creditorAccount", json!({ "iban": "DE00100100109307118603" })),
            "[0].creditorAccount.iban: must have the format iban",
        ),
        (changed("priority", json!(4)), "[0].priority: must be at most 3"),
        (changed("priority", json!(1.5)), "[0].priority: must be of the type integer"),
        (changed("requestedExecutionDate", json!("2026-02-30")), "must have the format date"),
        (json!([account(&["delete"], NOTES)]), "[0].actions[0]: must be one of list_accounts"),
        (
            json!([account(&["read_balances"], "https://other.example")]),
            "[0].locations: is for a resource that is unknown",
        ),
        (json!([{ "instructedAmount": 1 }]), "[0]: must be an object with a string as type"),
        (json!(payment("1")), "must be a JSON array of objects"),
        (json!([]), "must have 1 to 32 objects"),
    ] {
        let request = request(&wrong);
        let (error, description) = error_of(&request);
        assert_eq!(error, "invalid_authorization_details", "{wrong}");
        assert!(description.contains(part), "{wrong}: {description}");
        push(&request).expect_error(400, "invalid_authorization_details");
    }
}

/// Deep nesting, members that are there twice, huge numbers, and characters that hide others on the consent page.
#[test]
fn hostile_details_are_refused() {
    let nested = |depth: usize| {
        format!(r#"[{{"type":"suite_notes","note":"x","a":{}1{}}}]"#, "[".repeat(depth), "]".repeat(depth))
    };
    let note = |more: &str| format!(r#"[{{"type":"suite_notes","note":"x"{more}}}]"#);
    let many = format!("[{}]", vec![r#"{"type":"suite_notes","note":"x"}"#; 33].join(","));
    for wrong in [
        nested(8),
        nested(400),
        "[".repeat(3000),
        note(r#","note":"y""#),
        note(r#","a":{"b":1,"b":2}"#),
        note(r#","a":1e400"#),
        note(r#","a":1e300"#),
        note(r#","a":9007199254740993"#),
        note(r#","a":"\u202e""#),
        note(r#","a":"\u0000""#),
        note(r#","a":"\u200b""#),
        note(r#","\u2066":1"#),
        note(",\"a\":\"\u{202d}\""),
        many,
        "null".to_owned(),
        "\u{feff}[]".to_owned(),
    ] {
        let request = AuthorizationRequest::new(&client()).set("authorization_details", &wrong);
        push(&request).expect_error(400, "invalid_authorization_details");
    }
    let long = format!(r#"[{{"type":"suite_notes","note":"x","a":"{}"}}]"#, "x".repeat(32 * 1024));
    push(&AuthorizationRequest::new(&client()).set("authorization_details", &long))
        .expect_error(400, "invalid_authorization_details");
    push(&request(&json!([payment("1")])).also("authorization_details", "[]")).expect_error(400, "invalid_request");
}

/// §10: a client may use the types that it registered.
#[test]
fn a_type_that_the_client_did_not_register_is_refused() {
    let settings =
        ["--set", "token_endpoint_auth_method=none", "--set", r#"authorization_details_types=["suite_notes"]"#];
    for (id, more) in [("suite-rar-notes", &settings[..]), ("suite-rar-none", &settings[..2])] {
        let client = admin::client(id, more);
        let request =
            AuthorizationRequest::new(&client).set("authorization_details", &json!([payment("1")]).to_string());
        let (error, description) = error_of(&request);
        assert_eq!(error, "invalid_authorization_details");
        assert!(description.contains("[0].type"), "{description}");
    }
}

/// §10: "authorization_details_types_supported".
#[test]
fn the_metadata_list_the_types() {
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let metadata = Call::get(path).send().expect(200).json();
        let types = json!(["payment_initiation", "account_information", "suite_notes", "suite_open"]);
        assert_eq!(metadata["authorization_details_types_supported"], types);
    }
}

/// The page has the words of the operator in the user's language, and each value that has none: what a page shows is what is granted.
#[test]
fn the_consent_page_shows_every_value() {
    let mut asked = payment("123.50");
    asked["requestedExecutionDate"] = json!("2026-12-24");
    asked["remittanceInformationUnstructured"] = json!("<b>Ref</b> \"1\"");
    let request =
        request(&json!([asked, { "type": "suite_notes", "note": "n1", "pages": [1, true, { "deep": ["x"] }] }]));
    let page = consent_page(&mut Browser::new(), &request);
    let text = page.text();
    for part in [
        "Pay once from your account",
        "123.50 EUR",
        "24 December 2026",
        "Merchant A",
        "DE02100100109307118603",
        "Share one note",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(page.select(".detail h2 code"), ["payment_initiation", "suite_notes"]);
    let terms = page.select(".detail dt");
    let expected = [
        "Amount",
        "To",
        "On",
        "creditorAccount.iban",
        "remittanceInformationUnstructured",
        "note",
        "pages.0",
        "pages.1",
        "pages.2.deep",
    ];
    assert_eq!(terms, expected);
    assert!(
        page.reply.text().contains("&lt;b&gt;Ref&lt;/b&gt;") || page.reply.text().contains("&#60;b&#62;Ref"),
        "escaped"
    );
    let mut browser = Browser::new();
    let login = browser.authorize(&request).login_page();
    let form = login.login().expect("the form").clone();
    let reply = browser.send(form.call(&[("username", &user()), ("password", admin::PASSWORD)]));
    let resume = Call::get(reply.header("location").expect("a redirect"));
    let reply = browser.send(resume);
    let german = Call::get(reply.header("location").expect("a redirect")).header("accept-language", "de-CH,en;q=0.5");
    let german = browser.go(german).consent_page();
    assert!(
        german.text().contains("Einmal von Ihrem Konto zahlen") && german.text().contains("Betrag"),
        "{}",
        german.text()
    );
}

/// Consent to details is never remembered: each time they may be another act. `prompt=none` cannot have it.
#[test]
fn consent_is_asked_anew_each_time() {
    let request = request(&json!([payment("5")])).scope("openid");
    let mut browser = Browser::new();
    browser.complete_as(&request, &user(), admin::PASSWORD).code();
    let page = browser.authorize(&request).consent_page();
    assert!(page.text().contains("5 EUR"));
    let silent = request.clone().set("prompt", "none");
    assert_eq!(browser.authorize(&silent).callback().error(), "consent_required");
    let denied = browser.decide(&page, "deny").callback();
    assert_eq!(denied.error(), "access_denied");
    // The scope of the same request is remembered.
    browser.authorize(&request.without("authorization_details")).callback().code();
    let consents = admin::consents(&user());
    assert!(!consents.to_string().contains("payment"), "{consents}");
}

/// An application of the operator that asks for no consent asks for consent to details.
#[test]
fn skip_consent_does_not_skip_details() {
    let settings = ["--confidential", "--set", "skip_consent=true", "--set", ALL_TYPES];
    let client = admin::client("suite-rar-own", &settings);
    let request = AuthorizationRequest::new(&client).set("authorization_details", &json!([payment("1")]).to_string());
    consent_page(&mut Browser::new(), &request);
}

/// §3.2, §7, §9.1: `locations` decide about the audience, and a token holds the details for its audience alone.
#[test]
fn a_token_holds_the_details_for_its_audience() {
    let (notes, roles) = (account(&["read_balances"], NOTES), account(&["list_accounts"], ROLES));
    let asked = json!([notes, roles, note("1"), payment("1")]);
    let request = request(&asked).set("scope", "offline_access").set("prompt", "consent");
    let all = tokens(&request);
    assert_eq!((details(&all), claim(&all)), (asked.clone(), asked));
    let mut audience: Vec<String> = serde_json::from_value(jwt::verify(all.access()).claims["aud"].clone()).unwrap();
    audience.sort();
    assert_eq!(audience, [NOTES, ROLES]);
    for (resource, expected) in
        [(NOTES, json!([notes, note("1"), payment("1")])), (ROLES, json!([roles, payment("1")]))]
    {
        let one = TokenRequest::code(&request, &code(&request)).set("resource", resource).tokens();
        assert_eq!((details(&one), claim(&one)), (expected.clone(), expected));
        assert_eq!(jwt::verify(one.access()).claims["aud"], resource);
    }
}

/// §6: a token request may name a part of what was granted: the code exchange keeps the code if it names more.
#[test]
fn a_code_exchange_narrows() {
    let asked = json!([payment("1"), account(&["list_accounts", "read_balances"], NOTES)]);
    let request = request(&asked).scope("offline_access").set("prompt", "consent");
    let code = code(&request);
    let exchange = |part: &Value| TokenRequest::code(&request, &code).set("authorization_details", &part.to_string());
    for wider in [
        json!([payment("2")]),
        json!([payment("1"), payment("1")]),
        json!([account(&["list_accounts"], NOTES), account(&["read_balances"], NOTES)]),
        json!([account(&["list_accounts", "read_transactions"], NOTES)]),
        json!([account(&["list_accounts"], ROLES)]),
        json!([note("1")]),
        json!([{ "type": "account_information", "actions": ["list_accounts"] }]),
    ] {
        assert!(refused(&exchange(&wider)).contains("["), "{wider}");
    }
    let part = json!([account(&["list_accounts"], NOTES)]);
    let first = exchange(&part).tokens();
    assert_eq!((details(&first), claim(&first)), (part.clone(), part));
    // The grant keeps all of it.
    let refreshed = first.refresh_request().tokens();
    assert_eq!((details(&refreshed), claim(&refreshed)), (asked.clone(), asked));
}

/// §6: a refresh keeps the details, may name fewer, and never more.
#[test]
fn a_refresh_keeps_and_narrows() {
    let asked = json!([payment("1"), note("1")]);
    let request = request(&asked).scope("offline_access").set("prompt", "consent");
    let first = tokens(&request);
    let wider = first.refresh_request().set("authorization_details", &json!([note("2")]).to_string());
    refused(&wider);
    let elsewhere = first.refresh_request().set("authorization_details", &json!([note("1")]).to_string());
    refused(&elsewhere.set("authorization_details", "{}"));
    let second = first.refresh_request().set("authorization_details", &json!([note("1")]).to_string()).tokens();
    assert_eq!((details(&second), claim(&second)), (json!([note("1")]), json!([note("1")])));
    let third = second.refresh_request().tokens();
    assert_eq!(details(&third), asked);
}

/// §9.2: a resource server sees the details for it; the client sees all of its own token. An opaque token holds them too.
#[test]
fn introspection_has_the_details_for_the_resource_server() {
    let settings = [
        "--set",
        "token_endpoint_auth_method=none",
        "--scope",
        SCOPE,
        "--set",
        ALL_TYPES,
        "--set",
        "access_token_format=opaque",
    ];
    let opaque = admin::client("suite-rar-opaque", &settings);
    let introspects = format!("introspects=[\"{NOTES}\"]");
    let api = admin::client("suite-rar-api", &["--confidential", "--set", "grant_types=[]", "--set", &introspects]);
    let asked = json!([account(&["read_balances"], NOTES), account(&["list_accounts"], ROLES), payment("1")]);
    for client in [client(), opaque] {
        let request =
            AuthorizationRequest::new(&client).without("scope").set("authorization_details", &asked.to_string());
        let tokens = tokens(&request);
        let seen = introspection(&api, tokens.access());
        assert_eq!(seen["active"], true);
        assert_eq!(seen["authorization_details"], json!([account(&["read_balances"], NOTES), payment("1")]));
    }
}

/// §3: the parameter is checked in a request object, where it is a JSON array, and at the pushed authorization request endpoint.
#[test]
fn request_objects_and_pushed_requests_have_details() {
    let signer = Signer::new("ES256", "rar");
    let jwks = format!("jwks={}", signer.jwks());
    let settings = ["--set", "token_endpoint_auth_method=none", "--set", ALL_TYPES, "--set", &jwks];
    let client = admin::client("suite-rar-signed", &settings);
    let object = |details: &Value| {
        let request = AuthorizationRequest::new(&client);
        let mut claims: serde_json::Map<String, Value> =
            request.parameters.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        claims.extend([
            ("iss".to_owned(), json!(client.id)),
            ("aud".to_owned(), json!(issuer())),
            ("exp".to_owned(), json!(now() + 60)),
            ("authorization_details".to_owned(), details.clone()),
        ]);
        let outer = request.clone().set("request", &signer.sign(&Value::Object(claims)));
        (request, outer)
    };
    let asked = json!([payment("7")]);
    let (request, outer) = object(&asked);
    let code = Browser::new().complete_as(&outer, &user(), admin::PASSWORD).code();
    assert_eq!(details(&TokenRequest::code(&request, &code).tokens()), asked);
    let (_, outer) = object(&json!([{ "type": "unknown" }]));
    assert_eq!(error_of(&outer).0, "invalid_authorization_details");
    push(&outer).expect_error(400, "invalid_authorization_details");
    let (request, outer) = object(&asked);
    let mut browser = Browser::new();
    let landing = browser.open(&reference(&client, &pushed(&outer)));
    let code = browser.finish(landing, &user(), admin::PASSWORD).code();
    assert_eq!(details(&TokenRequest::code(&request, &code).tokens()), asked);
}

/// RFC 9126: a pushed request travels by reference. Its details may be longer than a URL.
#[test]
fn pushed_details_may_be_long() {
    let asked = json!([note(&"x".repeat(7000)), note(&"y".repeat(7000)), account(&["list_accounts"], NOTES)]);
    let request = request(&asked).scope("openid offline_access").set("prompt", "consent");
    let at = reference(&client(), &pushed(&request));
    let mut browser = Browser::new();
    let page = browser.open(&at).login_page();
    assert!(page.url.as_str().len() < 7000, "{}", page.url.as_str().len());
    let page = browser.sign_in(&page, &user(), admin::PASSWORD).consent_page();
    assert!(page.text().contains(&"x".repeat(7000)) && page.text().contains(&"y".repeat(7000)));
    let callback = browser.decide(&page, "allow").callback();
    assert_eq!(callback.value("state"), Some(request.value("state")));
    let tokens = TokenRequest::code(&request, &callback.code()).tokens();
    assert_eq!((details(&tokens), claim(&tokens)), (asked.clone(), asked.clone()));
    assert_eq!(jwt::verify(tokens.id()).text("nonce"), request.value("nonce"));
    // PKCE binds the code of such a request too.
    let at = reference(&client(), &pushed(&request));
    let callback = browser.open(&at).consent_page();
    let code = browser.decide(&callback, "allow").callback().code();
    TokenRequest::code(&request, &code).without("code_verifier").send().expect_error(400, "invalid_grant");
    // Denied, and cancelled before the sign-in.
    let page = browser.open(&reference(&client(), &pushed(&request))).consent_page();
    assert_eq!(browser.decide(&page, "deny").callback().error(), "access_denied");
    let long = AuthorizationRequest::new(&client()).set("authorization_details", &asked.to_string());
    let error = Call::get(&long.url()).send();
    assert!(error.status >= 400, "a request that is not pushed stays within a URL");
}

/// §4: client credentials have details; no user is asked.
#[test]
fn client_credentials_have_details() {
    let client = admin::client("suite-rar-service", &["--service", "--scope", "notes:read", "--set", ALL_TYPES]);
    let ask =
        |details: &Value| TokenRequest::client_credentials(&client).set("authorization_details", &details.to_string());
    let asked = json!([account(&["list_accounts"], NOTES)]);
    let alone = ask(&asked).tokens();
    assert_eq!((details(&alone), claim(&alone), alone.text("scope")), (asked.clone(), asked.clone(), None));
    assert_eq!(jwt::verify(alone.access()).claims["aud"], NOTES);
    let both = ask(&asked).set("scope", "notes:read").tokens();
    assert_eq!((details(&both), both.text("scope")), (asked, Some("notes:read")));
    assert!(TokenRequest::client_credentials(&client).tokens().document.get("authorization_details").is_none());
    for wrong in [json!([{ "type": "unknown" }]), json!([account(&["delete"], NOTES)]), json!("x")] {
        refused(&ask(&wrong));
    }
    let none = admin::client("suite-rar-service-none", &["--service", "--scope", "notes:read"]);
    refused(&TokenRequest::client_credentials(&none).set("authorization_details", &json!([payment("1")]).to_string()));
}

/// RFC 8628 §3.1: a device asks for details, the verification page shows them, and the tokens hold them.
#[test]
fn a_device_has_details() {
    let settings = [
        "--set",
        "token_endpoint_auth_method=none",
        "--set",
        &format!("grant_types=[\"{DEVICE}\"]"),
        "--set",
        ALL_TYPES,
    ];
    let client = admin::client("suite-rar-device", &settings);
    let ask = |details: &Value| {
        let details = details.to_string();
        Call::post("/device_authorization")
            .form(&[("client_id", client.id.as_str()), ("authorization_details", &details)])
            .send()
    };
    ask(&json!([{ "type": "unknown" }])).expect_error(400, "invalid_authorization_details");
    let asked = json!([payment("42.00"), note(&"z".repeat(6000))]);
    let codes = ask(&asked).expect(200).json();
    let text = |name: &str| codes[name].as_str().expect("text").to_owned();
    let mut browser = Browser::new();
    let page = browser.open(&text("verification_uri_complete")).page();
    let page = browser.submit(&page.forms[0], &[]).login_page();
    let page = browser.sign_in(&page, &user(), admin::PASSWORD).page();
    assert!(page.text().contains("42.00 EUR") && page.text().contains(&"z".repeat(6000)), "{}", page.text());
    browser.submit(page.deciding("allow").expect("the form"), &[("decision", "allow"), ("confirmed", "yes")]).page();
    let poll = TokenRequest::new(&client, DEVICE).set("device_code", &text("device_code"));
    refused(&poll.clone().set("authorization_details", &json!([payment("43.00")]).to_string()));
    let part = json!([payment("42.00")]);
    let tokens = poll.set("authorization_details", &part.to_string()).tokens();
    assert_eq!((details(&tokens), claim(&tokens)), (part.clone(), part));
}

/// RFC 8693: an exchange yields a part of the details of the subject token, for its audience, and never more. An ID token has none.
#[test]
fn an_exchange_yields_a_part() {
    let policy = json!({
        "subject_clients": ["suite-rar"], "subject_audiences": [NOTES, issuer()], "audiences": [NOTES, ROLES], "impersonation": true,
        "subject_token_types": [ACCESS, "urn:ietf:params:oauth:token-type:id_token"],
    });
    let set = [format!("grant_types=[\"{EXCHANGE}\"]"), format!("token_exchange={policy}")];
    let settings = ["--service", "--scope", "notes:read suite:roles openid", "--set", &set[0], "--set", &set[1]];
    let types = r#"authorization_details_types=["account_information","suite_notes"]"#;
    let exchanger = admin::client("suite-rar-exchange", &[&settings[..], &["--set", types]].concat());
    let both = account(&["list_accounts", "read_balances"], NOTES);
    let first = tokens(&request(&json!([both, payment("1"), note("1")])).scope("openid"));
    let exchange = |token: &str, kind: &str, audience: &str| {
        TokenRequest::new(&exchanger, EXCHANGE)
            .set("subject_token", token)
            .set("subject_token_type", kind)
            .set("audience", audience)
    };
    let all = exchange(first.access(), ACCESS, NOTES).tokens();
    assert_eq!(details(&all), json!([both, note("1")]), "the exchanging client may not use payments");
    assert_eq!(claim(&all), details(&all));
    let part = json!([account(&["read_balances"], NOTES)]);
    let narrowed = exchange(first.access(), ACCESS, NOTES).set("authorization_details", &part.to_string());
    assert_eq!(details(&narrowed.tokens()), part);
    assert_eq!(details(&exchange(first.access(), ACCESS, ROLES).tokens()), Value::Null, "for another audience");
    for wider in [json!([account(&["read_transactions"], NOTES)]), json!([payment("1")]), json!([note("2")])] {
        refused(&exchange(first.access(), ACCESS, NOTES).set("authorization_details", &wider.to_string()));
    }
    let id = exchange(first.id(), "urn:ietf:params:oauth:token-type:id_token", NOTES);
    assert_eq!(details(&id.tokens()), Value::Null);
    refused(&id.set("authorization_details", &part.to_string()));
}

/// RFC 7523: an assertion about a user brings no details, and a token without them would allow more than the client asks for.
#[test]
fn an_assertion_brings_no_details() {
    let assertion = trusted::typed(trusted::people(), trusted::claims(trusted::PEOPLE, "ada"));
    let request = trusted::jwt_bearer(&trusted::bearer(), &assertion);
    refused(&request.set("authorization_details", &json!([payment("1")]).to_string()));
}

/// RFC 7591 §2: a client registers the types that the operator opens to such clients; others are left out.
#[test]
fn registration_keeps_the_open_types() {
    let metadata = json!({
        "redirect_uris": ["https://suite.example/callback"], "token_endpoint_auth_method": "none",
        "authorization_details_types": ["payment_initiation", "suite_open", "unknown"],
    });
    let document = registration::register(&metadata).expect(201).json();
    assert_eq!(document["authorization_details_types"], json!(["suite_open"]));
    let client = Client::public(document["client_id"].as_str().expect("a client_id"));
    let ask =
        |details: Value| push(&AuthorizationRequest::new(&client).set("authorization_details", &details.to_string()));
    ask(json!([{ "type": "suite_open", "door": "1" }])).expect(201);
    ask(json!([payment("1")])).expect_error(400, "invalid_authorization_details");
}

/// The configuration refuses a schema with a keyword that the server would ignore: all problems at once, with their places.
#[test]
fn a_schema_outside_the_subset_cannot_be_applied() {
    let key = admin::key(&["configuration:write"]);
    let path = "/admin/configuration";
    let send = |method: &str, body: &str| {
        let call = Call::new(method, path).bearer(&key.token(method, path, body)).through_proxy(&suite::address());
        if body.is_empty() { call.send() } else { call.body("application/json", body).send() }
    };
    let version = send("GET", "").expect(200).json()["version"].clone();
    let types = json!([
        { "type": "a", "title": "A", "schema": { "type": "object", "properties": { "x": { "type": "string", "pattern": "a*" } } } },
        { "type": "b", "title": "B", "schema": { "type": "object", "oneOf": [], "properties": { "locations": { "type": "string" } } },
          "display": [{ "label": "X", "pointer": "/missing" }] },
        { "type": "a", "title": "A", "schema": { "type": "object" } },
    ]);
    let body = json!({ "version": version, "sections": { "authorization_details_types": types }, "dry_run": true });
    let problems = send("PUT", &body.to_string()).expect(400).json()["problems"].to_string();
    for part in [
        "[0] (a) schema.properties.x.pattern: is no keyword",
        "[1] (b) schema.oneOf: is no keyword",
        "[1] (b) schema.properties.locations: must have the type array",
        "[1] (b) display[0].pointer: '/missing' must be a JSON Pointer",
        "[2] (a) type: is there twice",
    ] {
        assert!(problems.contains(part), "{part}: {problems}");
    }
    let body = json!({ "version": version, "sections": { "authorization_details_types": [{ "type": "a", "schema": [], "colour": 1 }] }, "dry_run": true });
    let problems = send("PUT", &body.to_string()).expect(400).json()["problems"].to_string();
    assert!(
        problems.contains("[0] title: is missing") && problems.contains("[0] schema: must be an object"),
        "{problems}"
    );
}
