//! Pairwise subjects (OpenID Connect Core §8, §8.1).

use serde_json::{Value, json};
use suite::registration::{Registered, register};
use suite::{AuthorizationRequest, Browser, Call, Client, Host, TokenRequest, Tokens, jwt, random, spa, userinfo};

fn client(changes: &Value) -> Client {
    let mut metadata = json!({
        "client_name": format!("Suite {}", random()),
        "redirect_uris": ["https://client.example/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "subject_type": "pairwise",
    });
    metadata.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    Registered::new(&metadata).client()
}

fn tokens(client: &Client, browser: &mut Browser) -> Tokens {
    let request = AuthorizationRequest::new(client).offline();
    TokenRequest::code(&request, &browser.complete(&request).code()).tokens()
}

fn subject(tokens: &Tokens) -> String {
    jwt::verify(tokens.id()).text("sub").to_owned()
}

/// Discovery §3: announced.
#[test]
fn metadata_lists_both_types() {
    let metadata = Call::get("/.well-known/openid-configuration").send().expect(200).json();
    assert_eq!(metadata["subject_types_supported"], json!(["public", "pairwise"]));
}

/// §8.1: one name in each sector, always the same there, another in any other; and none is the public one.
#[test]
fn a_person_has_a_name_in_each_sector() {
    let mut browser = Browser::new_signed_in();
    let public = subject(&tokens(&spa(), &mut browser));
    let elsewhere = json!({ "redirect_uris": ["https://other.example/callback"] });
    let (one, same, other) = (client(&json!({})), client(&json!({})), client(&elsewhere));
    let names = [&one, &same, &other].map(|client| subject(&tokens(client, &mut browser)));
    assert_eq!(names[0], names[1], "clients of one sector");
    assert_ne!(names[0], names[2], "clients of two sectors");
    assert!(names.iter().all(|name| *name != public && name.len() <= 255), "{names:?}");
    assert_eq!(names[0], subject(&tokens(&one, &mut Browser::new_signed_in())), "at another time");
}

/// §8.1: the sector is the host of `sector_identifier_uri`, whatever the redirect URIs.
#[test]
fn a_list_makes_a_sector() {
    let host = Host::start();
    let uris = json!(["https://a.example/callback", "https://b.example/callback"]);
    let list = host.serve_json("/sector", &uris);
    let mut browser = Browser::new_signed_in();
    let a = json!({ "redirect_uris": [uris[0]], "sector_identifier_uri": list });
    let b = json!({ "redirect_uris": [uris[1]], "sector_identifier_uri": list });
    assert_eq!(subject(&tokens(&client(&a), &mut browser)), subject(&tokens(&client(&b), &mut browser)));
    let alone = json!({ "redirect_uris": [uris[0]] });
    assert_ne!(subject(&tokens(&client(&a), &mut browser)), subject(&tokens(&client(&alone), &mut browser)));
}

/// Core §5.3.2: "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub Claim in the ID Token";
/// no other token has another subject.
#[test]
fn the_name_is_the_same_wherever_it_is_told() {
    let client = client(&json!({}));
    let tokens = tokens(&client, &mut Browser::new_signed_in());
    let name = subject(&tokens);
    assert_eq!(userinfo(tokens.access()).expect(200).json()["sub"], name);
    assert_eq!(jwt::read(tokens.access()).text("sub"), name);
    for token in [tokens.access(), tokens.refresh()] {
        let secret = client.secret.clone().unwrap();
        let answer = Call::post("/introspect").basic(&client.id, &secret).form(&[("token", token)]).send().expect(200);
        assert_eq!(answer.json()["sub"], name, "{answer:?}");
    }
    let refreshed = tokens.refresh_request().tokens();
    assert!(refreshed.text("id_token").is_none_or(|token| jwt::verify(token).text("sub") == name));
}

/// Core §3.1.2.1, §5.5.1: the hints of a client name the pairwise subject.
#[test]
fn the_client_names_the_person_by_it() {
    let client = client(&json!({}));
    let mut browser = Browser::new_signed_in();
    let tokens = tokens(&client, &mut browser);
    let public = subject(&self::tokens(&spa(), &mut browser));
    let silent = || AuthorizationRequest::new(&client).set("prompt", "none");
    browser.open(&silent().set("id_token_hint", tokens.id()).url()).callback().code();
    let asked = |sub: &str| json!({ "id_token": { "sub": { "value": sub } } }).to_string();
    browser.open(&silent().set("claims", &asked(&subject(&tokens))).url()).callback().code();
    for other in [public.as_str(), "x"] {
        let page = browser.open(&silent().set("claims", &asked(other)).url()).error_page();
        assert_eq!(page.offered().error(), "login_required");
    }
}

/// §8.1: a client that names the redirect URI of another sector, or an empty list at any URL, must not learn the subjects
/// of that sector. A grant without a redirect would tell them.
#[test]
fn a_sector_is_proven_by_a_redirect() {
    let host = Host::start();
    let list = host.serve_json("/sector", &json!(["https://victim.example/callback"]));
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let refused = |changes: Value| {
        let mut metadata = json!({
            "client_name": format!("Suite {}", random()),
            "subject_type": "pairwise",
            "token_endpoint_auth_method": "none",
        });
        metadata.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let reply = register(&metadata).expect(400);
        let error = reply.json()["error"].as_str().unwrap_or_default().to_owned();
        assert!(matches!(error.as_str(), "invalid_client_metadata" | "invalid_redirect_uri"), "{reply:?}");
    };
    let victim = json!(["https://victim.example/callback"]);
    let both = json!(["authorization_code", device]);
    refused(json!({ "redirect_uris": victim, "grant_types": both }));
    refused(json!({ "redirect_uris": victim, "grant_types": both, "sector_identifier_uri": list }));
    refused(json!({ "redirect_uris": [], "grant_types": [device], "sector_identifier_uri": list }));
}

/// RFC 8252 §8.6: any application can claim such a redirect URI, so it proves no sector. Each client is one of its own.
#[test]
fn claimable_redirect_uris_share_no_sector() {
    let native = || {
        let changes = json!({ "application_type": "native", "redirect_uris": ["http://127.0.0.1/callback"] });
        Client { redirect_uri: "http://127.0.0.1/callback".to_owned(), ..client(&changes) }
    };
    let mut browser = Browser::new_signed_in();
    let names = [native(), native()].map(|client| subject(&tokens(&client, &mut browser)));
    assert_ne!(names[0], names[1]);
}
