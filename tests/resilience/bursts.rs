//! Bursts from one address: correct sign-ins and registrations at the same moment all succeed, guesses are cut to the free
//! ones (RFC 6749 §10.10).

use serde_json::json;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use suite::registration::register;
use suite::{AuthorizationRequest, Browser, Page, admin, race, spa};

const USERS: usize = 60;
const GUESSES: usize = 60;
const REGISTRATIONS: usize = 32;

/// A new browser at the sign-in page.
fn at_sign_in() -> (Browser, Page) {
    let mut browser = Browser::new();
    let page = browser.authorize(&AuthorizationRequest::new(&spa())).login_page();
    (browser, page)
}

/// Sends the form of the sign-in page once. Returns the status.
fn attempt(page: &Page, browser: &Browser, username: &str, password: &str) -> u16 {
    let form = page.login().expect("the form");
    let call = form.call(&[("username", username), ("password", password)]);
    browser.with_cookies(call).send().status
}

#[test]
fn correct_sign_ins_of_many_users_at_the_same_moment_all_succeed() {
    let users: Vec<String> = (0..USERS).map(|index| admin::user(&format!("suite-burst-{index}"))).collect();
    for round in 0..2 {
        let browsers: Vec<_> = users.iter().map(|user| (user, at_sign_in())).collect();
        let statuses = race(USERS, |index| {
            let (user, (browser, page)) = &browsers[index];
            attempt(page, browser, user, admin::PASSWORD)
        });
        assert!(statuses.iter().all(|status| *status == 303), "round {round}: {statuses:?}");
    }
}

/// Waits for the start of a window in which attempts in progress are counted. At its end those of the next window begin anew, so a
/// race across it has more free attempts.
fn wait_for_a_window() {
    const WINDOW: u128 = 5000;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    sleep(Duration::from_millis((WINDOW - now % WINDOW).try_into().unwrap()));
}

#[test]
fn guesses_at_the_same_moment_are_cut_to_the_free_ones() {
    let letters: String = suite::random().chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    let user = admin::user(&format!("suite-guessed-{}", letters.to_lowercase()));
    let browsers: Vec<_> = (0..GUESSES).map(|_| at_sign_in()).collect();
    wait_for_a_window();
    let statuses = race(GUESSES, |index| {
        let (browser, page) = &browsers[index];
        attempt(page, browser, &user, "wrong")
    });
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert!((1..=5).contains(&count(403)) && count(403) + count(429) == GUESSES, "{statuses:?}");
}

#[test]
fn registrations_at_the_same_moment_all_succeed() {
    let metadata = |index| json!({ "redirect_uris": [format!("https://burst-{index}.example/callback")] });
    let statuses = race(REGISTRATIONS, |index| register(&metadata(index)).status);
    assert!(statuses.iter().all(|status| *status == 201), "{statuses:?}");
}
