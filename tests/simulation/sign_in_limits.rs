//! Limits of attempts to sign in: bursts, guesses, lock-out, and the clock (RFC 6749 §10.10).

use crate::common::{PASSWORD, deployment};
use futures::future::join_all;
use http::header;
use latchkey_http::Response;
use protocol::rate_limit::Limit;
use simulation::{Flow, ISSUER, Instance, USERNAME, username};
use std::sync::Arc;
use std::time::Duration;
use storage::faults::{self, Fault, Faulty};
use storage::memory::Memory;
use storage::{Records, Verb, users};
use types::Subject;

/// The failures that one network may have with one account: those that the account allows to all, and those beyond.
const FREE: usize = 5;

/// A browser at the sign-in page.
struct AtSignIn {
    browser: Flow,
    page: Response,
}

impl AtSignIn {
    async fn new(instance: &Instance) -> Self {
        Self::with(Flow::default(), instance).await
    }

    /// Opens the page in a browser that may be signed in.
    async fn with(mut browser: Flow, instance: &Instance) -> Self {
        let url = format!("{}&prompt=login", Flow::authorize_url("openid"));
        let redirect = browser.get(instance, &url).await;
        let path = redirect.headers["location"].to_str().unwrap().strip_prefix(ISSUER).unwrap().to_owned();
        let page = browser.get(instance, &path).await;
        Self { browser, page }
    }

    async fn send(&mut self, instance: &Instance, username: &str, password: &str) -> Response {
        let answers = [("username", username), ("password", password)];
        self.browser.submit(instance, "/login", &self.page, &answers).await
    }

    /// Sends the form. Returns the status: 303 signed in, 403 wrong, 429 refused.
    async fn attempt(&mut self, instance: &Instance, username: &str, password: &str) -> u16 {
        self.send(instance, username, password).await.status.as_u16()
    }
}

/// Guesses the password of an account in a new browser. Returns the statuses.
async fn guess(instance: &Instance, username: &str, times: usize) -> Vec<u16> {
    let mut browser = AtSignIn::new(instance).await;
    let mut statuses = Vec::new();
    for _ in 0..times {
        statuses.push(browser.attempt(instance, username, "wrong").await);
    }
    statuses
}

fn count(statuses: &[u16], wanted: u16) -> usize {
    statuses.iter().filter(|status| **status == wanted).count()
}

/// Adds users `user-0`, `user-1` and so on with the password of the tests.
async fn add_users(records: &dyn Records, number: usize) {
    let credential = users::find_credential(records, &username(USERNAME)).await.unwrap().unwrap();
    for index in 0..number {
        let subject = Subject::parse(&format!("subject-{index}")).unwrap();
        let credential = users::Credential { subject, ..credential.clone() };
        users::save_credential(records, &username(&format!("user-{index}")), &credential).await.unwrap();
    }
}

#[tokio::test]
async fn two_hundred_users_of_one_network_sign_in_at_the_same_moment() {
    let memory = Arc::new(Memory::new());
    // Each call yields, so that the requests run interleaved.
    let delays = Fault::Delay(faults::turns(3));
    let instance = deployment(Arc::new(Faulty::new(memory.clone(), move |_| delays.clone()))).await;
    add_users(memory.as_ref(), 200).await;
    for round in 0..2 {
        let mut browsers = Vec::new();
        for _ in 0..200 {
            browsers.push(AtSignIn::new(&instance).await);
        }
        let names: Vec<String> = (0..200).map(|index| format!("user-{index}")).collect();
        let attempts =
            browsers.iter_mut().zip(&names).map(|(browser, name)| browser.attempt(&instance, name, PASSWORD));
        let statuses = join_all(attempts).await;
        assert_eq!(count(&statuses, 303), 200, "round {round}: {statuses:?}");
    }
}

#[tokio::test]
async fn sixty_guesses_at_the_same_moment_are_cut_to_the_free_ones() {
    let delays = Fault::Delay(faults::turns(3));
    let instance = deployment(Arc::new(Faulty::new(Arc::new(Memory::new()), move |_| delays.clone()))).await;
    let mut browsers = Vec::new();
    for _ in 0..60 {
        browsers.push(AtSignIn::new(&instance).await);
    }
    let statuses = join_all(browsers.iter_mut().map(|browser| browser.attempt(&instance, USERNAME, "wrong"))).await;
    let judged = count(&statuses, 403);
    assert!((1..=FREE).contains(&judged) && judged + count(&statuses, 429) == 60, "{statuses:?}");
}

#[tokio::test]
async fn only_the_network_that_guesses_is_refused() {
    let mut instance = deployment(Arc::new(Memory::new())).await;
    let statuses = guess(&instance, USERNAME, 20).await;
    assert_eq!((count(&statuses, 403), count(&statuses, 429)), (FREE, 15), "{statuses:?}");
    assert_eq!(AtSignIn::new(&instance).await.attempt(&instance, USERNAME, PASSWORD).await, 429);
    instance.address = [192, 0, 2, 2].into();
    for _ in 0..10 {
        assert_eq!(AtSignIn::new(&instance).await.attempt(&instance, USERNAME, PASSWORD).await, 303);
    }
}

#[tokio::test]
async fn a_refusal_by_one_limit_takes_nothing_from_another() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    add_users(memory.as_ref(), 100).await;
    guess(&instance, USERNAME, 200).await;
    // The network has the failures that were judged, and no others.
    let free = usize::try_from(Limit::NETWORK.free).unwrap();
    for index in FREE..free {
        assert_eq!(guess(&instance, &format!("user-{index}"), 1).await, [403], "{index}");
    }
    // Attempts that the network refuses take nothing from the allowance of the account.
    assert_eq!(guess(&instance, "user-99", 30).await, [429; 30]);
    let mut instance = instance;
    instance.address = [192, 0, 2, 2].into();
    let statuses = guess(&instance, "user-99", 8).await;
    assert_eq!(count(&statuses, 403), FREE, "{statuses:?}");
}

#[tokio::test]
async fn waiting_for_the_longest_delay_does_not_restart_the_count() {
    let mut instance = deployment(Arc::new(Memory::new())).await;
    guess(&instance, USERNAME, 10).await;
    let mut browser = AtSignIn::new(&instance).await;
    let refused = browser.send(&instance, USERNAME, "wrong").await;
    let wait: u64 = refused.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=901).contains(&wait), "{wait}");
    instance.wait(Duration::from_secs(wait));
    let statuses = guess(&instance, USERNAME, 5).await;
    assert_eq!(count(&statuses, 403), 1, "{statuses:?}");
    for _ in 0..4 {
        instance.wait(Limit::ACCOUNT_IN_NETWORK.window);
        let statuses = guess(&instance, USERNAME, 5).await;
        assert!(count(&statuses, 403) <= 2, "{statuses:?}");
    }
    instance.wait(Limit::ACCOUNT_IN_NETWORK.window);
    instance.wait(Limit::ACCOUNT_IN_NETWORK.window);
    assert_eq!(AtSignIn::new(&instance).await.attempt(&instance, USERNAME, PASSWORD).await, 303);
}

/// A browser in which the account signed in before is refused because of its own failures alone.
#[tokio::test]
async fn nobody_locks_an_account_out_of_a_browser_that_it_knows() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    add_users(memory.as_ref(), 100).await;
    let mut known = AtSignIn::new(&instance).await;
    assert_eq!(known.attempt(&instance, USERNAME, PASSWORD).await, 303);
    let mut browser = known.browser;
    for index in 0..100 {
        guess(&instance, &format!("user-{index}"), 1).await;
        guess(&instance, USERNAME, 2).await;
        let mut again = AtSignIn::with(browser, &instance).await;
        assert_eq!(again.attempt(&instance, USERNAME, PASSWORD).await, 303, "{index}");
        browser = again.browser;
    }
    assert_eq!(guess(&instance, "user-7", 1).await, [429], "the network is exhausted");

    // The browser is known for this account alone.
    let mut other = AtSignIn::with(browser, &instance).await;
    assert_eq!(other.attempt(&instance, "user-7", PASSWORD).await, 429);
    // Its own failures count, and are those of this browser alone.
    let mut statuses = Vec::new();
    for _ in 0..14 {
        statuses.push(other.attempt(&instance, USERNAME, "wrong").await);
    }
    assert_eq!((count(&statuses, 403), count(&statuses, 429)), (10, 4), "{statuses:?}");
}

/// One browser knows several accounts.
#[tokio::test]
async fn a_browser_knows_several_accounts() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    add_users(memory.as_ref(), 3).await;
    let mut browser = Flow::default();
    for name in ["user-0", "user-1", USERNAME] {
        let mut page = AtSignIn::with(browser, &instance).await;
        assert_eq!(page.attempt(&instance, name, PASSWORD).await, 303);
        browser = page.browser;
    }
    for name in ["user-0", "user-1", USERNAME] {
        guess(&instance, name, 10).await;
        let mut page = AtSignIn::with(browser, &instance).await;
        assert_eq!(page.attempt(&instance, name, PASSWORD).await, 303, "{name}");
        browser = page.browser;
    }
}

/// The store fails at each call of a sign-in in turn: a count that is not released refuses no user, and only a call whose
/// answer is needed fails the request.
#[tokio::test]
async fn faults_of_the_store_lock_nobody_out() {
    for (nth, status) in [(1, 503), (2, 503), (3, 303)] {
        let memory = Arc::new(Memory::new());
        let sound = deployment(memory.clone()).await;
        let faulty = Instance::start(Arc::new(Faulty::at(memory.clone(), Verb::Count, nth, Fault::Before)), &[]);
        assert_eq!(AtSignIn::new(&faulty).await.attempt(&faulty, USERNAME, PASSWORD).await, status, "{nth}");
        for _ in 0..20 {
            assert_eq!(AtSignIn::new(&sound).await.attempt(&sound, USERNAME, PASSWORD).await, 303, "{nth}");
        }
    }
    let memory = Arc::new(Memory::new());
    let sound = deployment(memory.clone()).await;
    for _ in 0..20 {
        let plan = |call: &faults::Call<'_>| match call.name.starts_with("credential#") {
            true => Fault::Before,
            false => Fault::None,
        };
        let faulty = Instance::start(Arc::new(Faulty::new(memory.clone(), plan)), &[]);
        assert_eq!(AtSignIn::new(&faulty).await.attempt(&faulty, USERNAME, PASSWORD).await, 503);
    }
    assert_eq!(AtSignIn::new(&sound).await.attempt(&sound, USERNAME, PASSWORD).await, 303);
}

/// The credential holds the display name, and the admin API keeps it in step.
#[tokio::test]
async fn sign_in_shows_the_current_name() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let subject = Subject::parse("alice-subject").unwrap();
    storage::directory::enter(memory.as_ref(), &username(USERNAME), &subject).await.unwrap();
    let name_in_session = || -> Vec<serde_json::Value> {
        let sessions = memory.snapshot().into_iter().filter(|record| record.key.is(storage::Kind::Session));
        sessions
            .map(|record| serde_json::from_str::<serde_json::Value>(&record.body).unwrap()["name"].clone())
            .collect()
    };
    let put = |body: serde_json::Value| {
        let instance = &instance;
        async move { instance.administer(http::Method::PUT, "/admin/users/alice", body.to_string()).await }
    };
    assert_eq!(put(serde_json::json!({ "claims": { "name": "Alice B." } })).await.status.as_u16(), 200);
    assert_eq!(AtSignIn::new(&instance).await.attempt(&instance, USERNAME, PASSWORD).await, 303);
    assert_eq!(name_in_session(), ["Alice B."]);

    // A credential that an earlier version wrote has no name.
    let credential = users::find_credential(memory.as_ref(), &username(USERNAME)).await.unwrap().unwrap();
    let earlier = users::Credential { name: None, ..credential };
    users::save_credential(memory.as_ref(), &username(USERNAME), &earlier).await.unwrap();
    for record in memory.snapshot().iter().filter(|record| record.key.is(storage::Kind::Session)) {
        memory.delete(&record.key).await.unwrap();
    }
    assert_eq!(AtSignIn::new(&instance).await.attempt(&instance, USERNAME, PASSWORD).await, 303);
    assert_eq!(name_in_session(), ["Alice B."]);
}
