//! Revocations hold although the listing of a user's records lags, and take little time.

use crate::common::{PASSWORD, deployment};
use http::Method;
use latchkey_http::Response;
use protocol::limits::CLOCK_DIFFERENCE;
use serde_json::{Value, json};
use simulation::{Flow, Instance, Tokens, USERNAME, json_of, subject, username};
use std::sync::Arc;
use std::time::Duration;
use storage::memory::Memory;
use storage::{Key, Kind, Record, Records, consents, users};

async fn admin(instance: &Instance, method: Method, path: &str, body: &Value) -> Response {
    instance.administer(method, path, body.to_string()).await
}

/// Takes a record out of the listing of its owner, as an index that lags does.
async fn hide(memory: &Memory, record: &Record) {
    memory.delete(&record.key).await.unwrap();
    let generation = record.generation;
    let hidden = Record { owner: None, generation: 0, ..record.clone() };
    memory.create(&hidden).await.unwrap();
    for from in 0..generation {
        memory.advance(&record.key, from, &record.state, record.expires_at).await.unwrap();
    }
}

async fn hide_all(memory: &Memory) {
    for record in memory.snapshot() {
        if record.key.is(Kind::Session) || record.key.is(Kind::Grant) {
            hide(memory, &record).await;
        }
    }
}

/// No listing shows session and grant of the user. The mark ends them where the user is read; it outlives the user.
#[tokio::test]
async fn a_mark_ends_what_no_listing_shows() {
    let password = json!({ "password": "two green umbrellas" });
    let disabled = json!({ "disabled": true });
    for (method, path, body, error) in [
        (Method::POST, "/admin/users/alice/sign-out", &Value::Null, "login_required"),
        (Method::PUT, "/admin/users/alice", &password, "login_required"),
        (Method::PUT, "/admin/users/alice", &disabled, "login_required"),
        // The consents are gone too.
        (Method::DELETE, "/admin/users/alice", &Value::Null, "consent_required"),
    ] {
        let memory = Arc::new(Memory::new());
        let mut instance = deployment(memory.clone()).await;
        let entry = simulation::subject("alice-subject");
        storage::directory::enter(memory.as_ref(), &username(USERNAME), &entry).await.unwrap();
        let mut browser = Flow::default();
        let tokens =
            Tokens::of(&Flow::redeem(&instance, &browser.code(&instance, PASSWORD, "openid profile").await).await);
        hide_all(&memory).await;
        assert!(Flow::userinfo(&instance, &tokens.access).await.status.is_success());
        instance.wait(Duration::from_secs(1));
        let answer = admin(&instance, method.clone(), path, body).await;
        assert!(answer.status.is_success(), "{path}: {}", String::from_utf8_lossy(&answer.body));
        assert_eq!(Flow::userinfo(&instance, &tokens.access).await.status.as_u16(), 401, "{method} {path}");
        let claims = "&claims=%7B%22id_token%22%3A%7B%22name%22%3Anull%7D%7D&prompt=none";
        let url = format!("{}{claims}", Flow::authorize_url("openid profile"));
        let answer = browser.get(&instance, &url).await;
        let location = answer.headers["location"].to_str().unwrap();
        assert!(location.contains(&format!("error={error}")), "{method} {path}: {location}");
    }
}

/// The mark of a removed user is there when the same subject is registered again.
#[tokio::test]
async fn a_mark_outlives_the_user() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    storage::directory::enter(memory.as_ref(), &username(USERNAME), &subject("alice-subject")).await.unwrap();
    let mut browser = Flow::default();
    let tokens = Tokens::of(&Flow::redeem(&instance, &browser.code(&instance, PASSWORD, "openid profile").await).await);
    hide_all(&memory).await;
    instance.wait(Duration::from_secs(1));
    assert!(admin(&instance, Method::DELETE, "/admin/users/alice", &Value::Null).await.status.is_success());
    let again = json!({ "password": "two green umbrellas", "sub": "alice-subject" });
    assert_eq!(admin(&instance, Method::PUT, "/admin/users/alice", &again).await.status.as_u16(), 201);
    assert_eq!(Flow::userinfo(&instance, &tokens.access).await.status.as_u16(), 401);
    let user = users::find(memory.as_ref(), &subject("alice-subject")).await.unwrap().unwrap();
    assert_eq!(user.revoked_before, Some(instance.now.after(CLOCK_DIFFERENCE).after(Duration::from_millis(1))));
}

/// A grant that the listing shows only later ends at a later look, and a grant of a new consent stays.
#[tokio::test]
async fn a_withdrawn_consent_gets_later_looks() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    storage::directory::enter(memory.as_ref(), &username(USERNAME), &subject("alice-subject")).await.unwrap();
    let mut browser = Flow::default();
    Flow::redeem(&instance, &browser.code(&instance, PASSWORD, "openid").await).await;
    let grant = memory.snapshot().into_iter().find(|record| record.key.is(Kind::Grant)).unwrap();
    instance.wait(Duration::from_secs(1));
    let path = "/admin/users/alice/consents/spa";
    assert_eq!(json_of(&admin(&instance, Method::DELETE, path, &Value::Null).await)["grants"], 1);
    assert!(consents::of_user(memory.as_ref(), &subject("alice-subject")).await.unwrap().is_empty());
    let late = Key::new(Kind::Grant, grant.key.partition(), &format!("{}AB", &grant.key.id()[..22]));
    memory.create(&Record { key: late.clone(), generation: 0, ..grant }).await.unwrap();
    instance.wait(CLOCK_DIFFERENCE + Duration::from_millis(1));
    let new = Tokens::of(&Flow::redeem(&instance, &browser.code(&instance, PASSWORD, "openid").await).await);
    instance.wait(Duration::from_secs(61));
    notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
    assert!(memory.get(&late).await.unwrap().unwrap().state.contains("revoked"));
    assert!(Flow::refresh(&instance, &new.refresh).await.status.is_success(), "the user allowed it again");
    assert!(browser.code(&instance, "unused", "openid").await.starts_with("lkc_"), "the session stays");
}

/// 1,200 silent grants are revoked in parallel: 32 at the same time.
#[tokio::test(start_paused = true)]
async fn many_grants_end_in_parallel() {
    const ROUND_TRIP: Duration = Duration::from_millis(10);
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    storage::directory::enter(memory.as_ref(), &username(USERNAME), &subject("alice-subject")).await.unwrap();
    Flow::redeem(&instance, &Flow::default().code(&instance, PASSWORD, "openid").await).await;
    let grant = memory.snapshot().into_iter().find(|record| record.key.is(Kind::Grant)).unwrap();
    for number in 1000..2199 {
        let key = Key::new(Kind::Grant, grant.key.partition(), &format!("{}{number}", &grant.key.id()[..20]));
        memory.create(&Record { key, generation: 0, ..grant.clone() }).await.unwrap();
    }
    let slow: storage::faults::Pause = Arc::new(|| Box::pin(tokio::time::sleep(ROUND_TRIP)));
    let plan = move |_: &storage::faults::Call<'_>| storage::faults::Fault::Delay(slow.clone());
    let instance = Instance::start(Arc::new(storage::faults::Faulty::new(memory.clone(), plan)), &[]);
    let start = tokio::time::Instant::now();
    let answer = json_of(&admin(&instance, Method::POST, "/admin/users/alice/sign-out", &Value::Null).await);
    assert_eq!(answer["grants"], 1200, "{answer}");
    let in_sequence = start.elapsed().as_millis() / ROUND_TRIP.as_millis();
    assert!(in_sequence < 120, "{in_sequence} round trips one after the other");
}

/// A hash that is dearer than usual is replaced at the next correct sign-in, for one more call; a wrong password replaces
/// nothing.
#[tokio::test]
async fn a_dearer_hash_is_replaced_at_a_correct_sign_in() {
    use argon2::PasswordHasher;
    use base64::{Engine, engine::general_purpose::STANDARD};
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let params = argon2::Params::new(19_456, 3, 1, None).unwrap();
    let dear = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let dear = dear.hash_password_with_salt(PASSWORD.as_bytes(), b"0123456789abcdef").unwrap().to_string();
    let find = async || users::find_credential(memory.as_ref(), &username(USERNAME)).await.unwrap().unwrap();
    let credential = users::Credential { password: dear.clone(), ..find().await };
    users::save_credential(memory.as_ref(), &username(USERNAME), &credential).await.unwrap();
    let sign_in = async |password: &str| {
        let mut browser = Flow::default();
        let redirect = browser.get(&instance, &Flow::authorize_url("openid")).await;
        let page = browser.get(&instance, redirect.headers["location"].to_str().unwrap()).await;
        let before = memory.counts().total();
        let answers = [("username", USERNAME), ("password", password)];
        let status = browser.submit(&instance, "/login", &page, &answers).await.status.as_u16();
        (status, memory.counts().total() - before)
    };
    assert_eq!(sign_in(PASSWORD).await, (303, 6));
    let replaced = find().await.password;
    assert!(replaced.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{replaced}");
    assert_eq!(sign_in(PASSWORD).await, (303, 5));
    assert_eq!(find().await.password, replaced);
    // A hash of another form, which an operator imported: PBKDF2 with 10,000 iterations.
    let mut imported = [0; 32];
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(PASSWORD.as_bytes(), b"0123456789abcdef", 10_000, &mut imported);
    let imported = STANDARD.encode(imported);
    let imported = format!("$pbkdf2-sha256$i=10000${}${imported}", STANDARD.encode("0123456789abcdef"));
    let imported = users::Credential { password: imported, ..credential.clone() };
    users::save_credential(memory.as_ref(), &username(USERNAME), &imported).await.unwrap();
    // Further sign-ins from browsers without a cookie count in one more limit.
    let (status, calls) = sign_in(PASSWORD).await;
    assert!(status == 303 && find().await.password.starts_with("$argon2id$"));
    assert_eq!(sign_in(PASSWORD).await, (303, calls - 1));
    users::save_credential(memory.as_ref(), &username(USERNAME), &credential).await.unwrap();
    assert_eq!(sign_in("wrong").await.0, 403);
    assert_eq!(find().await.password, dear);
}
