//! The token response and the ID token: OpenID Connect Core §2, §3.1.3, §12.

use suite::{AuthorizationRequest, Browser, TokenRequest, Tokens, admin, grant, issuer, jwt, now, spa, web};

fn tokens(request: &AuthorizationRequest) -> Tokens {
    TokenRequest::code(request, &Browser::signed_in().complete(request).code()).tokens()
}

/// Core §2: `iss`, `sub`, `aud`, `exp`, `iat` are REQUIRED.
#[test]
fn required_claims_are_there() {
    for client in [spa(), web()] {
        let token = jwt::verify(tokens(&AuthorizationRequest::new(&client)).id());
        assert_eq!(token.text("iss"), issuer());
        assert!(token.is_for(&client.id));
        assert!((1..=255).contains(&token.text("sub").len()) && token.text("sub").is_ascii());
        assert!((now() - token.number("iat")).abs() < 30, "{token:?}");
        assert!(token.number("exp") > now());
    }
}

/// Core §2, §3.1.3.7: RS256 unless the client registered otherwise; the key is named.
#[test]
fn rs256_is_the_default() {
    let token = jwt::verify(tokens(&AuthorizationRequest::new(&spa())).id());
    assert_eq!(token.header["alg"], "RS256");
    assert!(token.header["kid"].is_string());
}

/// Core §2, §3.1.3.7: a client's own algorithm.
#[test]
fn a_client_chooses_its_algorithm() {
    for algorithm in ["RS256", "ES256", "PS256", "EdDSA"] {
        let setting = format!("id_token_signed_response_alg={algorithm}");
        let id = format!("suite-{}", algorithm.to_lowercase());
        let client = admin::client(&id, &["--set", "token_endpoint_auth_method=none", "--set", &setting]);
        let tokens = tokens(&AuthorizationRequest::new(&client));
        let token = jwt::verify(tokens.id());
        assert_eq!(token.header["alg"], algorithm);
        if algorithm != "EdDSA" {
            assert_eq!(token.text("at_hash"), jwt::at_hash(tokens.access()), "{algorithm}");
        }
    }
}

/// Core §3.1.3.6: `at_hash` binds the access token that comes with it; §12.2: also after a refresh.
#[test]
fn at_hash_binds_the_access_token() {
    let first = grant(&spa());
    assert_eq!(jwt::verify(first.id()).text("at_hash"), jwt::at_hash(first.access()));
    let second = first.refresh_request().tokens();
    if let Some(id) = second.text("id_token") {
        assert_eq!(jwt::verify(id).text("at_hash"), jwt::at_hash(second.access()));
    }
}

/// Core §2: `auth_time` is the time of the sign-in, not of the token.
#[test]
fn auth_time_is_the_sign_in() {
    let mut browser = Browser::new_signed_in();
    let mut times = Vec::new();
    for _ in 0..2 {
        suite::wait(std::time::Duration::from_millis(1100));
        let request = AuthorizationRequest::new(&spa()).set("max_age", "1000");
        let code = browser.complete(&request).code();
        let token = jwt::verify(TokenRequest::code(&request, &code).tokens().id());
        assert!(token.number("auth_time") < token.number("iat"), "{token:?}");
        times.push(token.number("auth_time"));
    }
    assert_eq!(times[0], times[1]);
}

/// Core §5.5.1: `auth_time` asked for as essential is there.
#[test]
fn auth_time_can_be_asked_for() {
    let request = AuthorizationRequest::new(&spa()).set("claims", r#"{"id_token":{"auth_time":{"essential":true}}}"#);
    jwt::verify(tokens(&request).id()).number("auth_time");
}

/// Core §2: `acr` is text, `amr` a list; RFC 8176: a password is `pwd`.
#[test]
fn the_sign_in_is_described() {
    let token = jwt::verify(tokens(&AuthorizationRequest::new(&spa())).id());
    assert!(token.claims["acr"].is_string(), "{token:?}");
    assert_eq!(token.claims["amr"], serde_json::json!(["pwd"]));
}

/// Core §2, §3.1.3.7: `azp`, when it is there, is the client.
#[test]
fn azp_is_the_client_or_left_out() {
    let token = jwt::verify(tokens(&AuthorizationRequest::new(&web())).id());
    if let Some(azp) = token.claims.get("azp") {
        assert_eq!(azp, "demo-web");
    }
}

/// Core §8: the subject is the same at every client and every time (subject type public).
#[test]
fn the_subject_is_stable() {
    let (one, two) = (tokens(&AuthorizationRequest::new(&spa())), tokens(&AuthorizationRequest::new(&web())));
    let (one, two) = (jwt::verify(one.id()), jwt::verify(two.id()));
    assert_eq!(one.text("sub"), two.text("sub"));
}

/// Core §12.2: a refreshed ID token has the same `iss`, `sub`, `aud`, `auth_time`; its `iat` is new.
#[test]
fn a_refreshed_id_token_is_of_the_same_sign_in() {
    for client in [spa(), web()] {
        let first = grant(&client);
        suite::wait(std::time::Duration::from_millis(1100));
        let second = first.refresh_request().tokens();
        let Some(id) = second.text("id_token") else { continue };
        let (one, two) = (jwt::verify(first.id()), jwt::verify(id));
        for name in ["iss", "sub", "aud", "auth_time", "azp", "acr", "amr", "sid"] {
            assert_eq!(one.claims.get(name), two.claims.get(name), "{name}");
        }
        assert!(two.number("iat") > one.number("iat"));
        let nonce = two.claims.get("nonce");
        assert!(nonce.is_none() || nonce == one.claims.get("nonce"), "{two:?}");
    }
}

/// Core §3.1.3.2, §16.11: the token endpoint hands an ID token only to the client that asked for the code.
#[test]
fn the_audience_is_the_client_alone() {
    let token = jwt::verify(tokens(&AuthorizationRequest::new(&spa())).id());
    assert!(!token.is_for("demo-web"));
    match &token.claims["aud"] {
        serde_json::Value::Array(many) => assert_eq!(many.len(), 1),
        one => assert_eq!(one, "demo-spa"),
    }
}

/// RFC 8725 §3.11: an ID token does not say that it is an access token.
#[test]
fn an_id_token_is_not_typed_as_an_access_token() {
    let token = jwt::read(tokens(&AuthorizationRequest::new(&spa())).id());
    assert!(token.header.get("typ").is_none_or(|kind| kind == "JWT"), "{token:?}");
    for name in ["scope", "client_id", "jti"] {
        assert!(name == "jti" || token.claims.get(name).is_none(), "{name}");
    }
}
