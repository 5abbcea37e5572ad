//! The number of storage round trips of each step, on a warm instance.

use crate::common::{PASSWORD, deployment};
use http::Method;
use simulation::{Flow, Instance, Tokens, VERIFIER, altered, username};
use std::sync::Arc;
use std::time::Duration;
use storage::faults;
use storage::memory::Memory;
use storage::users;

/// Evaluates `work`. Returns the number of round trips and the result.
macro_rules! trips {
    ($memory:expr, $work:expr) => {{
        let before = $memory.counts().total();
        let outcome = $work;
        ($memory.counts().total() - before, outcome)
    }};
}

#[tokio::test]
async fn every_step_keeps_its_promise() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    let mut browser = Flow::default();

    // Warms the caches of clients and keys.
    let tokens = Tokens::of(&Flow::redeem(&instance, &browser.code(&instance, PASSWORD, "openid profile").await).await);
    instance
        .post("/token", &[("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", "secret")])
        .await;

    let mut stranger = Flow::default();
    // Functions that only verify or publish keep the public half of the keys in a cache of their own.
    assert!(stranger.get(&instance, "/jwks").await.status.is_success());
    let (asked, redirect) = trips!(memory, stranger.get(&instance, &Flow::authorize_url("openid")).await);
    let (shown, page) = trips!(memory, stranger.get(&instance, redirect.headers["location"].to_str().unwrap()).await);
    assert!(page.status.is_success());
    assert!(asked + shown <= 1, "sign-in page shown: {asked} + {shown}");

    let (trips, code) = trips!(memory, browser.code(&instance, "unused", "openid profile").await);
    assert!(trips <= 3, "authorize to code, signed in, consent remembered: {trips}");

    let (trips, answer) = trips!(memory, Flow::redeem(&instance, &code).await);
    let second = Tokens::of(&answer);
    assert_eq!(trips, 1, "code to tokens");

    let (trips, answer) = trips!(memory, Flow::refresh(&instance, &tokens.refresh).await);
    let refreshed = Tokens::of(&answer);
    assert_eq!(trips, 1, "refresh");

    let (trips, answer) = trips!(memory, Flow::userinfo(&instance, &refreshed.access).await);
    assert!(answer.status.is_success());
    assert_eq!(trips, 2, "userinfo");

    instance.wait(Duration::from_secs(36));
    let (trips, answer) = trips!(memory, Flow::refresh(&instance, &tokens.refresh).await);
    assert_eq!((trips, answer.status.as_u16()), (2, 200), "the client lost the answer");
    let (trips, answer) = trips!(memory, Flow::refresh(&instance, &refreshed.refresh).await);
    assert_eq!((trips, answer.status.as_u16()), (2, 400), "replay found and family revoked");

    let revoke = |token: String| {
        let instance = &instance;
        async move { instance.post("/revoke", &[("client_id", "spa"), ("token", &token)]).await }
    };
    let (trips, answer) = trips!(memory, revoke(second.access.clone()).await);
    assert_eq!((trips, answer.status.as_u16()), (1, 200), "revoke an access token");
    let third = Tokens::of(&Flow::redeem(&instance, &browser.code(&instance, "unused", "openid").await).await);
    let (trips, answer) = trips!(memory, revoke(third.refresh.clone()).await);
    assert_eq!((trips, answer.status.as_u16()), (1, 200), "revoke a refresh token");

    let form = [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", "secret")];
    let (trips, answer) = trips!(memory, instance.post("/token", &form).await);
    assert_eq!((trips, answer.status.as_u16()), (0, 200), "client credentials");

    for document in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"] {
        let (trips, answer) = trips!(memory, stranger.get(&instance, document).await);
        assert_eq!((trips, answer.status.as_u16()), (0, 200), "{document}");
    }
}

/// A sign-in with the right password: 5 calls, of which the first three run at the same time, and then the last two.
#[tokio::test(start_paused = true)]
async fn a_sign_in_makes_five_calls_two_in_sequence() {
    const ROUND_TRIP: Duration = Duration::from_millis(10);
    let memory = Arc::new(Memory::new());
    let slow: faults::Pause = Arc::new(|| Box::pin(tokio::time::sleep(ROUND_TRIP)));
    deployment(memory.clone()).await;
    let plan = move |_: &faults::Call<'_>| faults::Fault::Delay(slow.clone());
    let instance = Instance::start(Arc::new(faults::Faulty::new(memory.clone(), plan)), &[]);
    let mut browser = Flow::default();
    // (calls, in sequence): in a new browser, and in one that the account signed in before.
    for expected in [(5, 2), (5, 2)] {
        let redirect = browser.get(&instance, &format!("{}&prompt=login", Flow::authorize_url("openid"))).await;
        let path = redirect.headers["location"].to_str().unwrap().strip_prefix(simulation::ISSUER).unwrap().to_owned();
        let page = browser.get(&instance, &path).await;
        let (before, start) = (memory.counts().total(), tokio::time::Instant::now());
        let answers = [("username", simulation::USERNAME), ("password", PASSWORD)];
        let answer = browser.submit(&instance, "/login", &page, &answers).await;
        assert_eq!(answer.status.as_u16(), 303);
        let in_sequence = start.elapsed().as_millis() / ROUND_TRIP.as_millis();
        assert_eq!((memory.counts().total() - before, in_sequence), expected);
        browser = browser.without_session();
    }
}

/// Follows a redirect within the server.
fn path_of(response: &latchkey_http::Response) -> String {
    let location = response.headers["location"].to_str().unwrap();
    location.strip_prefix(simulation::ISSUER).unwrap_or_else(|| panic!("{location} is not at the server")).to_owned()
}

/// The first sign-in of a user, with consent, code and three refreshes: 15 calls on a warm instance.
#[tokio::test]
async fn the_first_sign_in_makes_fifteen_calls() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let credential = users::find_credential(memory.as_ref(), &username(simulation::USERNAME)).await.unwrap().unwrap();
    let subject = types::Subject::parse("bob-subject").unwrap();
    users::save_credential(memory.as_ref(), &username("bob"), &users::Credential { subject, ..credential })
        .await
        .unwrap();
    // Warms the caches of clients and keys.
    Tokens::of(&Flow::redeem(&instance, &Flow::default().code(&instance, PASSWORD, "openid profile").await).await);

    let mut browser = Flow::default();
    let mut made = Vec::new();
    let (calls, redirect) = trips!(memory, browser.get(&instance, &Flow::authorize_url("openid profile")).await);
    made.push(("authorize", calls));
    let (calls, page) = trips!(memory, browser.get(&instance, &path_of(&redirect)).await);
    made.push(("sign-in page", calls));
    let answers = [("username", "bob"), ("password", PASSWORD)];
    let (calls, redirect) = trips!(memory, browser.submit(&instance, "/login", &page, &answers).await);
    made.push(("POST /login", calls));
    let (calls, redirect) = trips!(memory, browser.get(&instance, &path_of(&redirect)).await);
    made.push(("authorize, signed in", calls));
    let (calls, page) = trips!(memory, browser.get(&instance, &path_of(&redirect)).await);
    made.push(("consent page", calls));
    let allow = [("decision", "allow")];
    let (calls, answer) = trips!(memory, browser.submit(&instance, "/consent", &page, &allow).await);
    made.push(("POST /consent", calls));
    let code = code_of(&answer);
    let (calls, answer) = trips!(memory, Flow::redeem(&instance, &code).await);
    made.push(("code", calls));
    let mut tokens = Tokens::of(&answer);
    for _ in 0..3 {
        let (calls, answer) = trips!(memory, Flow::refresh(&instance, &tokens.refresh).await);
        made.push(("refresh", calls));
        tokens = Tokens::of(&answer);
    }
    let expected = [
        ("authorize", 0),
        ("sign-in page", 0),
        ("POST /login", 5),
        ("authorize, signed in", 2),
        ("consent page", 1),
        ("POST /consent", 3),
        ("code", 1),
        ("refresh", 1),
        ("refresh", 1),
        ("refresh", 1),
    ];
    assert_eq!(made, expected);
    assert_eq!(made.iter().map(|(_, calls)| calls).sum::<u64>(), 15);
}

/// Claims of the user in ID tokens: one call more for the grant, beside the consent; none for the code; one for a refresh whose ID
/// token holds them as they are then.
#[tokio::test]
async fn claims_in_id_tokens_cost_one_call() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    for (setting, of_refresh) in [("code", 1), ("always", 2)] {
        let mut stored = storage::clients::find(memory.as_ref(), &simulation::client_id("spa")).await.unwrap().unwrap();
        stored.client.scope_claims_in_id_token = serde_json::from_value(serde_json::json!(setting)).unwrap();
        storage::clients::save(memory.as_ref(), &stored).await.unwrap();
        instance.wait(std::time::Duration::from_secs(61));
        // Warms the caches of clients and keys.
        Tokens::of(&Flow::redeem(&instance, &Flow::default().code(&instance, PASSWORD, "openid").await).await);
        let mut browser = Flow::default();
        let redirect =
            browser.get(&instance, &format!("{}&prompt=consent", Flow::authorize_url("openid profile"))).await;
        let page = browser.get(&instance, &path_of(&redirect)).await;
        let answers = [("username", simulation::USERNAME), ("password", PASSWORD)];
        let redirect = browser.submit(&instance, "/login", &page, &answers).await;
        let redirect = browser.get(&instance, &path_of(&redirect)).await;
        let page = browser.get(&instance, &path_of(&redirect)).await;
        let before = memory.counts().get;
        let answer = browser.submit(&instance, "/consent", &page, &[("decision", "allow")]).await;
        assert_eq!(memory.counts().get - before, 2, "the session and the user");
        let (calls, answer) = trips!(memory, Flow::redeem(&instance, &code_of(&answer)).await);
        assert_eq!(calls, 1);
        let tokens = Tokens::of(&answer);
        let (calls, _) = trips!(memory, Flow::refresh(&instance, &tokens.refresh).await);
        assert_eq!(calls, of_refresh, "{setting}");
    }
}

fn code_of(answer: &latchkey_http::Response) -> String {
    let location = simulation::onward(answer);
    let (_, query) = location.strip_prefix("https://app.example/cb").expect("the client").split_once('?').unwrap();
    let (_, code) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code").expect("a code");
    code.into_owned()
}

/// The form of the consent page sent twice yields one grant and one code. After the code is redeemed, the user sees a page that
/// leads on, whichever page "Back" leads to.
#[tokio::test]
async fn a_repeated_consent_yields_the_same_code() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let mut browser = Flow::default();
    let redirect = browser.get(&instance, &Flow::authorize_url("openid profile")).await;
    let sign_in = path_of(&redirect);
    let page = browser.get(&instance, &sign_in).await;
    let answers = [("username", simulation::USERNAME), ("password", PASSWORD)];
    let redirect = browser.submit(&instance, "/login", &page, &answers).await;
    let redirect = browser.get(&instance, &path_of(&redirect)).await;
    let page = browser.get(&instance, &path_of(&redirect)).await;
    let allow = [("decision", "allow")];
    let first = code_of(&browser.submit(&instance, "/consent", &page, &allow).await);
    let again = code_of(&browser.submit(&instance, "/consent", &page, &allow).await);
    assert_eq!(first, again);
    let grants = || memory.snapshot().iter().filter(|record| record.key.is(storage::Kind::Grant)).count();
    assert_eq!(grants(), 1);
    Tokens::of(&Flow::redeem(&instance, &first).await);
    let later = browser.submit(&instance, "/consent", &page, &allow).await;
    let back = browser.get(&instance, &sign_in).await;
    let answered = browser.get(&instance, &path_of(&back)).await;
    for page in [later, answered] {
        let text = String::from_utf8_lossy(&page.body).into_owned();
        assert!(page.status.is_success() && text.contains("id=\"answered\""), "{text}");
    }
    assert_eq!(grants(), 1);
}

#[tokio::test]
async fn what_is_forged_expired_or_mismatched_costs_nothing() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    let mut browser = Flow::default();
    let code = browser.code(&instance, PASSWORD, "openid").await;
    let tokens = Tokens::of(&Flow::redeem(&instance, &browser.code(&instance, PASSWORD, "openid").await).await);
    let good = [
        ("client_id", "spa"),
        ("redirect_uri", "https://app.example/cb"),
        ("code_verifier", VERIFIER),
        ("code", code.as_str()),
    ];
    let other_verifier = "x".repeat(43);
    let forged = altered(&code);
    for (name, value) in [
        ("redirect_uri", "https://app.example/cb2"),
        ("code_verifier", &other_verifier),
        ("code", &forged),
        ("code", "lkc_"),
        ("code", &tokens.refresh),
        ("code", &tokens.access),
    ] {
        let mut form: Vec<_> =
            good.iter().map(|(known, old)| (*known, if *known == name { value } else { *old })).collect();
        form.push(("grant_type", "authorization_code"));
        let (trips, answer) = trips!(memory, instance.post("/token", &form).await);
        assert_eq!((trips, answer.status.as_u16()), (0, 400), "{name}={value}");
    }
    let forged = altered(&tokens.refresh);
    for token in [forged.as_str(), "lkr_x", &code, "x"] {
        let (trips, answer) = trips!(memory, Flow::refresh(&instance, token).await);
        assert_eq!((trips, answer.status.as_u16()), (0, 400), "{token}");
        let (trips, answer) = trips!(memory, Flow::userinfo(&instance, token).await);
        assert_eq!((trips, answer.status.as_u16()), (0, 401), "{token}");
    }
    instance.wait(Duration::from_secs(59));
    let (_, answer) = trips!(memory, Flow::redeem(&instance, &code).await);
    assert!(answer.status.is_success(), "still good");
    let late = browser.code(&instance, PASSWORD, "openid").await;
    instance.wait(Duration::from_secs(60));
    instance
        .post("/token", &[("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", "secret")])
        .await;
    Flow::redeem(&instance, "lkc_").await;
    let (trips, answer) = trips!(memory, Flow::redeem(&instance, &late).await);
    assert_eq!((trips, answer.status.as_u16()), (0, 400), "expired");
}

/// Names of clients that do not exist are looked up once in a few seconds, and they displace no client that does.
#[tokio::test]
async fn an_unknown_client_costs_one_read() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    instance.warm().await;
    let request = "/authorize?response_type=code&client_id=no-such-client&redirect_uri=https%3A%2F%2Fapp.example%2Fcb";
    let ask = async |instance: &Instance| instance.send(Method::GET, request, &[], String::new()).await.status.as_u16();
    for expected in [1, 0, 0] {
        let (trips, status) = trips!(memory, ask(&instance).await);
        assert_eq!((trips, status), (expected, 400));
    }
    instance.wait(Duration::from_secs(3));
    let (trips, _) = trips!(memory, ask(&instance).await);
    assert_eq!(trips, 1, "a client of this name may exist by now");
}
