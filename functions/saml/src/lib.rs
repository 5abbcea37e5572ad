//! The Worker that checks SAML assertions (RFC 7522 §3) for the Worker `token`.
//!
//! XML is the format with the most parser bugs, so the Worker that parses it has neither a secret nor records nor settings.
//! It has no route and no address on `workers.dev`: requests from outside cannot reach it, only the service binding of
//! `token` does. On the other platforms `token` calls `latchkey_saml` itself.

#[cfg(target_arch = "wasm32")]
mod worker;

use http::StatusCode;
use latchkey_http::Response;
use latchkey_saml::{CheckRequest, MAX_MESSAGE};

/// Answers a message: a [`CheckRequest`] as JSON, of at most [`MAX_MESSAGE`] bytes. Errors: 413 if the message is longer,
/// 400 if it is not a [`CheckRequest`].
pub async fn respond(message: &[u8]) -> Response {
    if message.len() > MAX_MESSAGE {
        return Response::new(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match CheckRequest::from_json(message) {
        Ok(request) => Response::json(StatusCode::OK, &request.run().await),
        Err(problem) => Response::new(StatusCode::BAD_REQUEST).with_body(problem),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use latchkey_saml::{CheckResponse, Problem};
    use types::Timestamp;

    fn message(assertion: &str) -> String {
        let request = CheckRequest {
            assertion: assertion.into(),
            issuers: Vec::new(),
            audience: "https://id.example".into(),
            recipient: "https://id.example/token".into(),
            now: Timestamp::from_secs(0),
        };
        request.to_json().unwrap()
    }

    #[test]
    fn an_assertion_that_is_rejected_is_an_answer() {
        let response = block_on(respond(message("PGEvPg").as_bytes()));
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!(CheckResponse::from_json(&response.body), Ok(CheckResponse::Rejected(Problem::NotAnAssertion)));
    }

    #[test]
    fn what_is_no_message_gets_no_verdict() {
        let longest = message(&"A".repeat(MAX_MESSAGE - message("").len()));
        assert_eq!(block_on(respond(longest.as_bytes())).status, StatusCode::OK);
        for (message, status) in [
            ("", StatusCode::BAD_REQUEST),
            ("grant_type=client_credentials", StatusCode::BAD_REQUEST),
            (&format!("{longest} "), StatusCode::PAYLOAD_TOO_LARGE),
        ] {
            let response = block_on(respond(message.as_bytes()));
            assert_eq!(response.status, status);
            assert!(CheckResponse::from_json(&response.body).is_err());
        }
    }
}
