//! The token endpoint, and endpoints that accept tokens.

use crate::{Trial, at_every_call};
use serde_json::json;
use suite::{
    AuthorizationRequest, Browser, Call, TokenRequest, Tokens, admin, authenticated, exchanger, grant, introspect,
    introspection, platform, spa, trusted, web,
};

/// A code and its authorization request.
fn issued() -> (AuthorizationRequest, String) {
    let request = AuthorizationRequest::new(&spa()).offline();
    let code = Browser::signed_in().complete(&request).code();
    (request, code)
}

/// RFC 6749 §4.1.2: a code is used once. It is used even if the response was lost; the browser then
/// gets another code without a page.
#[test]
fn a_code_is_redeemed_once() {
    let redeem = |(request, code): &(AuthorizationRequest, String)| TokenRequest::code(request, code).send();
    at_every_call(issued, redeem, |trial| {
        if trial.reply.status == 200 {
            let tokens = Tokens::read(&spa(), trial.reply.clone());
            redeem(trial.subject).expect_error(400, "invalid_grant");
            assert!(tokens.is_live(), "one client that races itself kills nothing");
            tokens.refresh_request().tokens();
        } else {
            assert!(trial.untold, "{:?}", trial.reply);
            trial.reply.clone().expect_error(400, "invalid_grant");
            let request = AuthorizationRequest::new(&spa()).set("prompt", "none");
            let callback = Browser::signed_in().authorize(&request).callback();
            assert!(TokenRequest::code(&request, &callback.code()).tokens().is_live());
        }
    });
}

/// A client that repeats a refresh gets the same successor, and the family stays alive.
#[test]
fn a_refresh_is_never_lost() {
    let refresh = |tokens: &Tokens| tokens.refresh_request().send();
    at_every_call(
        || grant(&spa()),
        refresh,
        |trial| {
            let tokens = Tokens::read(&spa(), trial.reply.clone());
            assert_eq!(Tokens::read(&spa(), refresh(trial.subject)).refresh(), tokens.refresh(), "one successor");
            assert!(tokens.is_live());
            assert!(tokens.refresh_request().tokens().is_live());
        },
    );
}

/// RFC 7009 §2.2: after a 200 response the tokens are revoked.
#[test]
fn a_revocation_is_done_when_it_is_answered() {
    let revoke = |token: fn(&Tokens) -> &str| {
        move |tokens: &Tokens| {
            authenticated(Call::post("/revoke"), &spa(), &[("token".to_owned(), token(tokens).to_owned())]).send()
        }
    };
    let is_done = |trial: &Trial<'_, Tokens>| {
        trial.reply.clone().expect(200);
        assert!(!trial.subject.is_live());
    };
    at_every_call(
        || grant(&spa()),
        revoke(Tokens::refresh),
        |trial| {
            is_done(trial);
            trial.subject.refresh_request().send().expect_error(400, "invalid_grant");
        },
    );
    at_every_call(
        || grant(&spa()),
        revoke(Tokens::access),
        |trial| {
            is_done(trial);
            trial.subject.refresh_request().tokens();
        },
    );
}

/// A request that only reads gets the right response or a fault; it never reports a live token as inactive.
#[test]
fn a_live_token_is_never_called_dead() {
    let tokens = grant(&spa());
    at_every_call(|| (), |()| suite::userinfo(tokens.access()), |trial| drop(trial.reply.clone().expect(200)));
    let tokens = grant(&web());
    at_every_call(
        || (),
        |()| introspect(&web(), tokens.access(), "application/json"),
        |trial| {
            assert_eq!(trial.reply.clone().expect(200).json()["active"], true);
        },
    );
}

/// RFC 8693: an exchange can be repeated.
#[test]
fn an_exchange_can_be_tried_again() {
    let exchange = |tokens: &Tokens| {
        TokenRequest::new(&exchanger(), "urn:ietf:params:oauth:grant-type:token-exchange")
            .set("subject_token", tokens.access())
            .set("subject_token_type", "urn:ietf:params:oauth:token-type:access_token")
            .send()
    };
    at_every_call(|| grant(&spa()), exchange, |trial| drop(trial.reply.clone().expect(200)));
}

/// RFC 7523 §2.1, §2.2: an assertion that may have been used is rejected; a fresh one is accepted.
#[test]
fn an_assertion_is_used_once_at_most() {
    let grant = || {
        let mut claims = trusted::claims(trusted::NAMES, "whoever");
        claims.insert("login".to_owned(), json!(suite::USERNAME));
        trusted::people().sign(&json!(claims))
    };
    let bearer = trusted::bearer();
    let present = |assertion: &String| trusted::jwt_bearer(&bearer, assertion).send();
    at_every_call(grant, present, |trial| {
        if trial.reply.status != 200 {
            assert!(trial.untold, "{:?}", trial.reply);
            trial.reply.clone().expect_error(400, "invalid_grant");
            present(&grant()).expect(200);
        }
    });
}

/// RFC 7522 §2.1: on Workers another Worker checks the assertion. A fault there is not a rejection: the client keeps its
/// assertion. On Lambda the check is no call, and these are no assertions.
#[test]
fn a_check_of_an_assertion_that_fails_rejects_nothing() {
    const GRANT: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";
    let grants = format!("grant_types=[\"{GRANT}\"]");
    let bearer = admin::client("faults-saml", &["--service", "--scope", "read", "--set", &grants]);
    let present = |assertion: &str| TokenRequest::new(&bearer, GRANT).set("assertion", assertion).send();
    for fault in ["fault-thrown", "fault-status", "fault-text", "fault-length", "fault-variant", "fault-issuer"] {
        let reply = present(fault);
        match platform().as_str() {
            "workers" => {
                assert!(reply.header("retry-after").is_some(), "{fault}: {reply:?}");
                reply.expect_error(503, "temporarily_unavailable");
            }
            _ => drop(reply.expect_error(400, "invalid_grant")),
        }
        present("other").expect_error(400, "invalid_grant");
    }
    let assertion = trusted::SamlAssertion::new(trusted::SAML_NAMES, "whoever", suite::USERNAME).signed();
    trusted::saml_bearer(&bearer, &assertion).send().expect(200);
}

/// An access token of the client itself has no grant: a marker revokes it.
#[test]
fn a_token_without_a_grant_is_revoked() {
    let service = admin::client("faults-service", &["--service", "--scope", "read"]);
    let issue = || TokenRequest::client_credentials(&service).tokens();
    let revoke = |tokens: &Tokens| {
        authenticated(Call::post("/revoke"), &service, &[("token".to_owned(), tokens.access().to_owned())]).send()
    };
    at_every_call(issue, revoke, |trial| {
        trial.reply.clone().expect(200);
        assert_eq!(introspection(&service, trial.subject.access())["active"], false);
    });
}
