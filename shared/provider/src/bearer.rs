//! The challenge to a request without a valid bearer token (RFC 6750 §3).

use types::Error;

/// Returns the value of `WWW-Authenticate` (RFC 6750 §3). A request without a token gets no error code (§3.1).
pub fn bearer_challenge(error: Option<&Error>) -> String {
    let mut challenge = "Bearer realm=\"latchkey\"".to_owned();
    if let Some(error) = error {
        let (code, description) = (error.code.as_str(), error.wire_description());
        challenge.push_str(&format!(", error=\"{code}\", error_description=\"{description}\""));
    }
    challenge
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::ErrorCode;

    #[test]
    fn a_challenge_explains_the_error() {
        assert_eq!(bearer_challenge(None), "Bearer realm=\"latchkey\"");
        let error = Error::new(ErrorCode::InvalidToken, "it is \"x\"");
        let expected = "Bearer realm=\"latchkey\", error=\"invalid_token\", error_description=\"it is 'x'\"";
        assert_eq!(bearer_challenge(Some(&error)), expected);
    }
}
