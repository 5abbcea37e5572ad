//! Validation of the settings for encrypted responses and request objects (OpenID Connect Registration §2, RFC 9701 §6, JARM §3).

use crate::{Client, Problem};
use serde_json::Value;
use types::KeyManagementAlgorithm;

impl Client {
    pub(super) fn encryption(&self, problems: &mut Vec<Problem>) {
        for (field, alg, enc) in [
            ("id_token_encrypted_response", self.id_token_encrypted_response_alg, self.id_token_encrypted_response_enc),
            ("userinfo_encrypted_response", self.userinfo_encrypted_response_alg, self.userinfo_encrypted_response_enc),
            (
                "authorization_encrypted_response",
                self.authorization_encrypted_response_alg,
                self.authorization_encrypted_response_enc,
            ),
            (
                "introspection_encrypted_response",
                self.introspection_encrypted_response_alg,
                self.introspection_encrypted_response_enc,
            ),
        ] {
            match alg {
                None if enc.is_some() => {
                    problems.push(Problem::new(format!("{field}_enc"), format!("needs {field}_alg")));
                }
                Some(alg) if !self.may_have_key_for(alg) => {
                    let rule = format!("needs a key that {} can use in jwks or at jwks_uri", alg.as_str());
                    problems.push(Problem::new(format!("{field}_alg"), rule));
                }
                _ => {}
            }
        }
    }

    /// Checks the encryption of request objects, which uses a key of this server.
    pub(super) fn request_encryption(&self, problems: &mut Vec<Problem>) {
        let (alg, enc) = (self.request_object_encryption_alg, self.request_object_encryption_enc);
        if alg.is_none() && enc.is_some() {
            problems.push(Problem::new("request_object_encryption_enc", "needs request_object_encryption_alg"));
        }
        if alg.is_some_and(|alg| !KeyManagementAlgorithm::RECEIVED.contains(&alg)) {
            let names: Vec<&str> = KeyManagementAlgorithm::RECEIVED.iter().map(|alg| alg.as_str()).collect();
            let rule = format!("must be one of {}: the key of this server is on P-256", names.join(", "));
            problems.push(Problem::new("request_object_encryption_alg", rule));
        }
    }

    /// True if the client may have a key to encrypt to. Keys at a URL are fetched when they are needed.
    fn may_have_key_for(&self, alg: KeyManagementAlgorithm) -> bool {
        let Some(jwks) = &self.jwks else { return self.jwks_uri.is_some() };
        let is_fit = |key: &Value| {
            let member = |name: &str| key.get(name).and_then(Value::as_str);
            let is_kind = match alg {
                KeyManagementAlgorithm::RsaOaep256 => member("kty") == Some("RSA"),
                _ => (member("kty"), member("crv")) == (Some("EC"), Some("P-256")),
            };
            let is_for_encryption = member("use").is_none_or(|usage| usage == "enc");
            is_kind && is_for_encryption && member("alg").is_none_or(|only| only == alg.as_str())
        };
        jwks.get("keys").and_then(Value::as_array).is_some_and(|keys| keys.iter().any(is_fit))
    }
}
