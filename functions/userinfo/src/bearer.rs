//! Bearer tokens in requests (RFC 6750 §2) and the challenge of a resource (§3).

use http::{Method, StatusCode, header};
use latchkey_http::{Request, Response};
use provider::{RequestParameters, bearer_challenge};
use types::Error;

/// The reason for which a request is rejected.
pub(crate) enum Challenge {
    /// No token: the challenge names no error (RFC 6750 §3.1).
    NoToken,
    /// An error of the request or of its token.
    Error {
        error: Error,
        /// The required scope.
        scope: Option<&'static str>,
    },
}

impl Challenge {
    pub(crate) fn response(self, request: &Request) -> Response {
        match self {
            Self::NoToken => {
                Response::new(StatusCode::UNAUTHORIZED).with(header::WWW_AUTHENTICATE, &bearer_challenge(None))
            }
            Self::Error { error, scope } => {
                let scope = scope.map(|scope| format!(", scope=\"{scope}\"")).unwrap_or_default();
                let value = bearer_challenge(Some(&error)) + &scope;
                let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
                request.log.error(error.code.as_str(), &error.description);
                Response::json(status, &error.to_body()).with(header::WWW_AUTHENTICATE, &value)
            }
        }
    }
}

impl From<Error> for Challenge {
    fn from(error: Error) -> Self {
        Self::Error { error, scope: None }
    }
}

/// Returns the access token from the header (RFC 6750 §2.1) or from the form of a POST (§2.2), never from the query
/// (§2.3), and never from two places (§2).
pub(crate) fn token(request: &Request) -> Result<String, Challenge> {
    // Another scheme has no token: the challenge names the right scheme (§3.1).
    let from_header = request.bearer()?.filter(|token| !token.is_empty()).map(str::to_owned);
    let is_form = request.method == Method::POST && request.has_content_type("application/x-www-form-urlencoded");
    let from_body = if is_form {
        let parameters = request.form()?;
        parameters.refuse_repeated()?;
        parameters.value("access_token").map(str::to_owned)
    } else {
        None
    };
    match (from_header, from_body) {
        (Some(_), Some(_)) => Err(Error::invalid_request("the access token is sent in two ways; use one").into()),
        (Some(token), None) | (None, Some(token)) => Ok(token),
        (None, None) => Err(Challenge::NoToken),
    }
}
