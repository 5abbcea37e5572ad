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
    use std::sync::OnceLock;
    use worker::Env;

    /// The name of the service binding.
    const BINDING: &str = "SAML";

    /// Set by the first request, for the life of the isolate.
    static SAML: OnceLock<Service> = OnceLock::new();

    /// Remembers the Worker `saml`, if it is bound.
    pub(crate) fn bind(env: &Env) {
        if SAML.get().is_none()
            && let Some(service) = Service::bound(env, BINDING)
        {
            // No other request runs between the two lines.
            let _ = SAML.set(service);
        }
    }

    /// Lets the Worker `saml` check an assertion. Errors: 503 if there is no such binding, or the Worker fails.
    pub(crate) async fn check(request: &CheckRequest<'_>) -> Result<CheckResponse, HandlerError> {
        let service = SAML
            .get()
            .ok_or_else(|| HandlerError::unavailable(format_args!("there is no service binding {BINDING}")))?;
        let message = request.to_json().map_err(HandlerError::unavailable)?;
        let answer = service.call(&message, MAX_MESSAGE).await?;
        CheckResponse::from_json(&answer).map_err(HandlerError::unavailable)
    }
}
