//! The JWT bearer grant: RFC 7521 §4.1 and §5, RFC 7523 §2.1 and §3, with the audience of draft-ietf-oauth-rfc7523bis.

use serde_json::{Value, json};
use suite::trusted::{JWT_BEARER, MACHINES, MAILS, NAMES, PEOPLE, bearer, claims, jwt_bearer, machines, people, typed};
use suite::{
    Client, Reply, Signer, TokenRequest, Tokens, USERNAME, admin, grant, introspection, issuer, jwt, now, random,
    revoke, service, spa, url,
};

fn machine() -> Client {
    let grants = format!("grant_types=[\"{JWT_BEARER}\"]");
    admin::client("jwt-machine", &["--service", "--scope", "read", "--set", &grants])
}

/// The subject of the demo user.
fn subject() -> String {
    jwt::read(grant(&spa()).id()).text("sub").to_owned()
}

/// An assertion about the demo user that is right but for these changes; `null` leaves a claim out.
fn changed(changes: Value) -> String {
    let mut claims = claims(NAMES, "whoever");
    claims.insert("login".to_owned(), json!(USERNAME));
    for (claim, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            claims.remove(claim);
        } else {
            claims.insert(claim.clone(), value.clone());
        }
    }
    people().sign(&Value::Object(claims))
}

fn present(assertion: &str) -> Reply {
    jwt_bearer(&bearer(), assertion).send()
}

/// RFC 7523 §2.1, RFC 7521 §4.1: an assertion about a user yields an access token about that user, and no refresh
/// token and no ID token with it.
#[test]
fn an_assertion_brings_an_access_token() {
    let subject = subject();
    let assertion = typed(people(), claims(PEOPLE, &subject));
    let tokens = jwt_bearer(&bearer(), &assertion).tokens();
    assert!(tokens.text("refresh_token").is_none() && tokens.text("id_token").is_none(), "{tokens:?}");
    let token = jwt::verify(tokens.access());
    assert_eq!((token.text("sub"), token.text("client_id")), (subject.as_str(), "jwt-bearer"));
    assert_eq!(tokens.text("scope"), Some("read write"), "what both the client and the issuer may have");
    assert!(token.is_for(issuer()));
    // By the name that a claim says, too.
    let token = jwt::verify(Tokens::read(&bearer(), present(&changed(json!({})))).access());
    assert_eq!(token.text("sub"), subject);
}

/// A machine of a trusted issuer needs no account; its subject is in a space of its own.
#[test]
fn a_machine_has_a_subject_of_its_own() {
    let assertion = typed(machines(), claims(MACHINES, "repo:octo/app"));
    let token = jwt::verify(jwt_bearer(&machine(), &assertion).tokens().access());
    assert_eq!(token.text("sub"), "machine:repo:octo/app");
    let assertion = typed(machines(), claims(MACHINES, "two words"));
    jwt_bearer(&machine(), &assertion).send().expect_error(400, "invalid_grant");
}

/// The `jti` makes an assertion single-use.
#[test]
fn an_assertion_is_used_once() {
    let assertion = changed(json!({}));
    present(&assertion).expect(200);
    present(&assertion).expect_error(400, "invalid_grant");
    // Another assertion of the same name is the same one.
    let jti = json!({ "jti": "suite-the-same-name" });
    let first = present(&changed(jti.clone()));
    assert!(matches!(first.status, 200 | 400), "{first:?}");
    present(&changed(jti)).expect_error(400, "invalid_grant");
}

/// RFC 7523 §3 (7): "The JWT MAY contain a jti". One without may be used once as well, with any valid signature.
#[test]
fn an_assertion_without_a_name_is_used_once() {
    let claims = json!({ "jti": null, "exp": now() + 300, "iat": now(), "nonce": random() });
    let (one, again) = (changed(claims.clone()), changed(claims));
    assert_ne!(one, again, "a signature by ES256 is another each time");
    present(&one).expect(200);
    present(&one).expect_error(400, "invalid_grant");
    present(&again).expect_error(400, "invalid_grant");
}

/// Of 32 that present one assertion at once, one gets a token; whether the assertion has a name or none.
#[test]
fn one_of_32_wins() {
    for changes in [json!({}), json!({ "jti": null, "nonce": random() })] {
        let request = jwt_bearer(&bearer(), &changed(changes));
        let (won, lost): (Vec<_>, Vec<_>) = request.send_at_once().into_iter().partition(|reply| reply.status == 200);
        assert_eq!(won.len(), 1, "{won:?}");
        lost.into_iter().for_each(|reply| drop(reply.expect_error(400, "invalid_grant")));
    }
}

/// A mistake in another part of the request does not use up the assertion.
#[test]
fn a_mistake_does_not_use_the_assertion_up() {
    let request = jwt_bearer(&bearer(), &changed(json!({})));
    request.clone().set("scope", "admin").send().expect_error(400, "invalid_scope");
    request.clone().set("resource", "https://nobody.example/").send().expect_error(400, "invalid_target");
    assert_eq!(request.set("scope", "read").tokens().text("scope"), Some("read"));
}

/// RFC 7521 §4.1: the scope is within that of client and issuer, without the scopes of a sign-in.
#[test]
fn the_scope_is_never_widened() {
    for scope in ["write", "read write", "openid", "offline_access", "READ", "\u{fc}", "read\""] {
        jwt_bearer(&bearer(), &changed(json!({}))).set("scope", scope).send().expect_error(400, "invalid_scope");
    }
}

/// RFC 7523 §3: each claim, missing or wrong.
#[test]
fn claims_that_do_not_meet_the_rules_are_refused() {
    let here = issuer();
    for changes in [
        json!({ "iss": null }),
        json!({ "iss": "https://nobody.test" }),
        json!({ "iss": [NAMES] }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "aud": null }),
        json!({ "aud": "https://other.example" }),
        json!({ "aud": [] }),
        json!({ "exp": null }),
        json!({ "exp": now() - 60 }),
        json!({ "exp": now() + 7200 }),
        json!({ "exp": "tomorrow" }),
        json!({ "nbf": now() + 120 }),
        json!({ "iat": now() + 120 }),
        json!({ "iat": now() - 7200 }),
        json!({ "jti": 1 }),
        json!({ "jti": "" }),
        // draft-ietf-oauth-rfc7523bis: the issuer identifier and nothing else.
        json!({ "aud": url("/token") }),
        json!({ "aud": format!("{here}/") }),
        json!({ "aud": [here, "https://other.example"] }),
    ] {
        present(&changed(changes.clone())).expect_error(400, "invalid_grant");
    }
    present(&changed(json!({ "aud": [here] }))).expect(200);
}

/// RFC 7523 §3 (9): the signature is by a key of that very issuer, with an algorithm that it uses.
#[test]
fn signatures_are_by_the_issuers_key() {
    let refused = |assertion: &str| drop(present(assertion).expect_error(400, "invalid_grant"));
    let right = changed(json!({}));
    let claims = jwt::read(&right).claims;
    refused(&jwt::unsigned(&right));
    refused(&jwt::tampered(&right, |claims| claims["login"] = json!("admin")));
    refused(&Signer::new("ES256", "people").sign(&claims));
    refused(&Signer::new("ES256", "unknown").sign(&claims));
    // The key of another trusted issuer, under its own name and under the right one.
    refused(&machines().sign(&claims));
    refused(&machines().sign_with(&json!({ "alg": "RS256", "kid": "people" }), &claims));
    // The public key as the secret of an HMAC cannot even be said.
    refused(&people().sign_with(&json!({ "alg": "HS256", "kid": "people" }), &claims));
    // A key in the header is ignored.
    let own = Signer::new("ES256", "own");
    refused(&own.sign_with(&json!({ "alg": "ES256", "jwk": own.jwk() }), &claims));
    refused(&people().sign_with(&json!({ "alg": "ES256", "kid": "people", "crit": ["b64"], "b64": false }), &claims));
    present(&right).expect(200);
    // Without a kid the issuer's keys are tried.
    present(&people().sign_with(&json!({ "alg": "ES256" }), &jwt::read(&changed(json!({}))).claims)).expect(200);
}

/// RFC 8725 §3.11: an ID token of an issuer has the `typ` `JWT` or none. It is an assertion only where the operator says
/// that the issuer sends assertions without a type.
#[test]
fn a_plain_jwt_is_refused_unless_its_issuer_is_marked() {
    let subject = subject();
    let plain = |header: Value| present(&people().sign_with(&header, &Value::Object(claims(PEOPLE, &subject))));
    plain(json!({ "alg": "ES256", "kid": "people", "typ": "JWT" })).expect_error(400, "invalid_grant");
    plain(json!({ "alg": "ES256", "kid": "people" })).expect_error(400, "invalid_grant");
    present(&typed(people(), claims(PEOPLE, &subject))).expect(200);
}

/// OpenID Connect Core §5.7: users of an issuer may choose their address, so it names a user only if it is verified.
#[test]
fn an_address_names_a_user_only_if_it_is_verified() {
    let address = admin::user("suite-address@people.test");
    let with = |verified: Value| {
        let mut claims = claims(MAILS, "anyone");
        claims.insert("email".to_owned(), json!(address));
        if !verified.is_null() {
            claims.insert("email_verified".to_owned(), verified);
        }
        present(&typed(people(), claims))
    };
    for verified in [Value::Null, json!(false), json!("true")] {
        with(verified).expect_error(400, "invalid_grant");
    }
    with(json!(true)).expect(200);
}

/// An issuer's other JWTs are not assertions (RFC 8725 §3.11).
#[test]
fn another_type_of_jwt_is_refused() {
    let with_type = |typ: &str| {
        let claims = jwt::read(&changed(json!({}))).claims;
        present(&people().sign_with(&json!({ "alg": "ES256", "kid": "people", "typ": typ }), &claims))
    };
    for typ in ["at+jwt", "application/at+jwt", "logout+jwt", "client-authentication+jwt", "dpop+jwt", "secevent+jwt"] {
        with_type(typ).expect_error(400, "invalid_grant");
    }
    for typ in ["JWT", "jwt", "authorization-grant+jwt", "application/authorization-grant+jwt"] {
        with_type(typ).expect(200);
    }
}

/// Tokens of this server, and things that are no JWT, are not assertions.
#[test]
fn other_tokens_are_not_assertions() {
    let own = grant(&spa());
    for token in [own.access(), own.id(), own.refresh(), "a.b.c", "a", "....", &"a".repeat(40_000)] {
        present(token).expect_error(400, "invalid_grant");
    }
}

/// RFC 7523 §3 (2): the subject is a known user.
#[test]
fn strangers_get_nothing() {
    present(&changed(json!({ "login": "nobody-of-this-name" }))).expect_error(400, "invalid_grant");
    present(&changed(json!({ "login": null }))).expect_error(400, "invalid_grant");
    let assertion = typed(people(), claims(PEOPLE, "nobody-of-this-subject"));
    present(&assertion).expect_error(400, "invalid_grant");
    // The sign-in name is no subject.
    present(&typed(people(), claims(PEOPLE, USERNAME))).expect_error(400, "invalid_grant");
}

/// An issuer is trusted with the clients that it names.
#[test]
fn an_issuer_may_be_for_some_clients() {
    let assertion = typed(machines(), claims(MACHINES, "app"));
    jwt_bearer(&bearer(), &assertion).send().expect_error(400, "invalid_grant");
    jwt_bearer(&machine(), &assertion).tokens();
    // And for as long as it says.
    let mut long = claims(MACHINES, "app");
    long.insert("exp".to_owned(), json!(now() + 300));
    jwt_bearer(&machine(), &typed(machines(), long)).send().expect_error(400, "invalid_grant");
}

/// RFC 6749 §5.2: the client authenticates as it is registered, and must be registered for the grant.
#[test]
fn the_client_is_held_to_its_registration() {
    let assertion = changed(json!({}));
    jwt_bearer(&Client::confidential("jwt-bearer", "wrong"), &assertion).send().expect_error(401, "invalid_client");
    jwt_bearer(&Client::public("jwt-bearer"), &assertion).send().expect_error(401, "invalid_client");
    jwt_bearer(&service(), &assertion).send().expect_error(400, "unauthorized_client");
    let request = TokenRequest::new(&bearer(), JWT_BEARER);
    request.clone().send().expect_error(400, "invalid_request");
    request.set("assertion", &assertion).also("assertion", &assertion).send().expect_error(400, "invalid_request");
    present(&assertion).expect(200);
}

/// Sign-out everywhere also ends grants from assertions; their client is notified.
#[test]
fn signing_out_everywhere_ends_it() {
    let user = admin::user("suite-jwt-bearer");
    let tokens = jwt_bearer(&bearer(), &changed(json!({ "login": user }))).tokens();
    let is_active = || introspection(&bearer(), tokens.access())["active"] == json!(true);
    assert!(is_active());
    admin::sign_out(&user);
    assert!(!is_active());
    // By itself it can be revoked as well (RFC 7009 §2.1).
    let tokens = jwt_bearer(&bearer(), &changed(json!({ "login": user }))).tokens();
    revoke(&bearer(), tokens.access(), None).expect(200);
    assert_eq!(introspection(&bearer(), tokens.access())["active"], json!(false));
}

/// RFC 8414 §2: the metadata has the grant type if an issuer is trusted.
#[test]
fn the_metadata_name_the_grant() {
    let document = suite::Call::get("/.well-known/openid-configuration").send().expect(200).json();
    assert!(document["grant_types_supported"].as_array().expect("an array").contains(&json!(JWT_BEARER)), "{document}");
}
