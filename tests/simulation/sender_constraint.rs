//! DPoP: round trips, settings, faults of the store.

use crate::common::{PASSWORD, deployment};
use http::{Method, header};
use latchkey_http::{DPOP, Response};
use serde_json::{Value, json};
use simulation::{Flow, Instance, Tokens, VERIFIER, json_of};
use std::sync::Arc;
use storage::Verb;
use storage::faults::{Fault, Faulty};
use storage::memory::Memory;
use suite::dpop::{Holder, access_token_hash};

/// Claims of a proof at the deployment, in its time.
fn claims(instance: &Instance, method: &str, path: &str, more: &Value) -> Value {
    let url = format!("{}{path}", simulation::ISSUER);
    let mut claims = json!({ "jti": suite::random(), "htm": method, "htu": url, "iat": instance.now.as_secs() });
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    claims
}

async fn token(instance: &Instance, proof: &str, form: &[(&str, &str)]) -> Response {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let headers = [(header::CONTENT_TYPE, "application/x-www-form-urlencoded".to_owned()), (DPOP, proof.to_owned())];
    instance.send(Method::POST, "/token", &headers, body).await
}

fn redemption(code: &str) -> [(&str, &str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", "spa"),
        ("redirect_uri", "https://app.example/cb"),
        ("code_verifier", VERIFIER),
        ("code", code),
    ]
}

async fn userinfo(instance: &Instance, holder: &Holder, token: &str) -> Response {
    let ath = json!({ "ath": access_token_hash(token) });
    let proof = holder.sign(&claims(instance, "GET", "/userinfo", &ath));
    let headers = [(header::AUTHORIZATION, format!("DPoP {token}")), (DPOP, proof)];
    instance.send(Method::GET, "/userinfo", &headers, String::new()).await
}

/// A proof costs a call where nothing else makes the request single-use. What is wrong with a proof costs none.
#[tokio::test]
async fn each_step_keeps_its_round_trips() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let (holder, mut browser) = (Holder::new(), Flow::default());
    let proof = |more: Value| holder.sign(&claims(&instance, "POST", "/token", &more));
    let total = || memory.counts().total();
    let form = [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", "secret")];
    instance.post("/token", &form).await;
    browser.code(&instance, PASSWORD, "openid profile").await;
    let code = browser.code(&instance, "unused", "openid profile").await;

    let before = total();
    for wrong in [json!({ "htm": "GET" }), json!({ "iat": 1 }), json!({ "ath": "x" })] {
        assert_eq!(token(&instance, &proof(wrong), &redemption(&code)).await.status.as_u16(), 400);
    }
    assert_eq!(total() - before, 0, "refused proofs");
    let before = total();
    let tokens = Tokens::of(&token(&instance, &proof(json!({})), &redemption(&code)).await);
    assert_eq!(total() - before, 1, "code to tokens");
    let before = total();
    assert!(userinfo(&instance, &holder, &tokens.access).await.status.is_success());
    assert_eq!(total() - before, 2, "userinfo");

    let refresh = [("grant_type", "refresh_token"), ("client_id", "spa"), ("refresh_token", tokens.refresh.as_str())];
    let before = total();
    assert_eq!(instance.post("/token", &refresh).await.status.as_u16(), 400);
    let other = Holder::new().sign(&claims(&instance, "POST", "/token", &json!({})));
    assert_eq!(token(&instance, &other, &refresh).await.status.as_u16(), 400);
    assert_eq!(total() - before, 0, "a refresh without the key");
    let before = total();
    let refreshed = Tokens::of(&token(&instance, &proof(json!({})), &refresh).await);
    assert_eq!(total() - before, 2, "refresh: the proof and the grant");
    assert!(!refreshed.refresh.is_empty());

    let (before, sent) = (total(), proof(json!({})));
    assert_eq!(token(&instance, &sent, &form).await.status.as_u16(), 200);
    assert_eq!(total() - before, 1, "client credentials: the proof");
    assert_eq!(json_of(&token(&instance, &sent, &form).await)["error"], "invalid_dpop_proof");
}

/// `LATCHKEY_DPOP_REPLAY`: the requests whose proofs are accepted once.
#[tokio::test]
async fn the_setting_decides_which_proofs_are_accepted_once() {
    for (setting, of_token, of_userinfo) in [("off", 200, 200), ("token", 400, 200), ("all", 400, 401)] {
        let memory = Arc::new(Memory::new());
        deployment(memory.clone()).await;
        let instance = Instance::start(memory, &[("LATCHKEY_DPOP_REPLAY", setting)]);
        let holder = Holder::new();
        let code = Flow::default().code(&instance, PASSWORD, "openid profile").await;
        let proof = holder.sign(&claims(&instance, "POST", "/token", &json!({})));
        let tokens = Tokens::of(&token(&instance, &proof, &redemption(&code)).await);

        let form = [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", "secret")];
        let proof = holder.sign(&claims(&instance, "POST", "/token", &json!({})));
        assert_eq!(token(&instance, &proof, &form).await.status.as_u16(), 200, "{setting}");
        assert_eq!(token(&instance, &proof, &form).await.status.as_u16(), of_token, "{setting}");

        let ath = json!({ "ath": access_token_hash(&tokens.access) });
        let proof = holder.sign(&claims(&instance, "GET", "/userinfo", &ath));
        let headers = [(header::AUTHORIZATION, format!("DPoP {}", tokens.access)), (DPOP, proof)];
        let call = || instance.send(Method::GET, "/userinfo", &headers, String::new());
        assert_eq!(call().await.status.as_u16(), 200, "{setting}");
        assert_eq!(call().await.status.as_u16(), of_userinfo, "{setting}");
    }
}

/// `LATCHKEY_DPOP_NONCE`: `always` demands a nonce, `off` knows none.
#[tokio::test]
async fn the_setting_decides_which_proofs_need_a_nonce() {
    for (setting, fresh, skewed) in [("off", "", "invalid_dpop_proof"), ("always", "use_dpop_nonce", "use_dpop_nonce")]
    {
        let memory = Arc::new(Memory::new());
        deployment(memory.clone()).await;
        let instance = Instance::start(memory, &[("LATCHKEY_DPOP_NONCE", setting)]);
        let holder = Holder::new();
        let form = [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", "secret")];
        let send = async |more: Value| {
            token(&instance, &holder.sign(&claims(&instance, "POST", "/token", &more)), &form).await
        };
        let error = |answer: &Response| json_of(answer)["error"].as_str().unwrap_or_default().to_owned();
        assert_eq!(error(&send(json!({})).await), fresh, "{setting}");
        let refused = send(json!({ "iat": 1 })).await;
        assert_eq!(error(&refused), skewed, "{setting}");
        let nonce = refused.headers.get("dpop-nonce").map(|nonce| nonce.to_str().unwrap().to_owned());
        assert_eq!(nonce.is_some(), setting == "always");
        if let Some(nonce) = nonce {
            let answer = send(json!({ "iat": 1, "nonce": nonce })).await;
            assert_eq!((answer.status.as_u16(), answer.headers.get("dpop-nonce")), (200, None));
        }
    }
}

/// A store that loses its answer to the mark of a proof does not make the proof a replayed one.
#[tokio::test]
async fn a_lost_answer_of_the_store_is_no_replay() {
    let memory = Arc::new(Memory::new());
    deployment(memory.clone()).await;
    let plan = |call: &storage::faults::Call<'_>| match call.verb {
        Verb::Create => Fault::Twice,
        _ => Fault::None,
    };
    let instance = Instance::start(Arc::new(Faulty::new(memory, plan)), &[]);
    let holder = Holder::new();
    let form = [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", "secret")];
    let proof = holder.sign(&claims(&instance, "POST", "/token", &json!({})));
    let answer = token(&instance, &proof, &form).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(json_of(&token(&instance, &proof, &form).await)["error"], "invalid_dpop_proof");
}
