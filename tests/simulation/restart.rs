//! Interactions that expired: the request begins anew in the browser that began it.

use crate::common::{PASSWORD, deployment};
use latchkey_http::Response;
use simulation::{Flow, Instance, onward};
use std::sync::Arc;
use std::time::Duration;
use storage::clients;
use storage::memory::Memory;
use types::ClientId;

const LIFETIME: Duration = Duration::from_secs(30 * 60);
const HOME: &str = "https://app.example/home";

/// Starts a deployment whose client has a home page, and a browser at the sign-in page. Returns its URL and the page.
async fn at_sign_in() -> (Instance, Flow, String, Response) {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let client_id = ClientId::parse("spa").unwrap();
    let mut stored = clients::find(memory.as_ref(), &client_id).await.unwrap().unwrap();
    stored.client.client_uri = Some(HOME.to_owned());
    clients::save(memory.as_ref(), &stored).await.unwrap();
    let mut browser = Flow::default();
    let redirect = browser.get(&instance, &Flow::authorize_url("openid profile")).await;
    let url = onward(&redirect);
    let page = browser.get(&instance, &url).await;
    (instance, browser, url, page)
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

#[tokio::test]
async fn a_sign_in_that_expired_begins_anew_with_the_user_name() {
    let (mut instance, mut browser, url, page) = at_sign_in().await;
    instance.wait(LIFETIME);
    let form = [("username", "alice"), ("password", PASSWORD)];
    let again = browser.submit(&instance, "/login", &page, &form).await;
    assert_eq!(again.status.as_u16(), 400);
    assert!(!browser.has_session(), "a form that expired signs no user in");
    let html = text(&again);
    assert!(html.contains("took too long") && html.contains("value=\"alice\""), "{html}");
    assert!(!html.contains(PASSWORD), "{html}");
    assert!(text(&browser.get(&instance, &url).await).contains("id=\"sign-in-form\""));
    let sent = browser.submit(&instance, "/login", &again, &form).await;
    let consent = browser.get(&instance, &onward(&sent)).await;
    let consent = browser.get(&instance, &onward(&consent)).await;
    let answer = browser.submit(&instance, "/consent", &consent, &[("decision", "allow")]).await;
    assert!(onward(&answer).starts_with("https://app.example/cb?code="));
}

#[tokio::test]
async fn a_consent_that_expired_is_asked_for_again() {
    let (mut instance, mut browser, _, page) = at_sign_in().await;
    let form = [("username", "alice"), ("password", PASSWORD)];
    let sent = browser.submit(&instance, "/login", &page, &form).await;
    let consent = browser.get(&instance, &onward(&sent)).await;
    let consent = browser.get(&instance, &onward(&consent)).await;
    instance.wait(LIFETIME);
    let answer = browser.submit(&instance, "/consent", &consent, &[("decision", "allow")]).await;
    let resumed = browser.get(&instance, &onward(&answer)).await;
    let page = browser.get(&instance, &onward(&resumed)).await;
    assert!(text(&page).contains("id=\"consent-form\""), "nothing was allowed: {}", text(&page));
    let answer = browser.submit(&instance, "/consent", &page, &[("decision", "allow")]).await;
    assert!(onward(&answer).starts_with("https://app.example/cb?code="));
}

#[tokio::test]
async fn an_old_sign_in_and_one_of_another_browser_lead_to_the_client() {
    let (mut instance, mut browser, url, page) = at_sign_in().await;
    let mut stranger = Flow::default();
    for path in ["/login", "/consent", "/authorize"] {
        let answer = stranger.get(&instance, &url.replace("/login", path)).await;
        assert_eq!(answer.status.as_u16(), 400);
        assert!(text(&answer).contains(&format!("id=\"restart\" href=\"{HOME}\"")), "{}", text(&answer));
    }
    instance.wait(LIFETIME + Duration::from_secs(86_400));
    let form = [("username", "alice"), ("password", PASSWORD)];
    for answer in [browser.get(&instance, &url).await, browser.submit(&instance, "/login", &page, &form).await] {
        assert_eq!(answer.status.as_u16(), 400);
        assert!(text(&answer).contains(&format!("id=\"restart\" href=\"{HOME}\"")), "{}", text(&answer));
    }
    assert!(!browser.has_session());
}
