//! Requests of attackers: forged hosts, oversize, bad encodings (RFC 9110; RFC 6749 §10; RFC 9700 §4).

use suite::{AuthorizationRequest, Browser, Call, Reply, TokenRequest, base, grant, issuer, jwt, spa};

/// Header fields with a forged host.
const FORGED: [(&str, &str); 7] = [
    ("host", "attacker.example"),
    ("x-forwarded-host", "attacker.example"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-prefix", "/attacker.example"),
    ("x-original-url", "https://attacker.example/"),
    ("forwarded", "host=attacker.example;proto=https"),
    ("x-host", "attacker.example"),
];

fn forged(mut call: Call, header: (&str, &str)) -> Call {
    call = call.header(header.0, header.1);
    call
}

/// No part of a response has a forged host. A gateway may reject the request before the server receives it.
#[track_caller]
fn is_untouched(reply: &Reply) -> bool {
    assert!(!reply.text().contains("attacker.example"), "{reply:?}");
    for (name, value) in &reply.headers {
        assert!(!String::from_utf8_lossy(value.as_bytes()).contains("attacker.example"), "{name}: {reply:?}");
    }
    assert!(reply.status < 500, "{reply:?}");
    reply.status == 200
}

/// RFC 8414 §3.3, RFC 9207: the issuer and each URL come from configuration, not from the request.
#[test]
fn a_forged_host_does_not_change_the_metadata() {
    for header in FORGED {
        for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
            let reply = forged(Call::get(path), header).send();
            if is_untouched(&reply) {
                let document = reply.json();
                assert_eq!(document["issuer"], issuer(), "{header:?}");
                for (name, value) in document.as_object().expect("an object") {
                    if let Some(url) = value.as_str().filter(|value| value.starts_with("http")) {
                        assert!(url.starts_with(base()), "{name}: {url}");
                    }
                }
            }
        }
    }
}

/// RFC 9207 §2: a forged host changes neither the issuer of responses nor the links of pages and redirects.
#[test]
fn a_forged_host_does_not_change_redirects_or_pages() {
    for header in FORGED {
        let request = AuthorizationRequest::new(&spa());
        let reply = forged(Call::get(&request.url()), header).send();
        is_untouched(&reply);
        let reply = Browser::signed_in().send(forged(Call::get(&request.url()), header));
        is_untouched(&reply);
        if let Some(location) = reply.location().filter(|location| location.path() == "/playground/callback") {
            assert!(location.query_pairs().any(|(name, value)| name == "iss" && value == issuer()), "{reply:?}");
        }
    }
}

/// RFC 9068 §2.2: a forged host does not change tokens.
#[test]
fn a_forged_host_does_not_change_tokens() {
    for header in FORGED {
        let request = TokenRequest::client_credentials(&suite::service());
        let reply = forged(request.call(), header).send();
        if is_untouched(&reply) {
            let token = jwt::verify(reply.json()["access_token"].as_str().expect("a token"));
            assert_eq!(token.text("iss"), issuer(), "{header:?}");
        }
    }
}

/// A body over the limit is rejected, and the server goes on.
#[test]
fn a_body_over_the_limit_is_refused() {
    for path in ["/token", "/revoke", "/userinfo", "/authorize", "/login", "/consent", "/logout"] {
        let body = format!("grant_type=client_credentials&client_id=demo-spa&padding={}", "x".repeat(300_000));
        let reply = Call::post(path).body("application/x-www-form-urlencoded", body).send();
        assert!(matches!(reply.status, 400 | 413), "{reply:?}");
    }
    TokenRequest::client_credentials(&suite::service()).tokens();
}

/// A body of usual size is not rejected for its size.
#[test]
fn a_body_of_16_kilobytes_is_read() {
    TokenRequest::client_credentials(&suite::service()).also("padding", &"x".repeat(16_000)).tokens();
}

/// A query over the limit is rejected.
#[test]
fn a_query_over_the_limit_is_refused() {
    let request = AuthorizationRequest::new(&spa()).set("padding", &"x".repeat(40_000));
    let reply = Call::get(&request.url()).send();
    assert!(matches!(reply.status, 400 | 413 | 414 | 431), "{reply:?}");
    assert!(reply.header("location").is_none(), "{reply:?}");
}

/// The longest URL of a server's own page: API Gateway takes 10,240 bytes for the request line and all header values
/// together, and browsers and cookies need 2,500 of them.
const LONGEST_URL: usize = 7_700;

/// A long request within every limit is accepted or rejected at once. It does not end at a
/// redirect that is too long for the server's own next step.
#[test]
fn a_long_request_is_no_dead_end() {
    for (length, letter) in [(4_000, "x"), (5_000, "x"), (9_000, "x"), (40_000, "x"), (700, "\u{0}"), (8_000, "\"")] {
        let request = AuthorizationRequest::new(&spa()).set("state", &letter.repeat(length));
        for mut browser in [Browser::new(), Browser::signed_in()] {
            let first = browser.send(Call::post("/authorize").form(&request.parameters));
            if !matches!(first.status, 302 | 303) {
                assert!((400..500).contains(&first.status), "{first:?}");
                continue;
            }
            match browser.follow(&suite::url("/authorize"), first) {
                suite::Landing::Callback(callback) => assert_eq!(callback.value("state"), Some(request.value("state"))),
                suite::Landing::Page(page) => {
                    assert!(page.reply.status == 200, "{length} {letter:?}: {:?}", page.reply)
                }
            }
        }
    }
}

/// A request of any length, posted or pushed, is rejected at once, or each step of sign-in and
/// consent has a URL that each gateway accepts.
#[test]
fn no_step_of_a_long_request_has_a_long_url() {
    let mut longest = 0;
    for length in (3_500..=4_500).step_by(100) {
        let request =
            AuthorizationRequest::new(&spa()).set("state", &"x".repeat(length)).set("prompt", "login consent");
        let reply = suite::pushed::push(&request);
        if reply.status == 400 {
            continue;
        }
        let uri = reply.expect(201).json()["request_uri"].as_str().expect("a reference").to_owned();
        let mut browser = Browser::new_signed_in();
        for is_pushed in [false, true] {
            let landing = match is_pushed {
                true => browser.open(&suite::pushed::reference(&spa(), &uri)),
                false => browser.post("/authorize", &request.parameters),
            };
            let login = landing.login_page();
            let consent = browser.sign_in(&login, suite::USERNAME, suite::PASSWORD).consent_page();
            longest = longest.max(login.url.as_str().len()).max(consent.url.as_str().len());
            let callback = browser.decide(&consent, "allow").callback();
            assert_eq!(callback.value("state"), Some(request.value("state")));
        }
    }
    assert!((6_000..LONGEST_URL).contains(&longest), "{longest}");
}

/// RFC 6749 §4.1.2.1: a request that is too long for the sign-in pages gets an error at the client.
#[test]
fn a_request_that_is_too_long_is_answered() {
    let request = AuthorizationRequest::new(&spa()).set("state", &"x".repeat(5_500));
    for request in [request.clone().set("prompt", "none"), request] {
        let callback = Browser::signed_in().authorize(&request).callback();
        assert_eq!((callback.error(), callback.value("state")), ("invalid_request", Some(request.value("state"))));
    }
}

/// A query that one platform cannot accept is rejected on each platform, with a remedy.
#[test]
fn a_query_of_8_kilobytes_is_refused() {
    let request = AuthorizationRequest::new(&spa()).set("padding", &"x".repeat(8_000));
    let body = Call::get(&request.url()).send().expect_error(414, "invalid_request").json();
    assert!(body["error_description"].as_str().is_some_and(|text| text.contains("POST")), "{body}");
    Browser::signed_in().post("/authorize", &request.parameters).callback().code();
}

/// Thousands of parameters are rejected quickly.
#[test]
fn thousands_of_parameters_are_refused() {
    let body: String = (0..5000).map(|index| format!("p{index}=&")).collect();
    for path in ["/token", "/revoke"] {
        let call = Call::post(path).basic("demo-service", "demo-service-secret-7Kq2Xv9Tb4");
        let reply = call.body("application/x-www-form-urlencoded", body.clone()).send();
        assert!(matches!(reply.status, 400 | 413), "{reply:?}");
    }
}

/// Invalid UTF-8 in a query is rejected without a redirect.
#[test]
fn bad_utf8_in_a_query_is_refused() {
    for garbage in ["%ff", "%c3%28", "%ed%a0%80", "%f8%a1%a1%a1%a1"] {
        let url = format!("{}&x={garbage}", AuthorizationRequest::new(&spa()).url());
        let reply = Call::get(&url).send();
        assert_eq!(reply.status, 400, "{reply:?}");
        assert!(reply.header("location").is_none(), "{reply:?}");
    }
    let url = format!("{}/authorize?client_id=%ff", base());
    Call::get(&url).send().expect(400);
}

/// Invalid percent-encoding is text.
#[test]
fn broken_percent_encoding_is_harmless() {
    for garbage in ["%", "%z", "%%%", "%0", "a=b=c", "&&&", "=", "?"] {
        let url = format!("{}&{garbage}", AuthorizationRequest::new(&spa()).url());
        assert!(Call::get(&url).send().status < 500);
    }
}

/// Malformed cookies are no session and cause no error.
#[test]
fn strange_cookies_are_harmless() {
    let url = AuthorizationRequest::new(&spa()).set("prompt", "none").url();
    let shared = Browser::signed_in();
    let (name, _) = shared.cookies().iter().find(|(name, _)| name.contains("session")).expect("a session cookie");
    let values = ["x", "", "=", "\"", "a.b.c", "%00%ff", "../../x", &"A".repeat(3000)];
    for value in values {
        let reply = Call::get(&url).header("cookie", format!("{name}={value}")).send();
        let location = reply.location().unwrap_or_else(|| panic!("{reply:?}"));
        assert!(location.as_str().contains("login_required"), "{reply:?}");
    }
    for field in [&b";;;="[..], b"\xff\xfe=x", b"a; b; c=d; =e; f"] {
        let reply = Call::get(&url).header("cookie", field).send();
        assert!(reply.status < 500, "{reply:?}");
    }
}

/// RFC 6265 §8.6: another host of the domain can set cookies of any bytes; they do not end a session.
#[test]
fn a_strange_cookie_hides_no_other() {
    let url = AuthorizationRequest::new(&spa()).set("prompt", "none").url();
    let shared = Browser::signed_in();
    let ours: Vec<_> = shared.cookies().iter().map(|(name, cookie)| format!("{name}={}", cookie.value)).collect();
    let ours = ours.join("; ");
    let strange: [&[u8]; 5] = [b"city=M\xc3\xbcnchen", b"city=M\xfcnchen", b"\xff\xfe", b"=", b"a b"];
    for other in strange {
        for field in [[other, b"; ", ours.as_bytes()], [ours.as_bytes(), b"; ", other]] {
            let reply = Call::get(&url).header("cookie", field.concat()).send();
            let location = reply.location().unwrap_or_else(|| panic!("{reply:?}"));
            assert!(location.query_pairs().any(|(name, _)| name == "code"), "{other:?}: {reply:?}");
            assert!(reply.header("set-cookie").is_none(), "{other:?}: {reply:?}");
        }
    }
}

/// An altered session cookie is no session.
#[test]
fn an_altered_session_cookie_is_no_session() {
    let url = AuthorizationRequest::new(&spa()).set("prompt", "none").url();
    let shared = Browser::signed_in();
    let (name, cookie) = shared.cookies().iter().find(|(name, _)| name.contains("session")).expect("a session cookie");
    for position in (0..cookie.value.len()).step_by((cookie.value.len() / 8).max(1)) {
        let mut value = cookie.value.clone().into_bytes();
        value[position] = if value[position] == b'A' { b'B' } else { b'A' };
        let value = String::from_utf8(value).expect("ASCII");
        let reply = Call::get(&url).header("cookie", format!("{name}={value}")).send();
        assert!(reply.location().is_some_and(|location| location.as_str().contains("login_required")), "{reply:?}");
    }
}

/// An unknown path gets 404, whatever bytes it has.
#[test]
fn unknown_paths_are_404() {
    for path in [
        "/nothing",
        "/token/",
        "/token/x",
        "/TOKEN",
        "/authorize/x",
        "/userinfo/",
        "/.env",
        "/../etc/passwd",
        "/login.html",
    ] {
        let reply = Call::get(path).send();
        assert!(matches!(reply.status, 400 | 404), "{reply:?}");
    }
}

/// An unknown method is rejected.
#[test]
fn unknown_methods_are_refused() {
    for path in ["/token", "/authorize", "/jwks", "/login"] {
        let reply = Call::new("PROPFIND", path).send();
        assert!(matches!(reply.status, 400 | 403 | 405 | 501), "{reply:?}");
    }
}

/// No response reveals the software of the server or the place of a fault.
#[test]
fn errors_tell_no_internals() {
    let replies = [
        Call::get("/nothing").send(),
        Call::get("/authorize").send(),
        Call::get("/login?interaction=x").send(),
        Call::post("/token").body("application/x-www-form-urlencoded", b"\xff".to_vec()).send(),
        TokenRequest::refresh(&spa(), "x").send(),
    ];
    for reply in replies {
        let text = reply.text();
        for internal in ["panicked", "src/", ".rs:", "stack", "thread '", "DynamoDB", "dynoxide"] {
            assert!(!text.contains(internal), "{internal}: {reply:?}");
        }
    }
}

/// The server works after all this.
#[test]
fn the_server_goes_on() {
    assert!(grant(&spa()).is_live());
}
