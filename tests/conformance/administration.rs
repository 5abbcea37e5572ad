//! The administration endpoint, which needs the secret of the deployment.

use suite::{Call, TokenRequest, address, admin, grant, service, spa};

const PATHS: [(&str, &str); 13] = [
    ("GET", "/admin/clients"),
    ("GET", "/admin/clients/demo-spa"),
    ("PUT", "/admin/clients/suite-evil"),
    ("DELETE", "/admin/clients/demo-spa"),
    ("GET", "/admin/users"),
    ("PUT", "/admin/users/suite-evil"),
    ("DELETE", "/admin/users/demo"),
    ("POST", "/admin/users/demo/sign-out"),
    ("GET", "/admin/keys"),
    ("POST", "/admin/keys/rotate"),
    ("POST", "/admin/keys/replace"),
    ("POST", "/admin/records/restore"),
    ("POST", "/admin/records/reshard"),
];

/// RFC 6750 §3: a request without a token is rejected.
#[test]
fn a_token_is_needed() {
    for (method, path) in PATHS {
        let reply = Call::new(method, path).body("application/json", "{}").send().expect(401);
        assert!(reply.header("www-authenticate").is_some_and(|field| field.starts_with("Bearer")), "{reply:?}");
    }
}

/// Only administration tokens are accepted: no invented token, no token of a user or client, no client secret.
#[test]
fn no_other_token_will_do() {
    let person = grant(&spa());
    let machine = TokenRequest::client_credentials(&service()).tokens();
    for token in ["x", "a.b.c", person.access(), person.id(), person.refresh(), machine.access()] {
        // The server limits wrong tokens per network, and other tests administer it from this one.
        let elsewhere = address();
        for (method, path) in PATHS {
            let call = Call::new(method, path).bearer(token).body("application/json", "{}");
            let reply = call.through_proxy(&elsewhere).send();
            assert!(matches!(reply.status, 401 | 403), "{reply:?}");
        }
    }
    let reply = Call::get("/admin/clients").basic("demo-service", "demo-service-secret-7Kq2Xv9Tb4").send();
    assert!(matches!(reply.status, 401 | 403), "{reply:?}");
    assert!(person.is_live());
}

/// A rotation that the operator begins: the next key is published, the one that signs still does, and what it signed is
/// good. Asking again changes nothing as long as that key is to come.
#[test]
fn keys_are_rotated_ahead_of_their_time() {
    let kids = || -> Vec<String> {
        let keys = Call::get("/jwks").send().expect(200).json();
        let keys = keys["keys"].as_array().unwrap().iter().filter(|key| key["use"] == "sig");
        keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    };
    let (before, tokens) = (kids(), grant(&spa()));
    let rotated = admin::rotate_keys("EdDSA");
    assert_eq!(rotated, admin::rotate_keys("EdDSA"));
    let of_eddsa: Vec<_> = rotated.as_array().unwrap().iter().filter(|key| key["alg"] == "EdDSA").collect();
    assert_eq!(of_eddsa.len(), 2, "{rotated}");
    assert_eq!(of_eddsa.iter().filter(|key| key["signs"] == true).count(), 1, "{rotated}");
    assert!(of_eddsa[0]["verifies_until"].is_u64() && of_eddsa[1]["verifies_until"].is_null(), "{rotated}");
    assert!(before.iter().all(|kid| rotated.to_string().contains(kid.trim_end_matches("-ps256"))));
    assert!(tokens.is_live());
}

/// A client that is registered works at once.
#[test]
fn a_new_client_works() {
    let client = admin::client("suite-service", &["--service", "--scope", "read write"]);
    TokenRequest::client_credentials(&client).tokens();
}

/// Maintenance that cannot begin says why. Only Durable Objects have it; other platforms name their own steps.
#[test]
fn maintenance_of_the_records_says_why_it_does_not_begin() {
    let is_workers = suite::platform() == "workers";
    for (arguments, reason) in [
        (["records", "restore", "--at", "2090-01-01T00:00:00Z"], "in the past"),
        (["records", "restore", "--at", "2020-01-01T00:00:00Z"], "30 days"),
        (["records", "reshard", "--shards", "256"], "in 256 shards already"),
    ] {
        let refused = admin::refused(&arguments, "");
        let expected = if is_workers { reason } else { "not in Durable Objects" };
        assert!(refused.contains(expected), "{arguments:?}: {refused}");
    }
}
