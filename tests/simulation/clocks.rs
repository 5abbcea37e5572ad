//! Two instances whose clocks differ by 5 seconds: no verdict changes.

use crate::common::{PASSWORD, deployment, keep_log};
use http::Method;
use protocol::limits::CLOCK_DIFFERENCE;
use serde_json::{Value, json};
use simulation::{Flow, Instance, T0, Tokens, USERNAME, client_id, json_of, subject, username};
use std::sync::Arc;
use std::time::Duration;
use storage::faults::Faulty;
use storage::memory::Memory;
use storage::{ClockReading, Kind, Record, Records, clients};
use types::Timestamp;

/// The clocks of two instances: right, behind, ahead.
const CLOCKS: [(Timestamp, Timestamp); 3] = [
    (T0, T0),
    (T0, Timestamp::from_secs(T0.as_secs() - CLOCK_DIFFERENCE.as_secs())),
    (T0, Timestamp::from_secs(T0.as_secs() + CLOCK_DIFFERENCE.as_secs())),
];

/// Returns two instances on one store, with these clocks.
async fn instances(clocks: (Timestamp, Timestamp)) -> (Arc<Memory>, Instance, Instance) {
    let memory = Arc::new(Memory::new());
    let mut one = deployment(memory.clone()).await;
    storage::directory::enter(memory.as_ref(), &username(USERNAME), &subject("alice-subject")).await.unwrap();
    let mut two = Instance::start(memory.clone(), &[("LATCHKEY_REFRESH_GRACE", "1")]);
    (one.now, two.now) = clocks;
    (memory, one, two)
}

async fn tokens(instance: &Instance, browser: &mut Flow, scope: &str) -> Tokens {
    Tokens::of(&Flow::redeem(instance, &browser.code(instance, PASSWORD, scope).await).await)
}

async fn userinfo(instance: &Instance, tokens: &Tokens) -> u16 {
    Flow::userinfo(instance, &tokens.access).await.status.as_u16()
}

#[tokio::test]
async fn a_double_submit_revokes_nothing() {
    for clocks in CLOCKS {
        let (_, one, two) = instances(clocks).await;
        let code = Flow::default().code(&one, PASSWORD, "openid profile").await;
        let first = Tokens::of(&Flow::redeem(&one, &code).await);
        assert_eq!(Flow::redeem(&two, &code).await.status.as_u16(), 400);
        assert_eq!(userinfo(&two, &first).await, 200, "{clocks:?}");
        let again = Tokens::of(&Flow::refresh(&one, &first.refresh).await);
        assert_eq!(Tokens::of(&Flow::refresh(&two, &first.refresh).await).refresh, again.refresh, "{clocks:?}");
    }
}

/// A client that was created a moment ago gets its tokens, and keeps them.
#[tokio::test]
async fn a_new_client_is_served_at_once() {
    for clocks in CLOCKS {
        let (memory, one, two) = instances(clocks).await;
        let mut stored = clients::find(memory.as_ref(), &client_id("spa")).await.unwrap().unwrap();
        stored.since = Some(one.now);
        clients::save(memory.as_ref(), &stored).await.unwrap();
        let issued = tokens(&two, &mut Flow::default(), "openid profile").await;
        assert_eq!(userinfo(&one, &issued).await, 200, "{clocks:?}");
        assert!(Flow::refresh(&one, &issued.refresh).await.status.is_success(), "{clocks:?}");
    }
}

async fn run_looks(instance: &mut Instance) {
    instance.wait(Duration::from_secs(70));
    notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
}

/// Takes sessions and grants out of the listing, as an index that lags does. Returns them.
async fn hide(memory: &Memory) -> Vec<Record> {
    let mut hidden = Vec::new();
    for record in memory.snapshot() {
        if record.key.is(Kind::Session) || record.key.is(Kind::Grant) {
            memory.delete(&record.key).await.unwrap();
            hidden.push(record);
        }
    }
    hidden
}

async fn show(memory: &Memory, records: &[Record]) {
    for record in records {
        memory.create(&Record { generation: 0, ..record.clone() }).await.unwrap();
        for from in 0..record.generation {
            memory.advance(&record.key, from, &record.state, record.expires_at).await.unwrap();
        }
    }
}

/// A sign-in before the revocation is over, a sign-in after it is not, whichever clock is ahead. Neither depends on the listing.
#[tokio::test]
async fn a_revocation_tells_before_from_after() {
    let password = json!({ "password": PASSWORD });
    for (method, path, body) in [
        (Method::POST, "/admin/users/alice/sign-out", &Value::Null),
        (Method::PUT, "/admin/users/alice", &json!({ "password": "two green umbrellas" })),
    ] {
        for clocks in CLOCKS {
            let (memory, one, mut two) = instances(clocks).await;
            let before = tokens(&two, &mut Flow::default(), "openid profile").await;
            let hidden = hide(&memory).await;
            assert!(one.administer(method.clone(), path, body.to_string()).await.status.is_success());
            show(&memory, &hidden).await;
            assert_eq!(userinfo(&two, &before).await, 401, "{path} {clocks:?}");

            let new_password = body.get("password").or(password.get("password")).unwrap().as_str().unwrap();
            let mut browser = Flow::default();
            let code = browser.code(&two, new_password, "openid profile").await;
            let after = Tokens::of(&Flow::redeem(&two, &code).await);
            assert_eq!(userinfo(&two, &after).await, 200, "{path} {clocks:?}");
            run_looks(&mut two).await;
            assert_eq!(Flow::refresh(&two, &before.refresh).await.status.as_u16(), 400, "{path} {clocks:?}");
            assert!(Flow::refresh(&two, &after.refresh).await.status.is_success(), "{path} {clocks:?}");
            assert!(browser.code(&two, "unused", "openid").await.starts_with("lkc_"), "{path} {clocks:?}");
        }
    }
}

/// The same where the user ends the sessions in a browser, and signs in there again at once.
#[tokio::test]
async fn a_user_who_signs_out_everywhere_can_sign_in_at_once() {
    for clocks in CLOCKS {
        let (_, one, mut two) = instances(clocks).await;
        let mut browser = Flow::default();
        let before = tokens(&two, &mut browser, "openid profile").await;
        let page = browser.get(&one, "/logout").await;
        let answer = browser.submit(&one, "/logout", &page, &[("decision", "everywhere-yes")]).await;
        assert!(answer.status.is_success());
        assert_eq!(userinfo(&two, &before).await, 401, "{clocks:?}");
        let after = tokens(&two, &mut browser, "openid profile").await;
        assert_eq!(userinfo(&one, &after).await, 200, "{clocks:?}");
        run_looks(&mut two).await;
        assert!(Flow::refresh(&two, &after.refresh).await.status.is_success(), "{clocks:?}");
        assert!(browser.code(&two, "unused", "openid").await.starts_with("lkc_"), "{clocks:?}");
    }
}

/// A code that the listing hid when the consent was withdrawn, and that is redeemed later, ends at a look.
#[tokio::test]
async fn a_hidden_code_does_not_outlive_the_consent() {
    for is_redeemed in [true, false] {
        for clocks in CLOCKS {
            let (memory, one, mut two) = instances(clocks).await;
            let code = Flow::default().code(&two, PASSWORD, "openid profile").await;
            let hidden = hide(&memory).await;
            let path = "/admin/users/alice/consents/spa";
            assert!(one.administer(Method::DELETE, path, String::new()).await.status.is_success());
            show(&memory, &hidden).await;
            two.wait(Duration::from_secs(20));
            let mut refresh = None;
            if is_redeemed {
                refresh = Some(Tokens::of(&Flow::redeem(&two, &code).await).refresh);
            }
            two.wait(Duration::from_secs(50));
            notify::run(&two.scheduled_run(), two.context()).await.unwrap();
            let grant = memory.snapshot().into_iter().find(|record| record.key.is(Kind::Grant)).unwrap();
            assert!(grant.state.contains("revoked"), "{is_redeemed} {clocks:?}: {}", grant.state);
            if let Some(refresh) = refresh {
                assert_eq!(Flow::refresh(&two, &refresh).await.status.as_u16(), 400, "{clocks:?}");
            }
        }
    }
}

/// An instance whose clock is minutes off issues nothing and says so. It recovers when the store's answers show the right time.
#[tokio::test]
async fn an_instance_with_a_wrong_clock_issues_nothing() {
    let minutes = Duration::from_secs(180);
    for wrong in [T0.before(minutes), T0.after(minutes)] {
        let memory = Arc::new(Memory::new());
        let store = Arc::new(Faulty::transparent(memory.clone()));
        let mut instance = deployment(store.clone()).await;
        let lines = keep_log(&mut instance);
        store.set_clock(ClockReading { store: T0, own: T0.after(CLOCK_DIFFERENCE) });
        let mut browser = Flow::default();
        let tokens = tokens(&instance, &mut browser, "openid profile").await;
        let code = browser.code(&instance, PASSWORD, "openid profile").await;

        store.set_clock(ClockReading { store: T0, own: wrong });
        let before = memory.snapshot();
        for refused in [
            Flow::redeem(&instance, &code).await,
            Flow::refresh(&instance, &tokens.refresh).await,
            instance.post("/device_authorization", &[("client_id", "device")]).await,
            browser.get(&instance, &Flow::authorize_url("openid profile")).await,
        ] {
            assert_eq!(refused.status.as_u16(), 503);
            assert!(refused.headers.contains_key("retry-after"));
        }
        let refused = Flow::redeem(&instance, &code).await;
        assert_eq!(json_of(&refused)["error"], "temporarily_unavailable");
        assert_eq!(memory.snapshot(), before, "nothing was written, so nothing is lost");
        assert!(lines.lock().unwrap().iter().any(|line| line.contains("\"event\":\"clock_differs\"")));
        for path in ["/health", "/health/token"] {
            let health = instance.send(Method::GET, path, &[], String::new()).await;
            assert_eq!(health.status.as_u16(), 503);
            let problem = "the clock of this instance and that of the store differ by 180 seconds";
            assert_eq!(json_of(&health)["problem"], problem);
        }
        let rotation = rotate::run(&instance.scheduled_run(), instance.context()).await;
        assert!(rotation.unwrap_err().to_string().contains("clock"));

        store.set_clock(ClockReading { store: T0, own: T0 });
        assert_eq!(instance.send(Method::GET, "/health", &[], String::new()).await.status.as_u16(), 200);
        Tokens::of(&Flow::redeem(&instance, &code).await);
        Tokens::of(&Flow::refresh(&instance, &tokens.refresh).await);
    }
}

/// While the clock is known to be wrong, each request asks the store for the time: the first right answer ends the refusal.
#[tokio::test]
async fn the_next_answer_of_the_store_can_end_the_refusal() {
    let store = Arc::new(Faulty::transparent(Arc::new(Memory::new())));
    let instance = deployment(store.clone()).await;
    let tokens = tokens(&instance, &mut Flow::default(), "openid profile").await;
    store.set_clock(ClockReading { store: T0, own: T0.after(Duration::from_secs(61)) });
    let calls = |store: &Faulty| store.counts().total();
    let before = calls(&store);
    assert_eq!(Flow::refresh(&instance, &tokens.refresh).await.status.as_u16(), 503);
    assert_eq!(calls(&store) - before, 1, "the probe");
    store.set_clock(ClockReading { store: T0, own: T0.after(Duration::from_secs(59)) });
    let before = calls(&store);
    Tokens::of(&Flow::refresh(&instance, &tokens.refresh).await);
    assert_eq!(calls(&store) - before, 1, "a refresh");
}
