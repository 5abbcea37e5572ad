//! The check of a SAML assertion. On Workers, the Worker `saml` does it: the XML parser is then in no Worker that has keys.

use provider::HandlerError;
use saml::{CheckRequest, CheckResponse};

/// Checks an assertion.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) async fn check(request: &CheckRequest<'_>) -> Result<CheckResponse, HandlerError> {
    Ok(request.run().await)
}

#[cfg(target_arch = "wasm32")]
pub(crate) use bound::{bind, check};

#[cfg(target_arch = "wasm32")]
mod bound {
    use super::{CheckRequest, CheckResponse, HandlerError};
    use platform::worker::Service;
    use saml::MAX_MESSAGE;
    use worker::Env;

    static SAML: Service = Service::new("SAML");

    /// Remembers the Worker `saml`, if it is bound.
    pub(crate) fn bind(env: &Env) {
        SAML.bind(env);
    }

    /// Lets the Worker `saml` check an assertion. Errors: 503 if it is not bound, or fails.
    pub(crate) async fn check(request: &CheckRequest<'_>) -> Result<CheckResponse, HandlerError> {
        let message = request.to_json().map_err(HandlerError::unavailable)?;
        let answer = SAML.call(&message, MAX_MESSAGE).await?;
        CheckResponse::from_json(&answer).map_err(HandlerError::unavailable)
    }
}
