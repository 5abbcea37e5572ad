//! `response_mode=fragment`: the parameters are in the fragment of the redirect (OAuth 2.0 Multiple Response Types §2.1).

use super::{Delivery, ResponseParameters};

/// Adds the parameters as the fragment of the redirect URI, which has none of its own.
pub(super) fn deliver(redirect_uri: &str, parameters: &ResponseParameters) -> Delivery {
    Delivery::Redirect(format!("{redirect_uri}#{}", parameters.encoded()))
}
