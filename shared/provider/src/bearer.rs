//! The challenges to a request without a valid access token (RFC 6750 §3, RFC 9449 §7.1).

use types::{Algorithm, Error};

/// Returns the value of `WWW-Authenticate` (RFC 6750 §3). A request without a token gets no error code (§3.1).
pub fn bearer_challenge(error: Option<&Error>) -> String {
    let mut challenge = "Bearer realm=\"latchkey\"".to_owned();
    if let Some(error) = error {
        push_error(&mut challenge, error);
    }
    challenge
}

/// Returns the value of `WWW-Authenticate` for an access token that is bound to a key, or sent as one (RFC 9449 §7.1).
pub fn dpop_challenge(error: &Error) -> String {
    let mut challenge = format!("DPoP algs=\"{}\"", Algorithm::DPOP.map(Algorithm::as_str).join(" "));
    push_error(&mut challenge, error);
    challenge
}

fn push_error(challenge: &mut String, error: &Error) {
    let (code, description) = (error.code.as_str(), error.wire_description());
    challenge.push_str(&format!(", error=\"{code}\", error_description=\"{description}\""));
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
        let expected = "DPoP algs=\"ES256 PS256 EdDSA\", error=\"invalid_token\", error_description=\"it is 'x'\"";
        assert_eq!(dpop_challenge(&error), expected);
    }
}
