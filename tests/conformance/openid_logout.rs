//! RP-Initiated Logout 1.0.

use suite::{AuthorizationRequest, Browser, Call, Client, Landing, Page, TokenRequest, admin, grant, jwt, spa};

const BYE: &str = "https://suite.example/bye";

fn client() -> Client {
    admin::client("suite-logout", &["--set", "token_endpoint_auth_method=none", "--post-logout-redirect-uri", BYE])
}

struct Visit {
    browser: Browser,
    id_token: String,
}

/// Creates a user of its own who signs in at a client.
fn visit() -> Visit {
    let mut browser = Browser::new();
    let request = AuthorizationRequest::new(&client());
    let id_token = TokenRequest::code(&request, &browser.complete(&request).code()).tokens().id().to_owned();
    Visit { browser, id_token }
}

impl Visit {
    fn logout(&mut self, parameters: &[(&str, &str)]) -> Landing {
        let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.browser.open(&format!("/logout?{query}"))
    }

    fn is_signed_in(&mut self) -> bool {
        let request = AuthorizationRequest::new(&client()).set("prompt", "none");
        self.browser.authorize(&request).callback().value("code").is_some()
    }

    /// Answers a question, if there is one.
    fn confirm(&mut self, landing: Landing) -> Landing {
        match landing {
            Landing::Page(page) if page.deciding("yes").is_some() => self.browser.decide(&page, "yes"),
            other => other,
        }
    }
}

/// The end of a browser's way: a redirect, or a link on a page, to the client.
fn leads_to(landing: &Landing, target: &str) -> bool {
    match landing {
        Landing::Callback(callback) => callback.url.as_str().starts_with(target),
        Landing::Page(page) => is_linked(page, target),
    }
}

fn is_linked(page: &Page, target: &str) -> bool {
    page.attributes("a", "href").iter().any(|link| link.starts_with(target))
}

/// §2, §3: with a hint and a registered URI the user is signed out and redirected with the state.
#[test]
fn a_client_can_sign_the_person_out() {
    let mut visit = visit();
    assert!(visit.is_signed_in());
    let hint = visit.id_token.clone();
    let landing =
        visit.logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", "s t&a=\u{fc}")]);
    let callback = visit.confirm(landing).callback();
    assert_eq!(callback.url.as_str(), BYE);
    assert_eq!(callback.value("state"), Some("s t&a=\u{fc}"));
    assert!(!visit.is_signed_in());
}

/// §2: "OPs MUST support the use of the HTTP GET and POST methods".
#[test]
fn post_is_served() {
    let mut visit = visit();
    let hint = visit.id_token.clone();
    let form = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE)];
    let reply = visit.browser.send(Call::post("/logout").form(&form));
    let location = reply.header("location").unwrap_or_default();
    assert!(!location.contains(&hint), "the client kept it out of URLs: {location}");
    let landing = visit.browser.post("/logout", &form);
    assert!(leads_to(&visit.confirm(landing), BYE));
    assert!(!visit.is_signed_in());
}

/// §3: no state in, no state out.
#[test]
fn no_state_is_made_up() {
    let mut visit = visit();
    let hint = visit.id_token.clone();
    let landing = visit.logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]);
    assert_eq!(visit.confirm(landing).callback().value("state"), None);
}

/// §2: without a hint the user MUST be asked: a link alone does not sign out.
#[test]
fn without_a_hint_the_person_is_asked() {
    let mut visit = visit();
    let page = visit.logout(&[]).page();
    assert!(page.deciding("yes").is_some() && page.deciding("no").is_some(), "{:?}", page.reply);
    assert!(visit.is_signed_in());
    visit.browser.decide(&page, "yes").page();
    assert!(!visit.is_signed_in());
}

/// §2: the user may stay signed in.
#[test]
fn the_person_may_stay() {
    let mut visit = visit();
    let page = visit.logout(&[]).page();
    visit.browser.decide(&page, "no");
    assert!(visit.is_signed_in());
}

/// §2: a hint for another user, or for another sign-in, never signs out without a question.
#[test]
fn somebody_elses_hint_asks_first() {
    let ada = admin::user("suite-ada");
    let request = AuthorizationRequest::new(&client());
    let code = Browser::new().complete_as(&request, &ada, admin::PASSWORD).code();
    let hint = TokenRequest::code(&request, &code).tokens().id().to_owned();
    let mut visit = visit();
    visit.logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]);
    assert!(visit.is_signed_in());
}

/// §2, §4: a forged hint neither signs out nor redirects.
#[test]
fn a_forged_hint_does_nothing() {
    let mut visit = visit();
    let right = visit.id_token.clone();
    let forged = jwt::tampered(&right, |claims| claims["exp"] = 4_000_000_000_u32.into());
    for hint in ["x", "a.b.c", &jwt::unsigned(&right), &forged, grant(&spa()).access()] {
        let landing = visit.logout(&[("id_token_hint", hint), ("post_logout_redirect_uri", BYE)]);
        assert!(!matches!(landing, Landing::Callback(_)), "{landing:?}");
        assert!(visit.is_signed_in(), "{hint}");
    }
}

/// §3: "MUST NOT perform post-logout redirection if the value … does not match" a registered one, exactly. The user is asked first, also
/// with a hint: the conformance suite demands that or an error page.
#[test]
fn an_unregistered_uri_is_not_followed() {
    for uri in [
        "https://attacker.example/",
        "https://suite.example/bye/",
        "https://suite.example/Bye",
        "https://suite.example/bye?x=y",
        "https://suite.example/bye#x",
        "https://suite.example@attacker.example/bye",
        "https://suite.example:443/bye",
        "https://suite.example./bye",
        "http://suite.example/bye",
        "//suite.example/bye",
        "javascript:alert(1)",
        "http://127.0.0.1/callback",
    ] {
        let mut visit = visit();
        let hint = visit.id_token.clone();
        let page = visit.logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", uri)]).page();
        assert!(page.deciding("yes").is_some() && !is_linked(&page, uri), "{uri}: {:?}", page.reply);
        assert!(visit.is_signed_in(), "{uri}");
        let page = visit.browser.decide(&page, "yes").page();
        assert!(!is_linked(&page, uri) && !visit.is_signed_in(), "{uri}: {:?}", page.reply);
    }
}

/// §3: a redirect needs the client: from the hint, or from `client_id` with the confirmation of the user.
#[test]
fn without_a_client_there_is_no_redirect() {
    let mut visit = visit();
    let landing = visit.logout(&[("post_logout_redirect_uri", BYE)]);
    let landing = visit.confirm(landing);
    assert!(!leads_to(&landing, BYE), "{landing:?}");
}

/// §2: without a hint, `client_id` names the client; the user is asked first.
#[test]
fn the_client_can_be_named() {
    let mut visit = visit();
    let page = visit.logout(&[("client_id", "suite-logout"), ("post_logout_redirect_uri", BYE)]).page();
    assert!(visit.is_signed_in());
    let landing = visit.browser.decide(&page, "yes");
    assert!(leads_to(&landing, BYE), "{landing:?}");
    assert!(!visit.is_signed_in());
}

/// §3: without a session and without a hint, nothing shows that the user comes from the client. Any page could use the link
/// to redirect under the name of this server, so a page names the target, and the user decides.
#[test]
fn without_a_session_and_a_hint_a_page_names_the_target() {
    let id = client().id;
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("client_id", id.as_str()), ("post_logout_redirect_uri", BYE), ("state", "s")])
        .finish();
    for posted in [false, true] {
        let mut browser = Browser::new();
        let form = [("client_id", id.as_str()), ("post_logout_redirect_uri", BYE), ("state", "s")];
        let landing = if posted { browser.post("/logout", &form) } else { browser.open(&format!("/logout?{query}")) };
        let page = landing.page();
        assert!(is_linked(&page, &format!("{BYE}?state=s")), "{:?}", page.reply);
        assert!(page.text().contains("suite.example"), "{:?}", page.reply);
    }
}

/// §2: "the OP MUST verify that the Client Identifier matches the one used when issuing the ID Token".
#[test]
fn a_client_id_that_does_not_match_the_hint_is_refused() {
    let mut visit = visit();
    let hint = visit.id_token.clone();
    let landing =
        visit.logout(&[("id_token_hint", &hint), ("client_id", "demo-spa"), ("post_logout_redirect_uri", BYE)]);
    assert!(!leads_to(&landing, BYE), "{landing:?}");
    assert!(visit.is_signed_in());
}

/// §2: `ui_locales`, `logout_hint` and what is unknown do no harm.
#[test]
fn optional_parameters_are_accepted() {
    let mut visit = visit();
    let hint = visit.id_token.clone();
    let landing = visit.logout(&[
        ("id_token_hint", &hint),
        ("client_id", "suite-logout"),
        ("post_logout_redirect_uri", BYE),
        ("ui_locales", "fr de"),
        ("logout_hint", "demo"),
        ("foo", "bar"),
    ]);
    assert!(leads_to(&visit.confirm(landing), BYE));
}

/// §2: no user is signed in: the page says so and is no dead end.
#[test]
fn a_second_logout_is_harmless() {
    let mut visit = visit();
    let hint = visit.id_token.clone();
    for _ in 0..2 {
        let landing = visit.logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]);
        assert!(leads_to(&visit.confirm(landing), BYE));
    }
    assert!(Browser::new().open("/logout").page().reply.status < 500);
}

/// §6: the answer to the question cannot be forged by another site, nor by another browser's form.
#[test]
fn the_answer_cannot_be_forged() {
    let mut visit = visit();
    let page = visit.logout(&[]).page();
    let form = page.deciding("yes").expect("the form").clone();
    let without: Vec<_> = form.filled(&[("decision", "yes")]).into_iter().filter(|(name, _)| name != "csrf").collect();
    visit.browser.send(Call::post("/logout").form(&without));
    assert!(visit.is_signed_in());
    visit.browser.send(Call::post("/logout").form(&form.filled(&[("decision", "yes"), ("csrf", "x")])));
    assert!(visit.is_signed_in());
    let other = Browser::new_signed_in().open("/logout").page();
    let foreign = other.deciding("yes").expect("the form").filled(&[("decision", "yes")]);
    visit.browser.send(Call::post("/logout").form(&foreign));
    assert!(visit.is_signed_in());
}

/// §2: other browsers of the same user are unaffected.
#[test]
fn other_sessions_of_the_person_live() {
    let (mut one, mut two) = (visit(), visit());
    let hint = one.id_token.clone();
    let landing = one.logout(&[("id_token_hint", &hint)]);
    one.confirm(landing);
    assert!(!one.is_signed_in() && two.is_signed_in());
}

/// §5, RFC 6749 §10.13: a cookie kept from before the sign-out is worth nothing.
#[test]
fn a_kept_cookie_is_worth_nothing() {
    let mut visit = visit();
    let mut kept = visit.browser.clone();
    let hint = visit.id_token.clone();
    let landing = visit.logout(&[("id_token_hint", &hint)]);
    visit.confirm(landing);
    let request = AuthorizationRequest::new(&client()).set("prompt", "none");
    assert_eq!(kept.authorize(&request).callback().error(), "login_required");
}

/// §2, RFC 6749 §3.1: repeated parameters redirect nowhere.
#[test]
fn repeated_parameters_are_refused() {
    let mut visit = visit();
    let hint = visit.id_token.clone();
    let landing = visit.logout(&[
        ("id_token_hint", &hint),
        ("post_logout_redirect_uri", BYE),
        ("post_logout_redirect_uri", "https://attacker.example/"),
    ]);
    assert!(!matches!(landing, Landing::Callback(_)), "{landing:?}");
}

/// §2: a posted request continues by GET; a longer one is rejected on a page.
#[test]
fn a_posted_request_that_is_too_long_is_refused() {
    let mut visit = visit();
    let state = "x".repeat(17_000);
    let hint = visit.id_token.clone();
    let form = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", &state)];
    let page = visit.browser.post("/logout", &form).error_page();
    assert!(page.text().contains("too long"), "{:?}", page.reply);
    assert!(visit.is_signed_in());
}

/// Posts a logout request. Returns the link that the browser is redirected to.
fn posted_link(browser: &Browser, form: &[(&str, &str)]) -> String {
    let reply = browser.with_cookies(Call::post("/logout").form(form)).send().expect(303);
    reply.location().expect("Location").to_string()
}

/// RFC 9700 §4.7: a sign-out link belongs to the browser that posted the request. In another browser it signs no user out.
#[test]
fn a_sign_out_link_is_of_its_browser() {
    let (attacker, mut victim) = (visit(), visit());
    let hint = victim.id_token.clone();
    let link = posted_link(&attacker.browser, &[("id_token_hint", &hint)]);
    victim.browser.open(&link).error_page();
    assert!(victim.is_signed_in());
    let link = posted_link(&victim.browser, &[("id_token_hint", &hint)]);
    victim.browser.open(&link).page();
    assert!(!victim.is_signed_in());
}

/// RFC 9700 §4.7: a form with a link and without the page's token, or with a link that belongs to no browser, signs no user out, and
/// changes no cookie. An interaction is no link.
#[test]
fn a_forged_sign_out_form_is_refused() {
    let mut visit = visit();
    let page = visit.logout(&[]).page();
    let form = page.deciding("yes").expect("the form").clone();
    let (csrf, link) = (form.value("csrf").expect("csrf"), form.value("interaction").expect("a link"));
    assert!(link.starts_with("lkl_"), "{link}");
    let unbound = posted_link(&Browser::new(), &[]);
    let (_, unbound) = unbound.split_once("interaction=").expect("a link");
    let login = Browser::new().authorize(&AuthorizationRequest::new(&client())).login_page();
    let interaction = login.login().and_then(|form| form.value("interaction")).expect("an interaction").to_owned();
    for (link, csrf) in [(link, ""), (link, "x"), (unbound, csrf), (unbound, ""), (&interaction, csrf), ("lkl_x", csrf)]
    {
        let fields = [("interaction", link), ("csrf", csrf), ("decision", "yes")];
        let reply = visit.browser.send(Call::post("/logout").form(&fields));
        assert!((400..500).contains(&reply.status), "{reply:?}");
        assert!(reply.header("set-cookie").is_none(), "{reply:?}");
    }
    assert!(visit.is_signed_in());
    visit.browser.decide(&page, "yes").page();
    assert!(!visit.is_signed_in());
}

/// A page before sign-out from before a sign-in in another tab asks again.
#[test]
fn a_sign_out_page_of_an_earlier_session_asks_again() {
    let mut visit = visit();
    let page = visit.logout(&[]).page();
    visit.browser.complete(&AuthorizationRequest::new(&client()).set("prompt", "login")).code();
    let again = visit.browser.decide(&page, "yes").page();
    assert!(visit.is_signed_in());
    visit.browser.decide(&again, "yes").page();
    assert!(!visit.is_signed_in());
}

/// §2: what cannot be trusted is left out, and the user is asked: a hint of other keys, the word `undefined`, an unknown client, a
/// URI that is not registered.
#[test]
fn a_request_that_cannot_be_trusted_asks_the_user() {
    for parameters in [
        &[("id_token_hint", "undefined")][..],
        &[("id_token_hint", "a.b.c"), ("post_logout_redirect_uri", BYE)],
        &[("client_id", "nobody"), ("post_logout_redirect_uri", BYE)],
        &[("client_id", "\u{e9}")],
        &[("client_id", "suite-logout"), ("post_logout_redirect_uri", "https://attacker.example/")],
        &[("client_id", "suite-logout"), ("client_id", "suite-logout")],
        &[("post_logout_redirect_uri", BYE)],
    ] {
        let mut visit = visit();
        let page = visit.logout(parameters).page();
        assert_eq!(page.reply.status, 200, "{parameters:?}");
        assert!(page.deciding("yes").is_some(), "{parameters:?}");
        let landing = visit.browser.decide(&page, "yes");
        assert!(!leads_to(&landing, BYE) && !visit.is_signed_in(), "{parameters:?}: {landing:?}");
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let page = Browser::new().open(&format!("/logout?{query}")).page();
        assert_eq!(page.reply.status, 200, "no user is signed in: {parameters:?}");
    }
}

/// A client may sign out from its server, which has no cookie of the browser: its grant in that session ends.
#[test]
fn a_hint_without_the_cookie_ends_the_grant() {
    let client = client();
    let request = AuthorizationRequest::new(&client).set("prompt", "login");
    let mut browser = Browser::new_signed_in();
    let tokens = TokenRequest::code(&request, &browser.complete(&request).code()).tokens();
    let other = TokenRequest::code(&request, &Browser::new_signed_in().complete(&request).code()).tokens();
    assert!(tokens.is_live() && other.is_live());
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("id_token_hint", tokens.id()).finish();
    Browser::new().open(&format!("/logout?{query}"));
    assert!(!tokens.is_live(), "the tokens of that session are over");
    assert!(other.is_live(), "those of another session are not");
}
