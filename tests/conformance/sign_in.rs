//! Signing in: RFC 6749 §10.10, §10.12; RFC 9700 §4.7; OpenID Connect Core §3.1.2.3.

use suite::{AuthorizationRequest, Browser, Landing, Page, TokenRequest, admin, jwt, spa};

fn login_page() -> (Browser, Page) {
    let mut browser = Browser::new();
    let page = browser.authorize(&AuthorizationRequest::new(&spa())).login_page();
    (browser, page)
}

/// A name that no run used before.
fn fresh(prefix: &str) -> String {
    let letters: String = suite::random().chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    format!("{prefix}-{}", letters.to_lowercase())
}

/// One attempt from a network of its own: each network has a limit, which other tests share. Returns the page that came back.
fn attempt(username: &str, password: &str) -> Page {
    attempt_from(&suite::address(), username, password)
}

/// One attempt from a network; the page that came back.
fn attempt_from(network: &str, username: &str, password: &str) -> Page {
    let (mut browser, page) = login_page();
    let form = page.login().expect("the form").clone();
    let call = form.call(&[("username", username), ("password", password)]).through_proxy(network);
    let page = browser.go(call).page();
    assert!(!browser.cookies().keys().any(|name| name.contains("session")), "signed in: {:?}", page.reply);
    page
}

/// The page that the user sees.
fn told(page: &Page) -> (u16, Vec<String>) {
    (page.reply.status, page.select("[role=alert]"))
}

/// The right password signs in, and the session is a new one.
#[test]
fn the_right_password_signs_in() {
    let (mut browser, page) = login_page();
    assert!(!browser.cookies().keys().any(|name| name.contains("session")));
    browser.sign_in(&page, suite::USERNAME, suite::PASSWORD);
    assert!(browser.cookies().keys().any(|name| name.contains("session")));
}

/// A wrong password is reported on the same page, which keeps the username but not the password; the request can go on.
#[test]
fn a_wrong_password_can_be_corrected() {
    let user = admin::user("suite-typo");
    let (mut browser, page) = login_page();
    let form = page.login().expect("the form").clone();
    let page = browser.submit(&form, &[("username", &user), ("password", "wrong <b>")]).login_page();
    assert!(!page.reply.text().contains("wrong &lt;b&gt;") && !page.reply.text().contains("wrong <b>"));
    assert_eq!(page.login().and_then(|form| form.value("username")), Some(user.as_str()));
    assert!(!page.select("[role=alert]").is_empty(), "{:?}", page.reply);
    let landing = browser.sign_in(&page, &user, admin::PASSWORD);
    browser.finish(landing, &user, admin::PASSWORD).code();
}

/// The response does not reveal if an account exists.
#[test]
fn unknown_accounts_and_wrong_passwords_look_the_same() {
    let known = admin::user("suite-typo");
    let (known, unknown) = (attempt(&known, "wrong"), attempt(&fresh("suite-nobody"), "wrong"));
    assert_eq!(told(&known), told(&unknown));
    assert_eq!(known.reply.headers.keys().count(), unknown.reply.headers.keys().count());
}

/// RFC 6749 §10.10: guessing stops, for accounts that exist and for those that do not, in the same words. Even the right
/// password has to wait then; other accounts have nothing to wait for, and neither has a browser in which the account
/// signed in before.
#[test]
fn guessing_slows_down() {
    let user = admin::user(&fresh("suite-slow"));
    let (mut known, page) = login_page();
    let landing = known.sign_in(&page, &user, admin::PASSWORD);
    known.finish(landing, &user, admin::PASSWORD).code();
    let network = suite::address();
    let mut answers = Vec::new();
    for username in [&fresh("suite-nobody"), &user] {
        let slowed = (0..10).map(|_| attempt_from(&network, username, "wrong")).find(|page| page.reply.status == 429);
        let page = slowed.unwrap_or_else(|| panic!("ten guesses at {username} were not slowed down"));
        let seconds = page.reply.header("retry-after").and_then(|value| value.parse::<u64>().ok());
        assert!(seconds.is_some_and(|seconds| (1..=900).contains(&seconds)), "{:?}", page.reply);
        // A limit ends with a quarter of an hour, and one may end between the two answers.
        let text = page.select("[role=alert]").join(" ").replace(|letter: char| letter.is_ascii_digit(), "");
        answers.push(
            ["seconds", "second", "minutes", "minute"].iter().fold(text, |text, unit| text.replace(unit, "TIME")),
        );
    }
    assert_eq!(answers[0], answers[1]);

    let (mut browser, page) = login_page();
    let form = page.login().expect("the form").clone();
    let landing = browser.submit(&form, &[("username", suite::USERNAME), ("password", suite::PASSWORD)]);
    browser.finish(landing, suite::USERNAME, suite::PASSWORD).code();

    assert_eq!(attempt_from(&network, &user, admin::PASSWORD).reply.status, 429);
    for _ in 0..3 {
        let page = known.authorize(&AuthorizationRequest::new(&spa()).set("prompt", "login")).login_page();
        let form = page.login().expect("the form").clone();
        let landing = known.submit(&form, &[("username", &user), ("password", admin::PASSWORD)]);
        known.finish(landing, &user, admin::PASSWORD).code();
    }
}

/// OWASP, device cookies: the cookie of a browser that an account signed in before names no account, is bound to it, and
/// is worth nothing for another.
#[test]
fn a_known_browser_is_known_for_one_account() {
    let (user, other) = (admin::user(&fresh("suite-known")), admin::user(&fresh("suite-other")));
    let (mut browser, page) = login_page();
    let landing = browser.sign_in(&page, &user, admin::PASSWORD);
    browser.finish(landing, &user, admin::PASSWORD).code();
    let is_known = |(name, _): &(&String, _)| name.contains("known_browser");
    let (_, cookie) = browser.cookies().iter().find(is_known).expect("the cookie");
    assert!(cookie.value.starts_with("lkb_") && !cookie.value.contains(&user), "{cookie:?}");
    assert!(cookie.attributes.contains_key("httponly"), "{cookie:?}");

    let network = suite::address();
    (0..10).for_each(|_| drop(attempt_from(&network, &other, "wrong")));
    let page = browser.authorize(&AuthorizationRequest::new(&spa()).set("prompt", "login")).login_page();
    let form = page.login().expect("the form").clone();
    let call = form.call(&[("username", other.as_str()), ("password", admin::PASSWORD)]).through_proxy(&network);
    let page = browser.go(call).page();
    assert_eq!(page.reply.status, 429, "{:?}", page.reply);
}

/// Fields that are missing, empty, huge or strange are a failed sign-in or a bad request, never more.
#[test]
fn strange_credentials_are_refused() {
    let long = "x".repeat(20_000);
    let user = fresh("suite-nobody");
    for (username, password) in
        [("", "x"), (user.as_str(), ""), ("", ""), (long.as_str(), "x"), ("a\u{0}b", "x"), ("\u{202e}\u{1F511}", "x")]
    {
        let page = attempt(username, password);
        assert!(page.reply.status < 500, "{:?}", page.reply);
    }
    let page = attempt(&user, &long);
    assert!(page.reply.status < 500, "{:?}", page.reply);
}

/// RFC 9700 §4.7: a session cookie that an attacker planted is not the one that the sign-in uses.
#[test]
fn a_sign_in_makes_a_new_session() {
    let mut browser = Browser::new_signed_in();
    let session = |browser: &Browser| {
        let (_, cookie) = browser.cookies().iter().find(|(name, _)| name.contains("session")).expect("a session");
        cookie.value.clone()
    };
    let before = session(&browser);
    let page = browser.authorize(&AuthorizationRequest::new(&spa()).set("prompt", "login")).login_page();
    browser.sign_in(&page, suite::USERNAME, suite::PASSWORD);
    assert_ne!(before, session(&browser));
}

/// OpenID Connect Core §3.1.2.3: single sign-on: one session serves all clients of the browser.
#[test]
fn one_session_serves_all_clients() {
    let mut browser = Browser::new_signed_in();
    match browser.authorize(&AuthorizationRequest::new(&suite::web())) {
        Landing::Callback(callback) => drop(callback.code()),
        Landing::Page(page) => assert!(page.login().is_none(), "{:?}", page.reply),
    }
}

/// The sign-in form sent again after it was used signs in or says so; it never breaks.
#[test]
fn a_form_sent_twice_is_harmless() {
    let (mut browser, page) = login_page();
    let landing = browser.sign_in(&page, suite::USERNAME, suite::PASSWORD);
    browser.finish(landing, suite::USERNAME, suite::PASSWORD).code();
    let landing = browser.sign_in(&page, suite::USERNAME, suite::PASSWORD);
    if let Landing::Page(page) = landing {
        assert!(page.reply.status < 500, "{:?}", page.reply);
    }
}

/// OpenID Connect Back-Channel Logout §2, RP-Initiated Logout §2: a new sign-in continues the session. The cookie is new
/// and the old one invalid; sign-out also ends the earlier grants.
#[test]
fn signing_out_ends_what_was_granted_before_signing_in_again() {
    let (mut browser, request) = (Browser::new(), AuthorizationRequest::new(&spa()));
    let first = TokenRequest::code(&request, &browser.complete(&request).code()).tokens();
    let mut kept = browser.clone();
    let again = request.clone().set("prompt", "login");
    let second = TokenRequest::code(&again, &browser.complete(&again).code()).tokens();
    assert_eq!(jwt::read(first.id()).text("sid"), jwt::read(second.id()).text("sid"));
    assert_eq!(kept.authorize(&request.set("prompt", "none")).callback().error(), "login_required");
    assert!(first.is_live() && second.is_live());
    let page = browser.open("/logout").page();
    browser.decide(&page, "yes").page();
    assert!(!first.is_live() && !second.is_live(), "a grant outlived the sign-out");
}

/// OpenID Connect Back-Channel Logout §2: the sign-in of another user ends the earlier session, except for what was
/// granted for offline use.
#[test]
fn somebody_elses_sign_in_ends_the_session() {
    let ada = admin::user("suite-ada");
    let told = "backchannel_logout_uri=https://suite.example/out";
    let client = admin::client("suite-sign-in", &["--set", "token_endpoint_auth_method=none", "--set", told]);
    let (mut browser, request) = (Browser::new(), AuthorizationRequest::new(&client));
    let online = TokenRequest::code(&request, &browser.complete(&request).code()).tokens();
    let offline = request.clone().offline();
    let offline = TokenRequest::code(&offline, &browser.complete(&offline).code()).tokens();
    let mut kept = browser.clone();
    let page = browser.authorize(&request.clone().set("prompt", "login")).login_page();
    let landing = browser.sign_in(&page, &ada, admin::PASSWORD);
    browser.finish(landing, &ada, admin::PASSWORD).code();
    assert!(!online.is_live() && offline.is_live());
    assert_eq!(kept.authorize(&request.set("prompt", "none")).callback().error(), "login_required");
}

/// OpenID Connect Core §3.1.2.3: an open sign-in page does not ask a user who signed in meanwhile in another tab.
#[test]
fn an_open_sign_in_page_goes_on_after_a_sign_in_elsewhere() {
    let (mut browser, page) = login_page();
    browser.complete(&AuthorizationRequest::new(&spa())).code();
    browser.open(page.url.as_str()).callback().code();
}
