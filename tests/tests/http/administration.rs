//! The administration endpoint is for whoever holds the deployment's secret.

use suite::{Call, TokenRequest, admin, grant, service, spa};

const PATHS: [(&str, &str); 8] = [
    ("GET", "/admin/clients"),
    ("GET", "/admin/clients/demo-spa"),
    ("PUT", "/admin/clients/suite-evil"),
    ("DELETE", "/admin/clients/demo-spa"),
    ("GET", "/admin/users"),
    ("PUT", "/admin/users/suite-evil"),
    ("DELETE", "/admin/users/demo"),
    ("POST", "/admin/users/demo/sign-out"),
];

/// RFC 6750 §3: without a token nothing is told and nothing is done.
#[test]
fn a_token_is_needed() {
    for (method, path) in PATHS {
        let reply = Call::new(method, path).body("application/json", "{}").send().expect(401);
        assert!(reply.header("www-authenticate").is_some_and(|field| field.starts_with("Bearer")), "{reply:?}");
    }
}

/// What is no administration token does not do: made-up ones, a person's, a client's, a client's secret.
#[test]
fn no_other_token_will_do() {
    let person = grant(&spa());
    let machine = TokenRequest::client_credentials(&service()).tokens();
    for token in ["x", "a.b.c", person.access(), person.id(), person.refresh(), machine.access()] {
        for (method, path) in PATHS {
            let reply = Call::new(method, path).bearer(token).body("application/json", "{}").send();
            assert!(matches!(reply.status, 401 | 403), "{reply:?}");
        }
    }
    let reply = Call::get("/admin/clients").basic("demo-service", "demo-service-secret").send();
    assert!(matches!(reply.status, 401 | 403), "{reply:?}");
    assert!(person.is_live());
}

/// A client that is registered works at once.
#[test]
fn a_new_client_works() {
    let client = admin::client("suite-service", &["--service", "--scope", "read write"]);
    TokenRequest::client_credentials(&client).tokens();
}
