//! The Worker that judges and hashes new passwords for the Workers `account` and `admin-users`.
//!
//! It has no route and no address on `workers.dev`: requests from outside cannot reach it, only service bindings do. It has
//! neither a secret nor records nor settings. On the other platforms they do the work themselves.

#[cfg(target_arch = "wasm32")]
mod worker;

use http::StatusCode;
use latchkey_http::Response;
use platform::Fetcher;
use provider::NewPassword;

/// Answers a message: a [`NewPassword`] as JSON, of at most [`NewPassword::MAX_MESSAGE`] bytes. Errors: 413 if the message is
/// longer, 400 if it is not a [`NewPassword`], 503 if the hash did not finish.
pub async fn respond(message: &[u8]) -> Response {
    if message.len() > NewPassword::MAX_MESSAGE {
        return Response::new(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let Ok(password) = serde_json::from_slice::<NewPassword>(message) else {
        return Response::new(StatusCode::BAD_REQUEST);
    };
    let fetch = Fetcher::new(password.reach());
    match password.judge(&fetch).await {
        Ok(verdict) => Response::json(StatusCode::OK, &verdict),
        Err(_) => Response::new(StatusCode::SERVICE_UNAVAILABLE),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use provider::PasswordVerdict;

    async fn answer(message: &str) -> (StatusCode, Option<PasswordVerdict>) {
        let response = respond(message.as_bytes()).await;
        (response.status, serde_json::from_slice(&response.body).ok())
    }

    #[tokio::test]
    async fn a_password_that_is_refused_is_an_answer() {
        let (status, verdict) = answer(r#"{"password":"too short","minimum":15,"about":[]}"#).await;
        let verdict = verdict.unwrap();
        assert_eq!((status, verdict.hash), (StatusCode::OK, None));
        assert!(verdict.problem.unwrap().contains("needs 15"));
        let (status, verdict) = answer(r#"{"password":"two green umbrellas","minimum":15,"about":[]}"#).await;
        let verdict = verdict.unwrap();
        assert_eq!((status, verdict.problem), (StatusCode::OK, None));
        assert!(verdict.hash.unwrap().starts_with("$argon2id$"));
    }

    #[tokio::test]
    async fn what_is_no_message_gets_no_verdict() {
        let long = " ".repeat(NewPassword::MAX_MESSAGE + 1);
        for (message, status) in [
            ("", StatusCode::BAD_REQUEST),
            ("password=two+green+umbrellas", StatusCode::BAD_REQUEST),
            (r#"{"password":"two green umbrellas"}"#, StatusCode::BAD_REQUEST),
            (long.as_str(), StatusCode::PAYLOAD_TOO_LARGE),
        ] {
            assert_eq!(answer(message).await, (status, None));
        }
    }
}
