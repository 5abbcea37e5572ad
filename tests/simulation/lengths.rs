//! What travels in a URL fits into one.

use crate::common::deployment;
use latchkey_http::MAX_QUERY;
use protocol::interaction::{Decision, Interaction};
use protocol::{AuthorizationRequest, GrantId, Parameters, ResponseTarget};
use provider::authorization::too_long;
use provider::browser;
use simulation::Flow;
use std::sync::Arc;
use storage::memory::Memory;

/// A request with a `state` of this length.
fn request(client: &protocol::Client, length: usize) -> AuthorizationRequest {
    let url = format!("{}&state={}", Flow::authorize_url("openid"), "x".repeat(length));
    let parameters = Parameters::parse(url.split_once('?').unwrap().1.as_bytes()).unwrap();
    let target = ResponseTarget::check(&parameters, client).unwrap();
    AuthorizationRequest::check(&parameters, client, target, &[]).unwrap()
}

/// The longest request, with the longest of all that may come along with it.
#[tokio::test]
async fn the_longest_request_travels_with_all_that_comes_along() {
    let instance = deployment(Arc::new(Memory::new())).await;
    let client = instance.context().client("spa", instance.now).await.unwrap().unwrap();
    let longest = (3_000..5_000).rev().map(|length| request(&client.client, length));
    let longest = longest.into_iter().find(|request| too_long(request).is_none()).unwrap();
    let name = GrantId::new([255; 2], [255; 16]).name();
    let interaction = Interaction {
        expected_subject: Some("\"".repeat(255)),
        pushed: Some(name.clone()),
        chosen: Some(name.clone()),
        signed_in: Some(name.clone()),
        decision: Some(Decision::Allowed { session: name.clone() }),
        ..Interaction::begin(longest, Some("b".repeat(22)), instance.now)
    };
    let response = browser::forward(instance.context(), "/authorize", &interaction).unwrap();
    let query = response.headers["location"].to_str().unwrap().split_once('?').unwrap().1.len();
    assert!((MAX_QUERY - 256..=MAX_QUERY).contains(&query), "{query}");
}
