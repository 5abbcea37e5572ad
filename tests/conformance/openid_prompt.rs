//! `prompt` and `max_age`: OpenID Connect Core §3.1.2.1, §3.1.2.3, §3.1.2.4, §3.1.2.6.

use std::time::Duration;
use suite::{AuthorizationRequest, Browser, Call, TokenRequest, admin, at_once, jwt, now, spa, web};

fn prompt(value: &str) -> AuthorizationRequest {
    AuthorizationRequest::new(&spa()).set("prompt", value)
}

fn auth_time(request: &AuthorizationRequest, code: &str) -> i64 {
    jwt::verify(TokenRequest::code(request, code).tokens().id()).number("auth_time")
}

/// Core §3.1.2.1: `none` answers at once when nothing has to be asked.
#[test]
fn none_answers_at_once() {
    let reply = Browser::signed_in().send(suite::Call::get(&prompt("none").url()));
    assert!(matches!(reply.status, 302 | 303), "{reply:?}");
    let location = reply.location().expect("Location");
    assert!(location.as_str().starts_with(&spa().redirect_uri), "a page in between: {reply:?}");
    assert!(location.query_pairs().any(|(name, _)| name == "code"), "{reply:?}");
}

/// Core §3.1.2.6: `login_required`.
#[test]
fn none_without_a_session_is_login_required() {
    let request = prompt("none");
    let callback = Browser::new().authorize(&request).callback();
    assert_eq!(callback.error(), "login_required");
    assert_eq!(callback.value("state"), Some(request.value("state")));
}

/// Core §3.1.2.6: `consent_required` (or `interaction_required`).
#[test]
fn none_without_consent_is_consent_required() {
    let client = admin::client("suite-unconsented", &["--set", "token_endpoint_auth_method=none"]);
    let request = AuthorizationRequest::new(&client).set("prompt", "none");
    assert_eq!(Browser::signed_in().authorize(&request).callback().error(), "consent_required");
}

/// Core §3.1.2.1: "If this parameter contains none with any other value, an error is returned".
#[test]
fn none_with_another_value_is_refused() {
    for value in ["none login", "login none", "none consent", "none select_account"] {
        assert_eq!(Browser::signed_in().authorize(&prompt(value)).callback().error(), "invalid_request", "{value}");
        assert_eq!(Browser::new().authorize(&prompt(value)).callback().error(), "invalid_request", "{value}");
    }
}

/// Initiating User Registration 1.0 §4.1 and Core §3.1.2.1: a value that is not supported is refused.
#[test]
fn unknown_values_are_refused() {
    for value in ["magic", "LOGIN", "login magic", "create"] {
        assert_eq!(Browser::signed_in().authorize(&prompt(value)).callback().error(), "invalid_request", "{value}");
    }
}

/// Core §3.1.2.1: `login`: "SHOULD prompt the End-User for reauthentication", and `auth_time` is of the new sign-in.
#[test]
fn login_asks_again() {
    let mut browser = Browser::new_signed_in();
    let request = AuthorizationRequest::new(&spa());
    let code = browser.complete(&request).code();
    let before = auth_time(&request, &code);
    suite::wait(Duration::from_millis(1100));
    let request = prompt("login");
    let page = browser.authorize(&request).login_page();
    let landing = browser.sign_in(&page, suite::USERNAME, suite::PASSWORD);
    let callback = browser.finish(landing, suite::USERNAME, suite::PASSWORD);
    let after = auth_time(&request, &callback.code());
    assert!(after > before, "{before} {after}");
}

/// Core §3.1.2.1: the sign-in that `login` or `max_age=0` demands counts for one response. The URL that led to the code leads
/// to the sign-in page when it is opened again, by a reload or by the next user of the browser.
#[test]
fn a_demanded_sign_in_counts_once() {
    for (name, value) in [("prompt", "login"), ("max_age", "0"), ("prompt", "login consent")] {
        let request = AuthorizationRequest::new(&spa()).set(name, value);
        let mut browser = Browser::new_signed_in();
        let page = browser.authorize(&request).login_page();
        let form = page.login().expect("the form").clone();
        let entries = [("username", suite::USERNAME), ("password", suite::PASSWORD)];
        let reply = browser.send(form.call(&entries));
        let link = reply.location().expect("Location").to_string();
        let landing = browser.open(&link);
        browser.finish(landing, suite::USERNAME, suite::PASSWORD).code();
        let landing = browser.open(&link);
        let page = match landing {
            suite::Landing::Page(page) if page.consent().is_some() => browser.decide(&page, "allow").login_page(),
            other => other.login_page(),
        };
        assert!(page.deciding("continue").is_none(), "{name}={value}");
        let landing = browser.sign_in(&page, suite::USERNAME, suite::PASSWORD);
        browser.finish(landing, suite::USERNAME, suite::PASSWORD).code();
    }
}

/// Core §3.1.2.1: of many answers at once, one uses the sign-in that the request demands. The others lead to sign-in.
#[test]
fn a_demanded_sign_in_counts_once_in_a_race() {
    let mut browser = Browser::new_signed_in();
    browser.complete(&AuthorizationRequest::new(&web()));
    let page = browser.authorize(&AuthorizationRequest::new(&web()).set("prompt", "login")).login_page();
    let form = page.login().expect("the form").clone();
    let reply = browser.send(form.call(&[("username", suite::USERNAME), ("password", suite::PASSWORD)]));
    let call = browser.with_cookies(Call::get(reply.location().expect("Location").as_str()));
    let locations: Vec<String> =
        at_once(|_| call.clone().send()).iter().map(|reply| reply.onward().expect("a way on").to_string()).collect();
    let (answered, others): (Vec<_>, Vec<_>) = locations.iter().partition(|location| location.contains("code="));
    assert_eq!(answered.len(), 1, "{locations:?}");
    assert!(others.iter().all(|location| location.contains("/login?")), "{locations:?}");
}

/// Core §3.1.2.1: a wrong password under "use another account" keeps the account that is signed in as a choice.
#[test]
fn a_wrong_password_keeps_the_choice_of_accounts() {
    let mut browser = Browser::signed_in();
    let page = browser.authorize(&prompt("select_account")).page();
    let again = browser.sign_in(&page, "suite-nobody-else", "wrong-password-1").page();
    assert_eq!(again.reply.status, 403);
    assert!(again.deciding("continue").is_some(), "{:?}", again.reply);
    assert!(!browser.decide(&again, "continue").callback().code().is_empty());
}

/// Core §3.1.2.3: `login` cannot be answered by going on without signing in.
#[test]
fn login_cannot_be_skipped() {
    let mut browser = Browser::signed_in();
    let page = browser.authorize(&prompt("login")).login_page();
    assert!(page.deciding("continue").is_none(), "a way around the password: {:?}", page.reply);
    let interaction = page.login().and_then(|form| form.value("interaction")).expect("interaction").to_owned();
    for path in ["/authorize", "/consent"] {
        let url = format!("{}?interaction={interaction}", suite::url(path));
        if let suite::Landing::Callback(callback) = browser.open(&url) {
            callback.error();
        }
    }
    // Nor by pressing a button that the page does not have.
    let form = page.login().expect("the form").clone();
    let fields: Vec<_> = form
        .filled(&[("decision", "continue")])
        .into_iter()
        .filter(|(name, _)| name != "username" && name != "password")
        .collect();
    if let suite::Landing::Callback(callback) = browser.post("/login", &fields) {
        callback.error();
    }
}

/// Core §3.1.2.1: `consent`: "SHOULD prompt the End-User for consent", remembered or not.
#[test]
fn consent_asks_again() {
    let mut browser = Browser::signed_in();
    let page = browser.authorize(&prompt("consent")).consent_page();
    browser.decide(&page, "allow").callback().code();
    browser.authorize(&prompt("consent")).consent_page();
}

/// Core §3.1.2.1: `select_account`: the user may continue, or sign in as another user.
#[test]
fn select_account_offers_the_account() {
    let mut browser = Browser::signed_in();
    let page = browser.authorize(&prompt("select_account")).page();
    browser.decide(&page, "continue").callback().code();
}

/// Core §3.1.2.1: and sign in as another.
#[test]
fn select_account_lets_another_sign_in() {
    let ada = admin::user("suite-ada");
    let mut browser = Browser::new_signed_in();
    let request = prompt("select_account");
    let page = browser.authorize(&request).login_page();
    let landing = browser.sign_in(&page, &ada, admin::PASSWORD);
    let callback = browser.finish(landing, &ada, admin::PASSWORD);
    let tokens = TokenRequest::code(&request, &callback.code()).tokens();
    let mine = AuthorizationRequest::new(&spa());
    let demo = TokenRequest::code(&mine, &Browser::signed_in().complete(&mine).code()).tokens();
    assert_ne!(jwt::verify(tokens.id()).text("sub"), jwt::verify(demo.id()).text("sub"));
}

/// Core §3.1.2.1: `select_account` without a session is a sign-in.
#[test]
fn select_account_without_a_session_is_a_sign_in() {
    let mut browser = Browser::new();
    let page = browser.authorize(&prompt("select_account")).login_page();
    let landing = browser.sign_in(&page, suite::USERNAME, suite::PASSWORD);
    browser.finish(landing, suite::USERNAME, suite::PASSWORD).code();
}

/// Core §3.1.2.1: values can be combined: sign-in, then consent.
#[test]
fn login_and_consent_ask_for_both() {
    let mut browser = Browser::new_signed_in();
    let request = prompt("login consent");
    let page = browser.authorize(&request).login_page();
    let page = browser.sign_in(&page, suite::USERNAME, suite::PASSWORD).consent_page();
    browser.decide(&page, "allow").callback().code();
}

/// Core §3.1.2.1: `max_age`: a fresh enough sign-in is not repeated; `auth_time` MUST be in the ID token.
#[test]
fn a_fresh_sign_in_is_young_enough() {
    let mut browser = Browser::new_signed_in();
    let request = AuthorizationRequest::new(&spa()).set("max_age", "3600");
    let callback = browser.authorize(&request).callback();
    let auth_time = auth_time(&request, &callback.code());
    assert!((now() - auth_time).abs() < 120, "{auth_time}");
}

/// Core §3.1.2.1: "If the elapsed time is greater than this value, the OP MUST attempt to actively re-authenticate".
#[test]
fn an_old_sign_in_is_repeated() {
    let mut browser = Browser::new_signed_in();
    suite::wait(Duration::from_millis(2300));
    let request = AuthorizationRequest::new(&spa()).set("max_age", "1");
    assert_eq!(browser.authorize(&request.clone().set("prompt", "none")).callback().error(), "login_required");
    let page = browser.authorize(&request).login_page();
    let landing = browser.sign_in(&page, suite::USERNAME, suite::PASSWORD);
    let callback = browser.finish(landing, suite::USERNAME, suite::PASSWORD);
    let auth_time = auth_time(&request, &callback.code());
    assert!((now() - auth_time).abs() < 30, "{auth_time}");
}

/// Core §3.1.2.1: `max_age=0` is the same as `prompt=login`.
#[test]
fn max_age_0_asks_again() {
    let mut browser = Browser::new_signed_in();
    let request = AuthorizationRequest::new(&spa()).set("max_age", "0");
    let page = browser.authorize(&request).login_page();
    let landing = browser.sign_in(&page, suite::USERNAME, suite::PASSWORD);
    browser.finish(landing, suite::USERNAME, suite::PASSWORD).code();
}

/// Core §3.1.2.1: an age is a whole number of seconds.
#[test]
fn a_malformed_max_age_is_refused() {
    for value in ["-1", "x", "1.5", "1e3", "99999999999999999999999", "0x10"] {
        let request = AuthorizationRequest::new(&spa()).set("max_age", value);
        assert_eq!(Browser::signed_in().authorize(&request).callback().error(), "invalid_request", "{value}");
    }
}

/// Core §3.1.2.1: a huge age is no overflow.
#[test]
fn a_huge_max_age_is_accepted() {
    for value in ["4294967296", "9223372036854775807", "18446744073709551615"] {
        let request = AuthorizationRequest::new(&spa()).set("max_age", value);
        Browser::signed_in().authorize(&request).callback().code();
    }
}
