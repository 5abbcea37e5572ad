//! The pages say which user is asked, and for what.

use suite::{AuthorizationRequest, Browser, PASSWORD, Page, TokenRequest, USERNAME, admin, spa};

fn request() -> AuthorizationRequest {
    AuthorizationRequest::new(&spa())
}

/// OpenID Connect Core §3.1.2.1: a `login_hint` that names another user than the one who is signed in leads to the choice of the
/// account. Without a page there is no choice (§3.1.2.6).
#[test]
fn a_login_hint_that_names_another_user_leads_to_the_account_choice() {
    let mut browser = Browser::signed_in();
    for hint in [USERNAME, "DEMO", "demo@example.com", "Demo@Example.com"] {
        browser.authorize(&request().set("login_hint", hint)).callback().code();
        browser.authorize(&request().set("login_hint", hint).set("prompt", "none")).callback().code();
    }
    let hinted = request().set("login_hint", "somebody@example.com");
    let page = browser.authorize(&hinted).login_page();
    assert!(page.deciding("continue").is_some(), "{}", page.text());
    assert_eq!(page.attributes("#username", "value"), ["somebody@example.com"]);
    assert_eq!(page.attributes("details#other", "open").len(), 1, "the form for the other account is open");
    browser.decide(&page, "continue").callback().code();
    let error = browser.authorize(&hinted.set("prompt", "none")).callback();
    assert_eq!(error.error(), "account_selection_required");
}

/// A wrong password for another account keeps the choice of the account.
#[test]
fn a_wrong_password_for_another_account_keeps_the_choice() {
    let mut browser = Browser::new_signed_in();
    let page = browser.authorize(&request().set("prompt", "select_account")).login_page();
    assert!(page.attributes("details#other", "open").is_empty());
    let page = browser.sign_in(&page, "suite-nobody-else", "wrong").page();
    assert_eq!(page.reply.status, 403);
    assert_eq!(page.attributes("details#other", "open").len(), 1);
    browser.decide(&page, "continue").callback().code();
}

/// OpenID Connect Core §3.1.2.1: a user who must sign in again is named, by the display name and the sign-in name.
#[test]
fn a_user_who_must_sign_in_again_is_named() {
    let mut browser = Browser::new_signed_in();
    for (name, value) in [("prompt", "login"), ("max_age", "0")] {
        let page = browser.authorize(&request().set(name, value)).login_page();
        assert_eq!(page.select("#confirm #user"), ["Demo User"], "{name}");
        assert_eq!(page.select("#confirm #user-name"), [USERNAME]);
        assert_eq!(page.attributes("#username", "value"), [USERNAME]);
        let wrong = browser.sign_in(&page, USERNAME, "wrong").page();
        assert_eq!(wrong.select("#confirm #user"), ["Demo User"], "after a wrong password");
        let landing = browser.sign_in(&wrong, USERNAME, PASSWORD);
        browser.finish(landing, USERNAME, PASSWORD).code();
    }
    let page = Browser::new().authorize(&request().set("prompt", "login")).login_page();
    assert!(page.select("#confirm").is_empty(), "no user is signed in");
    let consent = browser.authorize(&request().set("prompt", "consent")).consent_page();
    assert_eq!(consent.select("#user-name"), [USERNAME]);
    let other = browser.decide(&consent, "switch").login_page();
    assert!(other.select("#confirm").is_empty(), "the user asked for another account");
}

/// OpenID Connect Core §3.1.2.2: the page says that the request names another user than the one who is signed in.
#[test]
fn a_request_for_another_user_says_so() {
    let mut browser = Browser::new_signed_in();
    let claims = r#"{"id_token":{"sub":{"value":"suite-somebody"}}}"#;
    let page = browser.authorize(&request().set("claims", claims)).login_page();
    assert_eq!(page.select("#other-user #user"), ["Demo User"]);
}

fn scopes(page: &Page) -> Vec<String> {
    page.select("#scopes code")
}

/// Scopes are a plain list. `openid` says nothing that the page does not say, and scopes beyond an earlier consent are marked.
#[test]
fn consent_lists_scopes_and_marks_new_ones() {
    let scope = "scope=openid profile email";
    let client = admin::client("suite-new-scopes", &["--set", "token_endpoint_auth_method=none", "--set", scope]);
    let asks = |scope| AuthorizationRequest::new(&client).scope(scope);
    let mut browser = Browser::new_signed_in();
    let page = browser.authorize(&asks("openid")).consent_page();
    assert!(scopes(&page).is_empty());
    assert_eq!(page.select("#identity-only").len(), 1);
    browser.decide(&page, "deny").callback();
    let page = browser.authorize(&asks("openid email")).consent_page();
    assert_eq!(scopes(&page), ["email"]);
    assert!(page.select(".new").is_empty(), "nothing was granted before");
    browser.decide(&page, "allow").callback().code();
    let page = browser.authorize(&asks("openid profile email")).consent_page();
    assert_eq!(scopes(&page), ["profile", "email"]);
    let new = page.select("#scopes li:has(.new) code");
    assert_eq!(new, ["profile"]);
    browser.decide(&page, "allow").callback().code();
    let page = browser.authorize(&asks("openid profile email").set("prompt", "consent")).consent_page();
    assert!(page.select(".new").is_empty(), "everything was granted before");
}

/// OpenID Connect Core §5.5.1, §3.1.2.4: claims that are requested by name are shown as themselves, not as their scopes. The user may
/// refuse a claim that the client does not need, and the refusal is remembered.
#[test]
fn single_claims_are_asked_for_and_remembered_as_themselves() {
    let scope = "scope=openid email phone";
    let client = admin::client("suite-single-claims", &["--set", "token_endpoint_auth_method=none", "--set", scope]);
    let claims = r#"{"userinfo":{"email":{"essential":true},"phone_number":null,"email_verified":null}}"#;
    let request = AuthorizationRequest::new(&client).scope("openid").set("claims", claims);
    let mut browser = Browser::new_signed_in();
    let page = browser.authorize(&request).consent_page();
    assert_eq!(scopes(&page), ["email"], "the claim that the client needs");
    assert_eq!(page.select("#optional code"), ["email_verified", "phone_number"]);
    let form = page.consent().expect("the form").clone();
    let without: Vec<(String, String)> = form
        .filled(&[("decision", "allow")])
        .into_iter()
        .filter(|(name, _)| name != "claim-phone_number" && name != "claim-email_verified")
        .collect();
    let code = browser.post("/consent", &without).callback().code();
    let released = |code: &str| {
        let tokens = TokenRequest::code(&request, code).tokens();
        suite::Call::get("/userinfo").bearer(tokens.access()).send().expect(200).json()
    };
    let claims = released(&code);
    assert!(claims["email"].is_string(), "{claims}");
    assert!(claims.get("phone_number").is_none() && claims.get("email_verified").is_none(), "{claims}");
    let claims = released(&browser.authorize(&request).callback().code());
    assert!(claims["email"].is_string() && claims.get("phone_number").is_none(), "remembered: {claims}");
    let again = request.clone().set("prompt", "consent");
    let page = browser.authorize(&again).consent_page();
    assert!(page.attributes("#claim-phone_number", "checked").is_empty(), "the refusal is remembered");
    let landing =
        browser.submit(page.consent().expect("the form"), &[("decision", "allow"), ("claim-phone_number", "yes")]);
    let claims = released(&landing.callback().code());
    assert!(claims["phone_number"].is_string(), "{claims}");
    let whole = AuthorizationRequest::new(&client).scope("openid email").set("prompt", "none");
    assert_eq!(browser.authorize(&whole).callback().error(), "consent_required", "a claim is not its scope");
}
