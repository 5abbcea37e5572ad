//! What can be wrong with a client's settings.

use crate::{Client, GrantType, redirect_uri};

impl Client {
    /// All that is wrong with it, each with the name of the field.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let id_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if self.client_id.is_empty() || self.client_id.len() > 128 || !self.client_id.bytes().all(id_allowed) {
            problems.push("client_id: must be 1 to 128 of the characters A-Z a-z 0-9 - . _ ~".to_owned());
        }
        for (field, uris) in
            [("redirect_uris", &self.redirect_uris), ("post_logout_redirect_uris", &self.post_logout_redirect_uris)]
        {
            problems.extend(
                uris.iter()
                    .filter_map(|uri| redirect_uri::problem(uri).map(|problem| format!("{field}: '{uri}' {problem}"))),
            );
        }
        if self.may_use(GrantType::AuthorizationCode) && self.redirect_uris.is_empty() {
            problems.push("redirect_uris: the authorization_code grant needs at least one".to_owned());
        }
        if self.may_use(GrantType::RefreshToken) && !self.may_use(GrantType::AuthorizationCode) {
            problems.push("grant_types: refresh_token needs authorization_code".to_owned());
        }
        if self.may_use(GrantType::ClientCredentials) && !self.is_confidential() {
            problems.push(
                "grant_types: client_credentials needs a client that authenticates (RFC 6749 section 4.4)".to_owned(),
            );
        }
        for (field, uri) in [
            ("logo_uri", &self.logo_uri),
            ("client_uri", &self.client_uri),
            ("policy_uri", &self.policy_uri),
            ("tos_uri", &self.tos_uri),
        ] {
            if uri.as_deref().is_some_and(|uri| {
                !url::Url::parse(uri).is_ok_and(|url| {
                    url.scheme() == "https" || (url.scheme() == "http" && redirect_uri::is_loopback(&url))
                })
            }) {
                problems.push(format!("{field}: must be an https URL"));
            }
        }
        for (field, seconds) in [
            ("access_token_lifetime", self.access_token_lifetime),
            ("id_token_lifetime", self.id_token_lifetime),
            ("refresh_token_lifetime", self.refresh_token_lifetime),
            ("refresh_token_idle_lifetime", self.refresh_token_idle_lifetime),
        ] {
            if seconds.is_some_and(|seconds| seconds == 0 || seconds > 10 * 366 * 86_400) {
                problems.push(format!("{field}: must be 1 second to 10 years"));
            }
        }
        problems
    }
}
