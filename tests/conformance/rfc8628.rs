//! Device authorization (RFC 8628).

use serde_json::Value;
use std::time::{Duration, Instant};
use suite::device::{enter, enter_once};
use suite::{
    AuthorizationRequest, Browser, CALLERS, Call, Client, Landing, Page, Reply, TokenRequest, Tokens, admin, at_once,
    issuer, jwt, revoke, service, spa, userinfo,
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn demo() -> Client {
    Client::public("demo-device")
}

fn confidential() -> Client {
    admin::client(
        "suite-device",
        &["--confidential", "--set", &format!("grant_types=[\"{GRANT}\"]"), "--set", "scope=openid profile"],
    )
}

fn ask(client: &Client, parameters: &[(&str, &str)]) -> Reply {
    let call = Call::post("/device_authorization");
    let mut form = parameters.to_vec();
    match &client.secret {
        Some(secret) => call.basic(&client.id, secret),
        None => {
            form.push(("client_id", &client.id));
            call
        }
    }
    .form(&form)
    .send()
}

/// A device that shows its code.
struct Device {
    client: Client,
    document: Value,
}

impl Device {
    #[track_caller]
    fn of(client: &Client, scope: &str) -> Self {
        let reply = ask(client, &[("scope", scope)]).expect(200).expect_no_store();
        Self { client: client.clone(), document: reply.json() }
    }

    fn new() -> Self {
        Self::of(&demo(), "openid profile offline_access")
    }

    #[track_caller]
    fn text(&self, name: &str) -> &str {
        self.document[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.document))
    }

    fn poll(&self) -> TokenRequest {
        TokenRequest::new(&self.client, GRANT).set("device_code", self.text("device_code"))
    }

    /// Polls as a patient device, until there is another answer than to go on.
    fn patiently(&self) -> Reply {
        for seconds in [10, 15, 20] {
            let reply = self.poll().send();
            if reply.status == 200 || reply.json()["error"] != "slow_down" {
                return reply;
            }
            suite::wait(Duration::from_secs(seconds));
        }
        panic!("told to slow down for ever")
    }

    /// The page that asks for approval, in this browser.
    #[track_caller]
    fn consent(&self, browser: &mut Browser) -> Page {
        consent(enter(browser, self.text("user_code")), browser)
    }

    #[track_caller]
    fn approve(&self) -> Page {
        let mut browser = Browser::signed_in();
        let page = self.consent(&mut browser);
        browser.decide(&page, "allow").page()
    }
}

#[track_caller]
fn consent(landing: Landing, browser: &mut Browser) -> Page {
    let page = landing.page();
    if page.login().is_some() {
        return browser.sign_in(&page, suite::USERNAME, suite::PASSWORD).consent_page();
    }
    assert!(page.consent().is_some(), "expected the page that asks for approval: {:?}", page.reply);
    page
}

/// §3.2: all members; a short code in a character set without vowels; the codes are not alike.
#[test]
fn the_response_has_every_member() {
    let (one, two) = (Device::new(), Device::new());
    assert_eq!(one.text("verification_uri"), format!("{}/device", issuer()));
    let code = one.text("user_code");
    assert_eq!(one.text("verification_uri_complete"), format!("{}/device?user_code={code}", issuer()));
    assert!(one.document["expires_in"].as_u64().is_some_and(|seconds| (60..=3600).contains(&seconds)));
    assert_eq!(one.document["interval"], 5);
    let (first, second) = code.split_once('-').expect("a dash");
    for part in [first, second] {
        assert!(part.len() == 4 && part.bytes().all(|letter| b"BCDFGHJKLMNPQRSTVWXZ".contains(&letter)), "{code}");
    }
    assert_ne!(one.text("user_code"), two.text("user_code"));
    assert_ne!(one.text("device_code"), two.text("device_code"));
    assert!(one.text("device_code").len() >= 64);
}

/// §4: metadata.
#[test]
fn metadata_names_the_endpoint() {
    let document = Call::get("/.well-known/openid-configuration").send().json();
    assert_eq!(document["device_authorization_endpoint"], format!("{}/device_authorization", issuer()));
    assert!(document["grant_types_supported"].as_array().unwrap().iter().any(|grant| grant == GRANT));
}

/// §3.1: the clients that may start device authorization, and the scopes.
#[test]
fn requests_are_checked() {
    ask(&spa(), &[]).expect_error(400, "unauthorized_client");
    ask(&service(), &[]).expect_error(400, "unauthorized_client");
    ask(&Client::public("nobody"), &[]).expect_error(401, "invalid_client");
    ask(&Client::confidential("demo-web", "wrong"), &[]).expect_error(401, "invalid_client");
    ask(&Client::public(&confidential().id), &[]).expect_error(401, "invalid_client");
    ask(&demo(), &[("scope", "nothing")]).expect_error(400, "invalid_scope");
    ask(&demo(), &[("scope", "open\"id")]).expect_error(400, "invalid_scope");
    ask(&demo(), &[("scope", "openid"), ("scope", "openid")]).expect_error(400, "invalid_request");
    ask(&demo(), &[("resource", "https://unknown.example/")]).expect_error(400, "invalid_target");
    ask(&demo(), &[]).expect(200);
    Call::post("/device_authorization").body("application/json", "{}").send().expect_error(400, "invalid_request");
    Call::get("/device_authorization").send().expect(405);
}

/// §3.4: which polls are no polls at all.
#[test]
fn polls_are_checked() {
    let device = Device::new();
    device.poll().without("device_code").send().expect_error(400, "invalid_request");
    device.poll().also("device_code", "x").send().expect_error(400, "invalid_request");
    device.poll().by(&confidential()).send().expect_error(400, "invalid_grant");
    device.poll().by(&spa()).send().expect_error(400, "unauthorized_client");
    device.poll().by(&Client::public("nobody")).send().expect_error(401, "invalid_client");
    let code = device.text("device_code");
    let user_code = device.text("user_code");
    for wrong in
        ["x", "lkd_", &code[..code.len() - 1], &format!("{code}A"), &code.replacen("lkd_", "lkc_", 1), user_code]
    {
        device.poll().set("device_code", wrong).send().expect_error(400, "invalid_grant");
    }
    // A code of one kind is never taken for another.
    TokenRequest::refresh(&demo(), code).send().expect_error(400, "invalid_grant");
    device.poll().send().expect_error(400, "authorization_pending");
}

/// §3.3, §3.5: the whole way; sign-in, approval, tokens; and the refresh token goes on.
#[test]
fn an_approved_device_gets_tokens() {
    let device = Device::new();
    device.poll().send().expect_error(400, "authorization_pending");
    let mut browser = Browser::new();
    let page = device.consent(&mut browser);
    let text = page.text();
    for shown in [device.text("user_code"), "Demo TV app", "device that you hold", "offline_access"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    let done = browser.decide(&page, "allow").page();
    assert!(done.reply.status == 200 && done.text().contains("connected"), "{:?}", done.reply);
    suite::wait(Duration::from_secs(5));
    let tokens = Tokens::read(&device.client, device.poll().send());
    assert!(tokens.is_live());
    assert_eq!(tokens.text("scope"), Some("openid profile offline_access"));
    let id = jwt::read(tokens.id());
    assert_eq!(id.claims["aud"], "demo-device");
    assert!(id.claims.get("nonce").is_none());
    let next = tokens.refresh_request().tokens();
    assert!(next.is_live());
    revoke(&device.client, next.refresh(), None).expect(200);
    assert!(!next.is_live());
}

/// A client without refresh tokens gets none; one that authenticates must do so at each poll.
#[test]
fn confidential_clients_poll_with_their_secret() {
    let device = Device::of(&confidential(), "openid profile");
    device.approve();
    device.poll().by(&Client::public(&confidential().id)).send().expect_error(401, "invalid_client");
    let tokens = Tokens::read(&device.client, device.poll().send());
    assert_eq!(tokens.text("refresh_token"), None);
    assert!(tokens.is_live());
}

/// §3.5: a denial by the user is final.
#[test]
fn a_refused_device_is_told() {
    let device = Device::new();
    let mut browser = Browser::signed_in();
    let page = device.consent(&mut browser);
    assert!(browser.decide(&page, "deny").page().text().contains("refused"));
    device.poll().send().expect_error(400, "access_denied");
    assert!(browser.decide(&page, "allow").page().text().contains("refused"), "what was decided stands");
    suite::wait(Duration::from_secs(5));
    device.poll().send().expect_error(400, "access_denied");
}

/// §3.5: "slow_down": five seconds more for this and all that follow.
#[test]
fn a_hasty_device_must_slow_down_for_good() {
    let device = Device::new();
    device.poll().send().expect_error(400, "authorization_pending");
    device.poll().send().expect_error(400, "slow_down");
    suite::wait(Duration::from_millis(6_500));
    device.poll().send().expect_error(400, "slow_down");
    let other = Device::new();
    other.poll().send().expect_error(400, "authorization_pending");
}

/// A device that polled too early still gets the decision once there is one.
#[test]
fn what_was_decided_is_told_to_a_hasty_device() {
    let device = Device::new();
    device.poll().send().expect_error(400, "authorization_pending");
    device.approve();
    device.poll().tokens();
}

/// §6.1: case, dashes and spaces do not matter.
#[test]
fn a_code_may_be_typed_anyhow() {
    let mut browser = Browser::signed_in();
    for typing in [
        |code: &str| code.to_lowercase(),
        |code: &str| code.replace('-', ""),
        |code: &str| format!(" {} ", code.replace('-', " ")),
    ] {
        let device = Device::new();
        let page = enter(&mut browser, &typing(device.text("user_code"))).page();
        assert!(page.consent().is_some() && page.text().contains(device.text("user_code")), "{:?}", page.reply);
    }
}

/// §3.3.1: the link that a QR code holds fills the code in; it approves nothing by itself.
#[test]
fn the_complete_link_fills_the_code_in() {
    let device = Device::new();
    let mut browser = Browser::signed_in();
    let page = browser.open(device.text("verification_uri_complete")).page();
    let form = page.forms.iter().find(|form| form.has("user_code")).expect("a field for the code").clone();
    assert_eq!(form.value("user_code"), Some(device.text("user_code")));
    device.poll().send().expect_error(400, "authorization_pending");
    let page = browser.submit(&form, &[]).consent_page();
    assert!(page.text().contains(device.text("user_code")), "the code, for comparison: {:?}", page.reply);
    let hostile = browser.open("/device?user_code=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").page();
    assert!(!hostile.reply.text().contains("<script>alert"), "{:?}", hostile.reply);
}

/// §5.1: guessing is slowed down; another browser of the same user is not.
#[test]
fn guessing_codes_is_slowed_down() {
    let mut browser = Browser::new_signed_in();
    let mut statuses = Vec::new();
    for _ in 0..8 {
        let page = enter_once(&mut browser, "BBBB-BBBB").page();
        assert!(page.consent().is_none(), "{:?}", page.reply);
        statuses.push(page.reply.status);
        if page.reply.status == 429 {
            assert!(page.reply.header("retry-after").is_some(), "{:?}", page.reply);
        }
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    let device = Device::new();
    let page = enter_once(&mut browser, device.text("user_code")).page();
    assert_eq!(page.reply.status, 429, "a right guess must wait too: {:?}", page.reply);
    device.consent(&mut Browser::new_signed_in());
}

/// RFC 9700 §4.7: no other site can enter a code or approve for the user.
#[test]
fn forms_of_other_sites_do_nothing() {
    let device = Device::new();
    let mut browser = Browser::signed_in();
    let code = device.text("user_code");
    for csrf in [vec![("user_code", code)], vec![("user_code", code), ("csrf", "x")]] {
        let page = browser.post("/device", &csrf).page();
        assert!(page.reply.status == 400 && page.consent().is_none(), "{:?}", page.reply);
    }
    let page = device.consent(&mut browser);
    let form = page.consent().expect("a form").clone();
    for wrong in [&[("csrf", "x"), ("decision", "allow")][..], &[("interaction", "x"), ("decision", "allow")]] {
        assert_eq!(browser.submit(&form, wrong).page().reply.status, 400);
    }
    // The same page in a browser that was not shown it.
    let mut stranger = Browser::new_signed_in();
    assert_eq!(stranger.submit(&form, &[("decision", "allow")]).page().reply.status, 400);
    assert_eq!(stranger.open(page.url.as_str()).page().reply.status, 400);
    device.poll().send().expect_error(400, "authorization_pending");
}

/// A device request is no authorization request: the pages of the latter reject it.
#[test]
fn a_devices_interaction_is_for_the_device_page_alone() {
    let device = Device::new();
    let mut browser = Browser::signed_in();
    let page = device.consent(&mut browser);
    let interaction = page.consent().and_then(|form| form.value("interaction")).expect("interaction").to_owned();
    for path in ["/authorize", "/consent"] {
        browser.open(&format!("{path}?interaction={interaction}")).error_page();
    }
    let fields = [("interaction", interaction.as_str()), ("decision", "allow")];
    browser.post("/consent", &fields).error_page();
    device.poll().send().expect_error(400, "authorization_pending");
}

/// The user may continue as another user, or cancel; neither decides anything.
#[test]
fn nothing_is_decided_on_the_way() {
    let device = Device::new();
    let mut browser = Browser::new();
    let login = enter(&mut browser, device.text("user_code")).login_page();
    let away = browser.decide(&login, "cancel").page();
    assert!(away.forms.iter().any(|form| form.has("user_code")), "{:?}", away.reply);
    device.poll().send().expect_error(400, "authorization_pending");

    let ada = admin::user("suite-device-ada");
    let mut browser = Browser::new_signed_in();
    let page = device.consent(&mut browser);
    let login = browser.decide(&page, "switch").login_page();
    let page = browser.sign_in(&login, &ada, admin::PASSWORD).consent_page();
    assert!(page.text().contains(&ada), "{:?}", page.reply);
    browser.decide(&page, "allow").page();
    let tokens = Tokens::read(&device.client, device.patiently());
    let name = suite::userinfo(tokens.access()).json();
    assert_eq!(name["name"], ada);
}

/// A page from before a sign-in in another tab is shown again: the code is not over, and nothing is decided.
#[test]
fn a_page_of_an_earlier_session_is_shown_again() {
    let device = Device::new();
    let mut browser = Browser::new_signed_in();
    let page = device.consent(&mut browser);
    browser.complete(&AuthorizationRequest::new(&spa()).set("prompt", "login")).code();
    browser.decide(&page, "deny").consent_page();
    let page = browser.decide(&page, "allow").consent_page();
    device.poll().send().expect_error(400, "authorization_pending");
    assert!(browser.decide(&page, "allow").page().text().contains("connected"));
}

/// A decided code leads nowhere.
#[test]
fn a_code_is_decided_once() {
    let device = Device::new();
    device.approve();
    let page = enter(&mut Browser::signed_in(), device.text("user_code")).page();
    assert!(page.consent().is_none() && (400..500).contains(&page.reply.status), "{:?}", page.reply);
}

/// One of many concurrent decisions counts, and the page shows which.
#[test]
fn one_of_32_decisions_wins() {
    let device = Device::new();
    let mut browser = Browser::signed_in();
    let page = device.consent(&mut browser);
    let pages = at_once(|index| {
        let decision = if index % 2 == 0 { "allow" } else { "deny" };
        browser.clone().decide(&page, decision).page().text()
    });
    let approved = pages.iter().filter(|text| text.contains("connected")).count();
    let refused = pages.iter().filter(|text| text.contains("refused")).count();
    let answer = device.poll().send();
    match (approved, refused) {
        (CALLERS, 0) => assert!(Tokens::read(&device.client, answer).is_live()),
        (0, CALLERS) => drop(answer.expect_error(400, "access_denied")),
        other => panic!("approved and refused: {other:?}"),
    }
}

/// The decision of a user is shown to no other user.
#[test]
fn anybody_else_is_told_that_the_code_is_over() {
    let device = Device::new();
    let mut browser = Browser::new();
    let landing = enter(&mut browser, device.text("user_code"));
    let page = browser.sign_in(&landing.page(), &admin::user("suite-late"), admin::PASSWORD).consent_page();
    device.approve();
    let late = browser.decide(&page, "allow").page();
    assert!(late.reply.status == 400 && !late.text().contains("connected"), "{:?}", late.reply);
    assert!(Tokens::read(&device.client, device.poll().send()).is_live(), "the one approved stays");
}

/// Of many polls at once one gets the tokens; they live on, and a device that lost the answer gets the same again.
#[test]
fn one_of_32_polls_wins() {
    let device = Device::new();
    device.approve();
    let began = Instant::now();
    let replies = at_once(|_| device.poll().send());
    let is_quick = began.elapsed() < Duration::from_secs(3);
    let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
    assert!(won.len() == 1 || !is_quick, "winners: {won:?}");
    for reply in lost {
        reply.expect_error(400, "slow_down");
    }
    let tokens = Tokens::read(&device.client, won[0].clone());
    assert!(tokens.is_live(), "the race killed the winner's tokens");
    let next = tokens.refresh_request().tokens();
    assert!(next.is_live());
}

/// The grant of a device stays alive after the sign-out of the browser that approved.
#[test]
fn signing_out_of_the_browser_leaves_the_device_alone() {
    let device = Device::of(&demo(), "openid");
    let mut browser = Browser::new_signed_in();
    let page = device.consent(&mut browser);
    browser.decide(&page, "allow").page();
    let tokens = Tokens::read(&device.client, device.patiently());
    let page = browser.open("/logout").page();
    browser.decide(&page, "yes").page();
    assert!(
        browser.authorize(&AuthorizationRequest::new(&spa()).set("prompt", "none")).callback().error()
            == "login_required"
    );
    assert!(tokens.is_live());
}

/// RFC 6749 §5.2: the grant ended between approval and poll, by the sign-out or the removal of the user: no token is issued.
#[test]
fn a_device_of_a_user_who_is_gone_gets_nothing() {
    for (name, remove) in [("suite-device-out", false), ("suite-device-gone", true)] {
        let user = admin::user(name);
        let mut browser = Browser::new();
        browser.complete_as(&AuthorizationRequest::new(&spa()), &user, admin::PASSWORD);
        let device = Device::new();
        let page = device.consent(&mut browser);
        browser.decide(&page, "allow").page();
        if remove {
            admin::remove_user(&user);
        } else {
            admin::sign_out(&user);
        }
        device.patiently().expect_error(400, "invalid_grant");
    }
}

/// A code that is typed where no cookie was kept leads to the page that can give one.
#[test]
fn a_form_without_a_cookie_leads_to_a_fresh_page() {
    let device = Device::new();
    let mut browser = Browser::new();
    let page = browser.post("/device", &[("user_code", device.text("user_code"))]).page();
    let form = page.forms.iter().find(|form| form.has("user_code")).expect("a field for the code").clone();
    assert_eq!(form.value("user_code"), Some(device.text("user_code")));
    assert_eq!(browser.cookies().len(), 1);
}

/// OpenID Connect Core §5.4, §5.5 at a device: the ID token has the claims of the scopes, and those requested by name, which the
/// consent page shows.
#[test]
fn the_claims_of_a_request_are_released() {
    let claims = r#"{"id_token":{"email":null},"userinfo":{"phone_number":null}}"#;
    let reply = ask(&demo(), &[("scope", "openid profile"), ("claims", claims)]).expect(200);
    let device = Device { client: demo(), document: reply.json() };
    device.approve();
    let tokens = device.poll().tokens();
    let id_token = jwt::verify(tokens.id()).claims;
    assert!(id_token["name"].is_string() && id_token["email"].is_string(), "{id_token}");
    let userinfo = userinfo(tokens.access()).expect(200).json();
    assert!(userinfo["phone_number"].is_string() && userinfo.get("email").is_none(), "{userinfo}");
    ask(&demo(), &[("scope", "openid"), ("claims", "[]")]).expect(400);
}
