//! Bearer tokens in the header of a request (RFC 6750 §2.1), and the challenge to one that has no good token (§3).

use crate::Request;
use protocol::Error;

impl Request {
    /// The token of its Authorization header; `None` when it has none, or credentials of another scheme, which are
    /// nothing to whoever wants a token (§3.1). What is no token may come here too, an empty one included.
    pub fn bearer(&self) -> Result<Option<&str>, Error> {
        let Some(credentials) = self.authorization()? else { return Ok(None) };
        let (scheme, token) = credentials.split_once(' ').unwrap_or((credentials, ""));
        Ok(scheme.eq_ignore_ascii_case("bearer").then_some(token.trim()))
    }
}

/// The value of `WWW-Authenticate` (§3). To a request without a token it names no error (§3.1).
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
    use http::header;
    use protocol::ErrorCode;

    fn bearer(fields: &[&'static str]) -> Result<Option<String>, Error> {
        let fields: Vec<&[u8]> = fields.iter().map(|field| field.as_bytes()).collect();
        let request = Request::with_fields(header::AUTHORIZATION, &fields);
        request.bearer().map(|token| token.map(str::to_owned))
    }

    #[test]
    fn a_token_is_what_the_scheme_says() {
        for field in ["Bearer x", "bearer x", "BEARER  x "] {
            assert_eq!(bearer(&[field]), Ok(Some("x".to_owned())), "{field}");
        }
        assert_eq!(bearer(&["Bearer"]), Ok(Some(String::new())));
        for fields in [&[][..], &["Basic eDp5"], &["DPoP x"], &["Bearerx"], &[""]] {
            assert_eq!(bearer(fields), Ok(None), "{fields:?}");
        }
        assert_eq!(bearer(&["Bearer x", "Bearer x"]).unwrap_err().code, ErrorCode::InvalidRequest);
    }

    #[test]
    fn a_challenge_explains_the_error() {
        assert_eq!(bearer_challenge(None), "Bearer realm=\"latchkey\"");
        let error = Error::new(ErrorCode::InvalidToken, "it is \"x\"");
        let expected = "Bearer realm=\"latchkey\", error=\"invalid_token\", error_description=\"it is 'x'\"";
        assert_eq!(bearer_challenge(Some(&error)), expected);
    }
}
