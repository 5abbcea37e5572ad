//! Logout notifications that cannot be delivered at once are delivered later, by any instance.

use crate::common::{PASSWORD, deployment};
use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use platform::fetch::{Outgoing, Transport};
use platform::{FetchError, Fetched, Fetcher};
use serde_json::{Value, json};
use simulation::{Flow, Instance, Tokens, client_id, json_of, subject, username};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::memory::Memory;
use storage::{Bucket, Key, Kind, Owner, Record, Records, clients, users};
use types::remote_url::EgressPolicy;

/// A client's responses, and the logout tokens that it received.
#[derive(Clone)]
struct Peer {
    status: Arc<Mutex<u16>>,
    tokens: Arc<Mutex<Vec<Value>>>,
}

#[async_trait]
impl Transport for Peer {
    async fn send(&self, request: &Outgoing) -> Result<Fetched, FetchError> {
        assert_eq!(request.url.as_str(), "https://app.example/out");
        let (_, form) = request.body.clone().expect("a form");
        let (_, token) = form.split_once("logout_token=").expect("a logout token");
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        self.tokens.lock().unwrap().push(serde_json::from_slice(&claims).unwrap());
        match *self.status.lock().unwrap() {
            0 => Err(FetchError::TimedOut),
            status => Ok(Fetched { status: StatusCode::from_u16(status).unwrap(), ..Fetched::default() }),
        }
    }
}

impl Peer {
    fn answering(status: u16) -> Self {
        Self { status: Arc::new(Mutex::new(status)), tokens: Arc::default() }
    }

    fn attempts(&self) -> usize {
        self.tokens.lock().unwrap().len()
    }
}

async fn instance(memory: &Arc<Memory>, peer: &Peer) -> Instance {
    let mut instance = deployment(memory.clone()).await;
    let mut stored = clients::find(memory.as_ref(), &client_id("spa")).await.unwrap().unwrap();
    stored.client.backchannel_logout_uri = Some("https://app.example/out".to_owned());
    clients::save(memory.as_ref(), &stored).await.unwrap();
    instance.context_mut().fetch = Fetcher::over(Box::new(peer.clone()), EgressPolicy::Public).into();
    instance
}

async fn sign_in_and_out(instance: &Instance) {
    let mut browser = Flow::default();
    Flow::redeem(instance, &browser.code(instance, PASSWORD, "openid").await).await;
    let page = browser.get(instance, "/logout").await;
    let answer = browser.submit(instance, "/logout", &page, &[("decision", "yes")]).await;
    assert!(answer.status.is_success());
    assert!(!browser.has_session());
}

fn waiting(memory: &Memory) -> usize {
    memory.snapshot().iter().filter(|record| record.key.is(storage::Kind::Logout)).count()
}

#[tokio::test]
async fn a_client_that_answers_is_told_once() {
    for status in [200, 204] {
        let (memory, peer) = (Arc::new(Memory::new()), Peer::answering(status));
        let mut instance = instance(&memory, &peer).await;
        sign_in_and_out(&instance).await;
        assert_eq!((peer.attempts(), waiting(&memory)), (1, 0));
        instance.wait(Duration::from_secs(3600));
        notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
        assert_eq!(peer.attempts(), 1);
    }
}

#[tokio::test]
async fn a_client_that_fails_is_told_later() {
    for failure in [0, 302, 400, 503] {
        let (memory, peer) = (Arc::new(Memory::new()), Peer::answering(failure));
        let mut instance = instance(&memory, &peer).await;
        sign_in_and_out(&instance).await;
        assert_eq!((peer.attempts(), waiting(&memory)), (1, 1));
        notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
        assert_eq!(peer.attempts(), 1, "not due yet");
        instance.wait(Duration::from_secs(60));
        notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
        assert_eq!(peer.attempts(), 2);
        *peer.status.lock().unwrap() = 200;
        instance.wait(Duration::from_secs(119));
        notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
        assert_eq!(peer.attempts(), 2, "twice as long");
        instance.wait(Duration::from_secs(1));
        let run = instance.scheduled_run();
        let both = futures::join!(notify::run(&run, instance.context()), notify::run(&run, instance.context()));
        assert!(both.0.is_ok() && both.1.is_ok());
        assert_eq!((peer.attempts(), waiting(&memory)), (3, 0), "each attempt is claimed by one");
        let tokens = peer.tokens.lock().unwrap().clone();
        assert!(tokens.iter().all(|token| token["jti"] == tokens[0]["jti"]), "one logout, one name");
        assert!(tokens[2]["iat"].as_u64() > tokens[0]["iat"].as_u64(), "each time a fresh token");
    }
}

/// The server tries for one day.
#[tokio::test]
async fn a_client_that_never_answers_is_given_up() {
    let (memory, peer) = (Arc::new(Memory::new()), Peer::answering(0));
    let mut instance = instance(&memory, &peer).await;
    sign_in_and_out(&instance).await;
    for _ in 0..(30 * 60) {
        instance.wait(Duration::from_secs(60));
        notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
    }
    assert_eq!(waiting(&memory), 0);
    assert!((8..20).contains(&peer.attempts()), "{}", peer.attempts());
}

/// The instance that ends the session stores the notifications before it ends the session.
#[tokio::test]
async fn an_instance_that_dies_loses_nothing() {
    let (memory, peer) = (Arc::new(Memory::new()), Peer::answering(0));
    let mut instance = instance(&memory, &peer).await;
    sign_in_and_out(&instance).await;
    // Another instance, which has never seen the session.
    let fresh = Peer::answering(200);
    let mut later = Instance::start(memory.clone(), &[]);
    later.context_mut().fetch = Fetcher::over(Box::new(fresh.clone()), EgressPolicy::Public).into();
    instance.wait(Duration::from_secs(60));
    notify::run(&instance.scheduled_run(), later.context()).await.unwrap();
    assert_eq!((fresh.attempts(), waiting(&memory)), (1, 0));
    assert_eq!(
        fresh.tokens.lock().unwrap()[0]["events"],
        json!({ "http://schemas.openid.net/event/backchannel-logout": {} })
    );
}

/// A removed client gets no notification.
#[tokio::test]
async fn a_client_that_is_gone_is_forgotten() {
    let (memory, peer) = (Arc::new(Memory::new()), Peer::answering(503));
    let mut instance = instance(&memory, &peer).await;
    sign_in_and_out(&instance).await;
    clients::remove(memory.as_ref() as &dyn Records, &client_id("spa")).await.unwrap();
    instance.wait(Duration::from_secs(61));
    notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
    assert_eq!((peer.attempts(), waiting(&memory)), (1, 0));
}

/// A request read its session before the session ended and creates a grant afterwards. The grant is found and ended, and
/// its client is notified. Grants of a later sign-in stay.
#[tokio::test]
async fn what_a_sign_out_overlooked_is_ended_later() {
    for decision in ["yes", "everywhere-yes"] {
        is_ended_later(decision).await;
    }
}

async fn is_ended_later(decision: &str) {
    let (memory, peer) = (Arc::new(Memory::new()), Peer::answering(200));
    let mut instance = instance(&memory, &peer).await;
    let mut browser = Flow::default();
    Flow::redeem(&instance, &browser.code(&instance, PASSWORD, "openid").await).await;
    let is_grant = |record: &&storage::Record| record.key.is(storage::Kind::Grant);
    let earlier = memory.snapshot().iter().find(is_grant).cloned().unwrap();
    instance.wait(Duration::from_secs(1));
    let page = browser.get(&instance, "/logout").await;
    let answer = browser.submit(&instance, "/logout", &page, &[("decision", decision)]).await;
    assert!(answer.status.is_success());
    assert_eq!(peer.attempts(), 1);

    let partition = earlier.key.partition();
    let key = storage::Key::new(storage::Kind::Grant, partition, &format!("{}AA", &earlier.key.id()[..22]));
    memory.create(&storage::Record { key: key.clone(), generation: 0, ..earlier.clone() }).await.unwrap();
    let late = Tokens::of(&Flow::redeem(&instance, &browser.code(&instance, PASSWORD, "openid").await).await);

    notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
    let status = |record: storage::Record| {
        let state = serde_json::from_str::<Value>(&record.state).unwrap();
        ["issued", "active", "revoked"].into_iter().find(|name| state.get(name).is_some())
    };
    assert_eq!(status(memory.get(&key).await.unwrap().unwrap()), Some("active"), "requests may still be on their way");
    instance.wait(Duration::from_secs(61));
    notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
    assert_eq!(status(memory.get(&key).await.unwrap().unwrap()), Some("revoked"));
    assert_eq!(peer.attempts(), 2, "its client is told");
    assert!(Flow::refresh(&instance, &late.refresh).await.status.is_success(), "a later sign-in stays");
    assert!(browser.code(&instance, "unused", "openid").await.starts_with("lkc_"), "and its session");

    let waits = || memory.snapshot().iter().any(|record| record.key.is(storage::Kind::SignOut));
    assert_eq!(waits(), decision == "everywhere-yes", "once is enough for one session");
}

/// A listing may lag for minutes. After a sign-out everywhere the schedule looks for leftovers until a day has passed.
#[tokio::test]
async fn a_listing_that_lags_for_hours_hides_no_grant() {
    let (memory, peer) = (Arc::new(Memory::new()), Peer::answering(200));
    let mut instance = instance(&memory, &peer).await;
    let mut browser = Flow::default();
    Flow::redeem(&instance, &browser.code(&instance, PASSWORD, "openid").await).await;
    let is_grant = |record: &&storage::Record| record.key.is(storage::Kind::Grant);
    let earlier = memory.snapshot().iter().find(is_grant).cloned().unwrap();
    instance.wait(Duration::from_secs(1));
    let page = browser.get(&instance, "/logout").await;
    browser.submit(&instance, "/logout", &page, &[("decision", "everywhere-yes")]).await;
    for (number, wait) in [61, 600, 3600, 86_400].into_iter().enumerate() {
        // The listing shows the grant only now.
        let id = format!("{}A{number}", &earlier.key.id()[..22]);
        let key = storage::Key::new(storage::Kind::Grant, earlier.key.partition(), &id);
        memory.create(&storage::Record { key: key.clone(), generation: 0, ..earlier.clone() }).await.unwrap();
        instance.wait(Duration::from_secs(wait));
        notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
        let state = memory.get(&key).await.unwrap().unwrap().state;
        assert!(serde_json::from_str::<Value>(&state).unwrap().get("revoked").is_some(), "look {number}: {state}");
    }
    assert!(!memory.snapshot().iter().any(|record| record.key.is(storage::Kind::SignOut)), "it is over after a day");
}

/// One minute after a session, only its own grants are ended: no grant for offline use (OpenID Connect Core §11), and
/// no grant of another session.
#[tokio::test]
async fn what_outlasts_a_session_is_not_ended_later() {
    let (memory, peer) = (Arc::new(Memory::new()), Peer::answering(200));
    let mut instance = instance(&memory, &peer).await;
    let (mut browser, mut elsewhere) = (Flow::default(), Flow::default());
    let mut lasting = Vec::new();
    for (browser, scope) in [(&mut browser, "openid offline_access"), (&mut elsewhere, "openid")] {
        let code = browser.code(&instance, PASSWORD, scope).await;
        lasting.push(Tokens::of(&Flow::redeem(&instance, &code).await));
    }
    let page = browser.get(&instance, "/logout").await;
    browser.submit(&instance, "/logout", &page, &[("decision", "yes")]).await;
    instance.wait(Duration::from_secs(61));
    notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
    for tokens in lasting {
        assert!(Flow::refresh(&instance, &tokens.refresh).await.status.is_success());
    }
    assert_eq!(peer.attempts(), 1, "a client that was told is not told again");
}

/// Returns a record of this kind that cannot be decoded.
async fn spoil(memory: &Memory, kind: Kind, owner: Owner, id: &str) {
    let key = Key::new(kind, owner.partition(), id);
    let (body, state) = ("{".to_owned(), "{".to_owned());
    let record = Record { key, owner: Some(owner), body, state, generation: 0, expires_at: None };
    memory.create(&record).await.unwrap();
}

/// A record that cannot be decoded is reported and does not delay others.
#[tokio::test]
async fn an_unreadable_record_holds_up_no_other() {
    for (kind, owner) in [(Kind::SignOut, "signouts"), (Kind::Logout, "logouts")] {
        let (memory, peer) = (Arc::new(Memory::new()), Peer::answering(503));
        let mut instance = instance(&memory, &peer).await;
        sign_in_and_out(&instance).await;
        for id in ["!", "~"] {
            spoil(&memory, kind, Owner::of_bucket(owner, Bucket::of(id)), id).await;
        }
        *peer.status.lock().unwrap() = 200;
        instance.wait(Duration::from_secs(61));
        let fault = notify::run(&instance.scheduled_run(), instance.context()).await.unwrap_err();
        assert!(fault.to_string().contains("cannot be read"), "{fault:?}");
        assert_eq!(peer.attempts(), 2, "{kind:?}");
        let left = memory.snapshot().iter().filter(|record| record.key.is(Kind::SignOut)).count();
        assert_eq!(left, if kind == Kind::SignOut { 2 } else { 0 }, "the sign-out that can be read is over");
    }
}

/// A user whose records cannot be decoded does not delay the sign-out of other users.
#[tokio::test]
async fn an_unreadable_grant_holds_up_nobody_else() {
    let (memory, peer) = (Arc::new(Memory::new()), Peer::answering(200));
    let mut instance = instance(&memory, &peer).await;
    let credential = users::find_credential(memory.as_ref(), &username("alice")).await.unwrap().unwrap();
    for index in 0..8 {
        let name = format!("subject-{index}");
        let credential = users::Credential { subject: subject(&name), ..credential.clone() };
        users::save_credential(memory.as_ref(), &username(&name), &credential).await.unwrap();
        let mut browser = Flow::default();
        let redirect = browser.get(&instance, &Flow::authorize_url("openid")).await;
        let page = browser.get(&instance, redirect.headers["location"].to_str().unwrap()).await;
        browser.submit(&instance, "/login", &page, &[("username", &name), ("password", PASSWORD)]).await;
        let page = browser.get(&instance, "/logout").await;
        browser.submit(&instance, "/logout", &page, &[("decision", "everywhere-yes")]).await;
        if index % 2 == 0 {
            spoil(&memory, Kind::Grant, users::owner(&subject(&name)), "spoilt").await;
        }
    }
    instance.wait(Duration::from_secs(86_401));
    notify::run(&instance.scheduled_run(), instance.context()).await.unwrap_err();
    let left = memory.snapshot().iter().filter(|record| record.key.is(Kind::SignOut)).count();
    assert_eq!(left, 4, "those whose grants cannot be read are tried again");
}

/// OpenID Connect Back-Channel Logout §2.5: a client is notified of the end of the session even if it has revoked its
/// tokens: the record of its grant stays as long as the session may last.
#[tokio::test]
async fn a_client_that_revoked_its_tokens_is_told_all_the_same() {
    let (memory, peer) = (Arc::new(Memory::new()), Peer::answering(200));
    let instance = instance(&memory, &peer).await;
    let kept_until = || {
        let grants = memory.snapshot();
        grants.iter().find(|record| record.key.is(storage::Kind::Grant)).unwrap().expires_at.unwrap()
    };
    let mut browser = Flow::default();
    let tokens = Tokens::of(&Flow::redeem(&instance, &browser.code(&instance, PASSWORD, "openid").await).await);
    let session_end = instance.now.after(Duration::from_secs(14 * 86_400));
    for token in [&tokens.access, &tokens.refresh] {
        instance.post("/revoke", &[("client_id", "spa"), ("token", token)]).await;
        assert!(kept_until() >= session_end);
    }
    let page = browser.get(&instance, "/logout").await;
    browser.submit(&instance, "/logout", &page, &[("decision", "yes")]).await;
    assert_eq!(peer.attempts(), 1);
}

/// The sign-in of another user ends the earlier session: the scheduled function notifies its clients.
#[tokio::test]
async fn the_clients_of_whoever_was_signed_in_before_are_told() {
    let (memory, peer) = (Arc::new(Memory::new()), Peer::answering(200));
    let mut instance = instance(&memory, &peer).await;
    let credential = users::find_credential(memory.as_ref(), &username("alice")).await.unwrap().unwrap();
    let bob = users::Credential { subject: subject("bob-subject"), ..credential };
    users::save_credential(memory.as_ref(), &username("bob"), &bob).await.unwrap();
    let mut browser = Flow::default();
    Flow::redeem(&instance, &browser.code(&instance, PASSWORD, "openid").await).await;
    let redirect = browser.get(&instance, &format!("{}&prompt=login", Flow::authorize_url("openid"))).await;
    let page = browser.get(&instance, redirect.headers["location"].to_str().unwrap()).await;
    browser.submit(&instance, "/login", &page, &[("username", "bob"), ("password", PASSWORD)]).await;
    assert_eq!((peer.attempts(), waiting(&memory)), (0, 1));
    instance.wait(Duration::from_secs(60));
    notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
    assert_eq!((peer.attempts(), waiting(&memory)), (1, 0));
    assert_eq!(peer.tokens.lock().unwrap()[0]["sub"], "alice-subject");
}

const BYE: &str = "https://app.example/bye";

/// Registers post-logout redirect URIs of the client, and waits until no instance has the client in its cache.
async fn set_post_logout_uris(instance: &mut Instance, memory: &Memory, uris: &[&str]) {
    let mut stored = clients::find(memory, &client_id("spa")).await.unwrap().unwrap();
    stored.client.post_logout_redirect_uris = uris.iter().map(|uri| protocol::RedirectUri::new(*uri)).collect();
    clients::save(memory, &stored).await.unwrap();
    instance.wait(Duration::from_secs(61));
}

/// RP-Initiated Logout §3: the redirect URI must be registered when the browser is redirected, not only when it was asked
/// for. The user is signed out in any case.
#[tokio::test]
async fn a_redirect_uri_that_was_withdrawn_meanwhile_is_not_redirected_to() {
    for withdrawn in [false, true] {
        let (memory, peer) = (Arc::new(Memory::new()), Peer::answering(200));
        let mut instance = instance(&memory, &peer).await;
        set_post_logout_uris(&mut instance, &memory, &[BYE]).await;
        let mut browser = Flow::default();
        Flow::redeem(&instance, &browser.code(&instance, PASSWORD, "openid").await).await;
        let page = browser.get(&instance, &format!("/logout?client_id=spa&post_logout_redirect_uri={BYE}")).await;
        assert!(page.status.is_success(), "the user is asked");
        if withdrawn {
            set_post_logout_uris(&mut instance, &memory, &[]).await;
        }
        let answer = browser.submit(&instance, "/logout", &page, &[("decision", "yes")]).await;
        let body = String::from_utf8_lossy(&answer.body);
        assert_eq!(body.contains(&format!("content=\"0;url={BYE}\"")), !withdrawn, "{body}");
        assert_eq!(body.contains(BYE), !withdrawn);
        assert!(!browser.has_session());
    }
}

/// A client that was deleted meanwhile is neither named nor redirected to, and its ID token ends no session unasked.
#[tokio::test]
async fn a_sealed_sign_out_of_a_deleted_client_asks_the_user() {
    let (memory, peer) = (Arc::new(Memory::new()), Peer::answering(200));
    let mut instance = instance(&memory, &peer).await;
    set_post_logout_uris(&mut instance, &memory, &[BYE]).await;
    let mut browser = Flow::default();
    let tokens = json_of(&Flow::redeem(&instance, &browser.code(&instance, PASSWORD, "openid").await).await);
    let form = [("id_token_hint", tokens["id_token"].as_str().unwrap()), ("post_logout_redirect_uri", BYE)];
    let posted = instance.post("/logout", &form).await;
    let link = posted.headers["location"].to_str().unwrap().to_owned();
    clients::remove(memory.as_ref() as &dyn Records, &client_id("spa")).await.unwrap();
    instance.wait(Duration::from_secs(61));
    let page = browser.get(&instance, &link).await;
    assert!(page.status.is_success());
    assert!(browser.has_session(), "the user is asked");
    assert!(!String::from_utf8_lossy(&page.body).contains(BYE));
}

/// A sign-out link expires with the time that a user has for an interaction.
#[tokio::test]
async fn a_sign_out_link_expires() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory).await;
    let posted = instance.post("/logout", &[]).await;
    let link = posted.headers["location"].to_str().unwrap().to_owned();
    for (wait, status) in [(0, 200), (1799, 200), (1, 400)] {
        instance.wait(Duration::from_secs(wait));
        assert_eq!(Flow::default().get(&instance, &link).await.status.as_u16(), status, "{wait}");
    }
}
