//! Faults of the store: no token is issued twice, and a client that tries again is not stranded.

use crate::common::{PASSWORD, deployment};
use futures::future::join_all;
use simulation::{Flow, Instance, Tokens, json_of};
use std::sync::Arc;
use std::time::Duration;
use storage::faults::{Fault, Faulty};
use storage::memory::Memory;
use storage::{Records, Verb};

/// Returns two instances of one deployment: the store of the first is sound, that of the second has the fault.
async fn with_fault(verb: Verb, nth: u64, fault: Fault) -> (Instance, Instance) {
    let memory: Arc<dyn Records> = Arc::new(Memory::new());
    let sound = deployment(memory.clone()).await;
    let faulty = Instance::start(Arc::new(Faulty::at(memory, verb, nth, fault)), &[]);
    (sound, faulty)
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_no_oauth_error() {
    let (sound, faulty) = with_fault(Verb::Advance, 1, Fault::Before).await;
    let code = Flow::default().code(&sound, PASSWORD, "openid").await;
    let answer = Flow::redeem(&faulty, &code).await;
    assert_eq!(answer.status.as_u16(), 503);
    assert_eq!(json_of(&answer)["error"], "temporarily_unavailable");
    assert!(answer.headers.contains_key("retry-after"));
    Tokens::of(&Flow::redeem(&faulty, &code).await);
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_works_when_tried_again() {
    let (sound, faulty) = with_fault(Verb::Advance, 1, Fault::After).await;
    let tokens = Tokens::of(&Flow::redeem(&sound, &Flow::default().code(&sound, PASSWORD, "openid").await).await);
    assert_eq!(Flow::refresh(&faulty, &tokens.refresh).await.status.as_u16(), 503);
    let again = Tokens::of(&Flow::refresh(&faulty, &tokens.refresh).await);
    Tokens::of(&Flow::refresh(&sound, &again.refresh).await);
}

/// A phone loses the answer, and asks again after hours. The store loses an answer once more.
#[tokio::test]
async fn a_client_that_asks_again_after_hours_is_not_signed_out() {
    let (mut sound, mut faulty) = with_fault(Verb::Advance, 2, Fault::After).await;
    let tokens = Tokens::of(&Flow::redeem(&sound, &Flow::default().code(&sound, PASSWORD, "openid").await).await);
    let lost = Tokens::of(&Flow::refresh(&sound, &tokens.refresh).await);
    let hours = Duration::from_secs(5 * 3600);
    sound.wait(hours);
    faulty.wait(hours);
    assert_eq!(Flow::refresh(&faulty, &tokens.refresh).await.status.as_u16(), 503);
    let again = Tokens::of(&Flow::refresh(&faulty, &tokens.refresh).await);
    assert_ne!(again.refresh, lost.refresh);
    let next = Tokens::of(&Flow::refresh(&sound, &again.refresh).await);
    assert_eq!(Flow::refresh(&sound, &lost.refresh).await.status.as_u16(), 400, "it was replaced");
    assert_eq!(Flow::refresh(&sound, &next.refresh).await.status.as_u16(), 400, "the family ended");
}

#[tokio::test]
async fn a_revocation_whose_answer_was_lost_is_done_or_can_be_done_again() {
    let (sound, faulty) = with_fault(Verb::Advance, 1, Fault::After).await;
    let tokens = Tokens::of(&Flow::redeem(&sound, &Flow::default().code(&sound, PASSWORD, "openid").await).await);
    let form = [("client_id", "spa"), ("token", tokens.refresh.as_str())];
    assert_eq!(faulty.post("/revoke", &form).await.status.as_u16(), 503);
    assert_eq!(faulty.post("/revoke", &form).await.status.as_u16(), 200);
    assert_eq!(Flow::userinfo(&sound, &tokens.access).await.status.as_u16(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_redeems_a_code_and_its_tokens_live() {
    let memory: Arc<dyn Records> = Arc::new(Memory::new());
    let instance = deployment(memory).await;
    let code = Flow::default().code(&instance, PASSWORD, "openid").await;
    let answers = join_all((0..32).map(|_| Flow::redeem(&instance, &code))).await;
    let winners: Vec<_> = answers.iter().filter(|answer| answer.status.is_success()).collect();
    assert_eq!(winners.len(), 1);
    let tokens = Tokens::of(winners[0]);
    assert!(Flow::userinfo(&instance, &tokens.access).await.status.is_success());
    Tokens::of(&Flow::refresh(&instance, &tokens.refresh).await);
}

#[tokio::test]
async fn a_replayed_code_kills_what_came_of_it() {
    let mut instance = deployment(Arc::new(Memory::new())).await;
    let code = Flow::default().code(&instance, PASSWORD, "openid").await;
    let tokens = Tokens::of(&Flow::redeem(&instance, &code).await);
    instance.wait(protocol::RACE + Duration::from_millis(1));
    assert_eq!(json_of(&Flow::redeem(&instance, &code).await)["error"], "invalid_grant");
    assert_eq!(Flow::userinfo(&instance, &tokens.access).await.status.as_u16(), 401);
    assert_eq!(json_of(&Flow::refresh(&instance, &tokens.refresh).await)["error"], "invalid_grant");
}

#[tokio::test]
async fn refreshes_at_once_get_one_successor() {
    let mut instance = deployment(Arc::new(Memory::new())).await;
    let tokens = Tokens::of(&Flow::redeem(&instance, &Flow::default().code(&instance, PASSWORD, "openid").await).await);
    let answers = join_all((0..32).map(|_| Flow::refresh(&instance, &tokens.refresh))).await;
    let mut successors: Vec<_> = answers.iter().map(|answer| Tokens::of(answer).refresh).collect();
    successors.dedup();
    assert_eq!(successors.len(), 1, "the very same successor");
    instance.wait(Duration::from_secs(60));
    let next = Tokens::of(&Flow::refresh(&instance, &successors[0]).await);
    assert_eq!(json_of(&Flow::refresh(&instance, &tokens.refresh).await)["error"], "invalid_grant");
    assert_eq!(json_of(&Flow::refresh(&instance, &next.refresh).await)["error"], "invalid_grant", "the family is dead");
}

#[tokio::test]
async fn revoking_an_access_token_spares_the_refresh_token() {
    let instance = deployment(Arc::new(Memory::new())).await;
    let first = Tokens::of(&Flow::redeem(&instance, &Flow::default().code(&instance, PASSWORD, "openid").await).await);
    let second = Tokens::of(&Flow::refresh(&instance, &first.refresh).await);
    instance.post("/revoke", &[("client_id", "spa"), ("token", &second.access)]).await;
    assert_eq!(Flow::userinfo(&instance, &second.access).await.status.as_u16(), 401);
    assert!(Flow::userinfo(&instance, &first.access).await.status.is_success());
    let third = Tokens::of(&Flow::refresh(&instance, &second.refresh).await);
    let fourth = Tokens::of(&Flow::refresh(&instance, &third.refresh).await);
    assert_eq!(Flow::userinfo(&instance, &second.access).await.status.as_u16(), 401, "still, two generations on");
    assert!(Flow::userinfo(&instance, &fourth.access).await.status.is_success());
    assert_eq!(
        Tokens::of(&Flow::refresh(&instance, &third.refresh).await).refresh,
        fourth.refresh,
        "a retry gets the very same"
    );
}

#[tokio::test]
async fn a_scope_too_wide_costs_the_client_nothing() {
    let mut instance = deployment(Arc::new(Memory::new())).await;
    let tokens = Tokens::of(&Flow::redeem(&instance, &Flow::default().code(&instance, PASSWORD, "openid").await).await);
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "spa"),
        ("refresh_token", &tokens.refresh),
        ("scope", "openid email"),
    ];
    assert_eq!(json_of(&instance.post("/token", &form).await)["error"], "invalid_scope");
    instance.wait(Duration::from_secs(60));
    Tokens::of(&Flow::refresh(&instance, &tokens.refresh).await);
}

/// A client library repeats `create`, and the repetition arrives after the sign-out and after the withdrawal of the consent.
/// It revives neither.
#[tokio::test]
async fn a_delayed_duplicate_revives_neither_a_session_nor_a_consent() {
    let memory = Arc::new(Memory::new());
    deployment(memory.clone()).await;
    let faulty = Arc::new(Faulty::new(memory.clone(), |call| match call.verb {
        Verb::Create if call.name.starts_with("session#") || call.name.starts_with("consent#") => Fault::Duplicate,
        _ => Fault::None,
    }));
    let mut instance = Instance::start(faulty.clone(), &[]);
    let mut browser = Flow::default();
    browser.code(&instance, PASSWORD, "openid profile").await;
    let mut kept = browser.clone();
    let page = browser.get(&instance, "/logout").await;
    assert!(browser.submit(&instance, "/logout", &page, &[("decision", "yes")]).await.status.is_success());
    let (user, spa) = (simulation::subject("alice-subject"), simulation::client_id("spa"));
    storage::consents::remove(memory.as_ref(), &user, &spa, instance.now).await.unwrap();
    faulty.deliver_duplicates().await.unwrap();

    let consent = storage::consents::find(memory.as_ref(), &user, &spa, None).await.unwrap();
    assert!(consent.is_empty(), "{consent}");
    let silent = format!("{}&prompt=none", Flow::authorize_url("openid"));
    for _ in 0..2 {
        assert_eq!(kept.callback(&instance, &silent, PASSWORD).await.error(), "login_required");
        // Duplicates of a duplicate, as late as a repetition can be.
        faulty.deliver_duplicates().await.unwrap();
        instance.wait(std::time::Duration::from_secs(120));
    }
    // A new sign-in and a new consent count.
    browser.code(&instance, PASSWORD, "openid profile").await;
    assert!(!storage::consents::find(memory.as_ref(), &user, &spa, None).await.unwrap().is_empty());
}
