//! OAuth 2.0 Dynamic Client Registration Management Protocol (RFC 7592).

use serde_json::{Value, json};
use suite::registration::Registered;
use suite::{AuthorizationRequest, Browser, Call, TokenRequest, admin, issuer, random};

fn client(changes: &Value) -> Registered {
    let mut metadata = json!({
        "client_name": format!("Suite {}", random()),
        "redirect_uris": ["https://client.example/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
    });
    metadata.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    Registered::new(&metadata)
}

/// §3: the URI is the client's own, and opaque.
#[test]
fn the_client_has_a_uri_and_a_token() {
    let registered = client(&json!({}));
    let uri = format!("{}/register/{}", issuer(), registered.text("client_id"));
    assert_eq!(registered.text("registration_client_uri"), uri);
}

/// §2.1: the settings are read as they are.
#[test]
fn the_settings_are_read() {
    let registered = client(&json!({ "client_name#de": "Anwendung" }));
    let read = registered.get().expect(200).expect_no_store().json();
    assert_eq!(read, registered.document);
}

/// §2.1, RFC 6750 §3: no token, another client's, or another kind of token.
#[test]
fn other_tokens_are_refused() {
    let (one, two) = (client(&json!({})), client(&json!({})));
    // RFC 6750 §3.1: to a request without any authentication the challenge names no error.
    let reply = suite::Call::get(one.text("registration_client_uri")).send().expect(401);
    assert_eq!(reply.header("www-authenticate"), Some("Bearer realm=\"latchkey\""), "{reply:?}");
    for method in ["GET", "PUT", "DELETE"] {
        let body = (method == "PUT").then(|| one.replacement(&json!({})));
        for token in [two.token(), one.text("client_secret"), "x", "lkg_x"] {
            let reply = one.send(method, token, body.as_ref()).expect_error(401, "invalid_token");
            assert!(reply.header("www-authenticate").is_some_and(|field| field.starts_with("Bearer")), "{reply:?}");
        }
        Call::new(method, one.text("registration_client_uri")).send().expect_error(401, "invalid_token");
        let nobody = format!("{}/register/nobody", issuer());
        Call::new(method, &nobody).bearer(one.token()).send().expect_error(401, "invalid_token");
    }
    one.get().expect(200);
}

/// §2.2: "values … MUST replace, not augment"; what is left out or null goes back to its default.
#[test]
fn settings_are_replaced() {
    let registered =
        client(&json!({ "logo_uri": "https://client.example/logo.png", "contacts": ["a@client.example"] }));
    let changes = json!({
        "redirect_uris": ["https://client.example/other"],
        "logo_uri": null,
        "contacts": null,
        "grant_types": null,
        "tos_uri": "https://client.example/tos",
    });
    let document = registered.replace(&changes).expect(200).expect_no_store().json();
    assert_eq!(document["redirect_uris"], json!(["https://client.example/other"]));
    assert_eq!(document["tos_uri"], "https://client.example/tos");
    assert_eq!(document["grant_types"], json!(["authorization_code"]));
    assert!(document.get("logo_uri").is_none() && document.get("contacts").is_none(), "{document}");
    assert_eq!(document["client_id"], registered.document["client_id"]);
    assert_eq!(document["client_secret"], registered.document["client_secret"], "it was not asked to be another");
}

/// §2.2: the members that a request must and must not have.
#[test]
fn what_a_replacement_must_not_hold() {
    let registered = client(&json!({}));
    for changes in [
        json!({ "client_id": "other" }),
        json!({ "client_id": null }),
        json!({ "client_secret": "chosen-by-the-client" }),
        json!({ "registration_access_token": registered.token() }),
        json!({ "registration_client_uri": registered.text("registration_client_uri") }),
        json!({ "client_secret_expires_at": 0 }),
        json!({ "client_id_issued_at": 0 }),
        json!({ "token_endpoint_auth_method": "private_key_jwt" }),
        json!({ "new_client_secret": "mine" }),
        json!({ "jwks_uri": "https://169.254.169.254/" }),
    ] {
        registered.replace(&changes).expect_error(400, "invalid_client_metadata");
    }
    registered.replace(&json!({ "redirect_uris": ["javascript:x"] })).expect_error(400, "invalid_redirect_uri");
    assert_eq!(registered.get().expect(200).json(), registered.document, "nothing changed");
}

/// §2.2: a replacement may rotate the token. The one before stays good until the new one is used, so that a lost
/// response locks no client out; the same request gets the same response.
#[test]
fn the_token_is_rotated_and_nobody_is_locked_out() {
    let registered = client(&json!({}));
    let first = registered.replace(&json!({ "client_name": "New" })).expect(200).json();
    let new = first["registration_access_token"].as_str().unwrap();
    assert_ne!(new, registered.token());
    // The answer was lost: once more, with the old token.
    let again = registered.replace(&json!({ "client_name": "New" })).expect(200).json();
    assert_eq!(first, again);
    registered.get().expect(200);
    registered.send("GET", new, None).expect(200);
    registered.get().expect_error(401, "invalid_token");
    registered.replace(&json!({})).expect_error(401, "invalid_token");
    registered.send("GET", new, None).expect(200);
}

/// Concurrent replacements with one token all return the same new token.
#[test]
fn many_replacements_at_once_rotate_once() {
    let registered = client(&json!({}));
    let mut tokens: Vec<String> = std::thread::scope(|scope| {
        let registered = &registered;
        let replace =
            move || registered.replace(&json!({})).expect(200).json()["registration_access_token"].to_string();
        let all: Vec<_> = (0..8).map(|_| scope.spawn(replace)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
}

/// The secret is made anew when the client asks; the one before goes, or stays good beside it.
#[test]
fn the_secret_is_rotated() {
    let service = json!({ "grant_types": ["client_credentials"], "redirect_uris": [], "scope": "read" });
    let works = |document: &Value| {
        let secret = document["client_secret"].as_str().unwrap();
        let client = suite::Client::confidential(document["client_id"].as_str().unwrap(), secret);
        TokenRequest::client_credentials(&client).send().status == 200
    };
    let one = client(&service);
    let two = Registered { document: one.replace(&json!({ "new_client_secret": "add" })).expect(200).json() };
    assert_ne!(one.text("client_secret"), two.text("client_secret"));
    let settles = || eventually(|| works(&two.document) && works(&one.document));
    assert!(settles(), "both are good");
    let three = Registered { document: two.replace(&json!({ "new_client_secret": "replace" })).expect(200).json() };
    assert!(eventually(|| works(&three.document) && !works(&two.document) && !works(&one.document)));
    assert_eq!(three.get().expect(200).json()["client_secret"], three.document["client_secret"]);
}

/// §2.3: 204, and the client is gone: its secret, its tokens, its registration.
#[test]
fn a_deleted_client_is_gone_with_all_that_it_held() {
    let registered = client(&json!({}));
    let request = AuthorizationRequest::new(&registered.client()).offline();
    let code = Browser::new_signed_in().complete(&request).code();
    let tokens = TokenRequest::code(&request, &code).tokens();
    assert!(tokens.is_live());
    let reply = registered.send("DELETE", registered.token(), None).expect(204).expect_no_store();
    assert!(reply.body.is_empty());
    registered.get().expect_error(401, "invalid_token");
    registered.send("DELETE", registered.token(), None).expect_error(401, "invalid_token");
    // Instances may remember a client for a minute.
    assert!(eventually(|| !tokens.is_live()), "its access token opens userinfo");
    assert!(eventually(|| tokens.refresh_request().send().status == 401), "its refresh token is refreshed");
}

/// The operator removes a client and creates another of the same name: the old registration cannot manage it.
#[test]
fn a_name_that_passed_to_another_client_is_not_looked_after() {
    let registered = client(&json!({}));
    let operators = admin::take_over(registered.text("client_id"));
    registered.get().expect_error(401, "invalid_token");
    registered.replace(&json!({ "redirect_uris": ["https://evil.example/"] })).expect_error(401, "invalid_token");
    registered.send("DELETE", registered.token(), None).expect_error(401, "invalid_token");
    let request = AuthorizationRequest::new(&operators);
    let code = Browser::new_signed_in().complete(&request).code();
    TokenRequest::code(&request, &code).tokens();
}

/// §2: methods that there are none of.
#[test]
fn other_methods_are_refused() {
    let registered = client(&json!({}));
    let uri = registered.text("registration_client_uri");
    assert_eq!(Call::post(uri).bearer(registered.token()).send().status, 405);
    assert_eq!(Call::get("/register").send().status, 405);
}

/// Waits for what other instances notice within two minutes: they remember clients.
fn eventually(holds: impl Fn() -> bool) -> bool {
    for wait in [0, 1, 5, 10, 15, 15, 15, 30, 30] {
        suite::wait(std::time::Duration::from_secs(wait));
        if holds() {
            return true;
        }
    }
    false
}
