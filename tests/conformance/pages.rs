//! Pages without JavaScript: headers, cookies, forms, and their binding to the browser (RFC 6749 §10.12, §10.13;
//! RFC 9700 §4.7, §4.16; RFC 6265bis).

use suite::{AuthorizationRequest, Browser, Call, Form, Landing, Page, Reply, admin, altered, base, spa};

fn login_page() -> (Browser, Page) {
    let mut browser = Browser::new();
    let page = browser.authorize(&AuthorizationRequest::new(&spa())).login_page();
    (browser, page)
}

fn consent_page() -> (Browser, Page) {
    let mut browser = Browser::signed_in();
    let page = browser.authorize(&AuthorizationRequest::new(&spa()).set("prompt", "consent")).consent_page();
    (browser, page)
}

fn all_pages() -> Vec<Page> {
    let mut browser = Browser::signed_in();
    let account = browser.authorize(&AuthorizationRequest::new(&spa()).set("prompt", "select_account")).page();
    let logout = browser.open("/logout").page();
    let error = browser.open("/authorize").error_page();
    vec![login_page().1, consent_page().1, account, logout, error]
}

fn without(form: &Form, entries: &[(&str, &str)], name: &str) -> Vec<(String, String)> {
    form.filled(entries).into_iter().filter(|(field, _)| field != name).collect()
}

const CREDENTIALS: [(&str, &str); 2] = [("username", suite::USERNAME), ("password", suite::PASSWORD)];

/// Demands a 4xx page without a redirect and without a session.
#[track_caller]
fn is_refused(browser: &mut Browser, path: &str, fields: &[(String, String)]) {
    let reply = browser.send(Call::post(path).form(fields));
    assert!((400..500).contains(&reply.status), "{reply:?}");
    assert!(reply.header("location").is_none(), "{reply:?}");
    for field in reply.headers.get_all("set-cookie") {
        assert!(!field.to_str().unwrap_or_default().contains("session"), "{reply:?}");
    }
}

/// RFC 9700 §4.16: no page can be framed; the policy allows nothing inline but what carries its nonce.
#[test]
fn pages_have_a_strict_policy() {
    for page in all_pages() {
        let policy = page.reply.header("content-security-policy").unwrap_or_else(|| panic!("{:?}", page.reply));
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe-"), "{policy}");
        assert!(policy.contains("base-uri 'none'"), "{policy}");
        assert!(policy.contains("form-action"), "{policy}");
        assert!(!policy.contains('*'), "{policy}");
    }
}

/// CSP Level 3 §7.1: a nonce is new every time.
#[test]
fn nonces_are_never_the_same() {
    let nonce = |page: &Page| {
        let policy = page.reply.header("content-security-policy").expect("a policy").to_owned();
        policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned()
    };
    let (one, two) = (nonce(&login_page().1), nonce(&login_page().1));
    assert!(one != two && one.len() >= 16, "{one} {two}");
}

/// CSP Level 3 §6.4.1: browsers apply `form-action` to each redirect after a form, and the client may redirect on to any place.
/// Forms stay at the server; a page that navigates leads to the client.
#[test]
fn no_redirect_leads_from_a_form_to_the_client() {
    let client = admin::client("suite-policy", &["--set", "token_endpoint_auth_method=none"]);
    let request = AuthorizationRequest::new(&client).set("prompt", "consent");
    for mut browser in [Browser::new(), Browser::signed_in()] {
        let page = browser.authorize(&request).page();
        let policy = page.reply.header("content-security-policy").expect("a policy");
        let action = policy.split("; ").find(|part| part.starts_with("form-action")).expect("form-action");
        assert_eq!(action, "form-action 'self'", "{policy}");
    }
    let mut browser = Browser::signed_in();
    let page = browser.authorize(&request).consent_page();
    for decision in ["allow", "deny"] {
        let form = page.consent().expect("the form").call(&[("decision", decision)]);
        let mut reply = browser.send(form);
        if let Some(location) = reply.location() {
            reply = browser.send(Call::get(location.as_str()));
        }
        let reply = reply.expect(200).expect_no_store();
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
        assert!(
            reply.onward().is_some_and(|onward| onward.as_str().starts_with("https://suite.example/")),
            "{reply:?}"
        );
    }
    // No page interrupts this request: a redirect.
    let request = request.set("prompt", "none");
    let reply = browser.send(Call::get(&request.url())).expect(303);
    assert!(reply.location().is_some_and(|onward| onward.as_str().starts_with("https://suite.example/")), "{reply:?}");
}

/// Pages are HTML in UTF-8, not stored, not sniffed, and send no referrer.
#[test]
fn pages_have_safe_headers() {
    for page in all_pages() {
        let reply = page.reply.clone().expect_no_store();
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{reply:?}");
        let kind = reply.header("content-type").unwrap_or_default().to_ascii_lowercase().replace(' ', "");
        assert_eq!(kind, "text/html;charset=utf-8");
        assert!(reply.header("referrer-policy").is_some(), "{reply:?}");
        if base().starts_with("https") {
            assert!(reply.header("strict-transport-security").is_some(), "{reply:?}");
        }
    }
}

/// Every page has a language, a title, one heading, labelled inputs; every form has a button; nothing needs a script.
#[test]
fn pages_are_whole_without_javascript() {
    for page in all_pages() {
        assert_eq!(page.attributes("html", "lang").len(), 1, "{:?}", page.reply);
        assert_eq!(page.select("title").len(), 1);
        assert_eq!(page.select("h1").len(), 1);
        assert!(page.attributes("form[onsubmit], [onclick], [onload], a[href^=javascript]", "id").is_empty());
        for form in &page.forms {
            assert_eq!(form.method, "POST", "{:?}", page.reply);
            assert!(form.action.as_str().starts_with(base()), "{:?}", page.reply);
            assert!(form.has("csrf"), "{:?}", page.reply);
        }
        assert_eq!(page.attributes("form", "method").len(), page.forms.len());
        assert!(page.forms.is_empty() || page.select("form button, form input[type=submit]").len() >= page.forms.len());
        let labels = page.attributes("label", "for");
        for id in page.attributes("input:not([type=hidden])", "id") {
            assert!(labels.contains(&id), "{id} has no label");
        }
    }
}

/// Nothing is loaded from elsewhere.
#[test]
fn pages_load_nothing_from_elsewhere() {
    for page in all_pages() {
        for source in page.attributes("script[src], img[src], iframe[src]", "src") {
            assert!(source.starts_with(base()) || source.starts_with('/') || source.starts_with("data:"), "{source}");
        }
        for link in page.attributes("link[href]", "href") {
            assert!(link.starts_with(base()) || link.starts_with('/') || link.starts_with("data:"), "{link}");
        }
    }
}

/// Password managers know the fields.
#[test]
fn the_sign_in_form_says_what_its_fields_are() {
    let (_, page) = login_page();
    assert_eq!(page.attributes("input[name=username]", "autocomplete"), ["username webauthn"]);
    assert_eq!(page.attributes("input[name=password]", "autocomplete"), ["current-password"]);
    assert_eq!(page.attributes("input[name=password]", "type"), ["password"]);
    assert!(page.login().and_then(|form| form.value("password")).unwrap_or_default().is_empty());
}

/// RFC 6749 §10.2: the user sees the client, the scope and the destination of the response.
#[test]
fn the_consent_page_says_who_what_and_where() {
    let mut browser = Browser::signed_in();
    let request = AuthorizationRequest::new(&spa()).scope("openid email").set("prompt", "consent");
    let page = browser.authorize(&request).consent_page();
    let text = page.text();
    let host = base().split_once("://").expect("a URL").1;
    assert!(text.contains(host), "where the answer goes: {text}");
    assert!(text.to_lowercase().contains("email"), "what is asked for: {text}");
    assert!(text.contains("Demo User"), "who is signed in: {text}");
    assert!(page.deciding("deny").is_some() && page.deciding("allow").is_some());
}

/// RFC 9700 §4.16, RFC 6265bis §4.1: cookies are for HTTP, this host and this site alone.
#[test]
fn cookies_are_locked_down() {
    let browser = Browser::new_signed_in();
    assert!(browser.cookies().len() >= 2, "{:?}", browser.cookies());
    for (name, cookie) in browser.cookies() {
        assert!(cookie.attributes.contains_key("httponly"), "{name}: {cookie:?}");
        assert_eq!(cookie.attributes.get("path").map(String::as_str), Some("/"), "{name}");
        assert!(!cookie.attributes.contains_key("domain"), "{name}: {cookie:?}");
        let same_site = cookie.attributes.get("samesite").map(|value| value.to_ascii_lowercase());
        assert!(matches!(same_site.as_deref(), Some("lax" | "strict")), "{name}: {cookie:?}");
        if base().starts_with("https") {
            assert!(name.starts_with("__Host-") && cookie.attributes.contains_key("secure"), "{name}: {cookie:?}");
        } else {
            assert!(!cookie.attributes.contains_key("secure"), "a browser refuses it on http: {name}");
        }
    }
}

/// RFC 6749 §10.12: a sign-in without the page's token, or with another, is refused.
#[test]
fn a_sign_in_needs_the_pages_token() {
    let (mut browser, page) = login_page();
    let form = page.login().expect("the form").clone();
    is_refused(&mut browser, "/login", &without(&form, &CREDENTIALS, "csrf"));
    for token in ["", "x", &"A".repeat(43), "\u{fc}"] {
        let mut fields = without(&form, &CREDENTIALS, "csrf");
        fields.push(("csrf".to_owned(), token.to_owned()));
        is_refused(&mut browser, "/login", &fields);
    }
    browser.sign_in(&page, suite::USERNAME, suite::PASSWORD);
}

/// RFC 6749 §10.12: a consent without the page's token, or with another, is refused.
#[test]
fn a_consent_needs_the_pages_token() {
    let (mut browser, page) = consent_page();
    let form = page.consent().expect("the form").clone();
    let allow = [("decision", "allow")];
    is_refused(&mut browser, "/consent", &without(&form, &allow, "csrf"));
    for token in ["", "x", &"A".repeat(43)] {
        let mut fields = without(&form, &allow, "csrf");
        fields.push(("csrf".to_owned(), token.to_owned()));
        is_refused(&mut browser, "/consent", &fields);
    }
    browser.decide(&page, "allow").callback().code();
}

/// RFC 9700 §4.7: a token of another page, of the same browser, does not fit.
#[test]
fn a_pages_token_fits_that_page_alone() {
    let (mut browser, login) = login_page();
    let other = browser.authorize(&AuthorizationRequest::new(&spa())).login_page();
    let mut fields = without(login.login().expect("the form"), &CREDENTIALS, "csrf");
    fields.push(("csrf".to_owned(), other.login().and_then(|form| form.value("csrf")).expect("csrf").to_owned()));
    let is_same =
        login.login().and_then(|form| form.value("csrf")) == other.login().and_then(|form| form.value("csrf"));
    if !is_same {
        is_refused(&mut browser, "/login", &fields);
    }
}

/// RFC 9700 §4.7: an attacker's form, made in the attacker's browser, does not work in the victim's.
#[test]
fn another_browsers_form_is_refused() {
    let (_, page) = login_page();
    let fields = page.login().expect("the form").filled(&CREDENTIALS);
    is_refused(&mut Browser::new(), "/login", &fields);
    is_refused(&mut Browser::signed_in(), "/login", &fields);
    is_refused(&mut login_page().0, "/login", &fields);

    let mut attacker = Browser::new_signed_in();
    let page = attacker.authorize(&AuthorizationRequest::new(&spa()).set("prompt", "consent")).consent_page();
    let fields = page.consent().expect("the form").filled(&[("decision", "allow")]);
    is_refused(&mut Browser::signed_in(), "/consent", &fields);
    is_refused(&mut Browser::new(), "/consent", &fields);
}

/// RFC 9700 §4.7: a link from the middle of another browser's request leads nowhere.
#[test]
fn another_browsers_link_is_refused() {
    let (_, page) = login_page();
    for mut browser in [Browser::new(), Browser::signed_in()] {
        browser.open(page.url.as_str()).error_page();
    }
    let interaction = page.login().and_then(|form| form.value("interaction")).expect("interaction");
    for path in ["/authorize", "/consent", "/login"] {
        for mut browser in [Browser::new(), Browser::signed_in()] {
            browser.open(&format!("{path}?interaction={interaction}")).error_page();
        }
    }
}

/// RFC 6749 §10.12: the link to which a sign-in leads is worth nothing in another browser.
#[test]
fn the_link_after_a_sign_in_is_the_browsers_own() {
    let (mut browser, page) = login_page();
    let form = page.login().expect("the form");
    let reply = browser.send(Call::post("/login").form(&form.filled(&CREDENTIALS))).expect(303);
    let next = reply.location().expect("Location");
    Browser::new().open(next.as_str()).error_page();
    let landing = browser.open(next.as_str());
    browser.finish(landing, suite::USERNAME, suite::PASSWORD).code();
}

/// An interaction that was made up, altered or left out leads nowhere.
#[test]
fn forged_interactions_are_refused() {
    let (mut browser, page) = login_page();
    let right = page.login().and_then(|form| form.value("interaction")).expect("interaction").to_owned();
    let altered = altered(&right, right.len() - 1);
    for interaction in ["x", "", "a.b.c", "\u{fc}", &altered, &right[1..], &"A".repeat(500)] {
        for path in ["/login", "/consent"] {
            let query =
                form_urlencoded::Serializer::new(String::new()).append_pair("interaction", interaction).finish();
            browser.open(&format!("{path}?{query}")).error_page();
            let fields = [("interaction", interaction), ("csrf", "x"), ("decision", "allow")];
            let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
            is_refused(&mut browser, path, &fields);
        }
    }
    browser.open("/login").error_page();
    browser.open("/consent").error_page();
    browser.sign_in(&page, suite::USERNAME, suite::PASSWORD);
}

/// RFC 6749 §10.2: consent needs the signed-in user.
#[test]
fn consent_cannot_come_before_the_sign_in() {
    let (mut browser, page) = login_page();
    let form = page.login().expect("the form");
    let interaction = form.value("interaction").expect("interaction").to_owned();
    let mut fields = form.filled(&[("decision", "allow")]);
    fields.retain(|(name, _)| name != "username" && name != "password");
    let reply = browser.send(Call::post("/consent").form(&fields));
    assert!(
        reply.status >= 400 || reply.location().is_some_and(|location| location.path() != "/callback"),
        "{reply:?}"
    );
    for path in ["/consent", "/authorize"] {
        match browser.open(&format!("{path}?interaction={interaction}")) {
            Landing::Callback(callback) => panic!("{callback:?}"),
            Landing::Page(page) => assert!(page.consent().is_none(), "{:?}", page.reply),
        }
    }
}

/// A decision is one of those offered: nothing but `allow` allows.
#[test]
fn unknown_decisions_allow_nothing() {
    for decision in ["", "yes", "ALLOW", "allow deny"] {
        let (mut browser, page) = consent_page();
        let form = page.consent().expect("the form").clone();
        if let Landing::Callback(callback) = browser.submit(&form, &[("decision", decision)]) {
            assert_eq!(callback.error(), "access_denied", "{decision}");
        }
    }
    let (mut browser, page) = consent_page();
    let form = page.consent().expect("the form").clone();
    if let Landing::Callback(callback) = browser.submit(&form, &[]) {
        assert_eq!(callback.error(), "access_denied");
    }
}

/// Repeated fields of a form are refused (RFC 6749 §3.1 holds for what leads to an answer, too).
#[test]
fn repeated_fields_are_refused() {
    let (mut browser, page) = consent_page();
    let mut fields = page.consent().expect("the form").filled(&[("decision", "deny")]);
    fields.push(("decision".to_owned(), "allow".to_owned()));
    is_refused(&mut browser, "/consent", &fields);
    let (mut browser, page) = login_page();
    let mut fields = page.login().expect("the form").filled(&CREDENTIALS);
    fields.push(("username".to_owned(), "admin".to_owned()));
    is_refused(&mut browser, "/login", &fields);
}

/// Forms of another content type are refused, so that no page can post JSON or text across origins.
#[test]
fn forms_of_another_type_are_refused() {
    let (mut browser, page) = login_page();
    let fields = page.login().expect("the form").filled(&CREDENTIALS);
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    for kind in ["text/plain", "application/json", "multipart/form-data; boundary=x"] {
        let reply = browser.send(Call::post("/login").body(kind, body.clone()));
        assert!((400..500).contains(&reply.status), "{reply:?}");
    }
}

/// Error pages explain the problem to the user and never repeat request values as HTML.
#[test]
fn error_pages_do_not_repeat_html() {
    for name in ["client_id", "redirect_uri"] {
        let request = AuthorizationRequest::new(&spa()).set(name, "<script>alert(1)</script>");
        let page = Browser::new().authorize(&request).error_page();
        assert!(!page.reply.text().contains("<script>alert"), "{:?}", page.reply);
        assert!(page.text().len() > 20, "{}", page.text());
    }
}

/// "Sign in as someone else": from the consent page back to signing in.
#[test]
fn the_person_can_switch_accounts() {
    let mut browser = Browser::new_signed_in();
    let page = browser.authorize(&AuthorizationRequest::new(&spa()).set("prompt", "consent")).consent_page();
    assert!(page.deciding("switch").is_some(), "{:?}", page.reply);
    let page = browser.decide(&page, "switch").login_page();
    let landing = browser.sign_in(&page, suite::USERNAME, suite::PASSWORD);
    browser.finish(landing, suite::USERNAME, suite::PASSWORD).code();
}

/// After a new sign-in in another tab, an open consent page is out of date: it is shown again, and nothing is decided.
#[test]
fn a_consent_page_of_an_earlier_session_is_shown_again() {
    let mut browser = Browser::new_signed_in();
    let request = AuthorizationRequest::new(&spa()).set("prompt", "consent");
    let page = browser.authorize(&request).consent_page();
    browser.complete(&AuthorizationRequest::new(&spa()).set("prompt", "login")).code();
    for decision in ["deny", "allow"] {
        browser.decide(&page, decision).consent_page();
    }
    let page = browser.decide(&page, "allow").consent_page();
    assert_eq!(browser.decide(&page, "allow").callback().value("state"), Some(request.value("state")));
}

/// Two tabs, each with its own request: both come through.
#[test]
fn two_tabs_do_not_disturb_each_other() {
    let mut browser = Browser::new();
    let (one, two) = (AuthorizationRequest::new(&spa()), AuthorizationRequest::new(&spa()));
    let first = browser.authorize(&one).login_page();
    let second = browser.authorize(&two).login_page();
    let landing = browser.sign_in(&second, suite::USERNAME, suite::PASSWORD);
    let callback = browser.finish(landing, suite::USERNAME, suite::PASSWORD);
    assert_eq!(callback.value("state"), Some(two.value("state")));
    let landing = browser.sign_in(&first, suite::USERNAME, suite::PASSWORD);
    let callback = browser.finish(landing, suite::USERNAME, suite::PASSWORD);
    assert_eq!(callback.value("state"), Some(one.value("state")));
}

/// A form that another site submits: browsers send it without cookies (RFC 6265bis §5.6.7), and store those that
/// the answer sets.
fn post_from_elsewhere(browser: &mut Browser, path: &str, parameters: &[(String, String)]) -> Reply {
    let mut without = Browser::new();
    let reply = without.send(Call::post(path).form(parameters));
    browser.take_cookies_of(&without);
    reply
}

/// OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2: requests may be posted from other sites; that disturbs no sign-in
/// in another tab, and the posted request goes on in this browser.
#[test]
fn a_post_from_another_site_leaves_other_tabs_alone() {
    let (mut browser, page) = login_page();
    let request = AuthorizationRequest::new(&spa());
    let posted = post_from_elsewhere(&mut browser, "/authorize", &request.parameters).expect(303);
    for path in ["/logout", "/device", "/login", "/consent"] {
        post_from_elsewhere(&mut browser, path, &[]);
    }
    post_from_elsewhere(&mut browser, "/authorize", &request.clone().without("client_id").parameters).expect(400);
    let mut stranger = Browser::new();
    stranger.open("/authorize").error_page();
    assert!(stranger.cookies().is_empty(), "an error page names the browser");
    let landing = browser.sign_in(&page, suite::USERNAME, suite::PASSWORD);
    browser.finish(landing, suite::USERNAME, suite::PASSWORD).code();
    let landing = browser.open(posted.location().expect("Location").as_str());
    let callback = browser.finish(landing, suite::USERNAME, suite::PASSWORD);
    assert_eq!(callback.value("state"), Some(request.value("state")));
}

/// RFC 9700 §4.7: a posted request that no browser owns yet begins anew in each: nothing is decided in it, and nothing that
/// is decided in one browser counts in another.
#[test]
fn a_posted_request_is_nobodys_until_it_goes_on() {
    let request = AuthorizationRequest::new(&spa()).set("prompt", "consent");
    let reply = Call::post("/authorize").form(&request.parameters).send().expect(303);
    let location = reply.location().expect("Location");
    let sealed = location.query().expect("interaction").to_owned();
    for path in ["/login", "/consent"] {
        Browser::signed_in().open(&format!("{path}?{sealed}")).error_page();
    }
    let mut one = Browser::signed_in();
    let page = one.open(location.as_str()).consent_page();
    one.decide(&page, "allow").callback().code();
    Browser::signed_in().open(location.as_str()).consent_page();
    let mut stranger = Browser::new();
    let page_of_stranger = stranger.open(location.as_str()).login_page();
    stranger.open(page.url.as_str()).error_page();
    one.open(page_of_stranger.url.as_str()).error_page();
}

/// Returns the value of the browser cookie.
fn browser_cookie(browser: &Browser) -> String {
    let (_, cookie) =
        browser.cookies().iter().find(|(name, _)| name.ends_with("latchkey_browser")).expect("the cookie");
    cookie.value.clone()
}

/// Session fixation: the browser cookie is another one after a sign-in, and after a sign-out.
#[test]
fn the_browser_cookie_is_renewed_at_sign_in_and_sign_out() {
    let (mut browser, page) = login_page();
    let before = browser_cookie(&browser);
    let landing = browser.sign_in(&page, suite::USERNAME, suite::PASSWORD);
    browser.finish(landing, suite::USERNAME, suite::PASSWORD).code();
    let signed_in = browser_cookie(&browser);
    assert_ne!(signed_in.split('.').next(), before.split('.').next());
    let page = browser.open("/logout").page();
    browser.decide(&page, "yes");
    let signed_out = browser_cookie(&browser);
    assert!(!before.contains(&signed_out) && !signed_in.contains(&signed_out), "{signed_out}");
    assert!(!signed_out.contains('.'), "the earlier one is forgotten: {signed_out}");
}

/// Session fixation: forms and links that an attacker made under a planted browser cookie are refused after the sign-in.
#[test]
fn what_was_made_under_a_planted_browser_cookie_is_refused_after_sign_in() {
    let mut attacker = Browser::new();
    let device = attacker.open("/device").page();
    let page = attacker.authorize(&AuthorizationRequest::new(&spa())).login_page();
    let mut victim = Browser::new();
    victim.take_cookies_of(&attacker);
    victim.complete(&AuthorizationRequest::new(&spa())).code();

    let form = device.forms.first().expect("the form").filled(&[("user_code", "BCDF-GHJK")]);
    let reply = victim.send(Call::post("/device").form(&form));
    assert!(!reply.text().contains("is not valid") && reply.status != 403, "the code was looked up: {reply:?}");
    // The attacker signs in under the planted cookie, and wants the victim to go on in that state.
    attacker.sign_in(&page, suite::USERNAME, suite::PASSWORD);
    let consent = attacker.authorize(&AuthorizationRequest::new(&spa()).set("prompt", "consent")).consent_page();
    victim.open(consent.url.as_str()).error_page();
    is_refused(&mut victim, "/consent", &consent.consent().expect("the form").filled(&[("decision", "allow")]));
}
