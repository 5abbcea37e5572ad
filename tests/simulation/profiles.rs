//! A deployment with a security profile, and refresh tokens that do not rotate: round trips, lifetimes.

use crate::common::{PASSWORD, deployment, stock};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Method, header};
use latchkey_http::{DPOP, Response};
use protocol::{Client, SecretVerifier, StoredClient};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use simulation::{Flow, ISSUER, Instance, Tokens, VERIFIER, json_of};
use std::sync::Arc;
use std::time::Duration;
use storage::clients;
use storage::memory::Memory;
use suite::Signer;
use suite::dpop::Holder;

const CALLBACK: &str = "https://app.example/cb";

/// Returns an instance of a deployment with this profile.
async fn with_profile(memory: Arc<Memory>, profile: &str) -> Instance {
    stock(memory.as_ref()).await;
    let settings = [
        ("LATCHKEY_PROFILE", profile),
        ("LATCHKEY_REGISTRATION", "open"),
        ("LATCHKEY_CODE_LIFETIME", "600"),
        ("LATCHKEY_OMITTED_KEY_TYPES", "EC"),
    ];
    Instance::start(memory, &settings)
}

/// Stores a client that has a key, or else a secret.
async fn store(memory: &Memory, mut settings: Value, signer: Option<&Signer>) {
    settings["redirect_uris"] = json!([CALLBACK]);
    settings["grant_types"] = json!(["authorization_code", "refresh_token"]);
    if let Some(signer) = signer {
        settings["token_endpoint_auth_method"] = json!("private_key_jwt");
        settings["jwks"] = signer.jwks();
    }
    let client: Client = serde_json::from_value(settings).unwrap();
    assert_eq!(client.validate(), []);
    let secrets = if client.has_secret() { vec![SecretVerifier::new("secret", [7; 16])] } else { Vec::new() };
    clients::save(memory, &StoredClient::new(client, secrets)).await.unwrap();
}

/// Posts a form with a client assertion, and with a proof.
async fn post(instance: &Instance, signer: &Signer, holder: &Holder, path: &str, form: &[(&str, &str)]) -> Response {
    let now = instance.now.as_secs();
    let claims = json!({ "iss": "bank", "sub": "bank", "aud": ISSUER, "jti": suite::random(), "exp": now + 60 });
    let (url, jti) = (format!("{ISSUER}{path}"), suite::random());
    let proof = holder.sign(&json!({ "jti": jti, "htm": "POST", "htu": url, "iat": now }));
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .append_pair("client_assertion", &signer.sign(&claims))
        .finish();
    let headers = [(header::CONTENT_TYPE, "application/x-www-form-urlencoded".to_owned()), (DPOP, proof)];
    instance.send(Method::POST, path, &headers, body).await
}

/// Pushes a request and signs in. Returns the form that redeems the code.
async fn redemption(instance: &Instance, signer: &Signer, holder: &Holder) -> Vec<(&'static str, String)> {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let request = [
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let pushed = json_of(&post(instance, signer, holder, "/par", &request).await);
    let request_uri = pushed["request_uri"].as_str().unwrap_or_else(|| panic!("{pushed}"));
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", "bank")
        .append_pair("request_uri", request_uri)
        .finish();
    let code = Flow::default().code_of(instance, &format!("/authorize?{query}"), PASSWORD).await;
    vec![
        ("grant_type", "authorization_code".to_owned()),
        ("redirect_uri", CALLBACK.to_owned()),
        ("code_verifier", VERIFIER.to_owned()),
        ("code", code),
    ]
}

fn borrowed<'a>(form: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    form.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// The profile of the deployment is that of every client: of those that were registered before, too.
#[tokio::test]
async fn the_profile_of_the_deployment_narrows_every_client() {
    let memory = Arc::new(Memory::new());
    let instance = with_profile(memory.clone(), "fapi2-security").await;
    let metadata = json_of(&instance.send(Method::GET, "/.well-known/openid-configuration", &[], String::new()).await);
    assert_eq!(metadata["response_types_supported"], json!(["code"]));
    assert_eq!(metadata["token_endpoint_auth_methods_supported"], json!(["private_key_jwt"]));
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
    let signed = metadata["signed_metadata"].as_str().unwrap();
    assert_eq!(suite::jwt::read(signed).header["alg"], "PS256");
    for (member, values) in metadata.as_object().unwrap() {
        if member.ends_with("signing_alg_values_supported") {
            let values = values.as_array().unwrap();
            assert!(!values.is_empty() && !values.contains(&json!("RS256")), "{member}: {values:?}");
        }
    }
    for form in [
        [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", "secret")],
        [("grant_type", "refresh_token"), ("client_id", "spa"), ("refresh_token", "x")],
    ] {
        let refused = instance.post("/token", &form).await;
        assert_eq!(json_of(&refused)["error"], "invalid_client", "{form:?}");
    }
    let refused = Flow::default().callback(&instance, &Flow::authorize_url("openid"), PASSWORD).await;
    assert_eq!(refused.value("error"), Some("invalid_request"), "the request was not pushed");

    let register = async |metadata: Value| {
        let json = [(header::CONTENT_TYPE, "application/json".to_owned())];
        let response = instance.send(Method::POST, "/register", &json, metadata.to_string()).await;
        (response.status.as_u16(), json_of(&response))
    };
    let signer = Signer::new("PS256", "key-1");
    let (status, registered) = register(json!({
        "redirect_uris": [CALLBACK], "jwks": signer.jwks(), "token_endpoint_auth_method": "client_secret_basic",
        "response_types": ["code", "code id_token"],
    }))
    .await;
    assert_eq!(status, 201, "{registered}");
    assert_eq!(registered["token_endpoint_auth_method"], "private_key_jwt");
    assert_eq!(registered["response_types"], json!(["code"]));
    assert_eq!(registered["require_pushed_authorization_requests"], true);
    let (status, refused) =
        register(json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" })).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_client_metadata")), "{refused}");
    assert!(refused["error_description"].as_str().unwrap().contains("private_key_jwt"), "{refused}");
}

/// FAPI 2.0 Security Profile §5.3.2.1 (11): a code ends after 60 seconds, whatever the deployment says. (9): the refresh token stays
/// until the end of its lifetime, used or not. Its use costs what a rotation costs, and writes nothing but the mark of the assertion.
#[tokio::test]
async fn codes_are_short_and_refresh_tokens_stay() {
    let memory = Arc::new(Memory::new());
    let mut instance = with_profile(memory.clone(), "fapi2-security").await;
    let (signer, holder) = (Signer::new("PS256", "key-1"), Holder::new());
    store(&memory, json!({ "client_id": "bank", "access_token_signed_response_alg": "RS256" }), Some(&signer)).await;
    let late = redemption(&instance, &signer, &holder).await;
    instance.wait(Duration::from_secs(62));
    let refused = post(&instance, &signer, &holder, "/token", &borrowed(&late)).await;
    assert_eq!(json_of(&refused)["error"], "invalid_grant");

    let redeem = redemption(&instance, &signer, &holder).await;
    let tokens = Tokens::of(&post(&instance, &signer, &holder, "/token", &borrowed(&redeem)).await);
    let signature = jose::Jwt::parse(&tokens.access).unwrap().header().alg;
    assert_eq!(signature, types::Algorithm::PS256, "RS256 is not allowed, and ES256 is omitted");
    instance.wait(instance.context().config.lifetimes.refresh.idle * 2);
    // The keys and the client are read again.
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str())];
    assert!(post(&instance, &signer, &holder, "/token", &refresh).await.status.is_success());
    let (before, advanced) = (memory.counts().total(), memory.counts().advance);
    let again = Tokens::of(&post(&instance, &signer, &holder, "/token", &refresh).await);
    assert_eq!(again.refresh, tokens.refresh);
    assert_eq!(memory.counts().total() - before, 2, "the grant, and the mark of the assertion");
    assert_eq!(memory.counts().advance, advanced, "the grant is only read");
    instance.wait(instance.context().config.lifetimes.refresh.absolute);
    let refused = post(&instance, &signer, &holder, "/token", &refresh).await;
    assert_eq!(json_of(&refused)["error"], "invalid_grant");
}

/// A client whose refresh tokens begin to stay keeps its grants: the current token, and the one before it whose answer was lost.
#[tokio::test]
async fn rotation_can_be_switched_off_for_a_living_grant() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let settings = |rotates: bool| json!({ "client_id": "bank", "refresh_token_rotation": rotates });
    store(&memory, settings(true), None).await;
    let url = Flow::authorize_url("openid").replace("client_id=spa", "client_id=bank");
    let code = Flow::default().code_of(&instance, &url, PASSWORD).await;
    let as_bank = async |instance: &Instance, form: &[(&str, &str)]| {
        let form: Vec<_> = form.iter().copied().chain([("client_id", "bank"), ("client_secret", "secret")]).collect();
        instance.post("/token", &form).await
    };
    let redeem = [
        ("grant_type", "authorization_code"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("code", code.as_str()),
    ];
    let first = Tokens::of(&as_bank(&instance, &redeem).await);
    let refresh = async |instance: &Instance, token: &str| {
        as_bank(instance, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    };
    let second = Tokens::of(&refresh(&instance, &first.refresh).await);
    let third = Tokens::of(&refresh(&instance, &second.refresh).await);
    store(&memory, settings(false), None).await;
    let instance = Instance::start(memory.clone(), &[]);
    instance.warm().await;
    assert!(refresh(&instance, &third.refresh).await.status.is_success());
    let before = memory.counts().total();
    for token in [&third.refresh, &second.refresh, &third.refresh] {
        assert_eq!(Tokens::of(&refresh(&instance, token).await).refresh, third.refresh);
    }
    assert_eq!(memory.counts().total() - before, 3, "a call each");
    let replayed = refresh(&instance, &first.refresh).await;
    assert_eq!(json_of(&replayed)["error"], "invalid_grant");
    assert_eq!(json_of(&refresh(&instance, &third.refresh).await)["error"], "invalid_grant", "the grant is revoked");
}
