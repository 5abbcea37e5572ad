//! What people read of a client, in their language (RFC 7591 §2.2).

use super::Client;

/// The fields that may be given in several languages.
pub(crate) const FIELDS: &[&str] = &["client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri"];

/// The field and the language of a name such as `client_name#de`; without a language the second is empty. `None` when
/// there is no such field, or the language is no tag (BCP 47).
pub(crate) fn split(name: &str) -> Option<(&str, &str)> {
    let (field, language) = name.split_once('#').unwrap_or((name, ""));
    let is_tag = !language.is_empty()
        && language.len() <= 35
        && language
            .split('-')
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    (FIELDS.contains(&field) && (is_tag || !name.contains('#'))).then_some((field, language))
}

impl Client {
    /// The value of one of the fields that people read.
    pub(crate) fn human(&self, field: &str) -> Option<&str> {
        match field {
            "client_name" => self.client_name.as_deref(),
            "client_uri" => self.client_uri.as_deref(),
            "logo_uri" => self.logo_uri.as_deref(),
            "policy_uri" => self.policy_uri.as_deref(),
            "tos_uri" => self.tos_uri.as_deref(),
            _ => None,
        }
    }
}
