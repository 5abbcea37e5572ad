//! OpenID Connect Back-Channel Logout 1.0.

use std::thread;
use std::time::{Duration, Instant};

use suite::{
    Answer, AuthorizationRequest, Browser, Call, Client, Host, Landing, Received, TokenRequest, Tokens, admin, issuer,
    jwt, now, spa,
};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A client with a logout URI, and its host.
fn listening(id: &str, more: &[&str]) -> (Client, Host) {
    let host = Host::start();
    let uri = format!("backchannel_logout_uri={}", host.serve("/out", Answer::status(200)));
    let mut arguments = vec!["--set", "token_endpoint_auth_method=none", "--set", &uri];
    arguments.extend_from_slice(more);
    (admin::client(id, &arguments), host)
}

#[track_caller]
fn sign_in(browser: &mut Browser, client: &Client) -> Tokens {
    sign_in_as(browser, client, suite::USERNAME, suite::PASSWORD)
}

#[track_caller]
fn sign_in_as(browser: &mut Browser, client: &Client, username: &str, password: &str) -> Tokens {
    let request = AuthorizationRequest::new(client);
    let code = browser.complete_as(&request, username, password).code();
    TokenRequest::code(&request, &code).tokens()
}

#[track_caller]
fn sign_out(browser: &mut Browser) {
    let page = browser.open("/logout").page();
    browser.decide(&page, "yes");
}

#[track_caller]
fn token(received: &Received) -> jwt::Jwt {
    assert_eq!(received.method, "POST");
    assert_eq!(received.headers.get("content-type").map(String::as_str), Some("application/x-www-form-urlencoded"));
    jwt::verify(&received.field("logout_token").expect("logout_token"))
}

/// §2.1: metadata.
#[test]
fn metadata_says_so() {
    let document = Call::get("/.well-known/openid-configuration").send().json();
    assert_eq!(document["backchannel_logout_supported"], true);
    assert_eq!(document["backchannel_logout_session_supported"], true);
}

/// §2.4, §2.5: a logout token, posted as a form, says which session of whom has ended.
#[test]
fn a_client_is_told_which_session_ended() {
    let (client, host) = listening("suite-back", &[]);
    let mut browser = Browser::new();
    let id = jwt::read(sign_in(&mut browser, &client).id());
    sign_out(&mut browser);
    let received = host.wait_for("/out", 1);
    let token = token(&received[0]);
    assert_eq!(token.header["typ"], "logout+jwt");
    assert_eq!(token.header["alg"], "RS256", "as the client's ID tokens");
    assert_eq!(token.text("iss"), issuer());
    assert_eq!(token.text("aud"), client.id);
    assert_eq!(token.text("sub"), id.text("sub"));
    assert_eq!(token.text("sid"), id.text("sid"));
    assert!(token.claims["events"][EVENT].as_object().is_some_and(serde_json::Map::is_empty), "{token:?}");
    assert!(token.claims.get("nonce").is_none(), "MUST NOT: {token:?}");
    assert!(!token.text("jti").is_empty());
    assert!((token.number("iat") - now()).abs() < 60 && token.number("exp") - token.number("iat") <= 120);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(host.requests("/out").len(), 1, "told twice");
}

/// §2.6, and RFC 8725 §3.11: a logout token is nothing else.
#[test]
fn a_logout_token_is_no_other_token() {
    let (client, host) = listening("suite-back-mixed", &[]);
    let mut browser = Browser::new();
    sign_in(&mut browser, &client);
    sign_out(&mut browser);
    let token = host.wait_for("/out", 1)[0].field("logout_token").expect("logout_token");
    suite::userinfo(&token).expect(401);
    sign_in(&mut browser, &client);
    let page = browser.open(&format!("/logout?id_token_hint={token}")).page();
    assert!(page.deciding("yes").is_some(), "it is no hint: the user is asked");
    let request = AuthorizationRequest::new(&client).set("id_token_hint", &token).set("prompt", "none");
    assert_eq!(browser.authorize(&request).callback().error(), "invalid_request");
}

/// §2.4: signed as the client's ID tokens are.
#[test]
fn the_clients_algorithm_signs() {
    let (client, host) = listening("suite-back-es256", &["--set", "id_token_signed_response_alg=ES256"]);
    let mut browser = Browser::new();
    sign_in(&mut browser, &client);
    sign_out(&mut browser);
    assert_eq!(token(&host.wait_for("/out", 1)[0]).header["alg"], "ES256");
}

/// §2.5: each client of the session gets its own logout token; another session goes on.
#[test]
fn all_clients_of_the_session_are_told_and_no_others() {
    let ((one, at_one), (two, at_two)) = (listening("suite-back-one", &[]), listening("suite-back-two", &[]));
    let (mut browser, mut elsewhere) = (Browser::new(), Browser::new());
    let sid = jwt::read(sign_in(&mut browser, &one).id()).text("sid").to_owned();
    assert_eq!(jwt::read(sign_in(&mut browser, &one).id()).text("sid"), sid, "a session keeps its name");
    let sid_of_two = jwt::read(sign_in(&mut browser, &two).id()).text("sid").to_owned();
    assert_ne!(sid_of_two, sid, "clients cannot tell by it that they serve the same person");
    let other = sign_in(&mut elsewhere, &one);
    assert_ne!(jwt::read(other.id()).text("sid"), sid);
    sign_out(&mut browser);
    for (client, host, sid) in [(&one, &at_one, &sid), (&two, &at_two, &sid_of_two)] {
        let received = host.wait_for("/out", 1);
        assert_eq!(received.len(), 1);
        let token = token(&received[0]);
        assert_eq!((token.text("aud"), token.text("sid")), (client.id.as_str(), sid.as_str()));
    }
    assert!(other.is_live());
}

/// §2.5: a client that does not respond delays nothing; the user is signed out.
#[test]
fn a_client_that_fails_holds_nobody_up() {
    let (client, host) = listening("suite-back-down", &[]);
    host.serve("/out", Answer::status(200).after(Duration::from_secs(30)));
    let (works, at_work) = listening("suite-back-up", &[]);
    let mut browser = Browser::new();
    sign_in(&mut browser, &client);
    sign_in(&mut browser, &works);
    let began = Instant::now();
    sign_out(&mut browser);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    at_work.wait_for("/out", 1);
    let request = AuthorizationRequest::new(&spa()).set("prompt", "none");
    assert_eq!(browser.authorize(&request).callback().error(), "login_required");
}

/// A logout with the ID token of the client notifies the client too and redirects the browser.
#[test]
fn a_clients_own_logout_tells_it_too() {
    let bye = "https://suite.example/bye";
    let (client, host) = listening("suite-back-own", &["--post-logout-redirect-uri", bye]);
    let mut browser = Browser::new();
    let tokens = sign_in(&mut browser, &client);
    let query = format!("/logout?id_token_hint={}&post_logout_redirect_uri={bye}", tokens.id());
    assert!(matches!(browser.open(&query), Landing::Callback(_)));
    host.wait_for("/out", 1);
}

/// Sign-out everywhere notifies the clients of each session; so do sign-out by the operator and removal of the user.
#[test]
fn signing_out_everywhere_tells_all() {
    let (client, host) = listening("suite-back-everywhere", &[]);
    let ada = admin::user("suite-back-ada");
    let sids = |count: usize| {
        let mut sids: Vec<_> =
            host.wait_for("/out", count).iter().map(|received| token(received).text("sid").to_owned()).collect();
        sids.sort();
        sids
    };
    let (mut phone, mut desk) = (Browser::new(), Browser::new());
    let mut expected: Vec<_> = [&mut phone, &mut desk]
        .map(|browser| jwt::read(sign_in_as(browser, &client, &ada, admin::PASSWORD).id()).text("sid").to_owned())
        .to_vec();
    let page = phone.open("/logout").page();
    let page = phone.decide(&page, "everywhere").page();
    phone.decide(&page, "everywhere-yes");
    expected.sort();
    assert_eq!(sids(2), expected);

    let again = sign_in_as(&mut desk, &client, &ada, admin::PASSWORD);
    admin::sign_out(&ada);
    assert!(sids(3).contains(&jwt::read(again.id()).text("sid").to_owned()));
}
