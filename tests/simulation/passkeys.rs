//! Passkeys: calls to the store, times, and a store that fails.

use crate::common::{PASSWORD, deployment};
use http::StatusCode;
use latchkey_http::Response;
use serde_json::Value;
use simulation::{Flow, ISSUER, Instance, USERNAME};
use std::sync::Arc;
use std::time::Duration;
use storage::Verb;
use storage::faults::{self, Fault};
use storage::memory::Memory;
use suite::authenticator::Authenticator;

/// The time of one call to a slow store.
const ROUND_TRIP: Duration = Duration::from_millis(10);

/// Returns the path to which a response redirects.
fn path_of(response: &Response) -> String {
    let location = response.headers["location"].to_str().unwrap();
    location.strip_prefix(ISSUER).unwrap_or_else(|| panic!("{location} is not at the server")).to_owned()
}

/// Returns the text of a page.
fn body_of(page: &Response) -> String {
    String::from_utf8_lossy(&page.body).into_owned()
}

/// Returns the options in the page of a response.
fn options(page: &Response) -> Value {
    let html = body_of(page);
    let (_, rest) = html.split_once("data-options=\"").expect("a page with options");
    let (options, _) = rest.split_once('"').expect("the end of the attribute");
    serde_json::from_str(&options.replace("&#34;", "\"")).expect("JSON")
}

/// Returns the value of a hidden field.
fn field(page: &Response, name: &str) -> String {
    let html = body_of(page);
    let (_, rest) = html.split_once(&format!("name=\"{name}\" value=\"")).expect("a field");
    rest.split_once('"').expect("the end of the attribute").0.to_owned()
}

/// Opens the sign-in page for the account.
async fn sign_in_page(browser: &mut Flow, instance: &Instance) -> Response {
    let redirect = browser.get(instance, "/account").await;
    browser.get(instance, &path_of(&redirect)).await
}

/// Signs in with the password, and makes a passkey.
async fn registered(instance: &Instance) -> (Flow, Authenticator) {
    let mut browser = Flow::default();
    let page = sign_in_page(&mut browser, instance).await;
    browser.submit(instance, "/login", &page, &[("username", USERNAME), ("password", PASSWORD)]).await;
    let page = browser.get(instance, "/account/passkey/new").await;
    let mut authenticator = Authenticator::at(ISSUER, "ES256");
    let answer = authenticator.create(&options(&page));
    let (json, handle) = (authenticator.registration(&answer), field(&page, "handle"));
    let made =
        browser.submit(instance, "/account/passkey/new", &page, &[("passkey", &json), ("handle", &handle)]).await;
    assert_eq!(made.status, StatusCode::OK, "{}", body_of(&made));
    (browser, authenticator)
}

/// Answers the sign-in page with the passkey.
async fn answer(browser: &mut Flow, instance: &Instance, page: &Response, passkey: &mut Authenticator) -> Response {
    let answer = passkey.get(&options(page));
    browser.submit(instance, "/login", page, &[("passkey", &passkey.assertion(&answer))]).await
}

/// A sign-in with a passkey: 5 calls in three groups. The challenge is marked while the passkey is read; then the user is read; then the
/// session and the use of the passkey are written. On the same day nothing is left to write about the use.
#[tokio::test(start_paused = true)]
async fn a_sign_in_makes_five_calls_three_in_sequence() {
    let memory = Arc::new(Memory::new());
    let slow: faults::Pause = Arc::new(|| Box::pin(tokio::time::sleep(ROUND_TRIP)));
    let instance = deployment(memory.clone()).await;
    let (_, mut authenticator) = registered(&instance).await;
    let plan = move |_: &faults::Call<'_>| Fault::Delay(slow.clone());
    let instance = Instance::start(Arc::new(faults::Faulty::new(memory.clone(), plan)), &[]);
    for expected in [(5, 3), (4, 3)] {
        let mut browser = Flow::default();
        let page = sign_in_page(&mut browser, &instance).await;
        let (before, start) = (memory.counts().total(), tokio::time::Instant::now());
        let response = answer(&mut browser, &instance, &page, &mut authenticator).await;
        assert_eq!(response.status, StatusCode::SEE_OTHER, "{}", body_of(&response));
        let in_sequence = start.elapsed().as_millis() / ROUND_TRIP.as_millis();
        assert_eq!((memory.counts().total() - before, in_sequence), expected);
    }
}

/// A page that was open for more than an hour is answered in vain.
#[tokio::test]
async fn a_challenge_expires() {
    let mut instance = deployment(Arc::new(Memory::new())).await;
    let (_, mut authenticator) = registered(&instance).await;
    let mut browser = Flow::default();
    let page = sign_in_page(&mut browser, &instance).await;
    instance.wait(Duration::from_secs(3601));
    let fresh = sign_in_page(&mut browser, &instance).await;
    let late = authenticator.get(&options(&page));
    let fields = [("passkey", authenticator.assertion(&late))];
    let response = browser.submit(&instance, "/login", &fresh, &[("passkey", fields[0].1.as_str())]).await;
    assert_eq!(response.status, StatusCode::FORBIDDEN);
    let response = answer(&mut browser, &instance, &fresh, &mut authenticator).await;
    assert_eq!(response.status, StatusCode::SEE_OTHER);
}

/// Passkeys are shown, made and changed after a sign-in within five minutes.
#[tokio::test]
async fn an_old_sign_in_does_not_suffice() {
    let mut instance = deployment(Arc::new(Memory::new())).await;
    let (mut browser, _) = registered(&instance).await;
    let pages = ["/account/sign-in", "/account/passkey/new", "/account/passkey?passkey=x"];
    for path in pages {
        assert_ne!(browser.get(&instance, path).await.status, StatusCode::SEE_OTHER, "{path}");
    }
    instance.wait(Duration::from_secs(301));
    for path in pages {
        assert!(path_of(&browser.get(&instance, path).await).starts_with("/login?"), "{path}");
    }
    assert_eq!(browser.get(&instance, "/account").await.status, StatusCode::OK);
}

/// A store that fails at any call of a sign-in leads to 503, and never to a session.
#[tokio::test]
async fn a_failing_store_signs_no_user_in() {
    let calls = [
        (Verb::Create, "marker#"),
        (Verb::Get, "passkey#"),
        (Verb::Get, "user#"),
        (Verb::Create, "session#"),
        (Verb::Advance, "passkey#"),
    ];
    for (verb, kind) in calls {
        let memory = Arc::new(Memory::new());
        let (_, mut authenticator) = registered(&deployment(memory.clone()).await).await;
        let plan = move |call: &faults::Call<'_>| match call.verb == verb && call.name.starts_with(kind) {
            true => Fault::Before,
            false => Fault::None,
        };
        let failing = Instance::start(Arc::new(faults::Faulty::new(memory.clone(), plan)), &[]);
        let mut browser = Flow::default();
        let page = sign_in_page(&mut browser, &failing).await;
        let response = answer(&mut browser, &failing, &page, &mut authenticator).await;
        assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE, "{verb:?} {kind}");
        assert!(!browser.has_session(), "{verb:?} {kind:?}");
        // The next try succeeds, with a challenge of its own.
        let working = Instance::start(memory, &[]);
        let page = sign_in_page(&mut browser, &working).await;
        let response = answer(&mut browser, &working, &page, &mut authenticator).await;
        assert_eq!(response.status, StatusCode::SEE_OTHER, "{verb:?} {kind:?}");
    }
}
