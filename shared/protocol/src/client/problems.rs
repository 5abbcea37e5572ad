//! What can be wrong with a client's settings.

use crate::{Client, GrantType, KeyManagementAlgorithm, redirect_uri};
use serde_json::Value;

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
        let with_a_person = [GrantType::AuthorizationCode, GrantType::DeviceCode];
        if self.may_use(GrantType::RefreshToken) && !with_a_person.iter().any(|grant| self.may_use(*grant)) {
            problems.push("grant_types: refresh_token needs authorization_code or device_code".to_owned());
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
        problems.extend(self.encryption_problems());
        if !self.introspects.is_empty() && !self.is_confidential() {
            problems.push("introspects: is for clients that authenticate (RFC 7662 section 2.1)".to_owned());
        }
        problems
    }

    /// What is wrong with how it has answers encrypted (OpenID Connect Registration §2, RFC 9701 §6).
    fn encryption_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (field, alg, enc) in [
            ("id_token_encrypted_response", self.id_token_encrypted_response_alg, self.id_token_encrypted_response_enc),
            ("userinfo_encrypted_response", self.userinfo_encrypted_response_alg, self.userinfo_encrypted_response_enc),
            (
                "introspection_encrypted_response",
                self.introspection_encrypted_response_alg,
                self.introspection_encrypted_response_enc,
            ),
        ] {
            match alg {
                None if enc.is_some() => problems.push(format!("{field}_enc: needs {field}_alg")),
                Some(alg) if !self.may_have_key_for(alg) => {
                    problems
                        .push(format!("{field}_alg: needs a key that {} can use in jwks or at jwks_uri", alg.as_str()));
                }
                _ => {}
            }
        }
        problems
    }

    /// Whether a key to encrypt to may be among its keys; those at a URL are seen when they are needed.
    fn may_have_key_for(&self, alg: KeyManagementAlgorithm) -> bool {
        let Some(jwks) = &self.jwks else { return self.jwks_uri.is_some() };
        let is_fit = |key: &Value| {
            let member = |name: &str| key.get(name).and_then(Value::as_str);
            let is_kind = match alg {
                KeyManagementAlgorithm::RsaOaep256 => member("kty") == Some("RSA"),
                _ => (member("kty"), member("crv")) == (Some("EC"), Some("P-256")),
            };
            let is_for_it = member("use").is_none_or(|usage| usage == "enc");
            is_kind && is_for_it && member("alg").is_none_or(|only| only == alg.as_str())
        };
        jwks.get("keys").and_then(Value::as_array).is_some_and(|keys| keys.iter().any(is_fit))
    }
}
