//! Protected resource metadata: RFC 9728.

use serde_json::{Value, json};
use suite::{Call, issuer, url};

const PATH: &str = "/.well-known/oauth-protected-resource/demo-api";

fn document() -> Value {
    Call::get(PATH).send().expect(200).json()
}

/// RFC 9728 §3.1, §3.3: at the well-known path before the resource's own; `resource` is exactly the identifier that the
/// path was made of.
#[test]
fn it_is_where_it_must_be_and_names_the_resource() {
    assert_eq!(document()["resource"], url("/demo-api"));
}

/// RFC 9728 §2: issuers, scopes, how a token is presented, a name.
#[test]
fn it_says_how_to_get_and_present_a_token() {
    let document = document();
    assert_eq!(document["authorization_servers"], json!([issuer()]));
    assert_eq!(document["scopes_supported"], json!(["demo:read", "demo:write"]));
    assert_eq!(document["bearer_methods_supported"], json!(["header"]));
    assert_eq!(document["resource_name"], "Demo API");
}

/// RFC 9728 §2: `jwks_uri` is of keys of the resource itself; it has none. Parameters without a value are left out.
#[test]
fn it_claims_no_keys_and_nothing_empty() {
    let document = document();
    assert!(document.get("jwks_uri").is_none());
    for (name, value) in document.as_object().expect("an object") {
        assert!(!value.is_null() && *value != json!("") && *value != json!([]), "{name}");
    }
}

/// RFC 9728 §3.2: JSON; for pages of any origin, and to be cached (§7.10).
#[test]
fn anyone_may_read_it() {
    let reply = Call::get(PATH).header("origin", "https://app.example").send().expect(200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    assert!(reply.header("cache-control").is_some_and(|value| value.contains("max-age")), "{reply:?}");
}
