//! The second factor after a password: codes of an authenticator app (RFC 6238), and recovery codes.

use super::password_reset;
use aws_lc_rs::hmac;
use serde_json::json;
use suite::{
    AuthorizationRequest, Browser, Form, Landing, Page, TokenRequest, admin, jwt, mail, now, race, random, spa,
};

/// A new user.
fn user(name: &str) -> String {
    admin::user(&format!("{name}-{}", random().to_lowercase().replace(['-', '_'], "x")))
}

/// Returns the code of a secret in base32 at a time, in seconds since the epoch.
fn code_at(secret: &str, seconds: i64) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digits = secret.chars().filter(|c| *c != ' ').map(|c| ALPHABET.find(c).expect("base32") as u64);
    let digits: Vec<u64> = digits.collect();
    let bytes: Vec<u8> = digits
        .chunks(8)
        .flat_map(|chunk| {
            let number = chunk.iter().fold(0_u64, |number, digit| number << 5 | digit);
            number.to_be_bytes()[3..].to_vec()
        })
        .collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    let digest = hmac::sign(&key, &(seconds / 30).to_be_bytes());
    let digest = digest.as_ref();
    let offset = usize::from(digest[19] & 15);
    let number = u32::from_be_bytes(digest[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// A user with an authenticator app.
struct Enrolled {
    user: String,
    secret: String,
    recovery_codes: Vec<String>,
    /// The browser in which the app was set up.
    browser: Browser,
    /// The step of the code that set it up.
    used_at: i64,
}

/// A browser in which a user has signed in to the own account.
fn visit(user: &str) -> Browser {
    let mut browser = Browser::new();
    let page = browser.open("/account").login_page();
    browser.sign_in(&page, user, admin::PASSWORD).page();
    browser
}

fn form(page: &Page, field: &str) -> Form {
    page.forms.iter().find(|form| form.has(field)).unwrap_or_else(|| panic!("no {field}: {:?}", page.reply)).clone()
}

fn enrol(user: String) -> Enrolled {
    let mut browser = visit(&user);
    let page = browser.open("/account/authenticator").page();
    let secret = page.select("#secret").remove(0);
    let used_at = now();
    let codes = browser.submit(&form(&page, "one_time_code"), &[("one_time_code", &code_at(&secret, used_at))]).page();
    let recovery_codes = codes.select("#recovery-codes li");
    assert_eq!(recovery_codes.len(), 10, "{:?}", codes.reply);
    Enrolled { user, secret, recovery_codes, browser, used_at }
}

impl Enrolled {
    /// A code that was not used yet: that of the next step.
    fn fresh_code(&self) -> String {
        code_at(&self.secret, self.used_at + 30)
    }
}

/// Sends the password in a new browser. Returns the page of the second step.
fn first_step(user: &str) -> (Browser, Page) {
    let mut browser = Browser::new();
    let page = browser.open("/account").login_page();
    let page = browser.sign_in(&page, user, admin::PASSWORD).page();
    assert_eq!(page.select("#second-step"), ["Second step"], "{:?}", page.reply);
    (browser, page)
}

/// Sends a code from a network of its own.
fn second_step(browser: &mut Browser, page: &Page, code: &str) -> Landing {
    browser.go(form(page, "one_time_code").call(&[("one_time_code", code)]).through_proxy(&suite::address()))
}

#[track_caller]
fn is_signed_in(landing: Landing) {
    let page = landing.page();
    assert_eq!(page.select("#account"), ["Your account"], "{:?}", page.reply);
}

#[track_caller]
fn is_refused(landing: Landing, reason: &str) -> Page {
    let page = landing.page();
    assert_eq!(page.reply.status, 403, "{reason}: {:?}", page.reply);
    assert!(page.select("#problem")[0].starts_with("That code is wrong, or was used before"), "{reason}");
    page
}

/// RFC 6238: the password alone opens nothing; with a code the user is signed in, and tokens say so truthfully.
#[test]
fn a_code_must_follow_the_password() {
    let enrolled = enrol(user("totp"));
    let mut browser = Browser::new();
    let request = AuthorizationRequest::new(&spa());
    let page = browser.authorize(&request).login_page();
    let page = browser.sign_in(&page, &enrolled.user, admin::PASSWORD).page();
    assert!(browser.cookies().keys().all(|name| !name.ends_with("latchkey_session")), "no session yet");
    browser.clone().authorize(&request).login_page();
    let consent = second_step(&mut browser, &page, &enrolled.fresh_code()).consent_page();
    let code = browser.decide(&consent, "allow").callback().code();
    let claims = jwt::verify(TokenRequest::code(&request, &code).tokens().id()).claims;
    assert_eq!(claims["acr"], "urn:latchkey:acr:mfa");
    assert_eq!(claims["amr"], json!(["pwd", "otp", "mfa"]));
}

/// RFC 6238 §5.2: a code is accepted once, also if two requests send it at the same moment; the code of the set-up counts.
#[test]
fn a_code_is_accepted_once() {
    let enrolled = enrol(user("once"));
    let (mut browser, page) = first_step(&enrolled.user);
    is_refused(
        second_step(&mut browser, &page, &code_at(&enrolled.secret, enrolled.used_at)),
        "the code of the set-up",
    );
    let code = enrolled.fresh_code();
    let calls: Vec<_> = (0..4)
        .map(|_| first_step(&enrolled.user))
        .map(|(browser, page)| {
            browser.with_cookies(
                form(&page, "one_time_code").call(&[("one_time_code", &code)]).through_proxy(&suite::address()),
            )
        })
        .collect();
    let statuses = race(calls.len(), |index| calls[index].clone().send().status);
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
}

/// Wrong codes are rejected, and counted: a guesser is stopped, and the user is not.
#[test]
fn guesses_of_codes_are_counted() {
    let mut enrolled = enrol(user("guess"));
    let network = suite::address();
    let mut guesser = Browser::new();
    let page = guesser.open("/account").login_page();
    let page = guesser.sign_in(&page, &enrolled.user, admin::PASSWORD).page();
    let statuses: Vec<u16> = (0..8)
        .map(|_| {
            let call = form(&page, "one_time_code").call(&[("one_time_code", "000000")]).through_proxy(&network);
            guesser.go(call).page().reply.status
        })
        .collect();
    assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 5, "{statuses:?}");
    assert!(statuses.ends_with(&[429, 429, 429]), "{statuses:?}");
    let code = enrolled.fresh_code();
    let call = form(&page, "one_time_code").call(&[("one_time_code", code.as_str())]).through_proxy(&network);
    assert_eq!(guesser.go(call).page().reply.status, 429, "the right code, from the network that guesses");
    // The browser in which the user signed in before has a limit of its own.
    enrolled.browser.forget("latchkey_session");
    enrolled.browser.forget("__Host-latchkey_session");
    let page = enrolled.browser.open("/account").login_page();
    let page = enrolled.browser.sign_in(&page, &enrolled.user, admin::PASSWORD).page();
    is_signed_in(second_step(&mut enrolled.browser, &page, &code));
}

/// A recovery code stands in for the app, once. It does not replace the password.
#[test]
fn a_recovery_code_works_once() {
    let enrolled = enrol(user("recovery"));
    let (code, other) = (&enrolled.recovery_codes[0], &enrolled.recovery_codes[1]);
    let (mut browser, page) = first_step(&enrolled.user);
    is_refused(second_step(&mut browser, &page, "0000-0000-00000"), "no code of the set");
    is_signed_in(second_step(&mut browser, &page, &code.to_lowercase().replace('-', " ")));
    let (mut second, page) = first_step(&enrolled.user);
    is_refused(second_step(&mut second, &page, code), "used before");
    is_signed_in(second_step(&mut second, &page, other));
    let left = second.open("/account/recovery-codes").page();
    assert_eq!(left.select("#codes-left"), ["8"]);

    let renewed = second.submit(&form(&left, "csrf"), &[]).page();
    let new = renewed.select("#recovery-codes li");
    assert_eq!(new.len(), 10, "{:?}", renewed.reply);
    let (mut third, page) = first_step(&enrolled.user);
    is_refused(second_step(&mut third, &page, &enrolled.recovery_codes[2]), "a code of the earlier set");
    is_signed_in(second_step(&mut third, &page, &new[0]));
}

/// The proof of the first step belongs to its browser and its request.
#[test]
fn a_second_step_needs_its_first() {
    let enrolled = enrol(user("binding"));
    let (mut browser, page) = first_step(&enrolled.user);
    let passed = form(&page, "passed").value("passed").expect("a proof").to_owned();
    let mut elsewhere = Browser::new();
    let login = elsewhere.open("/account").login_page();
    let code = enrolled.fresh_code();
    let call = login.login().expect("a form").call(&[("passed", &passed), ("one_time_code", &code)]);
    let landed = elsewhere.go(call.through_proxy(&suite::address())).page();
    assert_eq!(landed.reply.status, 400, "{:?}", landed.reply);
    assert!(landed.login().is_some(), "the user starts again");
    for forged in ["x", "{}", &suite::altered(&passed, 20)] {
        let call = form(&page, "passed").call(&[("passed", forged), ("one_time_code", &code)]);
        let landed = browser.go(call.through_proxy(&suite::address())).page();
        assert_eq!(landed.reply.status, 400, "{:?}", landed.reply);
    }
    let call = form(&page, "passed").call(&[("csrf", "x"), ("one_time_code", &code)]);
    assert_eq!(browser.go(call.through_proxy(&suite::address())).page().reply.status, 400);
    is_signed_in(second_step(&mut browser, &page, &code));
}

/// A wrong code sets nothing up, and neither does the form of another session. What one user was shown is no secret of another.
#[test]
fn an_app_is_set_up_by_its_first_code() {
    let (mine, other) = (user("setup"), user("setup-other"));
    let (mut browser, mut foreign) = (visit(&mine), visit(&other));
    let page = browser.open("/account/authenticator").page();
    let again = browser.submit(&form(&page, "one_time_code"), &[("one_time_code", "000000")]).page();
    assert_eq!(again.reply.status, 400, "{:?}", again.reply);
    assert_eq!(again.select("#secret"), page.select("#secret"), "the app has it already");
    let code = code_at(&page.select("#secret")[0], now());
    let stolen = foreign.submit(&form(&page, "one_time_code"), &[("one_time_code", &code)]).page();
    assert_eq!(stolen.select("#outcome"), ["Nothing was changed"]);
    let forged = browser.submit(&form(&page, "one_time_code"), &[("one_time_code", &code), ("csrf", "x.y")]).page();
    assert_eq!(forged.select("#outcome"), ["Nothing was changed"]);
    assert_eq!(browser.open("/account/sign-in").page().select("#second-step li").len(), 1);
    assert_eq!(browser.open("/account/recovery-codes").page().reply.status, 404);
}

/// Without the app the password suffices again. A new password of an operator does not remove the second factor.
#[test]
fn only_its_user_removes_an_app() {
    let mut enrolled = enrol(user("removal"));
    admin::set_password(&enrolled.user, admin::PASSWORD, true);
    first_step(&enrolled.user);
    let page = enrolled.browser.open("/account/authenticator").page();
    assert_eq!(page.select("#codes-left"), ["10"]);
    let outcome = enrolled.browser.submit(&form(&page, "csrf"), &[("decision", "remove")]).page();
    assert_eq!(outcome.select("#outcome"), ["The app is removed"], "{:?}", outcome.reply);
    visit(&enrolled.user).open("/account").page();
    assert!(!outcome.reply.text().contains("second-step"));
}

/// Chooses a new password by the latest of `count` mails.
fn reset(address: &str, count: usize) {
    let link = mail::wait_for(address, "password_reset", count).last().expect("a mail").link();
    let mut browser = Browser::new();
    let page = browser.open(&link).page();
    let fields = [("password", admin::PASSWORD), ("repeated", admin::PASSWORD)];
    let done = browser.submit(&form(&page, "repeated"), &fields).page();
    assert_eq!(done.select("#outcome"), ["Your new password is set"], "{:?}", done.reply);
}

/// The user receives a notice about each change of the second factor, and about each use of a recovery code.
#[test]
fn changes_of_the_second_factor_cause_notices() {
    let (user, address) = password_reset::user("told");
    let mut enrolled = enrol(user);
    let added = mail::wait_for(&address, "method_added", 1);
    assert!(added[0].text("text").contains("authenticator app"), "{added:?}");
    let (mut browser, page) = first_step(&enrolled.user);
    is_signed_in(second_step(&mut browser, &page, &enrolled.recovery_codes[0]));
    mail::wait_for(&address, "recovery_code_used", 1);
    let page = enrolled.browser.open("/account/recovery-codes").page();
    enrolled.browser.submit(&form(&page, "csrf"), &[]).page();
    mail::wait_for(&address, "method_added", 2);
    let page = enrolled.browser.open("/account/authenticator").page();
    enrolled.browser.submit(&form(&page, "csrf"), &[("decision", "remove")]).page();
    mail::wait_for(&address, "method_removed", 1);
}

/// An attacker who sets up an app locks the user out. The link of the notice removes this app.
#[test]
fn an_app_of_an_attacker_is_removed_by_its_notice() {
    let (user, address) = password_reset::user("disowned-app");
    enrol(user.clone());
    let notice = mail::wait_for(&address, "method_added", 1).remove(0);
    assert_eq!(password_reset::disown(&notice).select("#outcome"), ["Your account is safe again"]);
    reset(&address, 1);
    visit(&user);
}

/// The mailbox alone removes no second factor: neither a notice about another act nor one about an earlier app does.
#[test]
fn a_notice_about_another_act_keeps_the_app() {
    let (user, address) = password_reset::user("kept-app");
    let mut enrolled = enrol(user.clone());
    let earlier = mail::wait_for(&address, "method_added", 1).remove(0);
    let page = enrolled.browser.open("/account/authenticator").page();
    enrolled.browser.submit(&form(&page, "csrf"), &[("decision", "remove")]).page();
    let removed = mail::wait_for(&address, "method_removed", 1).remove(0);
    // The time of the first app is another one.
    std::thread::sleep(std::time::Duration::from_secs(1));
    enrol(user.clone());
    for (index, notice) in [earlier, removed].iter().enumerate() {
        assert_eq!(password_reset::disown(notice).select("#outcome"), ["Your account is safe again"]);
        reset(&address, index + 1);
        first_step(&user);
    }
}

/// An operator helps a user who lost the app: the second factor goes, with all sessions and grants, and the user receives a notice.
#[test]
fn an_operator_removes_a_lost_app() {
    let (user, address) = password_reset::user("lost-app");
    let mut enrolled = enrol(user.clone());
    let methods = admin::command(&["user", "sign-in-methods", "--json", &user]);
    assert_eq!(methods["authenticator_app"]["recovery_codes_left"], 10, "{methods}");
    assert!(!methods.to_string().contains(&enrolled.secret.replace(' ', "")));
    let ended = admin::command(&["user", "remove-second-factor", "--json", "--yes", &user]);
    assert!(ended["sessions"].as_u64() >= Some(1), "{ended}");
    assert!(enrolled.browser.open("/account").page().login().is_some());
    visit(&user);
    assert!(admin::command(&["user", "sign-in-methods", "--json", &user])["authenticator_app"].is_null());
    mail::wait_for(&address, "method_removed", 1);
}

/// An operator finds users by their addresses, and exports what is stored about one: no credential, no token.
#[test]
fn an_operator_finds_and_exports_a_user() {
    let (user, address) = password_reset::user("exported");
    let enrolled = enrol(user.clone());
    let found = admin::command(&["user", "list", "--json", "--email", &address.to_uppercase()]);
    assert_eq!(found[0]["username"], user, "{found}");
    assert_eq!(admin::command(&["user", "list", "--json", "--email", "nobody@mail.example"]), json!([]));
    let refused = admin::refused(&["user", "list", "--email", "a@b, c@d"], "");
    assert!(refused.contains("email"), "{refused}");
    let data = admin::command(&["user", "export", "--json", &user]);
    assert_eq!((&data["username"], &data["claims"]["email"]), (&json!(user), &json!(address)));
    assert_eq!(data["sign_in_methods"]["authenticator_app"]["recovery_codes_left"], 10);
    assert_eq!(data["sessions"].as_array().map(Vec::len), Some(1), "{data}");
    for secret in [enrolled.secret.replace(' ', ""), enrolled.recovery_codes[0].clone(), "argon2".to_owned()] {
        assert!(!data.to_string().contains(&secret), "{secret}");
    }
}
