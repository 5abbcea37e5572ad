//! PKCE: RFC 7636; RFC 9700 §2.1.1, §4.8.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use suite::{AuthorizationRequest, Browser, Client, TokenRequest, admin, random, spa, web};

fn redeem(request: &AuthorizationRequest) -> TokenRequest {
    TokenRequest::code(request, &Browser::signed_in().complete(request).code())
}

fn is_refused(request: &AuthorizationRequest) {
    let callback = Browser::signed_in().authorize(request).callback();
    assert_eq!(callback.error(), "invalid_request", "RFC 7636 §4.4.1");
    assert_eq!(callback.value("state"), Some(request.value("state")));
}

/// RFC 7636 §4.6, Appendix B: the right verifier is accepted, for S256, with the appendix's own example.
#[test]
fn the_right_verifier_is_accepted() {
    let request = AuthorizationRequest::new(&spa()).with_verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(request.value("code_challenge"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    redeem(&request).tokens();
}

/// RFC 7636 §4.1: 43 to 128 of the unreserved characters.
#[test]
fn verifiers_of_every_allowed_length_and_character_are_accepted() {
    for verifier in ["-._~".repeat(11), "a".repeat(43), "Z9~".repeat(42) + "-_"] {
        assert!((43..=128).contains(&verifier.len()));
        redeem(&AuthorizationRequest::new(&spa()).with_verifier(&verifier)).tokens();
    }
}

/// RFC 7636 §4.6: "If the values are not equal, an error response indicating 'invalid_grant'"; the code stays good.
#[test]
fn a_wrong_verifier_is_refused() {
    let redeem = redeem(&AuthorizationRequest::new(&spa()));
    redeem.clone().set("code_verifier", &random()).send().expect_error(400, "invalid_grant");
    redeem.tokens();
}

/// RFC 7636 §4.1: an invalid verifier is rejected: too short, too long, other characters, the challenge itself.
#[test]
fn a_malformed_verifier_is_refused() {
    let request = AuthorizationRequest::new(&spa());
    let redeem = redeem(&request);
    let short = "a".repeat(42);
    let long = "a".repeat(129);
    for verifier in [short.as_str(), long.as_str(), "\u{fc}", request.value("code_challenge"), "a b", "a+b/c="] {
        let reply = redeem.clone().set("code_verifier", verifier).send().expect(400);
        assert!(matches!(reply.json()["error"].as_str(), Some("invalid_grant" | "invalid_request")), "{reply:?}");
    }
    redeem.tokens();
}

/// RFC 7636 §4.5, RFC 9700 §2.1.1: with a challenge in the request, the verifier cannot be left out.
#[test]
fn a_missing_verifier_is_refused() {
    for client in [spa(), web()] {
        let redeem = redeem(&AuthorizationRequest::new(&client));
        for request in [redeem.clone().without("code_verifier"), redeem.clone().set("code_verifier", "")] {
            let reply = request.send().expect(400);
            assert!(matches!(reply.json()["error"].as_str(), Some("invalid_grant" | "invalid_request")), "{reply:?}");
        }
        redeem.tokens();
    }
}

/// RFC 7636 §4.4.1, RFC 9700 §2.1.1: a public client must send a challenge.
#[test]
fn a_public_client_must_send_a_challenge() {
    is_refused(&AuthorizationRequest::new(&spa()).without_pkce());
    is_refused(&AuthorizationRequest::new(&spa()).set("code_challenge", "").without("code_challenge_method"));
}

/// RFC 9700 §2.1.1: a confidential client registered without PKCE may leave it out.
#[test]
fn a_confidential_client_may_be_registered_without() {
    redeem(&AuthorizationRequest::new(&web()).without_pkce()).tokens();
}

/// RFC 9700 §2.1.1, OAuth 2.1 §7.5: without a challenge, the nonce of an ID token must protect the code. Only the operator
/// may exempt a client from the nonce.
#[test]
fn a_request_without_challenge_needs_an_id_token_with_a_nonce() {
    let bare = |client: &Client| AuthorizationRequest::new(client).without_pkce();
    is_refused(&bare(&web()).without("nonce"));
    is_refused(&bare(&web()).set("nonce", ""));
    is_refused(&bare(&web()).set("scope", "profile"));
    redeem(&AuthorizationRequest::new(&web()).without("nonce")).tokens();
    let settings = ["--confidential", "--set", "require_pkce=false", "--set", "require_nonce=false"];
    let exempt = admin::client("suite-no-nonce", &settings);
    redeem(&bare(&exempt).without("nonce")).tokens();
    is_refused(&bare(&exempt).without("nonce").set("scope", "profile"));
}

/// OAuth 2.1 §7.5.1, RFC 9700 §2.1.1: the `nonce` of an ID token has the effect of PKCE, for a client that authenticates.
#[test]
fn a_confidential_client_may_use_a_nonce_in_place_of_pkce() {
    let client = admin::client("suite-web", &["--confidential"]);
    redeem(&AuthorizationRequest::new(&client).without_pkce()).tokens();
    redeem(&AuthorizationRequest::new(&client)).tokens();
}

/// RFC 9700 §2.1.1: the operator may demand PKCE.
#[test]
fn a_confidential_client_must_use_pkce_if_the_operator_demands_it() {
    let client = admin::client("suite-pkce", &["--confidential", "--set", "require_pkce=true"]);
    is_refused(&AuthorizationRequest::new(&client).without_pkce());
    redeem(&AuthorizationRequest::new(&client)).tokens();
}

/// RFC 9700 §4.8.2: "a token request containing a code_verifier parameter is accepted only if a code_challenge parameter
/// was present in the authorization request".
#[test]
fn a_verifier_without_a_challenge_is_refused() {
    let redeem = redeem(&AuthorizationRequest::new(&web()).without_pkce());
    let reply = redeem.clone().set("code_verifier", &random()).send().expect(400);
    assert!(matches!(reply.json()["error"].as_str(), Some("invalid_grant" | "invalid_request")), "{reply:?}");
    redeem.tokens();
}

/// RFC 7636 §4.3: a challenge without method means `plain`; RFC 9700 §2.1.1: only S256 is safe. Refused.
#[test]
fn a_challenge_without_method_is_refused() {
    for client in [spa(), web()] {
        is_refused(&AuthorizationRequest::new(&client).without("code_challenge_method"));
        is_refused(&AuthorizationRequest::new(&client).set("code_challenge_method", ""));
    }
}

/// RFC 9700 §2.1.1: `plain` reveals the verifier in the request and is rejected.
#[test]
fn plain_is_refused() {
    for client in [spa(), web()] {
        let verifier = random();
        let request = AuthorizationRequest::new(&client).set("code_challenge", &verifier);
        is_refused(&request.set("code_challenge_method", "plain"));
    }
}

/// RFC 7636 §4.4.1: an unsupported method is `invalid_request`.
#[test]
fn unknown_methods_are_refused() {
    for method in ["S512", "s256", "PLAIN", "S256 ", "none", "\u{fc}"] {
        is_refused(&AuthorizationRequest::new(&spa()).set("code_challenge_method", method));
        is_refused(&AuthorizationRequest::new(&web()).set("code_challenge_method", method));
    }
}

/// RFC 7636 §4.3: a method without a challenge is half a request.
#[test]
fn a_method_without_challenge_is_refused() {
    is_refused(&AuthorizationRequest::new(&spa()).without("code_challenge"));
    is_refused(&AuthorizationRequest::new(&web()).without("code_challenge"));
}

/// RFC 7636 §4.2: an S256 challenge is 43 base64url characters.
#[test]
fn a_malformed_challenge_is_refused() {
    let right = AuthorizationRequest::new(&spa()).value("code_challenge").to_owned();
    for challenge in [&right[1..], "x", "+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/8", "\u{fc}", &format!("{right}=")] {
        is_refused(&AuthorizationRequest::new(&spa()).set("code_challenge", challenge));
    }
    is_refused(&AuthorizationRequest::new(&spa()).set("code_challenge", &"A".repeat(200)));
    is_refused(&AuthorizationRequest::new(&spa()).set("code_challenge", &URL_SAFE_NO_PAD.encode([0; 33])));
}

/// RFC 9700 §4.5: a code that was caught cannot be put into another request's exchange.
#[test]
fn one_requests_verifier_does_not_open_anothers_code() {
    let (mine, stolen) = (AuthorizationRequest::new(&spa()), AuthorizationRequest::new(&spa()));
    let stolen_code = Browser::signed_in().complete(&stolen).code();
    TokenRequest::code(&mine, &stolen_code).send().expect_error(400, "invalid_grant");
    TokenRequest::code(&stolen, &stolen_code).tokens();
}
