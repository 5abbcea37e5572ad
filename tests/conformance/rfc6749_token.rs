//! The token endpoint, whatever the grant: RFC 6749 §3.2, §5.1, §5.2.

use serde_json::Value;
use suite::{Call, TokenRequest, grant, service, spa, web};

/// RFC 6749 §3.2: "The client MUST use the HTTP POST method".
#[test]
fn only_post_is_served() {
    for method in ["GET", "PUT", "DELETE", "PATCH", "HEAD"] {
        let call = Call::new(method, "/token").query(&[("grant_type", "client_credentials")]);
        let reply = call.basic("demo-service", "demo-service-secret-7Kq2Xv9Tb4").send().expect(405);
        assert!(reply.header("allow").is_some_and(|allow| allow.contains("POST")), "{reply:?}");
    }
}

/// RFC 6749 §5.1: JSON, `Cache-Control: no-store` and `Pragma: no-cache` on every response with a token.
#[test]
fn a_token_response_is_json_that_is_never_stored() {
    let reply = TokenRequest::client_credentials(&service()).send().expect(200).expect_no_store();
    assert!(reply.header("content-type").is_some_and(|kind| kind.starts_with("application/json")), "{reply:?}");
    assert_eq!(reply.header("pragma"), Some("no-cache"), "{reply:?}");
}

/// RFC 6749 §5.2: errors are JSON with `error`; they are not stored either.
#[test]
fn an_error_response_is_json_that_is_never_stored() {
    let reply = TokenRequest::client_credentials(&service()).set("scope", "nope").send();
    assert_eq!(reply.expect_error(400, "invalid_scope").header("pragma"), Some("no-cache"));
}

/// RFC 6749 §5.1: `scope` is REQUIRED in the response when it is not what was asked for.
#[test]
fn a_changed_scope_is_told() {
    let tokens = TokenRequest::client_credentials(&service()).tokens();
    assert!(tokens.text("scope").is_some_and(|scope| !scope.is_empty()), "{tokens:?}");
}

/// RFC 6749 §5.2: a missing parameter is `invalid_request`; §3.2: one without a value is missing.
#[test]
fn a_missing_grant_type_is_refused() {
    TokenRequest::client_credentials(&service()).without("grant_type").send().expect_error(400, "invalid_request");
    TokenRequest::client_credentials(&service()).set("grant_type", "").send().expect_error(400, "invalid_request");
}

/// RFC 6749 §5.2: `unsupported_grant_type`.
#[test]
fn unknown_grant_types_are_refused() {
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    for kind in [
        "magic",
        "CLIENT_CREDENTIALS",
        "client_credentials ",
        "implicit",
        "urn:ietf:params:oauth:grant-type:unheard-of",
    ] {
        TokenRequest::new(&service(), kind).send().expect_error(400, "unsupported_grant_type");
    }
    let reply = TokenRequest::new(&spa(), device).set("device_code", "x").send().expect(400);
    assert!(matches!(
        reply.json()["error"].as_str(),
        Some("unsupported_grant_type" | "unauthorized_client" | "invalid_grant")
    ));
}

/// RFC 9700 §2.4: the password grant is refused by name, with right and with wrong passwords alike.
#[test]
fn the_password_grant_is_refused() {
    for client in [spa(), web()] {
        for password in ["four-quiet-lanterns", "wrong"] {
            let request = TokenRequest::new(&client, "password").set("username", "demo").set("password", password);
            request.send().expect_error(400, "unsupported_grant_type");
        }
    }
}

/// RFC 6749 §5.2: `unauthorized_client` for a grant that the client was not registered for.
#[test]
fn a_grant_that_the_client_may_not_use_is_refused() {
    let service = service();
    TokenRequest::new(&service, "authorization_code").set("code", "x").send().expect_error(400, "unauthorized_client");
    TokenRequest::refresh(&service, "x").send().expect_error(400, "unauthorized_client");
    TokenRequest::client_credentials(&spa()).send().expect_error(400, "unauthorized_client");
    TokenRequest::client_credentials(&web()).send().expect_error(400, "unauthorized_client");
}

/// RFC 6749 §3.2: "Request and response parameters MUST NOT be included more than once".
#[test]
fn repeated_parameters_are_refused() {
    let request = TokenRequest::client_credentials(&service()).set("scope", "read");
    for (name, value) in [("grant_type", "client_credentials"), ("scope", "read"), ("scope", "write")] {
        request.clone().also(name, value).send().expect_error(400, "invalid_request");
    }
    let tokens = grant(&spa());
    for (name, value) in [("client_id", "demo-spa"), ("refresh_token", tokens.refresh())] {
        let again = tokens.refresh_request().also(name, value);
        again.also(name, value).send().expect_error(400, "invalid_request");
    }
    tokens.refresh_request().tokens();
}

/// RFC 6749 §3.2: "MUST ignore unrecognized request parameters"; "without a value MUST be treated as if … omitted".
#[test]
fn unknown_and_empty_parameters_are_ignored() {
    TokenRequest::client_credentials(&service()).also("foo", "bar").also("scope", "").also("code", "").tokens();
}

/// RFC 6749 §3.2, Appendix B: the body is `application/x-www-form-urlencoded`, in UTF-8.
#[test]
fn another_content_type_is_refused() {
    let body = "grant_type=client_credentials";
    let call = || Call::post("/token").basic("demo-service", "demo-service-secret-7Kq2Xv9Tb4");
    for kind in
        ["application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencodedx", "x"]
    {
        call().body(kind, body).send().expect_error(400, "invalid_request");
    }
    call().untyped_body(body).send().expect_error(400, "invalid_request");
    call()
        .body("application/json", r#"{"grant_type":"client_credentials"}"#)
        .send()
        .expect_error(400, "invalid_request");
}

/// RFC 9110 §8.3.1: parameters and case of the media type do not matter.
#[test]
fn the_content_type_may_have_parameters() {
    let call = || Call::post("/token").basic("demo-service", "demo-service-secret-7Kq2Xv9Tb4");
    for kind in ["application/x-www-form-urlencoded; charset=UTF-8", "Application/X-WWW-Form-Urlencoded;charset=utf-8"]
    {
        call().body(kind, "grant_type=client_credentials").send().expect(200);
    }
}

/// RFC 6749 Appendix B: invalid UTF-8 is a malformed request, not a panic.
#[test]
fn bytes_that_are_not_utf8_are_refused() {
    let call = || Call::post("/token").basic("demo-service", "demo-service-secret-7Kq2Xv9Tb4");
    let bodies: [&[u8]; 5] = [
        b"grant_type=client_credentials&scope=%ff",
        b"grant_type=client_credentials&scope=\xff\xfe",
        b"grant_type=%c3%28",
        b"grant_type=client_credentials&%80=x",
        b"grant_type=client_credentials&scope=%ed%a0%80",
    ];
    for body in bodies {
        call().body("application/x-www-form-urlencoded", body).send().expect_error(400, "invalid_request");
    }
}

/// RFC 6749 §3.2: bodies that are hardly forms get a clear error.
#[test]
fn degenerate_bodies_are_refused() {
    let call = || Call::post("/token").basic("demo-service", "demo-service-secret-7Kq2Xv9Tb4");
    for body in [
        "",
        "&",
        "=",
        "&&&=&=",
        "grant_type",
        "%",
        "%zz=%",
        "\u{0}",
        "grant_type=%00",
        "?grant_type=client_credentials",
    ] {
        let reply = call().body("application/x-www-form-urlencoded", body).send().expect(400);
        assert!(reply.json()["error"].is_string(), "{reply:?}");
    }
}

/// RFC 6749 §2.3.1, §3.2: parameters come in the body; those in the request URI do not count.
#[test]
fn parameters_in_the_query_do_not_count() {
    let query = [
        ("grant_type", "client_credentials"),
        ("client_id", "demo-service"),
        ("client_secret", "demo-service-secret-7Kq2Xv9Tb4"),
    ];
    let none: [(&str, &str); 0] = [];
    let reply = Call::post("/token").query(&query).form(&none).send();
    assert!(matches!(reply.status, 400 | 401), "{reply:?}");
    let reply = Call::post("/token").query(&query[1..]).form(&query[..1]).send();
    reply.expect_error(401, "invalid_client");
}

/// RFC 6749 §5.2: every error says what is wrong in words.
#[test]
fn errors_are_explained() {
    for request in [
        TokenRequest::client_credentials(&service()).set("scope", "nope"),
        TokenRequest::new(&service(), "magic\"\\\u{fc}"),
        TokenRequest::refresh(&spa(), "x"),
        TokenRequest::new(&spa(), "authorization_code"),
    ] {
        let reply = request.send().expect(400);
        let code = reply.json()["error"].as_str().expect("a code").to_owned();
        let document = reply.expect_error(400, &code).json();
        assert!(document["error_description"].as_str().is_some_and(|text| text.len() > 10), "{document}");
    }
}

/// RFC 6749 §5.1: the members of the response and their JSON types.
#[test]
fn a_token_response_has_the_right_types() {
    let document = grant(&web()).document;
    for (name, is_right) in [
        ("access_token", Value::is_string as fn(&Value) -> bool),
        ("token_type", Value::is_string),
        ("expires_in", Value::is_u64),
        ("refresh_token", Value::is_string),
        ("scope", Value::is_string),
        ("id_token", Value::is_string),
    ] {
        assert!(is_right(&document[name]), "{name}: {document}");
    }
}
