//! UserInfo: OpenID Connect Core §5.3. How the token is presented is tested with RFC 6750.

use suite::{AuthorizationRequest, Browser, Call, TokenRequest, admin, grant, issuer, jwt, spa, userinfo, web};

/// Core §5.3.1: "MUST support the use of the HTTP GET and HTTP POST methods"; both say the same.
#[test]
fn get_and_post_say_the_same() {
    let tokens = grant(&spa());
    let one = Call::get("/userinfo").bearer(tokens.access()).send().expect(200).json();
    let two = Call::post("/userinfo").bearer(tokens.access()).send().expect(200).json();
    let three = Call::post("/userinfo").form(&[("access_token", tokens.access())]).send().expect(200).json();
    assert!(one == two && two == three, "{one} {two} {three}");
}

/// Core §5.3.2: `sub` MUST always be there, and "MUST be verified to exactly match the sub Claim in the ID Token".
#[test]
fn the_subject_is_that_of_the_id_token() {
    for client in [spa(), web()] {
        let tokens = grant(&client);
        assert_eq!(userinfo(tokens.access()).expect(200).json()["sub"], jwt::verify(tokens.id()).claims["sub"]);
    }
}

/// Core §5.3.2: plain JSON unless the client registered otherwise.
#[test]
fn the_answer_is_json() {
    let reply = userinfo(grant(&spa()).access()).expect(200);
    assert!(reply.header("content-type").is_some_and(|kind| kind.starts_with("application/json")), "{reply:?}");
}

/// Core §5.3.2: a client can have it signed: `application/jwt`, with `iss` and `aud`.
#[test]
fn the_answer_can_be_signed() {
    let client = admin::client(
        "suite-signed-userinfo",
        &[
            "--set",
            "token_endpoint_auth_method=none",
            "--set",
            "userinfo_signed_response_alg=RS256",
            "--scope",
            "openid profile email",
        ],
    );
    let request = AuthorizationRequest::new(&client).scope("openid email");
    let tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    let reply = userinfo(tokens.access()).expect(200);
    assert!(reply.header("content-type").is_some_and(|kind| kind.starts_with("application/jwt")), "{reply:?}");
    let token = jwt::verify(&reply.text());
    assert_eq!(token.header["alg"], "RS256");
    assert_eq!(token.text("iss"), issuer());
    assert!(token.is_for(&client.id));
    assert!(token.claims["email"].is_string());
    assert_eq!(token.text("sub"), jwt::verify(tokens.id()).text("sub"));
}

/// Core §5.3.1: other methods are not served.
#[test]
fn other_methods_are_refused() {
    let tokens = grant(&spa());
    for method in ["PUT", "DELETE", "PATCH"] {
        Call::new(method, "/userinfo").bearer(tokens.access()).send().expect(405);
    }
}

/// Core §5.3.3: a token that was revoked opens nothing any more; RFC 6750 §3.1: `invalid_token`.
#[test]
fn a_revoked_token_opens_nothing() {
    let tokens = grant(&spa());
    suite::revoke(&spa(), tokens.access(), None).expect(200);
    let reply = userinfo(tokens.access()).expect(401);
    assert!(reply.header("www-authenticate").is_some_and(|field| field.contains("invalid_token")), "{reply:?}");
}

/// FAPI 1.0 Part 1 §6.2.1, 11: the response has the `x-fapi-interaction-id` of the request, or a new UUID. Errors have it, too.
#[test]
fn an_interaction_is_identified() {
    const ID: &str = "c770aef3-6784-41f7-8e0e-ff5f97bddb3a";
    let tokens = grant(&spa());
    let of = |sent: Option<&str>, token: &str| {
        let call = Call::get("/userinfo").bearer(token);
        let reply = sent.into_iter().fold(call, |call, id| call.header("x-fapi-interaction-id", id)).send();
        reply.header("x-fapi-interaction-id").expect("an identifier").to_owned()
    };
    for token in [tokens.access(), "unknown"] {
        assert_eq!(of(Some(ID), token), ID);
        let (one, two) = (of(None, token), of(Some("no UUID, no echo"), token));
        assert_ne!(one, two);
        for id in [one, two] {
            assert!(id.len() == 36 && id.as_bytes()[14] == b'4', "{id}");
            assert_eq!(id.split('-').map(str::len).collect::<Vec<usize>>(), [8, 4, 4, 4, 12]);
        }
    }
}
