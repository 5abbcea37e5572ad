//! `/health`: name, version and commit of the deployment and of each function.

use suite::Call;

/// The functions with routes.
const FUNCTIONS: [&str; 16] = [
    "account",
    "admin",
    "authorize",
    "backchannel",
    "consent",
    "device",
    "discovery",
    "introspect",
    "login",
    "logout",
    "metadata",
    "par",
    "register",
    "revoke",
    "token",
    "userinfo",
];

#[track_caller]
fn version_at(path: &str) -> serde_json::Value {
    let reply = Call::get(path).send().expect(200);
    // A monitor must see the answer of now, and no page of another origin needs it.
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply:?}");
    assert!(reply.header("access-control-allow-origin").is_none(), "{reply:?}");
    let members = reply.json();
    assert_eq!(members["name"], "latchkey", "{members}");
    assert_eq!(members["version"], env!("CARGO_PKG_VERSION"), "{members}");
    assert!(members["commit"].is_null() || members["commit"].is_string(), "{members}");
    members
}

#[test]
fn the_deployment_tells_its_version() {
    assert!(version_at("/health").get("function").is_none());
}

#[test]
fn each_function_tells_its_version() {
    for function in FUNCTIONS {
        assert_eq!(version_at(&format!("/health/{function}"))["function"], function);
    }
}

#[test]
fn health_is_read_alone() {
    for path in ["/health", "/health/token"] {
        Call::post(path).form(&[("x", "y")]).send().expect(405);
    }
    for path in ["/health/", "/health/unknown", "/health/rotate", "/healthy"] {
        Call::get(path).send().expect(404);
    }
}
