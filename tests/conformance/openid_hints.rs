//! `id_token_hint` and `login_hint`: OpenID Connect Core §3.1.2.1, §3.1.2.2.

use suite::{AuthorizationRequest, Browser, Landing, TokenRequest, admin, grant, jwt, spa};

fn other_persons_id_token() -> String {
    let ada = admin::user("suite-ada");
    let request = AuthorizationRequest::new(&spa());
    let code = Browser::new().complete_as(&request, &ada, admin::PASSWORD).code();
    TokenRequest::code(&request, &code).tokens().id().to_owned()
}

fn hinted(hint: &str) -> AuthorizationRequest {
    AuthorizationRequest::new(&spa()).set("id_token_hint", hint)
}

/// Core §3.1.2.1: "If the End-User identified by the ID Token is already logged in … returns a positive response".
#[test]
fn the_hinted_person_goes_on() {
    let hint = grant(&spa()).id().to_owned();
    Browser::signed_in().authorize(&hinted(&hint).set("prompt", "none")).callback().code();
    Browser::signed_in().authorize(&hinted(&hint)).callback().code();
}

/// Core §3.1.2.1: "otherwise, it MUST return an error, such as login_required": another user is signed in.
#[test]
fn somebody_else_is_login_required() {
    let request = hinted(&other_persons_id_token()).set("prompt", "none");
    assert_eq!(Browser::signed_in().authorize(&request).callback().error(), "login_required");
}

/// Core §3.1.2.1: no user is signed in.
#[test]
fn nobody_is_login_required() {
    let request = hinted(grant(&spa()).id()).set("prompt", "none");
    assert_eq!(Browser::new().authorize(&request).callback().error(), "login_required");
}

/// Core §3.1.2.2: "the Authorization Server MUST NOT reply with an ID Token or Access Token for a different user".
#[test]
fn another_person_never_gets_the_answer() {
    let request = hinted(&other_persons_id_token());
    let mut browser = Browser::new_signed_in();
    let page = browser.authorize(&request).login_page();
    match browser.sign_in(&page, suite::USERNAME, suite::PASSWORD) {
        Landing::Callback(callback) => assert_eq!(callback.error(), "login_required"),
        Landing::Page(page) => assert!(page.login().is_some(), "{:?}", page.reply),
    }
}

/// Core §3.1.2.2: the user that the hint names can sign in.
#[test]
fn the_hinted_person_can_sign_in() {
    let hint = other_persons_id_token();
    let request = hinted(&hint);
    let mut browser = Browser::new_signed_in();
    let page = browser.authorize(&request).login_page();
    let landing = browser.sign_in(&page, "suite-ada", admin::PASSWORD);
    let callback = browser.finish(landing, "suite-ada", admin::PASSWORD);
    let tokens = TokenRequest::code(&request, &callback.code()).tokens();
    assert_eq!(jwt::verify(tokens.id()).text("sub"), jwt::read(&hint).text("sub"));
}

/// Core §3.1.2.1: the ID token of another client is accepted as a hint; a forged one is not.
#[test]
fn a_forged_hint_identifies_nobody() {
    let id_token = grant(&spa()).id().to_owned();
    let forged = jwt::tampered(&id_token, |claims| claims["sub"] = "somebody-else".into());
    for hint in ["x", "a.b.c", &jwt::unsigned(&id_token), &forged, grant(&spa()).access()] {
        match Browser::signed_in().authorize(&hinted(hint).set("prompt", "none")) {
            Landing::Callback(callback) => {
                assert!(matches!(callback.error(), "invalid_request" | "login_required"), "{hint}: {callback:?}");
            }
            Landing::Page(page) => panic!("{hint}: {:?}", page.reply),
        }
    }
}

/// Core §3.1.2.1: `login_hint` fills in the name; it is written so that it cannot inject anything.
#[test]
fn the_login_hint_fills_in_the_name() {
    for hint in ["ada@example.com", "demo", "\"><script>alert(1)</script>", "' onfocus=alert(1) x='", "\u{fc}ber"] {
        let request = AuthorizationRequest::new(&spa()).set("login_hint", hint);
        let page = Browser::new().authorize(&request).login_page();
        assert_eq!(page.login().and_then(|form| form.value("username")), Some(hint), "{:?}", page.reply);
        assert!(!page.reply.text().contains("<script>alert"), "{:?}", page.reply);
    }
}

/// Core §3.1.2.1: login_hint is a hint: a signed-in user continues.
#[test]
fn the_login_hint_does_not_bind() {
    let request = AuthorizationRequest::new(&spa()).set("login_hint", "demo");
    Browser::signed_in().authorize(&request).callback().code();
}

/// Core §5.5.1: `sub` asked for in `claims` with a value binds as an ID token hint does.
#[test]
fn a_requested_subject_binds() {
    let sub = jwt::verify(grant(&spa()).id()).text("sub").to_owned();
    let mine = format!(r#"{{"id_token":{{"sub":{{"value":"{sub}"}}}}}}"#);
    let request = AuthorizationRequest::new(&spa()).set("prompt", "none");
    Browser::signed_in().authorize(&request.clone().set("claims", &mine)).callback().code();
    let other = r#"{"id_token":{"sub":{"value":"somebody-else"}}}"#;
    assert_eq!(Browser::signed_in().authorize(&request.set("claims", other)).callback().error(), "login_required");
}
