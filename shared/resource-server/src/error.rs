//! Reasons for which a request is rejected, and the response to it (RFC 6750 §3).

use crate::{DPOP_NONCE, RequiredAuthentication};
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::json;
use types::{Algorithm, Error, ErrorCode, Scope};

/// Reason for which a request is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessError {
    /// The request has no token. The response says where to get one, and has no error code (RFC 6750 §3.1).
    NoToken,
    /// The request presents its token in a way that is not allowed.
    InvalidRequest(&'static str),
    /// The token is not valid for this API.
    InvalidToken(&'static str),
    /// The token is bound to a key, or sent as if it were, and that does not fit the request (RFC 9449 §7.1).
    InvalidBoundToken(&'static str),
    /// The DPoP proof is missing or invalid (RFC 9449 §7.1).
    InvalidProof(&'static str),
    /// The DPoP proof must have this nonce (RFC 9449 §9).
    UseNonce(String),
    /// The request needs this scope, which the token lacks; the scope is empty if no scope allows the request.
    InsufficientScope(Scope),
    /// The request needs another or a newer sign-in of the user (RFC 9470 §3).
    InsufficientAuthentication(RequiredAuthentication),
    /// The authorization server does not answer, so the token cannot be checked. The reason is for the log alone.
    Unavailable(String),
}

impl AccessError {
    /// Returns the error code; `None` for a request without a token.
    pub const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::NoToken => None,
            Self::InvalidRequest(_) => Some(ErrorCode::InvalidRequest),
            Self::InvalidToken(_) | Self::InvalidBoundToken(_) => Some(ErrorCode::InvalidToken),
            Self::InvalidProof(_) => Some(ErrorCode::InvalidDpopProof),
            Self::UseNonce(_) => Some(ErrorCode::UseDpopNonce),
            Self::InsufficientScope(_) => Some(ErrorCode::InsufficientScope),
            Self::InsufficientAuthentication(_) => Some(ErrorCode::InsufficientUserAuthentication),
            Self::Unavailable(_) => Some(ErrorCode::TemporarilyUnavailable),
        }
    }

    /// Returns the status: 400, 401, 403 or 503.
    pub fn status(&self) -> StatusCode {
        let status = match self {
            Self::InvalidProof(_) | Self::UseNonce(_) => 401,
            _ => self.code().map_or(401, ErrorCode::status),
        };
        StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED)
    }

    /// Returns the description for the client's developer.
    pub fn description(&self) -> &'static str {
        match self {
            Self::NoToken => "an access token is needed",
            Self::InvalidRequest(description)
            | Self::InvalidToken(description)
            | Self::InvalidBoundToken(description)
            | Self::InvalidProof(description) => description,
            Self::UseNonce(_) => "the DPoP proof must have the nonce of the header field DPoP-Nonce",
            Self::InsufficientScope(scope) if scope.is_empty() => "no scope allows this",
            Self::InsufficientScope(_) => "the access token does not have the scope that this needs",
            Self::InsufficientAuthentication(_) => "the user must sign in as acr_values and max_age say",
            Self::Unavailable(_) => "access tokens cannot be checked now; try again",
        }
    }

    /// Returns the description for the operator's log. It never holds a token.
    pub fn reason(&self) -> &str {
        match self {
            Self::Unavailable(reason) => reason,
            other => other.description(),
        }
    }

    /// Returns the value of `WWW-Authenticate` (RFC 6750 §3, RFC 9728 §5.1); `None` if the authorization server is at fault.
    /// `needed` is the scope that the request needs: a client without a valid token asks for exactly that.
    pub fn challenge(&self, metadata_url: Option<&str>, needed: &Scope) -> Option<String> {
        if matches!(self, Self::Unavailable(_)) {
            return None;
        }
        // Exactly one challenge: some clients look for the error of the first alone.
        let mut challenge = match self {
            Self::InvalidBoundToken(_) | Self::InvalidProof(_) | Self::UseNonce(_) => {
                format!("DPoP algs=\"{}\", ", Algorithm::DPOP.map(Algorithm::as_str).join(" "))
            }
            _ => "Bearer ".to_owned(),
        };
        challenge += &match metadata_url {
            Some(url) => format!("resource_metadata=\"{url}\""),
            None => "realm=\"api\"".to_owned(),
        };
        if let Some(code) = self.code() {
            let error = Error::new(code, self.description());
            challenge += &format!(", error=\"{}\", error_description=\"{}\"", code.as_str(), error.wire_description());
        }
        if let Self::InsufficientAuthentication(required) = self {
            challenge += &required.parameters();
        }
        let scope = match self {
            Self::InsufficientScope(scope) => scope,
            Self::NoToken
            | Self::InvalidToken(_)
            | Self::InvalidBoundToken(_)
            | Self::InsufficientAuthentication(_) => needed,
            Self::InvalidProof(_) | Self::UseNonce(_) | Self::InvalidRequest(_) | Self::Unavailable(_) => {
                &Scope::default()
            }
        };
        if !scope.is_empty() {
            challenge += &format!(", scope=\"{}\"", scope.iter().collect::<Vec<_>>().join(" "));
        }
        Some(challenge)
    }

    /// Returns the complete response.
    pub(crate) fn response(&self, metadata_url: Option<&str>, needed: &Scope) -> Response<String> {
        let body = self.code().map(|code| {
            let body = json!({ "error": code.as_str(), "error_description": self.description() });
            body.to_string()
        });
        let mut response = Response::new(body.unwrap_or_default());
        *response.status_mut() = self.status();
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        };
        set(header::CACHE_CONTROL, "no-store");
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        set(header::ACCESS_CONTROL_EXPOSE_HEADERS, "WWW-Authenticate, Retry-After, DPoP-Nonce");
        if let Self::UseNonce(nonce) = self {
            set(DPOP_NONCE, nonce);
        }
        if self.code().is_some() {
            set(header::CONTENT_TYPE, "application/json");
        }
        match self.challenge(metadata_url, needed) {
            Some(challenge) => set(header::WWW_AUTHENTICATE, &challenge),
            None => set(header::RETRY_AFTER, "1"),
        }
        response
    }
}

impl From<AccessError> for Response<String> {
    /// Returns the response without the URL of the API's metadata.
    fn from(error: AccessError) -> Self {
        error.response(None, &Scope::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = "https://api.example/.well-known/oauth-protected-resource";

    #[test]
    fn each_error_has_the_response_of_rfc_6750() {
        let scope = Scope::parse("a b").unwrap();
        for (error, status, challenge) in [
            (AccessError::NoToken, 401, ""),
            (AccessError::InvalidRequest("x"), 400, r#", error="invalid_request", error_description="x""#),
            (AccessError::InvalidToken("x"), 401, r#", error="invalid_token", error_description="x""#),
            (
                AccessError::InsufficientScope(scope),
                403,
                r#", error="insufficient_scope", error_description="the access token does not have the scope that this needs", scope="a b""#,
            ),
            (
                AccessError::InsufficientAuthentication(RequiredAuthentication::new(&["urn:a", "urn:b"], Some(5))),
                401,
                r#", error="insufficient_user_authentication", error_description="the user must sign in as acr_values and max_age say", acr_values="urn:a urn:b", max_age="5""#,
            ),
        ] {
            let response = error.response(Some(METADATA), &Scope::default());
            assert_eq!(response.status(), status);
            let expected = format!("Bearer resource_metadata=\"{METADATA}\"{challenge}");
            assert_eq!(response.headers()[header::WWW_AUTHENTICATE], expected);
        }
    }

    /// RFC 6750 §3: a client without a valid token learns which scope to ask for.
    #[test]
    fn a_client_without_a_token_learns_the_scope() {
        let needed = Scope::parse("a b").unwrap();
        for (error, has_scope) in [
            (AccessError::NoToken, true),
            (AccessError::InvalidToken("x"), true),
            (AccessError::InvalidRequest("x"), false),
            (AccessError::InsufficientScope(Scope::default()), false),
        ] {
            let challenge = error.challenge(Some(METADATA), &needed).unwrap();
            assert_eq!(challenge.ends_with(r#", scope="a b""#), has_scope, "{challenge}");
        }
    }

    /// RFC 9449 §7.1, §9.
    #[test]
    fn errors_of_bound_tokens_are_challenges_of_dpop() {
        for (error, code) in [
            (AccessError::InvalidBoundToken("x"), "invalid_token"),
            (AccessError::InvalidProof("x"), "invalid_dpop_proof"),
            (AccessError::UseNonce("n".to_owned()), "use_dpop_nonce"),
        ] {
            let response = error.response(None, &Scope::default());
            assert_eq!(response.status(), 401);
            let challenge = response.headers()[header::WWW_AUTHENTICATE].to_str().unwrap();
            assert!(challenge.starts_with("DPoP algs=\"ES256 PS256 EdDSA\", realm=\"api\", error=\""), "{challenge}");
            assert!(challenge.contains(&format!("error=\"{code}\"")), "{challenge}");
            assert_eq!(response.headers().contains_key(DPOP_NONCE), code == "use_dpop_nonce");
        }
    }

    /// RFC 6750 §3.1: the response to a request without a token has no error code.
    #[test]
    fn a_request_without_a_token_is_no_error() {
        assert_eq!(AccessError::NoToken.response(None, &Scope::default()).body(), "");
    }

    #[test]
    fn a_failure_of_the_authorization_server_is_no_challenge() {
        let response = AccessError::Unavailable("secret".to_owned()).response(Some(METADATA), &Scope::default());
        assert_eq!(response.status(), 503);
        assert!(response.headers().get(header::WWW_AUTHENTICATE).is_none());
        assert!(response.headers().contains_key(header::RETRY_AFTER) && !response.body().contains("secret"));
    }
}
