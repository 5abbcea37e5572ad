//! Access tokens in requests (RFC 6750 §2, RFC 9449 §7.1) and the challenge of a resource (RFC 6750 §3, RFC 9449 §7.1).

use http::{Method, StatusCode, header};
use latchkey_http::{Request, Response};
use provider::{RequestParameters, TokenScheme, bearer_challenge, dpop_challenge};
use types::{Error, ErrorCode};

/// The reason for which a request is rejected.
pub(crate) enum Challenge {
    /// No token: the challenge names no error (RFC 6750 §3.1).
    NoToken,
    /// An error of the request or of its token.
    Error {
        error: Error,
        /// The required scope.
        scope: Option<&'static str>,
        scheme: TokenScheme,
    },
}

impl Challenge {
    pub(crate) fn response(self, request: &Request) -> Response {
        match self {
            Self::NoToken => {
                Response::new(StatusCode::UNAUTHORIZED).with(header::WWW_AUTHENTICATE, &bearer_challenge(None))
            }
            Self::Error { error, scope, scheme } => {
                let scope = scope.map(|scope| format!(", scope=\"{scope}\"")).unwrap_or_default();
                // Exactly one challenge: some clients look for the error of the first alone.
                let challenge = match scheme {
                    TokenScheme::Bearer => bearer_challenge(Some(&error)),
                    TokenScheme::Dpop => dpop_challenge(&error),
                };
                let status = match error.code {
                    // RFC 9449 §7.1.
                    ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce => StatusCode::UNAUTHORIZED,
                    code => StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST),
                };
                request.log.error(error.code.as_str(), &error.description);
                Response::json(status, &error.to_body()).with(header::WWW_AUTHENTICATE, &(challenge + &scope))
            }
        }
    }
}

impl From<Error> for Challenge {
    fn from(error: Error) -> Self {
        Self::Error { error, scope: None, scheme: TokenScheme::Bearer }
    }
}

/// Returns the access token from the header (RFC 6750 §2.1, RFC 9449 §7.1) or from the form of a POST (RFC 6750 §2.2), never from the
/// query (§2.3), and never from two places (§2).
pub(crate) fn token(request: &Request) -> Result<(TokenScheme, String), Challenge> {
    // Another scheme has no token: the challenge names the right scheme (§3.1).
    let of =
        |token: Option<&str>, scheme| token.filter(|token| !token.is_empty()).map(|token| (scheme, token.to_owned()));
    let from_header = of(request.bearer()?, TokenScheme::Bearer).or(of(request.dpop_token()?, TokenScheme::Dpop));
    let is_form = request.method == Method::POST && request.has_content_type("application/x-www-form-urlencoded");
    let from_body = if is_form {
        let parameters = request.form()?;
        parameters.refuse_repeated()?;
        of(parameters.value("access_token"), TokenScheme::Bearer)
    } else {
        None
    };
    match (from_header, from_body) {
        (Some(_), Some(_)) => Err(Error::invalid_request("the access token is sent in two ways; use one").into()),
        (Some(token), None) | (None, Some(token)) => Ok(token),
        (None, None) => Err(Challenge::NoToken),
    }
}
