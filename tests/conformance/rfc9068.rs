//! JWT access tokens: RFC 9068.

use suite::{
    AuthorizationRequest, Browser, Call, TokenRequest, Tokens, admin, grant, issuer, jwt, now, service, spa, userinfo,
    web,
};

fn tokens() -> Tokens {
    let request = AuthorizationRequest::new(&spa()).scope("openid email");
    TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens()
}

/// RFC 9068 §2.1: `typ` is `at+jwt`, signed, never `none`.
#[test]
fn the_header_says_what_it_is() {
    let token = jwt::verify(tokens().access());
    assert_eq!(token.header["typ"], "at+jwt");
    assert_eq!(token.header["alg"], "ES256");
    assert!(token.header["kid"].is_string());
}

/// RFC 9068 §2.2: `iss`, `exp`, `aud`, `sub`, `client_id`, `iat`, `jti` are REQUIRED.
#[test]
fn required_claims_are_there() {
    let tokens = tokens();
    let token = jwt::verify(tokens.access());
    assert_eq!(token.text("iss"), issuer());
    assert_eq!(token.text("client_id"), "demo-spa");
    assert!(!token.text("sub").is_empty() && token.text("jti").len() >= 16);
    assert!(token.claims["aud"].is_string() || token.claims["aud"].is_array());
    assert!((now() - token.number("iat")).abs() < 30, "{token:?}");
    assert_eq!(token.number("exp") - token.number("iat"), tokens.document["expires_in"].as_i64().expect("expires_in"));
}

/// RFC 9068 §2.2.3: `scope` says what was granted.
#[test]
fn the_scope_is_what_was_granted() {
    let tokens = tokens();
    assert_eq!(Some(jwt::verify(tokens.access()).text("scope")), tokens.text("scope"));
}

/// RFC 9068 §2.2: the subject is the user's, as in the ID token; §5: the subject of a client is never that of a user.
#[test]
fn the_subject_is_the_persons() {
    let tokens = tokens();
    assert_eq!(jwt::verify(tokens.access()).text("sub"), jwt::verify(tokens.id()).text("sub"));
    let own = TokenRequest::client_credentials(&service()).tokens();
    assert_eq!(jwt::verify(own.access()).text("sub"), "demo-service");
}

/// RFC 9068 §2.2.1: when they are there, `auth_time`, `acr` and `amr` are as in the ID token.
#[test]
fn the_sign_in_is_as_in_the_id_token() {
    let tokens = tokens();
    let (access, id) = (jwt::verify(tokens.access()), jwt::verify(tokens.id()));
    for name in ["auth_time", "acr", "amr"] {
        if let Some(value) = access.claims.get(name) {
            assert_eq!(value, &id.claims[name], "{name}");
        }
    }
}

/// RFC 9068 §2.2.1: a refresh keeps the claims about the sign-in.
#[test]
fn the_sign_in_stays_through_refreshes() {
    let first = grant(&web());
    let second = first.refresh_request().tokens();
    let (one, two) = (jwt::verify(first.access()), jwt::verify(second.access()));
    for name in ["iss", "sub", "aud", "client_id", "scope", "auth_time", "acr", "amr"] {
        assert_eq!(one.claims.get(name), two.claims.get(name), "{name}");
    }
    assert_ne!(one.text("jti"), two.text("jti"));
}

/// RFC 9068 §6: an access token has no more data about the user than an API needs.
#[test]
fn nothing_personal_is_inside() {
    let token = jwt::verify(tokens().access());
    for name in ["name", "email", "address", "phone_number", "password", "nonce", "at_hash"] {
        assert!(token.claims.get(name).is_none(), "{name}: {token:?}");
    }
}

/// RFC 9068 §4, §5: an API that checks `aud` never takes an ID token, nor a client an access token.
#[test]
fn audiences_tell_the_two_kinds_apart() {
    let tokens = tokens();
    let (access, id) = (jwt::verify(tokens.access()), jwt::verify(tokens.id()));
    assert!(!access.is_for("demo-spa"), "{access:?}");
    assert!(id.is_for("demo-spa"), "{id:?}");
    assert_ne!(access.claims["aud"], id.claims["aud"]);
}

/// §2.1: RS256 must be possible; a client may have its access tokens signed by each algorithm of the metadata.
#[test]
fn access_tokens_are_signed_as_the_client_wants() {
    for algorithm in ["RS256", "ES256", "PS256", "EdDSA", "Ed25519"] {
        let id = format!("suite-access-{}", algorithm.to_lowercase());
        let setting = format!("access_token_signed_response_alg={algorithm}");
        let client = admin::client(&id, &["--confidential", "--set", &setting]);
        let request = AuthorizationRequest::new(&client).scope("openid email");
        let tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
        let token = jwt::verify(tokens.access());
        let expected = if algorithm == "Ed25519" { "EdDSA" } else { algorithm };
        assert_eq!((&token.header["alg"], &token.header["typ"]), (&expected.into(), &"at+jwt".into()));
        userinfo(tokens.access()).expect(200);
    }
}

/// RFC 8725 §3.1: one key has one `kid` and one algorithm.
#[test]
fn each_key_is_for_one_algorithm() {
    let keys = Call::get("/jwks").send().expect(200).json()["keys"].as_array().unwrap().clone();
    for (index, key) in keys.iter().enumerate() {
        assert!((key["alg"].is_string() || key["use"] == "enc") && key["kid"].is_string(), "{key}");
        for other in keys.iter().skip(index + 1) {
            assert_ne!(key["kid"], other["kid"]);
            assert!(key["n"].is_null() || key["n"] != other["n"], "one RSA key for two algorithms");
        }
    }
}
