//! Clients that register themselves, and clients that authenticate with keys.

use crate::at_every_call;
use serde_json::{Value, json};
use suite::registration::{Registered, register};
use suite::{Call, Reply, Signer, admin, issuer, now, random};

fn metadata() -> Value {
    json!({ "client_name": format!("Faults {}", random()), "redirect_uris": ["https://client.example/callback"] })
}

/// RFC 7591 §3: a registration can be sent again; the client in the response is registered.
#[test]
fn a_registration_can_be_sent_again() {
    at_every_call(metadata, register, |trial| drop(Registered::read(trial.reply.clone()).get().expect(200)));
}

/// RFC 7592 §2.2: settings can be sent again with the token that the client has.
#[test]
fn settings_can_be_replaced_again() {
    let name = json!({ "client_name": "Renamed" });
    at_every_call(
        || Registered::new(&metadata()),
        |registered| registered.replace(&name),
        |trial| {
            let replaced = Registered { document: trial.reply.clone().expect(200).json() };
            assert_eq!(replaced.get().expect(200).json()["client_name"], "Renamed");
        },
    );
}

/// RFC 7592 §2.3: after a response the client is deleted; a retry may find it deleted already.
#[test]
fn a_client_is_deleted_when_it_is_answered() {
    let delete = |registered: &Registered| registered.send("DELETE", registered.token(), None);
    at_every_call(
        || Registered::new(&metadata()),
        delete,
        |trial| {
            assert!(trial.reply.status == 204 || (trial.untold && trial.reply.status == 401), "{:?}", trial.reply);
            trial.subject.get().expect(401);
        },
    );
}

/// RFC 7523 §3: an assertion that may have been used is rejected; a fresh one is accepted.
#[test]
fn a_client_can_authenticate_again() {
    const CLIENT: &str = "faults-assertion";
    let signer = Signer::new("ES256", "key-1");
    let keys = format!("jwks={}", signer.jwks());
    let method = "token_endpoint_auth_method=private_key_jwt";
    let grants = r#"grant_types=["client_credentials"]"#;
    admin::client(CLIENT, &["--scope", "read", "--set", method, "--set", grants, "--set", &keys]);
    let assertion = || {
        signer.sign(&json!({
            "iss": CLIENT, "sub": CLIENT, "aud": issuer(), "jti": random(), "iat": now(), "exp": now() + 60
        }))
    };
    let present = |assertion: &String| -> Reply {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion.as_str()),
        ];
        Call::post("/token").form(&form).send()
    };
    at_every_call(assertion, present, |trial| {
        if trial.reply.status != 200 {
            assert!(trial.untold, "{:?}", trial.reply);
            trial.reply.clone().expect_error(401, "invalid_client");
            present(&assertion()).expect(200);
        }
    });
}
