//! Pages that end a way lead on: to the client, and for its developer to the mistake.

use suite::{AuthorizationRequest, Browser, Call, PASSWORD, TokenRequest, USERNAME, admin, spa};

const HOME: &str = "https://suite.example/home";
const START: &str = "https://suite.example/start?tenant=1";

fn client(name: &str, extra: &[&str]) -> suite::Client {
    let home = format!("client_uri={HOME}");
    let mut settings = vec!["--set", "token_endpoint_auth_method=none", "--set", &home];
    settings.extend(extra);
    admin::client(name, &settings)
}

/// RFC 6749 §3.1.2.4: the error page shows what was received, as text, and leads the user to the client.
#[test]
fn an_error_page_shows_what_was_received_and_leads_on() {
    let client = client("suite-dead-end", &[]);
    let wrong = "https://suite.example/other?x=<b>1</b>";
    let request = AuthorizationRequest::new(&client).set("redirect_uri", wrong);
    let page = Browser::new().authorize(&request).error_page();
    let shown = page.select("[id^=received-]");
    assert_eq!(shown, [client.id.as_str(), wrong]);
    assert_eq!(page.attributes("#restart", "href"), [HOME]);
    let unknown = AuthorizationRequest::new(&client).set("client_id", "suite-nobody");
    let page = Browser::new().authorize(&unknown).error_page();
    assert_eq!(page.select("#received-1"), ["suite-nobody"]);
    assert!(page.attributes("#restart", "href").is_empty(), "nothing vouches for an unknown client");
}

/// OpenID Connect Core §4: the way to the client is `initiate_login_uri` with the issuer, if the client has it.
#[test]
fn the_way_to_the_client_starts_a_sign_in() {
    let start = format!("initiate_login_uri={START}");
    let client = client("suite-dead-end-start", &["--set", &start]);
    let request = AuthorizationRequest::new(&client).set("redirect_uri", "https://suite.example/other");
    let page = Browser::new().authorize(&request).error_page();
    let issuer: String = form_urlencoded::byte_serialize(suite::issuer().as_bytes()).collect();
    assert_eq!(page.attributes("#restart", "href"), [format!("{START}&iss={issuer}")]);
}

/// A page that needs a request says what it is for.
#[test]
fn pages_without_a_request_say_what_they_are_for() {
    for (path, purpose) in [("/login", "you sign in to an application"), ("/consent", "may use your account")] {
        let page = Browser::new().open(path).error_page();
        assert!(page.text().contains(purpose), "{path}: {}", page.text());
    }
    assert!(Browser::new().open("/device").page().text().contains("television"));
}

/// "Back" after the sign-in: the same code while it is unused, and then a page that leads on. The client never receives a second
/// code for one request.
#[test]
fn a_request_has_one_answer() {
    let client = client("suite-dead-end-back", &[]);
    let request = AuthorizationRequest::new(&client);
    let mut browser = Browser::new();
    let sign_in = browser.authorize(&request).login_page();
    let consent = browser.sign_in(&sign_in, USERNAME, PASSWORD).consent_page();
    let code = browser.decide(&consent, "allow").callback().code();
    assert_eq!(browser.decide(&consent, "allow").callback().code(), code);
    assert_eq!(browser.open(sign_in.url.as_str()).callback().code(), code);
    assert!(TokenRequest::code(&request, &code).tokens().is_live());
    for landing in [browser.decide(&consent, "allow"), browser.open(sign_in.url.as_str())] {
        let page = landing.page();
        assert_eq!(page.reply.status, 200);
        assert!(page.text().contains("You are signed in"), "{}", page.text());
        assert_eq!(page.attributes("#restart", "href"), [HOME]);
    }
}

/// The page after sign-out leads back to a client without a post-logout redirect URI.
#[test]
fn the_signed_out_page_leads_to_a_new_sign_in() {
    let client = client("suite-dead-end-out", &[]);
    let mut browser = Browser::new();
    browser.complete(&AuthorizationRequest::new(&client)).code();
    let page = browser.open(&format!("/logout?client_id={}", client.id)).page();
    let stayed = browser.decide(&page, "no").page();
    assert_eq!(stayed.attributes("#sign-in-again", "href"), [HOME]);
    let page = browser.open(&format!("/logout?client_id={}", client.id)).page();
    let out = browser.decide(&page, "yes").page();
    assert_eq!(out.attributes("#sign-in-again", "href"), [HOME]);
    assert!(out.text().contains("Sign in again"));
    assert!(Browser::new().authorize(&AuthorizationRequest::new(&spa())).page().login().is_some());
}

/// RFC 8628 §3.3: text that is no code, and a code that no device shows, have their own messages.
#[test]
fn a_mistyped_code_and_an_unknown_code_are_told_apart() {
    let mut browser = Browser::new();
    let page = browser.open("/device").page();
    let form = page.forms.first().expect("the form").clone();
    for (typed, message) in [("123", "This is not a code"), ("BCDF-GHJK", "No device waits with this code")] {
        let page = browser.submit(&form, &[("user_code", typed)]).page();
        assert_eq!(page.reply.status, 403);
        assert!(page.select("#problem").concat().contains(message), "{}", page.text());
    }
}

/// The server itself has a page, with any query: a user who opens it learns what it is for.
#[test]
fn the_root_has_a_page() {
    for path in ["/", "/?", "/?x=y", "/?utm_source=mail&utm_medium=%C3%A9"] {
        let page = Browser::new().open(path).page();
        assert_eq!(page.reply.status, 200);
        assert_eq!(page.select("h1").len(), 1);
        // `latchkey dev` has a page of its own.
        if page.select("#playground").is_empty() {
            assert!(page.text().contains("Open an application to begin"), "{}", page.text());
            assert_eq!(page.attributes("#device", "href"), ["/device"]);
        }
        let head = Call::new("HEAD", path).send().expect(200);
        assert!(head.body.is_empty() && head.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
    }
}

/// A query changes the function that serves a path on no platform, nor does HEAD. A slash at the end makes another path, which no function
/// serves.
#[test]
fn a_path_is_served_with_any_query() {
    for path in ["/login", "/consent", "/device", "/logout", "/authorize", "/jwks", "/health", "/health/token"] {
        let plain = Call::get(path).send();
        for query in ["?", "?x=y", "?x=/y", "?x=%2F"] {
            let reply = Call::get(&format!("{path}{query}")).send();
            assert_eq!(reply.status, plain.status, "{reply:?}");
            assert_eq!(reply.header("content-type"), plain.header("content-type"), "{reply:?}");
        }
        let head = Call::new("HEAD", path).send();
        assert_eq!((head.status, head.body.len()), (plain.status, 0), "{head:?}");
        Call::get(&format!("{path}/")).send().expect_error(404, "invalid_request");
        Call::get(&format!("{path}/?x=y")).send().expect_error(404, "invalid_request");
    }
}
