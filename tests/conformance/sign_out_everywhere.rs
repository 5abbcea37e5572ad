//! Sign-out everywhere: all sessions and all grants of a user, those for offline use too.

use suite::{AuthorizationRequest, Browser, Landing, TokenRequest, Tokens, admin, introspection, jwt, spa, trusted};

/// A user with a session in one browser, and tokens of a grant for offline use.
fn visit(username: &str) -> (Browser, Tokens) {
    let mut browser = Browser::new();
    let request = AuthorizationRequest::new(&spa()).offline();
    let code = browser.complete_as(&request, username, admin::PASSWORD).code();
    (browser, TokenRequest::code(&request, &code).tokens())
}

fn is_signed_in(browser: &mut Browser) -> bool {
    let request = AuthorizationRequest::new(&spa()).set("prompt", "none");
    browser.authorize(&request).callback().value("code").is_some()
}

#[track_caller]
fn is_over(tokens: &Tokens) {
    assert!(!tokens.is_live());
    tokens.refresh_request().send().expect_error(400, "invalid_grant");
}

/// The operator ends the sessions and grants of one user, and no others.
#[test]
fn the_operator_can_sign_a_person_out() {
    let (one, two) = (admin::user("suite-out-one"), admin::user("suite-out-two"));
    let ((mut phone, on_phone), (mut desk, on_desk), (mut other, of_other)) = (visit(&one), visit(&one), visit(&two));
    assert!(is_signed_in(&mut phone) && is_signed_in(&mut desk));
    let ended = admin::sign_out(&one);
    assert!(ended["sessions"].as_u64().is_some_and(|count| count >= 2), "{ended}");
    assert!(ended["grants"].as_u64().is_some_and(|count| count >= 2), "{ended}");
    assert!(!is_signed_in(&mut phone) && !is_signed_in(&mut desk));
    is_over(&on_phone);
    is_over(&on_desk);
    assert!(is_signed_in(&mut other) && of_other.is_live());
    of_other.refresh_request().tokens();
    // The user can sign in again, and the new grant is alive.
    let (mut again, tokens) = visit(&one);
    assert!(is_signed_in(&mut again) && tokens.is_live());
}

/// An attacker who knew the old password may be signed in: a new password ends all sessions and grants, unless the operator keeps them.
#[test]
fn a_new_password_ends_sessions_and_grants() {
    const NEXT: &str = "another long password";
    let user = admin::user("suite-out-password");
    let (mut browser, tokens) = visit(&user);
    let kept = admin::set_password(&user, admin::PASSWORD, true);
    assert!(kept["ended"].is_null(), "{kept}");
    assert!(is_signed_in(&mut browser) && tokens.is_live());
    let ended = admin::set_password(&user, NEXT, false);
    assert!(ended["ended"]["sessions"].as_u64().is_some_and(|count| count >= 1), "{ended}");
    assert!(ended["ended"]["grants"].as_u64().is_some_and(|count| count >= 1), "{ended}");
    assert!(!is_signed_in(&mut browser));
    is_over(&tokens);
    let request = AuthorizationRequest::new(&spa()).offline();
    Browser::new().complete_as(&request, &user, NEXT).code();
}

/// RFC 6749 §10.2: the operator can withdraw what a user consented to. The client's grants end, and the user is asked again.
#[test]
fn a_consent_can_be_withdrawn() {
    let user = admin::user("suite-out-consent");
    let (mut browser, tokens) = visit(&user);
    let (_, elsewhere) = visit(&user);
    let listed = admin::consents(&user);
    assert!(listed.as_array().is_some_and(|items| items.iter().any(|item| item["client_id"] == spa().id)), "{listed}");
    assert!(is_signed_in(&mut browser));
    assert_eq!(admin::withdraw(&user, "demo-web")["grants"], 0, "another client");
    assert!(tokens.is_live());
    let ended = admin::withdraw(&user, &spa().id);
    assert!(ended["grants"].as_u64().is_some_and(|count| count >= 2), "{ended}");
    is_over(&tokens);
    is_over(&elsewhere);
    assert_eq!(admin::consents(&user).as_array().map(Vec::len), Some(0));
    browser.authorize(&AuthorizationRequest::new(&spa()).offline()).consent_page();
}

/// Grants from assertions of a trusted issuer about the user end too.
#[test]
fn tokens_of_assertions_end_too() {
    let user = admin::user("suite-out-asserted");
    let grants = r#"grant_types=["urn:ietf:params:oauth:grant-type:jwt-bearer"]"#;
    let client = admin::client("suite-out-assertion", &["--service", "--scope", "read", "--set", grants]);
    let (_, tokens) = visit(&user);
    let subject = jwt::read(tokens.id()).text("sub").to_owned();
    let assertion = trusted::typed(trusted::people(), trusted::claims(trusted::PEOPLE, &subject));
    let asserted = trusted::jwt_bearer(&client, &assertion).tokens();
    assert_eq!(introspection(&client, asserted.access())["active"], true);
    admin::sign_out(&user);
    assert_eq!(introspection(&client, asserted.access())["active"], false);
    is_over(&tokens);
}

/// A user can do the same at the sign-out page.
#[test]
fn a_person_can_sign_out_everywhere() {
    let user = admin::user("suite-out-self");
    let ((mut phone, on_phone), (mut desk, on_desk)) = (visit(&user), visit(&user));
    let page = desk.open("/logout").page();
    let page = desk.decide(&page, "everywhere").page();
    let stayed = desk.decide(&page, "no").page();
    assert_eq!(stayed.select("#signed-out"), ["You are still signed in"]);
    assert!(on_phone.is_live() && is_signed_in(&mut desk), "the page asks first");
    let page = desk.decide(&page, "everywhere-yes").page();
    assert_eq!(page.select("#signed-out"), ["You are signed out"]);
    assert!(page.select("#ended-sessions")[0].starts_with("2 sessions have ended"), "{:?}", page.reply);
    assert_eq!(page.select("#applications li"), ["Demo single-page app"]);
    assert!(!is_signed_in(&mut phone) && !is_signed_in(&mut desk));
    is_over(&on_phone);
    is_over(&on_desk);
}

/// Signing out of one browser leaves the others and offline grants alone.
#[test]
fn signing_out_here_touches_nothing_elsewhere() {
    let user = admin::user("suite-out-here");
    let ((mut phone, on_phone), (mut desk, on_desk)) = (visit(&user), visit(&user));
    let page = desk.open("/logout").page();
    desk.decide(&page, "yes").page();
    assert!(!is_signed_in(&mut desk) && is_signed_in(&mut phone));
    assert!(on_phone.is_live());
    on_desk.refresh_request().tokens();
}

/// The button alone signs out: neither a link nor another site's form does.
#[test]
fn a_link_signs_nobody_out_everywhere() {
    let user = admin::user("suite-out-link");
    let (mut browser, tokens) = visit(&user);
    browser.open("/logout?decision=everywhere").page();
    let page = browser.open("/logout").page();
    let page = browser.decide(&page, "everywhere").page();
    let form = page.deciding("everywhere-yes").expect("the button");
    let forged = [("decision", "everywhere-yes"), ("interaction", form.value("interaction").unwrap()), ("csrf", "x")];
    match browser.post("/logout", &forged) {
        Landing::Page(page) => assert_eq!(page.reply.status, 400, "{:?}", page.reply),
        Landing::Callback(callback) => panic!("{callback:?}"),
    }
    assert!(is_signed_in(&mut browser) && tokens.is_live());
}

/// Removing a user ends all sessions and grants.
#[test]
fn a_removed_person_has_nothing_left() {
    let user = admin::user("suite-out-removed");
    let (mut browser, tokens) = visit(&user);
    admin::remove_user(&user);
    assert!(!is_signed_in(&mut browser));
    is_over(&tokens);
}

/// A disabled user has no session and no token, and the right password is refused as a wrong one. Enabled, the user signs in again.
#[test]
fn a_disabled_user_cannot_sign_in() {
    let user = admin::user("suite-out-disabled");
    let (mut browser, tokens) = visit(&user);
    let disabled = admin::command(&["user", "disable", "--json", &user]);
    assert!(disabled["ended"]["sessions"].as_u64().is_some_and(|count| count >= 1), "{disabled}");
    assert_eq!(admin::command(&["user", "show", "--json", &user])["disabled"], true);
    assert!(!is_signed_in(&mut browser));
    is_over(&tokens);
    let refused = |password: &str| {
        let mut browser = Browser::new();
        let page = browser.authorize(&AuthorizationRequest::new(&spa())).login_page();
        let page = browser.sign_in(&page, &user, password).page();
        (page.reply.status, page.select("[role=alert]"))
    };
    assert_eq!(refused(admin::PASSWORD), refused("a wrong password"));
    let next = "eleven tin soldiers";
    admin::set_password(&user, next, false);
    assert_eq!(refused(next).0, 403, "a new password enables nobody");
    admin::command(&["user", "enable", "--json", &user]);
    let mut browser = Browser::new();
    browser.complete_as(&AuthorizationRequest::new(&spa()), &user, next).code();
}
