//! OpenID Connect Front-Channel Logout 1.0.

use suite::{AuthorizationRequest, Browser, Call, Client, Landing, Page, TokenRequest, Tokens, admin, issuer, jwt};

const BYE: &str = "https://suite.example/bye";

/// A client with front-channel logout.
fn framed() -> Client {
    let client = admin::client(
        "suite-front",
        &[
            "https://suite.example/callback",
            "--set",
            "token_endpoint_auth_method=none",
            "--set",
            "frontchannel_logout_uri=https://suite.example/front?tenant=1",
            "--post-logout-redirect-uri",
            BYE,
        ],
    );
    Client { redirect_uri: "https://suite.example/callback".to_owned(), ..client }
}

#[track_caller]
fn sign_in(browser: &mut Browser, client: &Client) -> Tokens {
    let request = AuthorizationRequest::new(client);
    let code = browser.complete(&request).code();
    TokenRequest::code(&request, &code).tokens()
}

#[track_caller]
fn is_framed(page: &Page, sid: &str) {
    let expected =
        url::Url::parse_with_params("https://suite.example/front?tenant=1", [("iss", issuer()), ("sid", sid)])
            .expect("a URL");
    assert_eq!(page.attributes("iframe", "src"), [expected.as_str()], "{:?}", page.reply);
    let policy = page.reply.header("content-security-policy").expect("a policy");
    assert!(policy.contains("; frame-src https://suite.example;"), "no more than the client's origin: {policy}");
}

/// §2: metadata.
#[test]
fn metadata_says_so() {
    let document = Call::get("/.well-known/openid-configuration").send().json();
    assert_eq!(document["frontchannel_logout_supported"], true);
    assert_eq!(document["frontchannel_logout_session_supported"], true);
}

/// §2, §3: the page loads the client's URL, its query kept, with issuer and session.
#[test]
fn the_page_tells_each_client_in_a_frame() {
    let mut browser = Browser::new();
    let sid = jwt::read(sign_in(&mut browser, &framed()).id()).text("sid").to_owned();
    sign_in(&mut browser, &framed());
    let page = browser.open("/logout").page();
    assert!(page.attributes("iframe", "src").is_empty(), "nothing has ended yet");
    let page = browser.decide(&page, "yes").page();
    is_framed(&page, &sid);
    assert!(page.text().contains("signed out"));
}

/// RP-Initiated Logout §3 with frames: the page goes on to the client with the state: by a script when the frames have loaded,
/// and by a link. It has no time limit (WCAG 2.2.1).
#[test]
fn the_page_goes_on_to_the_client() {
    let mut browser = Browser::new();
    let tokens = sign_in(&mut browser, &framed());
    let query = format!("/logout?id_token_hint={}&post_logout_redirect_uri={BYE}&state=s%22t", tokens.id());
    let page = browser.open(&query).page();
    is_framed(&page, jwt::read(tokens.id()).text("sid"));
    let back = format!("{BYE}?state=s%22t");
    assert_eq!(page.attributes("a", "href"), std::slice::from_ref(&back));
    goes_on_when_loaded(&page);
    assert!(!tokens.is_live());
}

#[track_caller]
fn goes_on_when_loaded(page: &suite::Page) {
    assert!(page.attributes("meta[http-equiv=refresh]", "content").is_empty(), "{:?}", page.reply);
    assert!(page.select("script").concat().contains("load"), "{:?}", page.reply);
    let policy = page.reply.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("; script-src 'nonce-"), "{policy}");
}

/// Without a client for front-channel logout, no frame is loaded and the browser is redirected at once.
#[test]
fn without_such_a_client_there_is_no_frame() {
    let client = admin::client(
        "suite-no-front",
        &["--set", "token_endpoint_auth_method=none", "--post-logout-redirect-uri", BYE],
    );
    let mut browser = Browser::new();
    let tokens = sign_in(&mut browser, &client);
    let query = format!("/logout?id_token_hint={}&post_logout_redirect_uri={BYE}", tokens.id());
    assert!(matches!(browser.open(&query), Landing::Callback(_)));
}

/// RP-Initiated Logout §3, RFC 8252 §7.1: and to an application by its private-use scheme.
#[test]
fn the_page_goes_on_to_an_application() {
    let bye = "com.example.suite:/bye";
    let native = admin::client(
        "suite-front-native",
        &["--set", "token_endpoint_auth_method=none", "--post-logout-redirect-uri", bye],
    );
    let mut browser = Browser::new();
    sign_in(&mut browser, &framed());
    let tokens = sign_in(&mut browser, &native);
    let page = browser.open(&format!("/logout?id_token_hint={}&post_logout_redirect_uri={bye}", tokens.id())).page();
    assert_eq!(page.attributes("iframe", "src").len(), 1, "{:?}", page.reply);
    assert_eq!(page.attributes("a", "href"), [bye]);
    goes_on_when_loaded(&page);
}
