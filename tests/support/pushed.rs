//! Pushed authorization requests (RFC 9126).

use crate::authorization::AuthorizationRequest;
use crate::call::{Call, Reply};
use crate::client::Client;
use crate::target::url;
use crate::token::authenticated;

/// Pushes a request as its client.
pub fn push(request: &AuthorizationRequest) -> Reply {
    push_as(&request.client, &request.parameters)
}

/// Pushes these parameters as a client.
pub fn push_as(client: &Client, parameters: &[(String, String)]) -> Reply {
    let parameters: Vec<_> = parameters.iter().filter(|(name, _)| name != "client_id").cloned().collect();
    authenticated(Call::post("/par"), client, &parameters).send()
}

/// Pushes a request, which must succeed. Returns its `request_uri`.
#[track_caller]
pub fn pushed(request: &AuthorizationRequest) -> String {
    let reply = push(request).expect(201).expect_no_store();
    let body = reply.json();
    assert!(body["expires_in"].as_u64().is_some_and(|seconds| (5..=600).contains(&seconds)), "{body}");
    body["request_uri"].as_str().expect("request_uri").to_owned()
}

/// Returns the URL for the browser (§4): client_id and request_uri, nothing else.
pub fn reference(client: &Client, request_uri: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &client.id)
        .append_pair("request_uri", request_uri)
        .finish();
    format!("{}?{query}", url("/authorize"))
}
