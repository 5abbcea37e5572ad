//! The longest interaction fits into a URL.

use crate::common::deployment;
use latchkey_http::MAX_QUERY;
use protocol::{
    AuthorizationRequest, Interaction, Parameters, PushedRequestId, RequestEndpoint, Requested, RequestedAuthorization,
    ResponseTarget, SentRequest, SessionId,
};
use provider::authorization::check_length;
use provider::interactions;
use simulation::{Flow, client_id, subject};
use std::sync::Arc;
use storage::memory::Memory;

/// Returns a request with a `state` of this length.
fn request(client: &protocol::Client, length: usize) -> AuthorizationRequest {
    let url = format!("{}&state={}", Flow::authorize_url("openid"), "x".repeat(length));
    let parameters = Parameters::parse(url.split_once('?').unwrap().1.as_bytes()).unwrap();
    let target = ResponseTarget::check(&parameters, client).unwrap();
    let sent = SentRequest {
        parameters: &parameters,
        in_request_object: false,
        endpoint: RequestEndpoint::Authorization,
        client,
        targets: protocol::resource::Targets {
            resources: &[],
            scopes: &[],
            claim_scopes: &[],
            claims: &protocol::ClaimDefinitions(Vec::new()),
            details_types: &protocol::AuthorizationDetailsTypes(Vec::new()),
            classes: &protocol::AuthenticationClasses(Vec::new()),
        },
        require_pushed_requests: false,
    };
    AuthorizationRequest::check(&sent, target).unwrap()
}

/// The longest request, with the longest state of an interaction.
#[tokio::test]
async fn the_longest_request_travels_with_all_that_comes_along() {
    let instance = deployment(Arc::new(Memory::new())).await;
    let client = instance.context().client(&client_id("spa"), instance.now).await.unwrap().unwrap();
    let longest = (3_000..5_000).rev().map(|length| request(&client.client, length));
    let longest = longest.into_iter().find(|request| check_length(request).is_ok()).unwrap();
    let session = SessionId::new([255; 2], [255; 16]);
    let requested = RequestedAuthorization {
        request: longest,
        expected_subject: Some(subject(&"\"".repeat(255))),
        pushed: Some(PushedRequestId::new([255; 2], [255; 16])),
        stays_in_store: false,
        refused_claims: Vec::new(),
    };
    let requested = Requested::Authorization(Box::new(requested));
    let interaction = Interaction::start(requested, Some("b".repeat(22)), instance.now)
        .restart_as_other_user()
        .and_then(|interaction| interaction.sign_in(session))
        .and_then(|interaction| interaction.allow(session))
        .unwrap();
    let response = interactions::ask(instance.context(), "/authorize", &interaction).unwrap();
    let query = response.headers["location"].to_str().unwrap().split_once('?').unwrap().1.len();
    assert!((MAX_QUERY - 256..=MAX_QUERY).contains(&query), "{query}");
}
