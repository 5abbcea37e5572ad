//! Redirect URIs: RFC 6749 §3.1.2, §10.15; RFC 8252 §7.3; RFC 9700 §2.1, §4.1, §4.11.

use suite::{Authentication, AuthorizationRequest, Browser, TokenRequest, admin, base, jwt, spa, web};

fn is_refused(redirect_uri: &str) {
    for client in [spa(), web()] {
        let request = AuthorizationRequest::new(&client).set("redirect_uri", redirect_uri);
        let page = Browser::signed_in().authorize(&request).error_page();
        assert!(page.reply.header("refresh").is_none(), "{:?}", page.reply);
        assert!(page.attributes("meta[http-equiv]", "content").is_empty(), "{:?}", page.reply);
        // Neither may a link on the page be a redirector.
        for link in page.attributes("a", "href") {
            assert_ne!(link, redirect_uri, "{:?}", page.reply);
        }
    }
}

fn is_accepted(redirect_uri: &str) {
    let request = AuthorizationRequest::new(&spa()).set("redirect_uri", redirect_uri);
    let callback = Browser::signed_in().complete(&request);
    assert_eq!(callback.url.as_str(), redirect_uri);
    TokenRequest::code(&request, &callback.code()).tokens();
}

/// RFC 6749 §3.1.2.3: a registered URI is accepted.
#[test]
fn the_registered_uri_is_accepted() {
    is_accepted(&format!("{}/playground/callback", base()));
}

/// RFC 8252 §7.3: the port of a loopback address is free.
#[test]
fn any_port_of_a_loopback_address_is_accepted() {
    for port in [":1", ":49152", ":65535", ""] {
        is_accepted(&format!("http://127.0.0.1{port}/callback"));
    }
}

/// RFC 8252 §7.3: an invalid port is rejected.
#[test]
fn a_loopback_port_is_a_number_in_range() {
    for port in [":0", ":65536", ":99999999999999999999", ":-1", ":+80", ":8a", ":", ":80:80", ": 80", ":%38%30"] {
        is_refused(&format!("http://127.0.0.1{port}/callback"));
    }
}

/// RFC 8252 §7.3, for the host that applications in use today name: any port of `localhost` matches, and neither address matches
/// it.
#[test]
fn any_port_of_localhost_is_accepted() {
    let client = admin::client("suite-localhost", &["http://localhost/callback"]);
    let request = |uri: &str| AuthorizationRequest::new(&client).set("redirect_uri", uri);
    for port in ["", ":1", ":33418", ":65535"] {
        let request = request(&format!("http://localhost{port}/callback"));
        TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    }
    for uri in [
        "http://localhost:0/callback",
        "http://localhost:65536/callback",
        "http://localhost.attacker.example/callback",
        "http://localhost:1.attacker.example/callback",
        "http://localhost:1/callback/",
        "http://localhost:1/other",
        "https://localhost:1/callback",
        "http://127.0.0.1:1/callback",
        "http://[::1]/callback",
    ] {
        Browser::signed_in().authorize(&request(uri)).error_page();
    }
}

/// RFC 6749 §3.1.2.3: the redirect URI may be left out if the client has one. OpenID Connect Core §3.1.2.1 demands it.
#[test]
fn the_redirect_uri_may_be_left_out_if_there_is_one() {
    let client = admin::client("suite-one-redirect", &["--scope", "openid profile"]);
    let request = AuthorizationRequest::new(&client).without("redirect_uri").scope("profile");
    let redeem = || {
        let callback = Browser::signed_in().complete(&request);
        assert_eq!(callback.url.as_str(), client.redirect_uri);
        TokenRequest::code(&request, &callback.code())
    };
    redeem().without("redirect_uri").tokens();
    redeem().set("redirect_uri", &client.redirect_uri).tokens();
    Browser::signed_in().authorize(&request.clone().scope("openid")).error_page();
    let two = admin::client("suite-two-redirects", &["https://a.example/1", "https://a.example/2"]);
    Browser::signed_in()
        .authorize(&AuthorizationRequest::new(&two).without("redirect_uri").scope("profile"))
        .error_page();
}

/// OAuth 2.1 §4.1.3 has no `redirect_uri` in the token request: the code challenge has the same effect. RFC 6749 §4.1.3 demands it
/// of a client that sent none.
#[test]
fn a_token_request_with_a_verifier_may_leave_out_the_redirect_uri() {
    let request = AuthorizationRequest::new(&spa());
    let code = Browser::signed_in().complete(&request).code();
    TokenRequest::code(&request, &code).set("redirect_uri", "https://attacker.example/").send().expect(400);
    TokenRequest::code(&request, &code).without("redirect_uri").tokens();
    let bare = AuthorizationRequest::new(&web()).without_pkce();
    let code = Browser::signed_in().complete(&bare).code();
    let reply = TokenRequest::code(&bare, &code).without("redirect_uri").send().expect(400);
    assert_eq!(reply.json()["error"], "invalid_request", "{reply:?}");
    TokenRequest::code(&bare, &code).tokens();
}

/// RFC 8252 §7.1: an operator may choose the scheme of an application.
#[test]
fn an_operator_registers_any_private_use_scheme() {
    let client = admin::client("suite-scheme", &["--set", r#"redirect_uris=["myapp://cb"]"#]);
    let request = AuthorizationRequest::new(&client).set("redirect_uri", "myapp://cb");
    let callback = Browser::signed_in().complete(&request);
    assert_eq!(callback.url.as_str(), "myapp://cb");
    TokenRequest::code(&request, &callback.code()).tokens();
}

/// RFC 6749 §2.2: the server decides what a client_id is. Clients that come from another server keep theirs.
#[test]
fn a_client_id_may_be_a_uri() {
    let client = admin::client("https://app.example/id?a=b", &["--confidential"]);
    for authentication in [Authentication::Basic, Authentication::Post] {
        let client = client.clone().with(authentication);
        let request = AuthorizationRequest::new(&client);
        let tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
        assert_eq!(jwt::verify(tokens.id()).claims["aud"], client.id);
    }
}

/// RFC 9700 §2.1: another host is refused.
#[test]
fn another_host_is_refused() {
    for uri in [
        "https://attacker.example/callback",
        "http://127.0.0.2/callback",
        "http://127.0.0.1.attacker.example/callback",
        "http://127.0.0.1:80.attacker.example/callback",
        "http://127.1/callback",
        "http://2130706433/callback",
        "http://0x7f.0.0.1/callback",
        "http://[::1]/callback",
        "http://[::ffff:127.0.0.1]/callback",
        "http://0.0.0.0/callback",
    ] {
        is_refused(uri);
    }
}

/// RFC 9700 §2.1: another scheme is refused.
#[test]
fn another_scheme_is_refused() {
    for uri in [
        "https://127.0.0.1/callback",
        "ftp://127.0.0.1/callback",
        "javascript:alert(1)//127.0.0.1/callback",
        "data:text/html,<script>alert(1)</script>",
        "//127.0.0.1/callback",
        "/callback",
        "callback",
        "127.0.0.1/callback",
    ] {
        is_refused(uri);
    }
}

/// RFC 9700 §4.1: a user name in the URI changes where it leads.
#[test]
fn a_user_name_is_refused() {
    for uri in [
        "http://127.0.0.1@attacker.example/callback",
        "http://127.0.0.1:80@attacker.example/callback",
        "http://user@127.0.0.1/callback",
        "http://127.0.0.1:@127.0.0.1/callback",
        "http://127.0.0.1\\@attacker.example/callback",
        "http://attacker.example\\.127.0.0.1/callback",
        "http://attacker.example#@127.0.0.1/callback",
    ] {
        is_refused(uri);
    }
}

/// RFC 9700 §2.1: exact matching: no other case, dot, slash, encoding, whitespace.
#[test]
fn anything_but_the_same_string_is_refused() {
    for uri in [
        "HTTP://127.0.0.1/callback",
        "http://127.0.0.1./callback",
        "http://127.0.0.1/Callback",
        "http://127.0.0.1/callback/",
        "http://127.0.0.1//callback",
        "http://127.0.0.1/./callback",
        "http://127.0.0.1/x/../callback",
        "http://127.0.0.1/callback/../evil",
        "http://127.0.0.1/callback%2f..%2fevil",
        "http://127.0.0.1/%63allback",
        "http://127.0.0.1/callback%00",
        "http://127.0.0.1/callback;x",
        "http://127.0.0.1/callbackx",
        "http://127.0.0.1/callback/x",
        "http://127.0.0.1\\callback",
        " http://127.0.0.1/callback",
        "http://127.0.0.1/callback ",
        "http://127.0.0.1/callback\n",
        "http://127.0.0.1/callback\r\nset-cookie: a=b",
        "http://127.0.0.1/call\tback",
        "http:/127.0.0.1/callback",
        "http:127.0.0.1/callback",
        "http://127.0.0.1",
        "http://127.0.0.1/",
        "http://127.0.0.1/callback\u{200b}",
    ] {
        is_refused(uri);
    }
}

/// RFC 9700 §4.1: a query that was not registered is refused, whatever it pollutes.
#[test]
fn an_unregistered_query_is_refused() {
    for uri in [
        "http://127.0.0.1/callback?",
        "http://127.0.0.1/callback?x=y",
        "http://127.0.0.1/callback?code=stolen",
        "http://127.0.0.1/callback&redirect_uri=https://attacker.example",
        "http://127.0.0.1:1?/callback",
    ] {
        is_refused(uri);
    }
}

/// RFC 6749 §3.1.2: "The endpoint URI MUST NOT include a fragment component".
#[test]
fn a_fragment_is_refused() {
    for uri in ["http://127.0.0.1/callback#", "http://127.0.0.1/callback#x", "http://127.0.0.1/callback%23x"] {
        is_refused(uri);
    }
}

/// RFC 6749 §3.1.2: a registered query "MUST be retained when adding additional query parameters".
#[test]
fn a_registered_query_is_retained() {
    let mut client = admin::client(
        "suite-query",
        &["http://127.0.0.1/callback?tenant=a%20b", "--set", "token_endpoint_auth_method=none"],
    );
    client.redirect_uri = "http://127.0.0.1:4000/callback?tenant=a%20b".to_owned();
    let request = AuthorizationRequest::new(&client);
    let callback = Browser::signed_in().complete(&request);
    assert_eq!(callback.value("tenant"), Some("a b"));
    TokenRequest::code(&request, &callback.code()).tokens();
    let callback = Browser::signed_in().complete(&request.set("response_mode", "fragment"));
    assert_eq!(callback.url.query(), Some("tenant=a%20b"));
    callback.code();
}

/// RFC 6749 §4.1.2.1: while the redirect URI is bad, no other mistake of the request makes it redirect.
#[test]
fn a_bad_redirect_uri_outweighs_every_other_error() {
    let request = AuthorizationRequest::new(&spa()).set("redirect_uri", "https://attacker.example/");
    for (name, value) in [
        ("response_type", "token"),
        ("scope", "nope"),
        ("prompt", "none"),
        ("request", "x"),
        ("request_uri", "https://attacker.example/x"),
        ("code_challenge_method", "plain"),
        ("response_mode", "form_post"),
        ("response_mode", "web_message"),
        ("max_age", "-1"),
    ] {
        Browser::signed_in().authorize(&request.clone().set(name, value)).error_page();
        Browser::new().authorize(&request.clone().set(name, value)).error_page();
    }
}

/// RFC 6749 §3.1.2: OpenID Connect Core §3.1.2.1 makes the parameter REQUIRED.
#[test]
fn a_missing_redirect_uri_never_redirects() {
    Browser::signed_in().authorize(&AuthorizationRequest::new(&spa()).without("redirect_uri")).error_page();
}

/// RFC 6749 §10.6: one client's URI is none of another's.
#[test]
fn another_clients_uri_is_refused() {
    let client = admin::client(
        "suite-elsewhere",
        &["https://elsewhere.example/callback", "--set", "token_endpoint_auth_method=none"],
    );
    is_refused("https://elsewhere.example/callback");
    Browser::signed_in().authorize(&AuthorizationRequest::new(&client)).error_page();
}
