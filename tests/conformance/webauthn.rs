//! Web Authentication Level 3: registration (§7.1) and sign-in (§7.2), and the pages about passkeys.

use super::password_reset;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use suite::authenticator::{Answer, Authenticator, VERIFIED};
use suite::{AuthorizationRequest, Browser, Call, Form, Landing, Page, TokenRequest, admin, base, mail, random, spa};

/// A new user.
fn user(name: &str) -> String {
    admin::user(&format!("{name}-{}", random().to_lowercase().replace(['-', '_'], "x")))
}

/// A browser in which a new user has signed in to the own account.
fn visit(user: &str) -> Browser {
    let mut browser = Browser::new();
    let page = browser.open("/account").login_page();
    browser.sign_in(&page, user, admin::PASSWORD).page();
    browser
}

/// The host of the server: its RP ID.
fn host() -> String {
    base().split("://").nth(1).and_then(|authority| authority.split(':').next()).expect("a host").to_owned()
}

/// An authenticator in a browser at a page of the server.
fn new_authenticator(alg: &str) -> Authenticator {
    Authenticator::at(base(), alg)
}

/// The form that the script of a page sends.
#[track_caller]
fn form(page: &Page) -> Form {
    let form = page.forms.iter().find(|form| form.has("passkey"));
    form.unwrap_or_else(|| panic!("no form for passkeys: {:?}", page.reply)).clone()
}

/// The options that the script of a page hands to the browser.
#[track_caller]
fn options(page: &Page) -> Value {
    let found = page.attributes("#passkey-form", "data-options");
    serde_json::from_str(&found[0]).expect("options")
}

/// A rule that an answer breaks, and the change that breaks it.
struct Case(&'static str, fn(&mut Answer));

/// Makes a passkey; the test may change the answer.
fn make(browser: &mut Browser, authenticator: &mut Authenticator, change: impl FnOnce(&mut Answer)) -> Page {
    let page = browser.open("/account/passkey/new").page();
    let mut answer = authenticator.create(&options(&page));
    change(&mut answer);
    browser.go(form(&page).call(&[("passkey", &authenticator.registration(&answer))])).page()
}

#[track_caller]
fn is_made(page: &Page) {
    assert_eq!(page.select("#outcome"), ["Your passkey is ready"], "{:?}", page.reply);
}

#[track_caller]
fn is_not_made(page: &Page, reason: &str) {
    assert_eq!(page.reply.status, 400, "{reason}: {:?}", page.reply);
    assert_eq!(page.select("#problem"), ["The passkey was not stored. Try again."], "{reason}");
}

/// Returns an authenticator with a passkey of the user.
fn registered(user: &str, alg: &str) -> Authenticator {
    let mut authenticator = new_authenticator(alg);
    is_made(&make(&mut visit(user), &mut authenticator, |_| {}));
    authenticator
}

/// Signs in with a passkey in a new browser; the test may change the answer.
fn sign_in(authenticator: &mut Authenticator, change: impl FnOnce(&mut Answer)) -> (Browser, Landing) {
    let mut browser = Browser::new();
    let page = browser.open("/account").login_page();
    let mut answer = authenticator.get(&options(&page));
    change(&mut answer);
    let call = form(&page).call(&[("passkey", &authenticator.assertion(&answer))]);
    // A network of its own: rejected answers are counted against it.
    let landing = browser.go(call.through_proxy(&suite::address()));
    (browser, landing)
}

#[track_caller]
fn is_signed_in(landing: Landing) {
    let page = landing.page();
    assert_eq!(page.select("#account"), ["Your account"], "{:?}", page.reply);
}

#[track_caller]
fn is_refused(landing: Landing, reason: &str) {
    let page = landing.page();
    assert_eq!(page.reply.status, 403, "{reason}: {:?}", page.reply);
    assert!(page.select("#problem")[0].starts_with("That passkey does not open an account here"), "{reason}");
}

/// §7.1, §7.2: a passkey of each algorithm signs its user in, without a user name. Tokens say so truthfully.
#[test]
fn a_passkey_signs_its_user_in() {
    for alg in ["ES256", "EdDSA", "RS256"] {
        let mut authenticator = registered(&user("passkey"), alg);
        let mut browser = Browser::new();
        let request = AuthorizationRequest::new(&spa());
        let page = browser.authorize(&request).login_page();
        let answer = authenticator.get(&options(&page));
        let consent = browser.go(form(&page).call(&[("passkey", &authenticator.assertion(&answer))])).consent_page();
        let code = browser.decide(&consent, "allow").callback().code();
        let claims = suite::jwt::read(TokenRequest::code(&request, &code).tokens().id()).claims;
        assert_eq!(claims["acr"], "urn:latchkey:acr:passkey", "{alg}");
        assert_eq!(claims["amr"], json!(["pop", "user", "mfa"]), "{alg}");
    }
}

/// §5.4, §5.5: what the pages ask for.
#[test]
fn the_options_demand_a_verified_user() {
    let user = user("options");
    let mut browser = visit(&user);
    let asked = options(&browser.open("/account/passkey/new").page());
    assert_eq!(asked["rp"]["id"], host());
    assert_eq!(asked["user"]["name"], user);
    assert_eq!(asked["attestation"], "none");
    let selection = json!({ "residentKey": "required", "requireResidentKey": true, "userVerification": "required" });
    assert_eq!(asked["authenticatorSelection"], selection);
    let algorithms = json!([-7, -8, -257]);
    let offered: Value = asked["pubKeyCredParams"].as_array().unwrap().iter().map(|it| it["alg"].clone()).collect();
    assert_eq!(offered, algorithms);
    let handle = URL_SAFE_NO_PAD.decode(asked["user"]["id"].as_str().unwrap()).unwrap();
    assert!((16..=64).contains(&handle.len()));
    let asked = options(&Browser::new().open("/account").login_page());
    assert_eq!((&asked["userVerification"], &asked["allowCredentials"]), (&json!("required"), &json!([])));
    assert_eq!(asked["rpId"], host());
}

/// §7.1 steps 5 to 25: each answer that breaks one rule is rejected.
#[test]
fn a_registration_that_breaks_a_rule_is_rejected() {
    let user = user("broken");
    let mut browser = visit(&user);
    let changes: &[Case] = &[
        Case("another ceremony", |it| it.client_data["type"] = json!("webauthn.get")),
        Case("another challenge", |it| it.client_data["challenge"] = json!("AAAA")),
        Case("another origin", |it| it.client_data["origin"] = json!("https://evil.example")),
        Case("a frame", |it| it.client_data["crossOrigin"] = json!(true)),
        Case("a top origin", |it| it.client_data["topOrigin"] = json!("https://evil.example")),
        Case("another relying party", |it| it.rp_id = "evil.example".to_owned()),
        Case("an absent user", |it| it.flags &= !1),
        Case("an unverified user", |it| it.flags &= !0b100),
        Case("a backup of what has none", |it| it.flags &= !0b1000),
        Case("no attested data", |it| it.flags &= !(1 << 6)),
        Case("extensions that are not there", |it| it.flags |= 1 << 7),
        Case("bytes at the end", |it| it.extra = vec![0xa0]),
        Case("another identifier", |it| it.id = vec![1; 32]),
        Case("a statement of the format none", |it| it.attestation.1 = vec![0xa1, 0x61, b'x', 1]),
        Case("a key that was not offered", |it| it.key = Some(vec![0xa3, 1, 2, 3, 0x38, 0x22, 0x20, 2])),
        Case("a key that is no map", |it| it.key = Some(vec![0x80])),
    ];
    for Case(reason, change) in changes {
        let page = make(&mut browser, &mut new_authenticator("ES256"), change);
        is_not_made(&page, reason);
    }
    assert!(browser.open("/account/sign-in").page().select("#passkeys").is_empty());
    let page = browser.open("/account/passkey/new").page();
    for answer in ["", "{}", "null", "[", "x", &"[".repeat(10_000), &"a".repeat(20_000)] {
        is_not_made(&browser.go(form(&page).call(&[("passkey", answer)])).page(), answer.get(..4).unwrap_or(answer));
    }
}

/// §7.1 step 22, §6.5: no attestation is asked for. A statement of another format is ignored, and so are extensions.
#[test]
fn a_statement_is_not_judged() {
    let mut browser = visit(&user("packed"));
    let changes: [fn(&mut Answer); 2] = [
        |it| it.attestation = ("packed".to_owned(), vec![0xa1, 0x63, b'a', b'l', b'g', 0x26]),
        |it| {
            it.flags |= 1 << 7;
            it.extra = vec![0xa1, 0x61, b'x', 0xf5];
        },
    ];
    for change in changes {
        is_made(&make(&mut browser, &mut new_authenticator("ES256"), change));
    }
}

/// §7.2 steps 5 to 22: each answer that breaks one rule is rejected, and all look the same.
#[test]
fn a_sign_in_that_breaks_a_rule_is_rejected() {
    let (mut authenticator, mut other) = (registered(&user("strict"), "ES256"), registered(&user("other"), "ES256"));
    let changes: &[Case] = &[
        Case("another ceremony", |it| it.client_data["type"] = json!("webauthn.create")),
        Case("another challenge", |it| it.client_data["challenge"] = json!("AAAA")),
        Case("another origin", |it| it.client_data["origin"] = json!("https://evil.example")),
        Case("a frame", |it| it.client_data["crossOrigin"] = json!(true)),
        Case("a top origin", |it| it.client_data["topOrigin"] = json!(base())),
        Case("another relying party", |it| it.rp_id = "evil.example".to_owned()),
        Case("an absent user", |it| it.flags &= !1),
        Case("an unverified user", |it| it.flags &= !0b100),
        Case("another eligibility for backups", |it| it.flags &= !0b1_1000),
        Case("attested data", |it| it.flags |= 1 << 6),
        Case("extensions that are not there", |it| it.flags |= 1 << 7),
        Case("bytes at the end", |it| it.extra = vec![0xa0]),
        Case("an unknown passkey", |it| it.id = vec![1; 32]),
        Case("no user handle", |it| it.user_handle = String::new()),
    ];
    for Case(reason, change) in changes {
        is_refused(sign_in(&mut authenticator, change).1, reason);
    }
    let handle = other.user_handle.clone();
    is_refused(sign_in(&mut authenticator, |it| it.user_handle = handle).1, "the handle of another user");
    let id = other.id.clone();
    is_refused(sign_in(&mut authenticator, |it| it.id = id).1, "the passkey of another user");
    is_signed_in(sign_in(&mut authenticator, |_| {}).1);
    is_signed_in(sign_in(&mut other, |_| {}).1);
}

/// §7.2 step 20: a signature by another key is rejected.
#[test]
fn a_signature_by_another_key_is_rejected() {
    for alg in ["ES256", "EdDSA", "RS256"] {
        let authenticator = registered(&user("signature"), alg);
        let mut forger = new_authenticator(alg);
        forger.id.clone_from(&authenticator.id);
        forger.user_handle.clone_from(&authenticator.user_handle);
        is_refused(sign_in(&mut forger, |_| {}).1, alg);
    }
}

/// §13.4.3: a challenge is accepted once, also if the passkey has no counter, and in its own browser alone.
#[test]
fn an_answer_is_accepted_once() {
    let mut authenticator = registered(&user("replay"), "ES256");
    let mut browser = Browser::new();
    let page = browser.open("/account").login_page();
    let answer = authenticator.get(&options(&page));
    let call = form(&page).call(&[("passkey", &authenticator.assertion(&answer))]);
    let (mut first, mut second) = (browser.clone(), browser.clone());
    is_signed_in(first.go(call.clone()));
    is_refused(second.go(call.through_proxy(&suite::address())), "the same answer again");

    let page = Browser::new().open("/account").login_page();
    let answer = authenticator.get(&options(&page));
    let mut elsewhere = Browser::new();
    let other = elsewhere.open("/account").login_page();
    let call = form(&other).call(&[("passkey", &authenticator.assertion(&answer))]);
    is_refused(elsewhere.go(call.through_proxy(&suite::address())), "the challenge of another browser");
}

/// §6.1.1: a counter that does not rise is that of a copy.
#[test]
fn a_counter_must_rise() {
    let user = user("counter");
    let mut authenticator = new_authenticator("ES256");
    authenticator.flags = VERIFIED;
    authenticator.count = 5;
    is_made(&make(&mut visit(&user), &mut authenticator, |_| {}));
    is_signed_in(sign_in(&mut authenticator, |_| {}).1);
    is_refused(sign_in(&mut authenticator, |it| it.count -= 1).1, "the same counter");
    is_refused(sign_in(&mut authenticator, |it| it.count = 0).1, "no counter");
    is_signed_in(sign_in(&mut authenticator, |_| {}).1);
}

/// §7.1 step 26: an identifier is registered once, for all users, and stays reserved after its removal.
#[test]
fn an_identifier_belongs_to_one_user() {
    let (mine, other) = (user("mine"), user("thief"));
    let mut authenticator = registered(&mine, "ES256");
    let mut copy = new_authenticator("ES256");
    copy.id.clone_from(&authenticator.id);
    is_not_made(&make(&mut visit(&other), &mut copy, |_| {}), "the identifier of another user");
    is_not_made(&make(&mut visit(&mine), &mut copy, |_| {}), "the own identifier");
    is_signed_in(sign_in(&mut authenticator, |_| {}).1);
}

/// The form of one session is rejected in another one, and without its CSRF token. A challenge is bound to its user.
#[test]
fn a_form_belongs_to_its_session() {
    let (mine, other) = (user("bound"), user("unbound"));
    let (mut browser, mut foreign) = (visit(&mine), visit(&other));
    let page = browser.open("/account/passkey/new").page();
    let mut authenticator = new_authenticator("ES256");
    let answer = authenticator.create(&options(&page));
    let json = authenticator.registration(&answer);
    let outcome = foreign.go(form(&page).call(&[("passkey", &json)])).page();
    assert_eq!(outcome.select("#outcome"), ["Nothing was changed"]);
    let outcome = browser.go(form(&page).call(&[("passkey", &json), ("csrf", "x.y")])).page();
    assert_eq!(outcome.select("#outcome"), ["Nothing was changed"]);
    let outcome = browser.go(form(&page).call(&[("passkey", &json), ("handle", "AAAAAAAAAAAAAAAAAAAAAAAA")])).page();
    assert_eq!(outcome.select("#outcome"), ["Nothing was changed"]);
    let own = foreign.open("/account/passkey/new").page();
    let outcome = foreign.go(form(&own).call(&[("passkey", &json)])).page();
    is_not_made(&outcome, "the challenge of another user");
    is_made(&browser.go(form(&page).call(&[("passkey", &json)])).page());
}

/// The user names and removes passkeys. A passkey that was removed signs no user in.
#[test]
fn a_user_names_and_removes_passkeys() {
    let user = user("manage");
    let mut authenticator = registered(&user, "ES256");
    let mut browser = visit(&user);
    let list = browser.open("/account/sign-in").page();
    assert_eq!(list.select("#passkeys li").len(), 1, "{:?}", list.reply);
    let href = list.attributes("#passkeys a", "href").remove(0);
    let page = browser.open(&href).page();
    let call = form(&page).call(&[("name", " <b>Blue</b> key\n "), ("decision", "rename")]);
    let list = browser.go(call).page();
    assert_eq!(list.select("#passkeys strong"), ["<b>Blue</b> key"]);

    // Another user cannot see or change it.
    let mut foreign = visit(&self::user("curious"));
    assert_eq!(foreign.open(&href).page().reply.status, 404);
    let call = form(&page).call(&[("decision", "remove")]);
    assert_eq!(foreign.go(call.clone()).page().reply.status, 404);
    let forged = form(&page).call(&[("decision", "remove"), ("csrf", "x.y")]);
    assert_eq!(browser.go(forged).page().select("#outcome"), ["Nothing was changed"]);

    is_signed_in(sign_in(&mut authenticator, |_| {}).1);
    let outcome = browser.go(call).page();
    assert_eq!(outcome.select("#outcome"), ["The passkey is removed"], "{:?}", outcome.reply);
    let told: Value = serde_json::from_str(&outcome.attributes("#unknown-passkey", "data-passkey")[0]).unwrap();
    assert_eq!(told["credentialId"], URL_SAFE_NO_PAD.encode(&authenticator.id));
    is_refused(sign_in(&mut authenticator, |_| {}).1, "a passkey that was removed");
}

/// "This was not me" removes each passkey: an attacker may have made one.
#[test]
fn a_disowned_act_removes_each_passkey() {
    let (user, address) = password_reset::user("disowned-passkey");
    let mut authenticator = registered(&user, "ES256");
    is_signed_in(sign_in(&mut authenticator, |_| {}).1);
    let notice = mail::wait_for(&address, "method_added", 1).remove(0);
    assert!(notice.text("text").contains("passkey"), "{notice:?}");
    assert_eq!(password_reset::disown(&notice).select("#outcome"), ["Your account is safe again"]);
    is_refused(sign_in(&mut authenticator, |_| {}).1, "a passkey of a disowned act");
}

/// An operator helps a user who lost a device: all passkeys go, with all sessions.
#[test]
fn an_operator_removes_lost_passkeys() {
    let user = user("lost-passkey");
    let mut authenticator = registered(&user, "ES256");
    let (mut browser, landing) = sign_in(&mut authenticator, |_| {});
    is_signed_in(landing);
    let methods = admin::command(&["user", "sign-in-methods", "--json", &user]);
    assert_eq!(methods["passkeys"].as_array().map(Vec::len), Some(1), "{methods}");
    admin::command(&["user", "remove-passkeys", "--json", "--yes", &user]);
    assert!(browser.open("/account").page().login().is_some());
    is_refused(sign_in(&mut authenticator, |_| {}).1, "a passkey that an operator removed");
    assert_eq!(admin::command(&["user", "sign-in-methods", "--json", &user])["passkeys"], json!([]));
}

/// A user who was disabled, or deleted, does not sign in with a passkey.
#[test]
fn a_disabled_user_does_not_sign_in() {
    let user = user("disabled");
    let mut authenticator = registered(&user, "ES256");
    admin::command(&["user", "disable", "--json", &user]);
    is_refused(sign_in(&mut authenticator, |_| {}).1, "disabled");
    admin::command(&["user", "enable", "--json", &user]);
    is_signed_in(sign_in(&mut authenticator, |_| {}).1);
    admin::remove_user(&user);
    is_refused(sign_in(&mut authenticator, |_| {}).1, "removed");
}

/// A user who signs in with a password at a device that can hold a passkey is offered one, once in a browser.
#[test]
fn a_passkey_is_offered_once() {
    let user = user("offered");
    let mut browser = Browser::new();
    let request = AuthorizationRequest::new(&spa());
    let credentials = [("username", user.as_str()), ("password", admin::PASSWORD), ("platform_authenticator", "yes")];
    let page = browser.authorize(&request).login_page();
    let offer = browser.go(page.login().unwrap().call(&credentials)).page();
    assert_eq!(offer.reply.url().path(), "/account/passkey/new", "{:?}", offer.reply);
    let mut authenticator = new_authenticator("ES256");
    let answer = authenticator.create(&options(&offer));
    let call = form(&offer).call(&[("passkey", &authenticator.registration(&answer))]);
    browser.clone().go(call.clone()).consent_page();
    let not_now = offer.attributes("#not-now", "href").remove(0);
    browser.open(&not_now).consent_page();

    let mut again = browser;
    again.forget("latchkey_session");
    let page = again.authorize(&request).login_page();
    again.go(page.login().unwrap().call(&credentials)).consent_page();
    // In another browser the user has one already.
    let mut other = Browser::new();
    let page = other.authorize(&request).login_page();
    other.go(page.login().unwrap().call(&credentials)).consent_page();
    is_signed_in(sign_in(&mut authenticator, |_| {}).1);
    let forged = Call::get("/account/passkey/new?continue=https://evil.example");
    assert_eq!(again.go(forged).page().attributes("#not-now", "href"), ["/account/sign-in"]);
}

/// W3C Passkey Endpoints: password managers find the pages.
#[test]
fn password_managers_find_the_pages() {
    let reply = Call::get("/.well-known/passkey-endpoints").send();
    assert_eq!(reply.status, 200);
    let expected = json!({
        "enroll": format!("{}/account/passkey/new", base()),
        "manage": format!("{}/account/sign-in", base()),
    });
    assert_eq!(reply.json(), expected);
}
