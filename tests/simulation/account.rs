//! The account page: round trips, and sessions that are over.

use crate::common::{PASSWORD, deployment};
use simulation::{Flow, Instance, Tokens, USERNAME, subject, username};
use std::sync::Arc;
use std::time::Duration;
use storage::memory::Memory;
use storage::{faults, users};

const ROUND_TRIP: Duration = Duration::from_millis(10);

/// Returns an instance whose store is slow, so that calls in sequence differ from calls at the same time.
async fn slow_instance(memory: &Arc<Memory>) -> Instance {
    let slow: faults::Pause = Arc::new(|| Box::pin(tokio::time::sleep(ROUND_TRIP)));
    deployment(memory.clone()).await;
    let plan = move |_: &faults::Call<'_>| faults::Fault::Delay(slow.clone());
    Instance::start(Arc::new(faults::Faulty::new(memory.clone(), plan)), &[])
}

/// Evaluates `work`. Returns the number of calls, those of them in sequence, and the result.
macro_rules! calls {
    ($memory:expr, $work:expr) => {{
        let (before, start) = ($memory.counts().total(), tokio::time::Instant::now());
        let outcome = $work;
        let in_sequence = start.elapsed().as_millis() / ROUND_TRIP.as_millis();
        (($memory.counts().total() - before, in_sequence), outcome)
    }};
}

/// Returns the first link of a page that starts with a path.
fn link(page: &latchkey_http::Response, start: &str) -> String {
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    let (_, rest) = html.split_once(&format!("href=\"{start}")).unwrap_or_else(|| panic!("no {start} in {html}"));
    let (rest, _) = rest.split_once('"').unwrap();
    format!("{start}{rest}").replace("&amp;", "&").replace("&#38;", "&")
}

/// The overview makes 2 calls, and so does each page below it; the removal of an application 3 in sequence.
#[tokio::test(start_paused = true)]
async fn account_pages_make_two_calls() {
    let memory = Arc::new(Memory::new());
    let instance = slow_instance(&memory).await;
    let (mut browser, mut other) = (Flow::default(), Flow::default());
    let tokens = Tokens::of(&Flow::redeem(&instance, &browser.code(&instance, PASSWORD, "openid profile").await).await);
    other.code(&instance, PASSWORD, "openid profile").await;
    // Warms the caches of clients and of the configuration.
    browser.get(&instance, "/account").await;
    let (made, page) = calls!(memory, browser.get(&instance, "/account").await);
    assert_eq!((made, page.status.as_u16()), ((2, 2), 200), "overview");
    let (application, session) = (link(&page, "/account/application?"), link(&page, "/account/session?"));
    let (made, page) = calls!(memory, browser.get(&instance, &application).await);
    assert_eq!((made, page.status.as_u16()), ((2, 2), 200), "application");
    let (made, page) = calls!(memory, browser.get(&instance, &session).await);
    assert_eq!((made, page.status.as_u16()), ((2, 2), 200), "session");
    let end = [("decision", "end")];
    let (made, page) = calls!(memory, browser.submit(&instance, "/account/session", &page, &end).await);
    assert_eq!(page.status.as_u16(), 200);
    // The two reads; the sign-out beside the list; the notification of the one client; its grant; the session.
    assert!(made.0 <= 7 && made.1 <= 6, "end of a session: {made:?}");
    let page = browser.get(&instance, &application).await;
    let remove = [("decision", "remove")];
    let (made, page) = calls!(memory, browser.submit(&instance, "/account/application", &page, &remove).await);
    assert_eq!(page.status.as_u16(), 200);
    // The session; the consent, the sign-out and the list at the same time; the grants at the same time.
    assert!(made.0 <= 6 && made.1 == 3, "removal: {made:?}");
    assert_eq!(Flow::refresh(&instance, &tokens.refresh).await.status.as_u16(), 400);
    // Without a session, nothing is read.
    let (made, redirect) = calls!(memory, Flow::default().get(&instance, "/account").await);
    assert_eq!((made, redirect.status.as_u16()), ((0, 0), 303), "sign-in");
}

/// Opens the form for a new password, after the sign-in that it demands.
async fn password_form(instance: &Instance, browser: &mut Flow) -> latchkey_http::Response {
    let redirect = browser.get(instance, "/account/password").await;
    assert_eq!(redirect.status.as_u16(), 303, "the sign-in is too old");
    let page = browser.get(instance, simulation::onward(&redirect).as_str()).await;
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(text.contains("Enter your password again"), "{text}");
    let answers = [("username", USERNAME), ("password", PASSWORD)];
    let back = browser.submit(instance, "/login", &page, &answers).await;
    let back = browser.get(instance, simulation::onward(&back).as_str()).await;
    let form = browser.get(instance, simulation::onward(&back).as_str()).await;
    assert_eq!(form.status.as_u16(), 200);
    form
}

/// The form for a new password demands a sign-in of the last five minutes, when it is shown and when it is sent.
#[tokio::test]
async fn a_new_password_needs_a_recent_sign_in() {
    const NEXT: &str = "seven tall lighthouses";
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    let user = users::User::new(subject("alice-subject"), USERNAME.to_owned(), serde_json::Map::new());
    users::save(memory.as_ref(), &user, simulation::T0).await.unwrap();
    let hash =
        || async { users::find_credential(memory.as_ref(), &username(USERNAME)).await.unwrap().unwrap().password };
    let before = hash().await;
    let mut browser = Flow::default();
    browser.code(&instance, PASSWORD, "openid").await;
    instance.wait(Duration::from_secs(299));
    assert_eq!(browser.get(&instance, "/account/password").await.status.as_u16(), 200);
    instance.wait(Duration::from_secs(2));
    let form = password_form(&instance, &mut browser).await;
    instance.wait(Duration::from_secs(301));
    let fields = [("password", NEXT), ("repeated", NEXT)];
    let late = browser.submit(&instance, "/account/password", &form, &fields).await;
    assert_eq!(late.status.as_u16(), 303, "the form was open for too long");
    assert_eq!(hash().await, before);
    let form = password_form(&instance, &mut browser).await;
    let changed = browser.submit(&instance, "/account/password", &form, &fields).await;
    assert_eq!(changed.status.as_u16(), 200);
    assert_ne!(hash().await, before);
    assert_eq!(browser.get(&instance, "/account").await.status.as_u16(), 200);
}

/// The download and the deletion demand a recent sign-in, too; without the setting of the operator no account is deleted.
#[tokio::test]
async fn data_and_deletion_need_a_recent_sign_in() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    let user = users::User::new(subject("alice-subject"), USERNAME.to_owned(), serde_json::Map::new());
    users::save(memory.as_ref(), &user, simulation::T0).await.unwrap();
    let mut browser = Flow::default();
    browser.code(&instance, PASSWORD, "openid").await;
    assert_eq!(browser.get(&instance, "/account/data").await.status.as_u16(), 200);
    assert_eq!(browser.get(&instance, "/account/deletion").await.status.as_u16(), 404, "not allowed");
    instance.wait(Duration::from_secs(301));
    for path in ["/account/data", "/account/deletion"] {
        let redirect = browser.get(&instance, path).await;
        assert_eq!(redirect.status.as_u16(), 303, "{path}");
        assert!(simulation::onward(&redirect).contains("/login?"), "{path}");
    }
    assert_eq!(browser.get(&instance, "/account").await.status.as_u16(), 200);
}

/// A session record that a sign-out everywhere missed shows nothing: the mark of the user counts, and the session ends.
#[tokio::test]
async fn the_mark_of_a_user_ends_the_page() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let mut browser = Flow::default();
    browser.code(&instance, PASSWORD, "openid").await;
    let user = users::User::new(subject("alice-subject"), USERNAME.to_owned(), serde_json::Map::new());
    users::save(memory.as_ref(), &user, simulation::T0).await.unwrap();
    assert_eq!(browser.get(&instance, "/account").await.status.as_u16(), 200);
    users::save(memory.as_ref(), &users::User { disabled: true, ..user }, simulation::T0).await.unwrap();
    let redirect = browser.get(&instance, "/account").await;
    assert_eq!(redirect.status.as_u16(), 303);
    let location = redirect.headers["location"].to_str().unwrap();
    assert!(location.contains("/login?interaction="), "{location}");
    // The sign-in page asks: it does not go on with the session.
    let page = browser.get(&instance, location.strip_prefix(simulation::ISSUER).unwrap()).await;
    assert_eq!(page.status.as_u16(), 200);
}
