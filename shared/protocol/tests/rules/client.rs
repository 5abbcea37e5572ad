//! Validation of client settings.

use latchkey_protocol::{Client, Lifetimes, MAX_TOKEN_LIFETIME, RefreshLifetimes};
use serde_json::{Value, json};

fn problems(more: Value) -> Vec<String> {
    let mut client = json!({ "client_id": "app", "redirect_uris": ["https://app.example/cb"] });
    client.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (client, problems) = Client::parse(client.as_object().unwrap().clone());
    assert_eq!(problems, []);
    client.unwrap().validate().iter().map(ToString::to_string).collect()
}

/// OpenID Connect Registration §2, RFC 9701 §6.
#[test]
fn encryption_needs_an_algorithm_and_a_key() {
    let x = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    let key = |more: Value| {
        let mut key = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x });
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "keys": [key] })
    };
    for field in ["id_token", "userinfo", "introspection"] {
        let (alg, enc) = (format!("{field}_encrypted_response_alg"), format!("{field}_encrypted_response_enc"));
        for (settings, is_good) in [
            (json!({ &alg: "ECDH-ES", "jwks": key(json!({})) }), true),
            (json!({ &alg: "ECDH-ES", &enc: "A256GCM", "jwks": key(json!({ "use": "enc" })) }), true),
            (json!({ &alg: "ECDH-ES", "jwks_uri": "https://app.example/jwks" }), true),
            (json!({ &enc: "A256GCM", "jwks": key(json!({})) }), false),
            (json!({ &alg: "ECDH-ES" }), false),
            (json!({ &alg: "ECDH-ES", "jwks": { "keys": [] } }), false),
            (json!({ &alg: "ECDH-ES", "jwks": key(json!({ "use": "sig" })) }), false),
            (json!({ &alg: "ECDH-ES", "jwks": key(json!({ "alg": "ES256" })) }), false),
            (json!({ &alg: "RSA-OAEP-256", "jwks": key(json!({})) }), false),
        ] {
            let problems = problems(settings.clone());
            assert_eq!(problems.is_empty(), is_good, "{settings}: {problems:?}");
            assert!(is_good || problems.iter().any(|problem| problem.starts_with(field)), "{problems:?}");
        }
    }
}

/// RFC 8707 §2.
#[test]
fn resources_are_absolute_uris_without_a_fragment() {
    for (resource, is_one) in
        [("https://api.example/v1", true), ("urn:api", true), ("api", false), ("https://a/#b", false)]
    {
        let found = problems(json!({ "resources": [resource] }));
        assert_eq!(found.is_empty(), is_one, "{resource}: {found:?}");
    }
}

/// RFC 7662 §2.1.
#[test]
fn a_resource_server_authenticates() {
    let introspects = json!(["https://api.example"]);
    assert!(problems(json!({ "introspects": introspects })).is_empty());
    let public = problems(json!({ "introspects": introspects, "token_endpoint_auth_method": "none" }));
    assert!(public.iter().any(|problem| problem.starts_with("introspects")), "{public:?}");
}

/// None of these is an algorithm here: they cannot be registered.
#[test]
fn weak_and_unknown_algorithms_do_not_parse() {
    for alg in ["RSA1_5", "RSA-OAEP", "dir", "A128KW", "ECDH-ES+A192KW", "none", ""] {
        let client = json!({ "client_id": "app", "id_token_encrypted_response_alg": alg });
        assert!(serde_json::from_value::<Client>(client.clone()).is_err(), "{alg}");
        let (_, problems) = Client::parse(client.as_object().unwrap().clone());
        assert_eq!(problems.len(), 1, "{alg}: {problems:?}");
    }
}

/// A key is published for a day after it signed last: no token may outlive that.
#[test]
fn no_token_lives_longer_than_its_key_is_published() {
    for field in ["access_token_lifetime", "id_token_lifetime"] {
        assert_eq!(problems(json!({ field: 86_400 })), Vec::<String>::new());
        for seconds in [0, 86_401] {
            assert_eq!(problems(json!({ field: seconds })), [format!("{field}: must be 1 second to a day")]);
        }
    }
    assert_eq!(problems(json!({ "refresh_token_lifetime": 366 * 86_400 })), Vec::<String>::new());
    let day = MAX_TOKEN_LIFETIME;
    let defaults =
        Lifetimes { access_token: day, id_token: day, refresh: RefreshLifetimes { absolute: day, idle: day } };
    let old = json!({ "client_id": "old", "access_token_lifetime": 1_000_000, "id_token_lifetime": 1_000_000 });
    let lifetimes = serde_json::from_value::<Client>(old).unwrap().lifetimes(&defaults);
    assert_eq!((lifetimes.access_token, lifetimes.id_token), (day, day));
}
