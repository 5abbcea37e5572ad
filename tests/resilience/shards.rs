//! Another number of Durable Objects: what was issued, used and revoked before is so afterwards. `cargo xtask test --only shards`
//! runs this test three times, with the server of one deployment: before the change, while it is closed, and afterwards.

#![allow(clippy::disallowed_methods, reason = "the suite runs only where the system has a clock")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use serde_json::{Value, json};
use std::fs;
use suite::{AuthorizationRequest, Browser, TokenRequest, Tokens, grant, revoke, spa};

/// RFC 6749 §4.1.2 and RFC 9700 §4.14.2 hold across the change.
#[test]
fn nothing_is_redeemed_twice_and_nothing_is_lost() {
    let Ok(phase) = std::env::var("LATCHKEY_TEST_PHASE") else { return };
    let file = std::env::var("LATCHKEY_TEST_STATE").expect("LATCHKEY_TEST_STATE names a file");
    match phase.as_str() {
        "before" => fs::write(file, before().to_string()).expect("the state is written"),
        phase => {
            let state: Value = serde_json::from_slice(&fs::read(file).expect("a state")).expect("JSON");
            if phase == "closed" { closed(&state) } else { after(&state) }
        }
    }
}

fn before() -> Value {
    let live = grant(&spa()).refresh_request().tokens().refresh_request().tokens();
    let first = grant(&spa());
    let newest = first.refresh_request().tokens().refresh_request().tokens();
    let revoked = grant(&spa());
    revoke(&spa(), revoked.refresh(), None).expect(200);
    let request = AuthorizationRequest::new(&spa()).offline();
    let redeem = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code());
    assert!(redeem.tokens().is_live());
    json!({
        "live": live.refresh(),
        "used": first.refresh(),
        "newest": newest.refresh(),
        "revoked": revoked.refresh(),
        "redeemed": redeem.parameters,
    })
}

fn refresh(state: &Value, name: &str) -> TokenRequest {
    TokenRequest::refresh(&spa(), state[name].as_str().expect("a token"))
}

/// A client keeps its token, and comes again.
fn closed(state: &Value) {
    let reply = refresh(state, "live").send();
    assert!(reply.header("retry-after").is_some(), "{reply:?}");
    reply.expect_error(503, "temporarily_unavailable");
}

fn after(state: &Value) {
    let tokens: Tokens = refresh(state, "live").tokens();
    assert!(tokens.is_live());
    assert!(tokens.refresh_request().tokens().is_live());

    refresh(state, "revoked").send().expect_error(400, "invalid_grant");
    // Used twice: a replay, which revokes the family.
    refresh(state, "used").send().expect_error(400, "invalid_grant");
    refresh(state, "newest").send().expect_error(400, "invalid_grant");
    let mut again = TokenRequest::new(&spa(), "authorization_code");
    again.parameters = serde_json::from_value(state["redeemed"].clone()).expect("parameters");
    again.send().expect_error(400, "invalid_grant");
}
