//! `response_mode=form_post`: the browser posts the parameters in a form (OAuth 2.0 Form Post Response Mode §2).

use super::{Delivery, ResponseParameters};

/// Puts each parameter into a field of a form.
pub(super) fn deliver(redirect_uri: &str, parameters: &ResponseParameters) -> Delivery {
    Delivery::FormPost { action: redirect_uri.to_owned(), fields: parameters.pairs().to_vec() }
}
