//! ID tokens and UserInfo responses, encrypted: OpenID Connect Core §10.2, §16.14, Registration §2.

use serde_json::{Value, json};
use suite::jwe::{KeyPair, Opened};
use suite::{AuthorizationRequest, Browser, Client, Host, TokenRequest, Tokens, admin, issuer, jwt, userinfo};

const SCOPE: &str = "openid email offline_access";

fn client(id: &str, settings: &[String]) -> Client {
    let mut arguments = vec!["--set", "skip_consent=true"];
    arguments.extend(settings.iter().flat_map(|setting| ["--set", setting.as_str()]));
    admin::client(id, &arguments)
}

fn keys(pair: &KeyPair) -> String {
    format!("jwks={}", json!({ "keys": [pair.jwk("mine")] }))
}

fn request(client: &Client) -> AuthorizationRequest {
    AuthorizationRequest::new(client).scope(SCOPE)
}

fn tokens(client: &Client) -> Tokens {
    let request = request(client);
    TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens()
}

/// Opens what is encrypted, which must be a signed JWT inside (Core §10.2: "MUST be signed then encrypted").
#[track_caller]
fn open(pair: &KeyPair, text: &str, alg: &str, enc: &str) -> (Opened, jwt::Jwt) {
    let opened = pair.open(text).expect("it is encrypted to this key");
    assert_eq!((&opened.header["alg"], &opened.header["enc"]), (&json!(alg), &json!(enc)), "{opened:?}");
    assert_eq!((&opened.header["cty"], &opened.header["kid"]), (&json!("JWT"), &json!("mine")), "{opened:?}");
    let inside = jwt::verify(&opened.text);
    (opened, inside)
}

/// Registration §2: `id_token_encrypted_response_alg` and `…_enc`, each of the pairs.
#[test]
fn id_tokens_are_encrypted_by_every_pair() {
    for alg in ["RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"] {
        let pair = KeyPair::for_algorithm(alg);
        for enc in ["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"] {
            let id = format!("suite-encrypted-{alg}-{enc}").to_lowercase().replace('+', "-");
            let settings = [
                keys(&pair),
                format!("id_token_encrypted_response_alg={alg}"),
                format!("id_token_encrypted_response_enc={enc}"),
            ];
            let client = client(&id, &settings);
            let tokens = tokens(&client);
            let (_, token) = open(&pair, tokens.id(), alg, enc);
            assert_eq!((token.text("iss"), token.is_for(&id)), (issuer(), true));
            assert_eq!(token.text("at_hash"), jwt::at_hash(tokens.access()));
            // UserInfo is as it was registered: plain.
            assert_eq!(userinfo(tokens.access()).expect(200).json()["sub"], token.claims["sub"]);
        }
    }
}

/// Registration §2: "If id_token_encrypted_response_alg is specified, the default … is A128CBC-HS256"; Core §12.2: also
/// after a refresh; inside it is signed by the client's algorithm.
#[test]
fn the_default_is_a128cbc_hs256() {
    for signed in ["RS256", "ES256", "PS256", "EdDSA"] {
        let pair = KeyPair::p256();
        let settings = [
            keys(&pair),
            "id_token_encrypted_response_alg=ECDH-ES".to_owned(),
            format!("id_token_signed_response_alg={signed}"),
        ];
        let tokens = tokens(&client(&format!("suite-encrypted-{}", signed.to_lowercase()), &settings));
        let (_, token) = open(&pair, tokens.id(), "ECDH-ES", "A128CBC-HS256");
        assert_eq!(token.header["alg"], signed);
        let (_, token) = open(&pair, tokens.refresh_request().tokens().id(), "ECDH-ES", "A128CBC-HS256");
        assert_eq!(token.header["alg"], signed);
    }
}

/// Core §5.3.2: a UserInfo response signed by each algorithm, and encrypted; `iss` and `aud` are in it.
#[test]
fn userinfo_is_signed_and_encrypted() {
    for signed in ["RS256", "ES256", "PS256", "EdDSA"] {
        let name = signed.to_lowercase();
        let setting = format!("userinfo_signed_response_alg={signed}");
        let plain = client(&format!("suite-userinfo-{name}"), std::slice::from_ref(&setting));
        let reply = userinfo(tokens(&plain).access()).expect(200);
        assert_eq!(reply.header("content-type"), Some("application/jwt"), "{reply:?}");
        assert_eq!(jwt::verify(&reply.text()).header["alg"], signed);

        let pair = KeyPair::rsa();
        let settings = [keys(&pair), "userinfo_encrypted_response_alg=RSA-OAEP-256".to_owned(), setting];
        let encrypted = client(&format!("suite-userinfo-encrypted-{name}"), &settings);
        let tokens = tokens(&encrypted);
        let reply = userinfo(tokens.access()).expect(200);
        assert_eq!(reply.header("content-type"), Some("application/jwt"), "{reply:?}");
        let (_, answer) = open(&pair, &reply.text(), "RSA-OAEP-256", "A128CBC-HS256");
        assert_eq!((&answer.header["alg"], answer.text("iss")), (&json!(signed), issuer()));
        assert!(answer.is_for(&encrypted.id) && answer.text("email") == "demo@example.com");
        // The ID token is as it was registered: not encrypted.
        assert_eq!(jwt::verify(tokens.id()).claims["sub"], answer.claims["sub"]);
    }
}

/// Core §16.14: encryption proves nothing of the sender, so the answer is signed even when only encryption was asked for.
#[test]
fn encrypted_userinfo_is_signed_too() {
    let pair = KeyPair::p256();
    let settings = [
        keys(&pair),
        "userinfo_encrypted_response_alg=ECDH-ES+A256KW".to_owned(),
        "userinfo_encrypted_response_enc=A256GCM".to_owned(),
    ];
    let client = client("suite-userinfo-encrypted", &settings);
    let reply = userinfo(tokens(&client).access()).expect(200);
    let (_, answer) = open(&pair, &reply.text(), "ECDH-ES+A256KW", "A256GCM");
    assert_eq!(answer.text("email"), "demo@example.com");
}

/// Core §10.2.1: keys at `jwks_uri`; the one that is for encryption is taken, never one that is for signatures.
#[test]
fn keys_are_fetched() {
    let (pair, signing) = (KeyPair::p256(), KeyPair::p256());
    let mut other = signing.jwk("other");
    other["use"] = json!("sig");
    let host = Host::start();
    let uri = host.serve_json("/jwks", &json!({ "keys": [other, pair.jwk("mine")] }));
    let settings = [format!("jwks_uri={uri}"), "id_token_encrypted_response_alg=ECDH-ES".to_owned()];
    let tokens = tokens(&client("suite-encrypted-remote", &settings));
    open(&pair, tokens.id(), "ECDH-ES", "A128CBC-HS256");
    assert!(!host.requests("/jwks").is_empty());
}

/// While the keys cannot be had nothing is lost: the answer is 503, and the very same code is good afterwards.
#[test]
fn a_code_outlives_keys_that_cannot_be_fetched() {
    let pair = KeyPair::p256();
    let host = Host::start();
    let settings = [format!("jwks_uri={}", host.url("/jwks")), "id_token_encrypted_response_alg=ECDH-ES".to_owned()];
    let client = client("suite-encrypted-outage", &settings);
    let request = request(&client);
    let code = Browser::signed_in().complete(&request).code();
    let redeem = TokenRequest::code(&request, &code);
    let reply = redeem.send().expect(503);
    assert_eq!(reply.json()["error"], "temporarily_unavailable");
    host.serve_json("/jwks", &json!({ "keys": [pair.jwk("mine")] }));
    suite::wait(std::time::Duration::from_millis(5500));
    open(&pair, redeem.tokens().id(), "ECDH-ES", "A128CBC-HS256");
}

/// Without a suitable key the client gets an error, and the code stays unused.
#[test]
fn a_client_without_a_fitting_key_is_told() {
    let host = Host::start();
    let uri = host.serve_json("/jwks", &json!({ "keys": [KeyPair::rsa().jwk("mine")] }));
    let settings = [format!("jwks_uri={uri}"), "id_token_encrypted_response_alg=ECDH-ES".to_owned()];
    let client = client("suite-encrypted-unfit", &settings);
    let request = request(&client);
    let code = Browser::signed_in().complete(&request).code();
    for _ in 0..2 {
        let reply = TokenRequest::code(&request, &code).send().expect_error(400, "invalid_request");
        let description = reply.json()["error_description"].clone();
        assert!(matches!(&description, Value::String(text) if text.contains("ECDH-ES")), "{description}");
    }
}

/// Core §3.1.2.1, RP-Initiated Logout §2: the decrypted ID token is accepted as a hint.
#[test]
fn the_token_inside_is_a_hint() {
    let pair = KeyPair::p256();
    let settings = [keys(&pair), "id_token_encrypted_response_alg=ECDH-ES".to_owned()];
    let client = client("suite-encrypted-hint", &settings);
    let tokens = tokens(&client);
    let (opened, _) = open(&pair, tokens.id(), "ECDH-ES", "A128CBC-HS256");
    let asked = request(&client).set("prompt", "none").set("id_token_hint", &opened.text);
    assert!(Browser::signed_in().authorize(&asked).callback().value("code").is_some());
}
