//! The account page: what applications may do, where the user is signed in, and a sign-in that no client asks for.

use suite::{AuthorizationRequest, Browser, Call, Landing, Page, TokenRequest, Tokens, admin, base, random, spa};

/// A new user.
fn person(name: &str) -> String {
    admin::user(&format!("{name}-{}", random().to_lowercase().replace(['-', '_'], "x")))
}

/// A browser in which the user allowed an application, and the tokens of a grant for offline use.
fn visit(user: &str) -> (Browser, Tokens) {
    let mut browser = Browser::new();
    let request = AuthorizationRequest::new(&spa()).offline();
    let code = browser.complete_as(&request, user, admin::PASSWORD).code();
    (browser, TokenRequest::code(&request, &code).tokens())
}

fn is_signed_in(browser: &mut Browser) -> bool {
    browser.open("/account").page().login().is_none()
}

/// Opens the page of the only application.
#[track_caller]
fn application(browser: &mut Browser) -> Page {
    let overview = browser.open("/account").page();
    let links = overview.attributes("#applications a", "href");
    assert_eq!(links.len(), 1, "{:?}", overview.reply);
    browser.open(&links[0]).page()
}

/// Returns the links to the pages of the other sessions.
fn other_sessions(browser: &mut Browser) -> Vec<String> {
    browser.open("/account").page().attributes("#sessions a", "href")
}

#[track_caller]
fn nothing_changed(page: &Page) {
    assert_eq!(page.reply.status, 400, "{:?}", page.reply);
    assert_eq!(page.select("#outcome"), ["Nothing was changed"]);
}

/// A user signs in without an application, and sees what applications may do, and where sessions are.
#[test]
fn a_user_signs_in_to_the_account_page() {
    let user = person("account-sees");
    let (_, tokens) = visit(&user);
    let mut browser = Browser::new();
    let page = browser.open("/account").login_page();
    assert_eq!(page.select("#own-account"), ["to continue to your account"]);
    let overview = browser.sign_in(&page, &user, admin::PASSWORD).page();
    assert_eq!(overview.reply.url().path(), "/account");
    assert_eq!(overview.reply.url().query(), None);
    assert_eq!(overview.select("#account"), ["Your account"]);
    assert_eq!(overview.select("#applications strong"), ["Demo single-page app"]);
    assert!(overview.select("#applications a")[0].contains("Last used on"), "{:?}", overview.reply);
    assert_eq!((overview.select("#sessions li").len(), overview.select("#this-browser").len()), (2, 1));
    let page = application(&mut browser);
    assert!(page.select("#scopes code").contains(&"offline_access".to_owned()), "{:?}", page.reply);
    assert_eq!(page.select("#grant-1 time").len(), 1);
    assert!(tokens.is_live());
}

/// The list shows the kind of browser in words of the server; nothing else of `User-Agent` is kept.
#[test]
fn sessions_are_named_by_their_browsers() {
    let user = person("account-named");
    let sign_in = |user_agent: &str| {
        let mut browser = Browser::new();
        let page = browser.open("/account").login_page();
        let form = page.login().expect("the form").clone();
        let call = form.call(&[("username", &user), ("password", admin::PASSWORD)]);
        browser.go(call.header("user-agent", user_agent)).page()
    };
    sign_in("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 <b>secret</b>");
    let overview = sign_in("unknown");
    assert_eq!(overview.select("#sessions strong"), ["A browser", "this browser", "Firefox on Linux"]);
    assert!(!overview.reply.text().contains("secret"), "{:?}", overview.reply);
}

/// RFC 6749 §10.2: the user withdraws what an application may do. Its refresh token is rejected, and the user is asked anew.
#[test]
fn a_user_removes_an_application() {
    let user = person("account-removes");
    let ((mut browser, tokens), (_, elsewhere)) = (visit(&user), visit(&user));
    let page = application(&mut browser);
    assert!(page.text().contains("Demo single-page app"), "{}", page.text());
    assert!(tokens.is_live(), "the page asks first");
    let outcome = browser.decide(&page, "remove").page();
    assert_eq!((outcome.reply.status, outcome.select("#outcome")), (200, vec!["The access is removed".to_owned()]));
    for tokens in [tokens, elsewhere] {
        assert!(!tokens.is_live());
        tokens.refresh_request().send().expect_error(400, "invalid_grant");
    }
    assert_eq!(admin::consents(&user).as_array().map(Vec::len), Some(0));
    let overview = browser.open("/account").page();
    assert_eq!(overview.select("#no-applications").len(), 1, "{:?}", overview.reply);
    browser.authorize(&AuthorizationRequest::new(&spa()).offline()).consent_page();
}

/// Another user's access is out of reach: the same form ends only what belongs to the user who sends it.
#[test]
fn a_user_removes_nothing_of_another_user() {
    let (one, two) = (person("account-one"), person("account-two"));
    let ((mut browser, own), (_, of_other)) = (visit(&one), visit(&two));
    let page = application(&mut browser);
    browser.decide(&page, "remove").page();
    assert!(!own.is_live());
    assert!(of_other.is_live());
    of_other.refresh_request().tokens();
}

/// An application that the user did not allow looks like one that does not exist: no page tells which clients there are.
#[test]
fn unknown_and_unused_clients_look_the_same() {
    let user = person("account-unused");
    let (mut browser, _) = visit(&user);
    let mut look = |query: &str| {
        let page = browser.open(&format!("/account/application{query}")).page();
        (page.reply.status, page.text())
    };
    let unused = look("?client_id=demo-web");
    assert_eq!(unused.0, 404);
    for query in ["?client_id=no-such-client", "?client_id=", "", "?client_id=%00", "?client_id=..%2f"] {
        assert_eq!(look(query), unused, "{query}");
    }
}

/// A session of another browser ends as by a sign-out there: grants for offline use stay.
#[test]
fn a_user_ends_a_session_of_another_browser() {
    let user = person("account-ends");
    let ((mut phone, on_phone), (mut desk, _)) = (visit(&user), visit(&user));
    let links = other_sessions(&mut desk);
    assert_eq!(links.len(), 1, "{links:?}");
    let page = desk.open(&links[0]).page();
    assert!(is_signed_in(&mut phone), "the page asks first");
    let outcome = desk.decide(&page, "end").page();
    assert_eq!(outcome.select("#outcome"), ["The session has ended"]);
    assert!(!is_signed_in(&mut phone) && is_signed_in(&mut desk));
    assert!(on_phone.is_live());
    assert_eq!(other_sessions(&mut desk).len(), 0);
    let again = desk.open(&links[0]).page();
    assert_eq!((again.reply.status, again.select("#outcome")), (404, vec!["This is not there".to_owned()]));
}

/// A new password ends every other session and all grants, and the old one is wrong. This browser stays signed in.
#[test]
fn a_user_changes_the_password() {
    const NEXT: &str = "seven tall lighthouses";
    let user = person("account-password");
    let ((mut phone, on_phone), (mut desk, on_desk)) = (visit(&user), visit(&user));
    let page = desk.open("/account/password").page();
    let form = page.forms.iter().find(|form| form.has("repeated")).expect("the form").clone();
    let refused = |browser: &mut Browser, password: &str, repeated: &str| {
        let page = browser.submit(&form, &[("password", password), ("repeated", repeated)]).page();
        assert_eq!(page.reply.status, 400, "{:?}", page.reply);
        assert!(!page.reply.text().contains(password), "{:?}", page.reply);
        page.select("#problem").remove(0)
    };
    assert!(refused(&mut desk, NEXT, "seven tall lighthouse").contains("differ"));
    assert!(refused(&mut desk, "short", "short").contains("needs 15"));
    assert!(refused(&mut desk, "passwordpassword", "passwordpassword").contains("The password"));
    let csrf = [("csrf", "x"), ("password", NEXT), ("repeated", NEXT)];
    nothing_changed(&desk.submit(&form, &csrf).page());
    // The same user in another browser.
    nothing_changed(&phone.submit(&form, &[("password", NEXT), ("repeated", NEXT)]).page());
    assert!(is_signed_in(&mut phone) && on_phone.is_live(), "nothing has changed yet");
    let cookies = desk.cookies().clone();
    let outcome = desk.submit(&form, &[("password", NEXT), ("repeated", NEXT)]).page();
    assert_eq!(outcome.select("#outcome"), ["Your password is changed"]);
    for (name, cookie) in desk.cookies() {
        // The cookie of accounts that signed in here before stays.
        let is_renewed = cookies.get(name).is_none_or(|before| before.value != cookie.value);
        assert!(is_renewed || name.contains("known"), "{name}");
    }
    assert!(is_signed_in(&mut desk) && !is_signed_in(&mut phone));
    for tokens in [on_phone, on_desk] {
        assert!(!tokens.is_live());
        tokens.refresh_request().send().expect_error(400, "invalid_grant");
    }
    let attempt = |password: &str| {
        let mut browser = Browser::new();
        let page = browser.open("/account").login_page();
        browser.sign_in(&page, &user, password).page().login().is_none()
    };
    assert!(attempt(NEXT) && !attempt(admin::PASSWORD));
    // The new session gets new grants.
    let request = AuthorizationRequest::new(&spa()).offline();
    let code = desk.complete_as(&request, &user, NEXT).code();
    assert!(TokenRequest::code(&request, &code).tokens().is_live());
}

/// A user downloads what is stored: profile, sessions, consents and grants; no credential, token or name of a session.
#[test]
fn a_user_downloads_the_own_data() {
    let user = person("account-data");
    let (mut browser, tokens) = visit(&user);
    let page = browser.open("/account/data").page();
    let header = |name: &str| page.reply.header(name).unwrap_or_default().to_owned();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("content-disposition"), "attachment; filename=\"account.json\"");
    assert_eq!(header("cache-control"), "no-store, no-transform");
    let data = page.reply.json();
    assert_eq!((&data["username"], data["sub"].is_string()), (&user.clone().into(), true), "{data}");
    assert_eq!(data["consents"][0]["client_id"], spa().id.as_str(), "{data}");
    assert_eq!(data["grants"][0]["client_id"], spa().id.as_str(), "{data}");
    assert!(data["sessions"][0]["signed_in_at"].is_u64(), "{data}");
    let text = data.to_string();
    for secret in ["argon2", "revoked_before", "generation", tokens.refresh()] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    // Without a session, the sign-in comes first, and leads to the download.
    let mut other = Browser::new();
    let page = other.open("/account/data").login_page();
    let page = other.sign_in(&page, &user, admin::PASSWORD).page();
    assert_eq!(page.reply.json()["username"], user.as_str());
}

/// A user deletes the account: nothing of it stays usable, and the name is free for another account.
#[test]
fn a_user_deletes_the_account() {
    let user = person("account-deletes");
    let ((mut phone, on_phone), (mut desk, on_desk)) = (visit(&user), visit(&user));
    let link = desk.open("/account").page().attributes("#delete-account", "href").remove(0);
    let page = desk.open(&link).page();
    let form = page.deciding("delete").expect("the form").clone();
    // Neither without the confirmation, nor by a form of another place.
    let asked = desk.submit(&form, &[("decision", "delete")]).page();
    assert!(asked.deciding("delete").is_some(), "{:?}", asked.reply);
    let confirmed = [("decision", "delete"), ("confirmed", "yes")];
    nothing_changed(&desk.submit(&form, &[&confirmed[..], &[("csrf", "x")]].concat()).page());
    nothing_changed(&phone.submit(&form, &confirmed).page());
    assert!(is_signed_in(&mut phone) && on_phone.is_live());
    let outcome = desk.submit(&form, &confirmed).page();
    assert_eq!(outcome.select("#outcome"), ["Your account is deleted"]);
    assert!(!is_signed_in(&mut phone) && !is_signed_in(&mut desk));
    for tokens in [on_phone, on_desk] {
        assert!(!tokens.is_live());
        tokens.refresh_request().send().expect_error(400, "invalid_grant");
    }
    let mut browser = Browser::new();
    let page = browser.open("/account").login_page();
    assert!(browser.sign_in(&page, &user, admin::PASSWORD).page().login().is_some());
    admin::command_with(&["user", "add", "--json", &user], &format!("{}\n", admin::PASSWORD));
    let (mut again, _) = visit(&user);
    assert_eq!(again.open("/account").page().select("#applications a").len(), 1);
}

/// A Well-Known URL for Changing Passwords: it leads to the form, after a sign-in.
#[test]
fn password_managers_find_the_form() {
    let user = person("account-well-known");
    let mut browser = Browser::new();
    let page = browser.open("/.well-known/change-password").login_page();
    let form = browser.sign_in(&page, &user, admin::PASSWORD).page();
    assert_eq!(form.reply.url().path(), "/account/password");
    assert_eq!(form.attributes("#password", "autocomplete"), ["new-password"]);
    assert_eq!(form.attributes("input[name=username]", "value"), [user]);
}

/// The name of a session of another user is no more than a name that is not there, for the page and for its form.
#[test]
fn a_user_ends_no_session_of_another_user() {
    let (one, two) = (person("account-theirs"), person("account-thief"));
    let ((mut phone, _), (mut desk, _), (mut thief, _)) = (visit(&one), visit(&one), visit(&two));
    let link = other_sessions(&mut desk).remove(0);
    let foreign = thief.open(&link).page();
    let forged = thief.open("/account/session?session=forged").page();
    assert_eq!((foreign.reply.status, foreign.text()), (404, forged.text()));
    let form = desk.open(&link).page().deciding("end").expect("the form").clone();
    let stolen = thief.submit(&form, &[("decision", "end")]).page();
    assert_eq!(stolen.reply.status, 404, "{:?}", stolen.reply);
    assert!(is_signed_in(&mut phone));
}

/// RFC 9700 §4.7: forms count only in the session that they were shown in; links and forms of other sites change nothing.
#[test]
fn forms_of_other_places_change_nothing() {
    let user = person("account-csrf");
    let ((mut browser, tokens), (mut other, _)) = (visit(&user), visit(&user));
    let form = application(&mut browser).deciding("remove").expect("the form").clone();
    let (client_id, csrf) = (form.value("client_id").expect("a field"), form.value("csrf").expect("a field"));
    for entries in [vec![("csrf", "x")], vec![("csrf", "")], vec![("client_id", "demo-web")]] {
        nothing_changed(&browser.submit(&form, &[&entries[..], &[("decision", "remove")]].concat()).page());
    }
    // The same user in another browser, and no browser at all.
    nothing_changed(&other.submit(&form, &[("decision", "remove")]).page());
    let stranger = form.call(&[("decision", "remove")]).send();
    assert_eq!(stranger.status, 303, "{stranger:?}");
    // A token of the other form.
    let link = other_sessions(&mut browser).remove(0);
    let session = browser.open(&link).page().deciding("end").expect("the form").clone();
    nothing_changed(&browser.submit(&session, &[("csrf", csrf), ("decision", "end")]).page());
    // A link.
    browser.open(&format!("/account/application?client_id={client_id}&csrf={csrf}&decision=remove")).page();
    browser.open(&format!("{link}&csrf={}&decision=end", session.value("csrf").expect("a field"))).page();
    assert!(tokens.is_live() && is_signed_in(&mut other));
    // Another user signed in in this browser since.
    let next = person("account-next");
    let mut request = AuthorizationRequest::new(&spa());
    request = request.set("prompt", "login");
    browser.complete_as(&request, &next, admin::PASSWORD).code();
    nothing_changed(&browser.submit(&form, &[("decision", "remove")]).page());
    assert!(tokens.is_live());
}

/// The sign-in leads to a page of this server, whatever the request names; a user who cancels reaches no dead end.
#[test]
fn the_sign_in_leads_nowhere_else() {
    let user = person("account-redirect");
    let evil = "https%3A%2F%2Fevil.example";
    let mut browser = Browser::new();
    let names = ["return_to", "redirect_uri", "next", "url", "client_id", "page", "path"];
    let query = names.map(|name| format!("{name}={evil}")).join("&");
    let page = browser.open(&format!("/account?{query}")).login_page();
    let form = page.login().expect("the form").clone();
    let mut call = form.call(&[("username", &user), ("password", admin::PASSWORD)]);
    for _ in 0..3 {
        let reply = browser.send(call);
        let Some(location) = reply.onward() else {
            assert_eq!((reply.status, reply.url().path().to_owned()), (200, "/account".to_owned()), "{reply:?}");
            break;
        };
        assert!(location.as_str().starts_with(base()), "{location}");
        call = Call::get(location.as_str());
    }
    // What another browser, or an attacker, sends as the way back leads to the account page too.
    for interaction in ["x", form.value("interaction").expect("a field"), "%00", "//evil.example"] {
        let landing = browser.open(&format!("/account?interaction={interaction}")).page();
        assert_eq!(landing.reply.url().path(), "/account", "{:?}", landing.reply);
        assert!(landing.reply.url().as_str().starts_with(base()));
    }
    let page = Browser::new().open("/account").login_page();
    assert!(page.text().contains("your account"), "{}", page.text());
    let mut browser = Browser::new();
    let page = browser.open("/account").login_page();
    let cancelled = browser.decide(&page, "cancel").page();
    assert_eq!(cancelled.select("#outcome"), ["You did not sign in"]);
    let link = cancelled.attributes("#account", "href").remove(0);
    browser.open(&link).login_page();
}

/// No endpoint of clients accepts the interaction of the account page.
#[test]
fn an_account_sign_in_answers_no_request() {
    let mut browser = Browser::new();
    let page = browser.open("/account").login_page();
    let sealed = page.login().expect("the form").value("interaction").expect("a field").to_owned();
    for path in ["/authorize", "/consent", "/device"] {
        let landing = browser.open(&format!("{path}?interaction={sealed}")).page();
        assert_eq!(landing.reply.status, 400, "{path}: {:?}", landing.reply);
    }
    // In another browser the sign-in is over, and the page leads to the account.
    let over = Browser::new().open(&format!("/login?interaction={sealed}")).error_page();
    assert_eq!(over.attributes("#restart", "href"), [format!("{}/account", base())]);
}

/// A sign-in is the same with a wrong password and with an unknown user.
#[test]
fn a_failed_sign_in_does_not_tell_whether_the_user_exists() {
    let user = person("account-exists");
    let attempt = |username: &str| {
        let mut browser = Browser::new();
        let page = browser.open("/account").login_page();
        let answer = browser.sign_in(&page, username, "not the password").page();
        (answer.reply.status, answer.text().replace(username, "NAME"))
    };
    assert_eq!(attempt(&user), attempt("account-who-is-not-there"));
}

/// No page of the account may be framed, cached, or read by another origin.
#[test]
fn account_pages_are_not_framed_or_cached() {
    let user = person("account-framed");
    let ((mut browser, _), _) = (visit(&user), visit(&user));
    let application = application(&mut browser);
    let link = other_sessions(&mut browser).remove(0);
    for page in [browser.open("/account").page(), application, browser.open(&link).page()] {
        let header = |name: &str| page.reply.header(name).unwrap_or_default().to_owned();
        let csp = header("content-security-policy");
        assert!(csp.contains("frame-ancestors 'none'") && csp.contains("default-src 'none'"), "{csp}");
        assert!(!csp.contains("unsafe") && !csp.contains("script-src"), "{csp}");
        assert_eq!(header("cache-control"), "no-store, no-transform");
        assert!(page.reply.header("access-control-allow-origin").is_none(), "{:?}", page.reply);
    }
    let preflight = Call::new("OPTIONS", "/account").header("origin", "https://evil.example").send();
    assert!(preflight.header("access-control-allow-origin").is_none(), "{preflight:?}");
}

/// A repeated parameter is rejected.
#[test]
fn repeated_parameters_are_rejected() {
    let user = person("account-repeated");
    let (mut browser, tokens) = visit(&user);
    let form = application(&mut browser).deciding("remove").expect("the form").clone();
    let mut entries = form.filled(&[("decision", "remove")]);
    entries.push(("client_id".to_owned(), "demo-web".to_owned()));
    match browser.post("/account/application", &entries) {
        Landing::Page(page) => assert_eq!(page.reply.status, 400, "{:?}", page.reply),
        Landing::Callback(callback) => panic!("{callback:?}"),
    }
    assert!(tokens.is_live());
}

/// A user whom the operator signed out has no account page in the old session.
#[test]
fn a_session_that_ended_shows_nothing() {
    let user = person("account-ended");
    let (mut browser, _) = visit(&user);
    let page = application(&mut browser);
    admin::sign_out(&user);
    assert!(!is_signed_in(&mut browser));
    let landing = browser.decide(&page, "remove").page();
    assert!(landing.login().is_some(), "{:?}", landing.reply);
}
