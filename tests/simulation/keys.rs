//! The secret and the signing keys: created once, rotated in time, changed without ending sessions.

use crate::common::{PASSWORD, deployment};
use futures::future::join_all;
use http::Method;
use simulation::{Flow, Instance, SECRET, Tokens, json_of};
use std::sync::Arc;
use std::time::Duration;
use storage::memory::Memory;

const NEW_SECRET: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";

/// Returns the names of the published keys with this use.
async fn kids_for(usage: &str, instance: &Instance) -> Vec<String> {
    let jwks = json_of(&instance.send(Method::GET, "/jwks", &[], String::new()).await);
    let keys = jwks["keys"].as_array().unwrap().iter().filter(|key| key["use"] == usage);
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn kids(instance: &Instance) -> Vec<String> {
    kids_for("sig", instance).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_cold_instances_one_makes_the_keys() {
    let memory = Arc::new(Memory::new());
    let instances: Vec<_> = (0..20).map(|_| Instance::start(memory.clone(), &[])).collect();
    let made = join_all(instances.iter().map(|instance| instance.context().keyring(instance.now))).await;
    assert!(made.iter().all(Result::is_ok));
    let sets = join_all(instances.iter().map(kids)).await;
    assert!(!sets[0].is_empty() && sets.iter().all(|set| *set == sets[0]), "{sets:?}");
}

/// A function that only publishes has no key to seal new signing keys with.
#[tokio::test]
async fn only_a_function_that_signs_makes_the_first_keys() {
    let instance = Instance::start(Arc::new(Memory::new()), &[]);
    let answer = instance.send(Method::GET, "/jwks", &[], String::new()).await;
    assert_eq!(answer.status.as_u16(), 503);
    assert!(answer.headers.contains_key("retry-after"));
    let signer = instance.context().guarded(manifest::function("token"));
    signer.keyring(instance.now).await.unwrap();
    assert!(!kids(&instance).await.is_empty());
    let reader = instance.context().guarded(manifest::function("metadata"));
    let keyring = reader.keyring(instance.now).await.unwrap();
    assert!(keyring.signing_key(types::Algorithm::ES256, instance.now).await.is_err(), "the public half signs nothing");
}

#[tokio::test]
async fn the_next_key_is_published_before_it_signs() {
    let memory = Arc::new(Memory::new());
    let mut instance = Instance::start(memory.clone(), &[("LATCHKEY_KEY_ROTATION", "864000")]);
    instance.context().keyring(instance.now).await.unwrap();
    let first = kids(&instance).await;
    let day = Duration::from_secs(86_400);
    let mut seen = first.clone();
    for _ in 0..40 {
        instance.wait(day);
        rotate::run(&instance.scheduled_run(), instance.context()).await.unwrap();
        instance.wait(Duration::from_secs(61));
        let published = kids(&instance).await;
        let signing = instance.context().keyring(instance.now).await.unwrap();
        let signing = signing.signing_key(types::Algorithm::ES256, instance.now).await.unwrap().kid().to_owned();
        assert!(published.contains(&signing));
        assert!(seen.contains(&signing), "a key signs only after it was published the day before");
        seen = published;
    }
    assert!(!seen.iter().any(|kid| first.contains(kid)), "the first keys are gone");
    assert!(seen.len() <= 12, "{} keys", seen.len());
}

/// A compromised key: its tokens are rejected once the caches have expired; the grant stays alive.
#[tokio::test]
async fn a_key_is_replaced_at_once() {
    let instance = deployment(Arc::new(Memory::new())).await;
    let code = Flow::default().code(&instance, PASSWORD, "openid").await;
    let tokens = Tokens::of(&Flow::redeem(&instance, &code).await);
    let before = kids(&instance).await;
    let occasion = keys::Occasion::Compromise(None);
    instance.context().rotate_keys(occasion, instance.now).await.unwrap();
    assert!(kids(&instance).await.iter().all(|kid| !before.contains(kid)));
    assert_eq!(Flow::userinfo(&instance, &tokens.access).await.status.as_u16(), 401);
    let next = Tokens::of(&Flow::refresh(&instance, &tokens.refresh).await);
    assert!(Flow::userinfo(&instance, &next.access).await.status.is_success());
}

#[tokio::test]
async fn the_secret_changes_and_nobody_is_signed_out() {
    let memory = Arc::new(Memory::new());
    let before = deployment(memory.clone()).await;
    let mut browser = Flow::default();
    let tokens = Tokens::of(&Flow::redeem(&before, &browser.code(&before, PASSWORD, "openid").await).await);
    let code = browser.code(&before, PASSWORD, "openid").await;
    let published = kids(&before).await;

    let after =
        Instance::start(memory.clone(), &[("LATCHKEY_SECRET", NEW_SECRET), ("LATCHKEY_SECRET_PREVIOUS", SECRET)]);
    assert_eq!(kids(&after).await, published);
    assert_ne!(kids_for("enc", &after).await, kids_for("enc", &before).await, "it is derived from the secret");
    assert_eq!(after.context().secrets.decryption_keys().len(), 2);
    assert!(Flow::userinfo(&after, &tokens.access).await.status.is_success());
    Tokens::of(&Flow::redeem(&after, &code).await);
    let refreshed = Tokens::of(&Flow::refresh(&after, &tokens.refresh).await);
    browser.code(&after, "unused: the session lives on", "openid").await;
    rotate::run(&after.scheduled_run(), after.context()).await.unwrap();

    let later = Instance::start(memory.clone(), &[("LATCHKEY_SECRET", NEW_SECRET)]);
    assert_eq!(kids(&later).await, published, "the keys were sealed anew");
    Tokens::of(&Flow::refresh(&later, &refreshed.refresh).await);
    let stale = Instance::start(memory, &[("LATCHKEY_SECRET", SECRET)]);
    let answer = stale.send(Method::GET, "/jwks", &[], String::new()).await;
    assert_eq!(answer.status.as_u16(), 503, "the old secret alone opens nothing any more");
}

/// Some libraries stop at a key type that they do not know. What is omitted is published nowhere, and signs nothing.
#[tokio::test]
async fn omitted_key_types_are_published_nowhere() {
    for (omitted, kept) in [("OKP", &["ES256", "PS256", "RS256"][..]), ("OKP EC", &["PS256", "RS256"])] {
        let memory = Arc::new(Memory::new());
        let settings = [("LATCHKEY_OMITTED_KEY_TYPES", omitted), ("LATCHKEY_REGISTRATION", "open")];
        let instance = Instance::start(memory.clone(), &settings);
        instance.context().keyring(instance.now).await.unwrap();
        let jwks = json_of(&instance.send(Method::GET, "/jwks", &[], String::new()).await);
        let mut published: Vec<&str> =
            jwks["keys"].as_array().unwrap().iter().filter_map(|key| key["alg"].as_str()).collect();
        published.sort_unstable();
        assert_eq!(published, kept);
        // The key for encryption is on P-256.
        let is_received = jwks["keys"].as_array().unwrap().iter().any(|key| key["use"] == "enc");
        assert_eq!(is_received, !omitted.contains("EC"));
        let metadata =
            json_of(&instance.send(Method::GET, "/.well-known/openid-configuration", &[], String::new()).await);
        for name in ["id_token", "userinfo", "introspection"] {
            let mut offered: Vec<&str> = metadata[format!("{name}_signing_alg_values_supported")]
                .as_array()
                .unwrap()
                .iter()
                .map(|alg| alg.as_str().unwrap())
                .collect();
            offered.sort_unstable();
            assert_eq!(offered, kept, "{name}");
        }
        assert_eq!(metadata.get("request_object_encryption_alg_values_supported").is_some(), is_received);
        // What clients sign is verified as before.
        assert_eq!(metadata["token_endpoint_auth_signing_alg_values_supported"].as_array().unwrap().len(), 5);
        let body = serde_json::json!({
            "redirect_uris": ["https://a.example/"], "id_token_signed_response_alg": "EdDSA", "userinfo_signed_response_alg": "Ed25519",
        });
        let json = [(http::header::CONTENT_TYPE, "application/json".to_owned())];
        let registered = json_of(&instance.send(Method::POST, "/register", &json, body.to_string()).await);
        assert_eq!(registered["id_token_signed_response_alg"], "RS256", "{registered}");
        assert_eq!(registered["userinfo_signed_response_alg"], "RS256", "{registered}");
        let client =
            serde_json::json!({ "redirect_uris": ["https://a.example/"], "access_token_signed_response_alg": "EdDSA" });
        let refused = instance.administer(Method::PUT, "/admin/clients/x", client.to_string()).await;
        assert_eq!(refused.status.as_u16(), 400);
        for (settings, replacement) in [
            (serde_json::json!({ "client_id": "x" }), types::Algorithm::RS256),
            (serde_json::json!({ "client_id": "x", "profile": "fapi2-security" }), types::Algorithm::PS256),
        ] {
            let client: protocol::Client = serde_json::from_value(settings).unwrap();
            let wanted = types::Algorithm::EdDSA;
            let signed = instance.context().sign(&client, wanted, "JWT", &body, instance.now).await.unwrap();
            assert_eq!(jose::Jwt::parse(&signed).unwrap().header().alg, replacement);
        }
    }
    let lookup = |name: &str| match name {
        "LATCHKEY_ISSUER" => Some("https://id.example".to_owned()),
        "LATCHKEY_SECRET" => Some(SECRET.to_owned()),
        "LATCHKEY_OMITTED_KEY_TYPES" => Some("EC".to_owned()),
        "LATCHKEY_RESOURCES" => {
            Some(r#"[{"resource":"https://api.example","access_token_signed_response_alg":"ES256"}]"#.to_owned())
        }
        _ => None,
    };
    let problems = provider::Config::read(&lookup).unwrap_err().to_string();
    assert!(problems.contains("access_token_signed_response_alg"), "{problems}");
}

/// A resource that demands a signature of an omitted key type would reject each of its access tokens: such a configuration is refused,
/// with the remedy.
#[tokio::test]
async fn a_resource_cannot_demand_an_omitted_algorithm() {
    let sections = |alg: &str| {
        let resource =
            serde_json::json!({ "resource": "https://api.example", "access_token_signed_response_alg": alg });
        serde_json::json!({ "version": 0, "sections": { "resources": [resource] } }).to_string()
    };
    let instance = Instance::start(Arc::new(Memory::new()), &[("LATCHKEY_OMITTED_KEY_TYPES", "EC")]);
    let refused = instance.administer(Method::PUT, "/admin/configuration", sections("ES256")).await;
    assert_eq!(refused.status.as_u16(), 400);
    let problems = json_of(&refused)["problems"].clone();
    let problem = problems[0].as_str().unwrap();
    assert!(problem.starts_with("resources: [0] (https://api.example) access_token_signed_response_alg"), "{problem}");
    assert!(problem.contains("RS256") && problem.contains("LATCHKEY_OMITTED_KEY_TYPES"), "{problem}");
    let applied = instance.administer(Method::PUT, "/admin/configuration", sections("EdDSA")).await;
    assert_eq!((applied.status.as_u16(), json_of(&applied)["version"].as_u64()), (200, Some(1)));
}
