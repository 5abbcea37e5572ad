//! Bearer tokens at userinfo: RFC 6750.

use suite::{Call, Reply, TokenRequest, grant, jwt, random, service, spa, web};

/// RFC 6750 §3: a 401 or 403 carries a Bearer challenge; §3.1: with this error code.
#[track_caller]
fn is_refused(reply: Reply, status: u16, code: &str) {
    let reply = reply.expect(status);
    let challenge = reply.header("www-authenticate").unwrap_or_else(|| panic!("no WWW-Authenticate: {reply:?}"));
    assert!(challenge.starts_with("Bearer"), "{reply:?}");
    assert!(challenge.contains(&format!("error=\"{code}\"")), "{reply:?}");
}

/// RFC 6750 §2.1: the Authorization header.
#[test]
fn the_header_is_accepted() {
    let tokens = grant(&spa());
    Call::get("/userinfo").bearer(tokens.access()).send().expect(200);
    Call::post("/userinfo").bearer(tokens.access()).send().expect(200);
}

/// RFC 9110 §11.1: scheme names are not case-sensitive.
#[test]
fn the_scheme_is_case_insensitive() {
    let tokens = grant(&spa());
    for scheme in ["bearer", "BEARER"] {
        Call::get("/userinfo").header("authorization", format!("{scheme} {}", tokens.access())).send().expect(200);
    }
}

/// RFC 6750 §2.2: the form body of a POST.
#[test]
fn the_body_of_a_post_is_accepted() {
    let tokens = grant(&spa());
    Call::post("/userinfo").form(&[("access_token", tokens.access())]).send().expect(200);
}

/// RFC 6750 §2.2: only `application/x-www-form-urlencoded` counts.
#[test]
fn a_body_of_another_type_does_not_count() {
    let tokens = grant(&spa());
    let body = format!("access_token={}", tokens.access());
    for kind in ["text/plain", "multipart/form-data; boundary=x"] {
        let reply = Call::post("/userinfo").body(kind, body.clone()).send();
        assert!(matches!(reply.status, 400 | 401), "{reply:?}");
    }
    let reply = Call::post("/userinfo")
        .body("application/json", format!("{{\"access_token\":\"{}\"}}", tokens.access()))
        .send();
    assert!(matches!(reply.status, 400 | 401), "{reply:?}");
}

/// RFC 6750 §2.2: "The HTTP request method is one for which the request-body has defined semantics": never GET.
#[test]
fn the_body_of_a_get_does_not_count() {
    let tokens = grant(&spa());
    let reply = Call::get("/userinfo").form(&[("access_token", tokens.access())]).send();
    assert!(matches!(reply.status, 400 | 401), "{reply:?}");
}

/// RFC 6750 §2.3, RFC 9700 §4.3.2: tokens in the URI leak; they are not accepted.
#[test]
fn a_token_in_the_query_is_not_accepted() {
    let tokens = grant(&spa());
    for call in [Call::get("/userinfo"), Call::post("/userinfo")] {
        let reply = call.query(&[("access_token", tokens.access())]).send();
        assert!(matches!(reply.status, 400 | 401), "{reply:?}");
    }
}

/// RFC 6750 §2, §3.1: "Clients MUST NOT use more than one method": `invalid_request`, 400.
#[test]
fn two_methods_at_once_are_refused() {
    let tokens = grant(&spa());
    let reply =
        Call::post("/userinfo").bearer(tokens.access()).form(&[("access_token", tokens.access())]).send().expect(400);
    let challenge = reply.header("www-authenticate").unwrap_or_default();
    let is_in_body = reply.text().contains("invalid_request");
    assert!(challenge.contains("invalid_request") || is_in_body, "{reply:?}");
}

/// RFC 6750 §3.1: a repeated parameter is `invalid_request`.
#[test]
fn a_repeated_token_is_refused() {
    let tokens = grant(&spa());
    Call::post("/userinfo")
        .form(&[("access_token", tokens.access()), ("access_token", tokens.access())])
        .send()
        .expect(400);
    let reply = Call::get("/userinfo").bearer(tokens.access()).bearer(tokens.access()).send();
    assert!(matches!(reply.status, 400 | 401), "{reply:?}");
}

/// RFC 6750 §3.1: without a token "the resource server SHOULD NOT include an error code".
#[test]
fn no_token_gets_a_bare_challenge() {
    for call in [Call::get("/userinfo"), Call::post("/userinfo")] {
        let reply = call.send().expect(401);
        let challenge = reply.header("www-authenticate").expect("WWW-Authenticate");
        assert!(challenge.starts_with("Bearer") && !challenge.contains("error"), "{reply:?}");
    }
}

/// RFC 6750 §3.1: another scheme is no token: "the resource server SHOULD NOT include an error code".
#[test]
fn another_scheme_is_challenged() {
    for value in ["Basic ZGVtbzpkZW1vLXBhc3N3b3Jk", "Digest x", "Bearer", "DPoP"] {
        let reply = Call::get("/userinfo").header("authorization", value).send().expect(401);
        let challenge = reply.header("www-authenticate").unwrap_or_default();
        assert!(challenge.starts_with("Bearer") && !challenge.contains("error"), "{reply:?}");
    }
}

/// RFC 6750 §3.1: `invalid_token`, 401, for what is no token at all.
#[test]
fn a_made_up_token_is_invalid() {
    let long = "x".repeat(6000);
    for token in ["x", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30.", long.as_str()] {
        is_refused(Call::get("/userinfo").bearer(token).send(), 401, "invalid_token");
    }
}

/// RFC 6750 §3.1: a malformed token gets `invalid_token` or `invalid_request`, never a panic.
#[test]
fn a_token_outside_the_grammar_is_refused() {
    for value in [&b"Bearer \xff\xfe"[..], b"Bearer a b", b"Bearer \"x\"", b"Bearer a,b", b"Bearer  "] {
        let reply = Call::get("/userinfo").header("authorization", value).send();
        assert!(matches!(reply.status, 400 | 401), "{reply:?}");
    }
    let reply =
        Call::post("/userinfo").body("application/x-www-form-urlencoded", b"access_token=%ff%fe".to_vec()).send();
    assert!(matches!(reply.status, 400 | 401), "{reply:?}");
}

/// RFC 6750 §5.2: "token manufacture/modification": altered claims, no signature, another's signature.
#[test]
fn a_forged_token_is_invalid() {
    let tokens = grant(&spa());
    let other = TokenRequest::client_credentials(&service()).tokens();
    let token = tokens.access();
    let signature = other.access().rsplit('.').next().expect("a signature");
    let body = token.rsplit_once('.').expect("a JWT").0;
    for forged in [
        jwt::tampered(token, |claims| claims["scope"] = "openid profile email".into()),
        jwt::tampered(token, |claims| claims["exp"] = 4_000_000_000_u32.into()),
        jwt::unsigned(token),
        format!("{body}."),
        format!("{body}.{signature}"),
        format!("{token}x"),
    ] {
        is_refused(Call::get("/userinfo").bearer(&forged).send(), 401, "invalid_token");
    }
    assert!(tokens.is_live());
}

/// RFC 9068 §4, RFC 8725 §3.11: other kinds of token are no access tokens.
#[test]
fn other_tokens_are_no_access_tokens() {
    let tokens = grant(&web());
    for token in [tokens.id(), tokens.refresh(), &random()] {
        is_refused(Call::get("/userinfo").bearer(token).send(), 401, "invalid_token");
    }
}

/// RFC 6750 §3.1: `insufficient_scope`, 403, for a token without `openid`.
#[test]
fn a_token_without_openid_has_insufficient_scope() {
    let request = suite::AuthorizationRequest::new(&spa()).scope("email");
    let code = suite::Browser::signed_in().complete(&request).code();
    let tokens = TokenRequest::code(&request, &code).tokens();
    is_refused(Call::get("/userinfo").bearer(tokens.access()).send(), 403, "insufficient_scope");
}

/// RFC 6750 §5.3: responses to requests with a token are not cached.
#[test]
fn responses_are_not_stored() {
    Call::get("/userinfo").bearer(grant(&spa()).access()).send().expect(200).expect_no_store();
}
