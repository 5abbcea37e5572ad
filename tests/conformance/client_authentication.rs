//! Client authentication: RFC 6749 §2.3, §3.2.1, §5.2; RFC 7617; OpenID Connect Core §9.

use suite::{Authentication, Call, Client, TokenRequest, admin, service, spa};

const FORM: [(&str, &str); 1] = [("grant_type", "client_credentials")];

fn token() -> Call {
    Call::post("/token").form(&FORM)
}

/// RFC 6749 §5.2: 401, and a challenge that names the scheme, when the client used the Authorization header.
#[track_caller]
fn is_challenged(call: Call) {
    let reply = call.send().expect_error(401, "invalid_client");
    let challenge = reply.header("www-authenticate").unwrap_or_else(|| panic!("no WWW-Authenticate: {reply:?}"));
    assert!(challenge.to_ascii_lowercase().starts_with("basic"), "{reply:?}");
}

/// RFC 6749 §2.3.1: "MUST support the HTTP Basic authentication scheme".
#[test]
fn basic_is_accepted() {
    TokenRequest::client_credentials(&service()).tokens();
}

/// OpenID Connect Core §9: `client_secret_post`.
#[test]
fn the_secret_in_the_body_is_accepted() {
    TokenRequest::client_credentials(&service().with(Authentication::Post)).tokens();
}

/// RFC 9110 §11.1: scheme names are not case-sensitive.
#[test]
fn the_scheme_is_case_insensitive() {
    for scheme in ["basic", "BASIC"] {
        let credentials = "ZGVtby1zZXJ2aWNlOmRlbW8tc2VydmljZS1zZWNyZXQtN0txMlh2OVRiNA==";
        token().header("authorization", format!("{scheme} {credentials}")).send().expect(200);
    }
}

/// RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
#[test]
fn credentials_are_form_decoded() {
    token().raw_basic("demo%2Dservice:demo%2dservice%2Dsecret-7Kq2Xv9Tb4").send().expect(200);
    is_challenged(token().raw_basic("demo-service:demo-service-secret-7Kq2Xv9Tb4%00"));
    is_challenged(token().raw_basic("demo-service:demo-service-secret-7Kq2Xv9Tb4%ff"));
    is_challenged(token().raw_basic("demo-service:demo-service-secret-7Kq2Xv9Tb4+"));
}

/// RFC 6749 §2.3.1: a secret that holds the characters that encoding is about.
#[test]
fn made_up_secrets_work_both_ways() {
    let client = admin::client("suite-service", &["--service", "--scope", "read write"]);
    TokenRequest::client_credentials(&client).tokens();
    TokenRequest::client_credentials(&client.with(Authentication::Post)).tokens();
}

/// RFC 6749 §2.3.1: the secret may be left out when it is empty, so an empty one says no more than the name does: enough
/// for a public client, and for no other.
#[test]
fn an_empty_secret_is_none() {
    let revoke = || Call::post("/revoke").form(&[("token", "x")]);
    revoke().raw_basic("demo-spa:").send().expect(200);
    revoke().raw_basic("demo-spa:x").send().expect_error(401, "invalid_client");
    is_challenged(token().raw_basic("demo-service:"));
    revoke().raw_basic(":").send().expect_error(401, "invalid_client");
}

/// RFC 6749 §5.2: a wrong, empty, cut, longer or otherwise written secret is `invalid_client`.
#[test]
fn wrong_secrets_are_refused() {
    for secret in [
        "wrong",
        "",
        "demo-service-secre",
        "demo-service-secret-7Kq2Xv9Tb4x",
        "DEMO-SERVICE-SECRET",
        "demo-service-secret-7Kq2Xv9Tb4\n",
    ] {
        is_challenged(token().basic("demo-service", secret));
        let client = Client::confidential("demo-service", secret).with(Authentication::Post);
        TokenRequest::client_credentials(&client).send().expect_error(401, "invalid_client");
    }
}

/// RFC 6749 §5.2: an unknown client gets the same response as one with a wrong secret.
#[test]
fn unknown_and_wrong_look_the_same() {
    let unknown = token().basic("nobody", "x").send().expect_error(401, "invalid_client");
    let wrong = token().basic("demo-service", "x").send().expect_error(401, "invalid_client");
    assert_eq!(unknown.json(), wrong.json());
}

/// RFC 6749 §3.2.1: a confidential client that only names itself has not authenticated.
#[test]
fn a_confidential_client_must_authenticate() {
    let client = service().with(Authentication::None);
    TokenRequest::client_credentials(&client).send().expect_error(401, "invalid_client");
}

/// RFC 6749 §5.2: no client authentication included.
#[test]
fn no_client_is_refused() {
    token().send().expect_error(401, "invalid_client");
}

/// RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each request".
#[test]
fn two_methods_at_once_are_refused() {
    let both = TokenRequest::client_credentials(&service())
        .set("client_id", "demo-service")
        .set("client_secret", "demo-service-secret-7Kq2Xv9Tb4");
    both.send().expect_error(400, "invalid_request");
    TokenRequest::client_credentials(&service())
        .set("client_secret", "demo-service-secret-7Kq2Xv9Tb4")
        .send()
        .expect_error(400, "invalid_request");
}

/// RFC 6749 §3.2.1: `client_id` beside Basic is only accepted when it says the same.
#[test]
fn a_second_client_id_must_be_the_same() {
    TokenRequest::client_credentials(&service()).set("client_id", "demo-service").tokens();
    let reply = TokenRequest::client_credentials(&service()).set("client_id", "demo-web").send();
    assert!(matches!(reply.status, 400 | 401), "{reply:?}");
}

/// RFC 6749 §5.2: the wrong scheme at the token endpoint is a failed authentication, with Basic in the challenge.
#[test]
fn other_schemes_are_refused() {
    for value in [
        "Bearer x",
        "Digest username=\"demo-service\"",
        "Basic",
        "Basic ",
        "",
        "demo-service:demo-service-secret-7Kq2Xv9Tb4",
    ] {
        let reply = token().header("authorization", value).send().expect_error(401, "invalid_client");
        if !value.is_empty() {
            assert!(
                reply.header("www-authenticate").is_some_and(|field| field.to_ascii_lowercase().starts_with("basic")),
                "{reply:?}"
            );
        }
    }
}

/// RFC 7617 §2: anything but `base64(id:secret)` in UTF-8 is rejected without a panic.
#[test]
fn malformed_basic_is_refused() {
    for value in ["Basic !!!!", "Basic ZGVtbw", "Basic ====", "Basic ZGVtby1zZXJ2aWNl", "Basic Og=="] {
        is_challenged(token().header("authorization", value));
    }
    let reply = token().header("authorization", "Basic \u{fc}").send();
    assert!(matches!(reply.status, 400 | 401), "{reply:?}");
    for credentials in [
        &b"demo-service:\xff\xfe"[..],
        b"\xff:x",
        b":",
        b":demo-service-secret-7Kq2Xv9Tb4",
        b"demo-service:",
        b"%:%",
        b"a%zz:b",
    ] {
        is_challenged(token().raw_basic(credentials));
    }
    is_challenged(token().raw_basic("x".repeat(4000)));
}

/// RFC 9110 §5.3: an Authorization header sent twice is no authentication.
#[test]
fn two_authorization_headers_are_refused() {
    let reply = token()
        .basic("demo-service", "demo-service-secret-7Kq2Xv9Tb4")
        .basic("demo-web", "demo-web-secret-7Kq2Xv9Tb4")
        .send();
    assert!(matches!(reply.status, 400 | 401), "{reply:?}");
}

/// RFC 6749 §2.3.1: `client_secret` twice, or `client_id` twice, is refused.
#[test]
fn repeated_credentials_are_refused() {
    let client = service().with(Authentication::Post);
    TokenRequest::client_credentials(&client).also("client_secret", "x").send().expect_error(400, "invalid_request");
    TokenRequest::client_credentials(&client).also("client_id", "demo-web").send().expect_error(400, "invalid_request");
}

/// RFC 6749 §2.3: a public client has no secret to send.
#[test]
fn a_public_client_with_a_secret_is_refused() {
    for secret in ["x", "demo-web-secret-7Kq2Xv9Tb4"] {
        let client = Client::confidential("demo-spa", secret);
        TokenRequest::refresh(&client, "x").send().expect_error(401, "invalid_client");
        TokenRequest::refresh(&client.with(Authentication::Post), "x").send().expect_error(401, "invalid_client");
    }
}

/// RFC 6749 §2.3: one client's secret is not another's.
#[test]
fn another_clients_secret_is_refused() {
    is_challenged(token().basic("demo-service", "demo-web-secret-7Kq2Xv9Tb4"));
    is_challenged(token().basic("demo-web", "demo-service-secret-7Kq2Xv9Tb4"));
}

/// RFC 7521 §4.2: an assertion that the server cannot verify never authenticates.
#[test]
fn client_assertions_are_refused() {
    TokenRequest::client_credentials(&service().with(Authentication::None))
        .set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .set("client_assertion", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJkZW1vLXNlcnZpY2UifQ.")
        .send()
        .expect_error(401, "invalid_client");
}

/// RFC 6749 §2.3.1: a failed authentication is refused before the grant is looked at.
#[test]
fn authentication_comes_before_the_grant() {
    let client = Client::confidential("demo-web", "wrong");
    TokenRequest::refresh(&client, "x").send().expect_error(401, "invalid_client");
    TokenRequest::refresh(&spa(), "x").send().expect_error(400, "invalid_grant");
}
