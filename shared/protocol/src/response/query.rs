//! `response_mode=query`: the parameters are in the query of the redirect (OAuth 2.0 Multiple Response Types §2.1).

use super::{Delivery, ResponseParameters};

/// Appends the parameters to the query of the redirect URI.
pub(super) fn deliver(redirect_uri: &str, parameters: &ResponseParameters) -> Delivery {
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    Delivery::Redirect(format!("{redirect_uri}{separator}{}", parameters.encoded()))
}
