//! Settings that users read, in several languages (RFC 7591 §2.2).

use super::Client;
use super::settings::is_localizable;
use crate::localized::is_tag;

/// Splits a name such as `client_name#de` into the setting and the language; the language is empty if there is none.
/// `None` if the setting is not localizable, or the language is no tag (BCP 47).
pub(crate) fn split(name: &str) -> Option<(&str, &str)> {
    let (field, language) = name.split_once('#').unwrap_or((name, ""));
    (is_localizable(field) && (is_tag(language) || !name.contains('#'))).then_some((field, language))
}

impl Client {
    /// Returns the localizable settings that the client has, with their values.
    pub(super) fn localizable(&self) -> impl Iterator<Item = (&str, &str)> {
        let settings = [
            ("client_name", &self.client_name),
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("policy_uri", &self.policy_uri),
            ("tos_uri", &self.tos_uri),
        ];
        settings.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}
