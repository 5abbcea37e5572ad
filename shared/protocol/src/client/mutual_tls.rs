//! Mutual TLS (RFC 8705): the part that a deployment offers, and the settings of a client.

use crate::{Client, ClientAuthenticationMethod, Problem};
use serde_json::Value;
use types::CertificateSubject;

/// Mutual TLS as a deployment offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutualTls {
    /// The origin at which the platform asks clients for a certificate (RFC 8705 §5).
    pub origin: String,
    /// The methods by which clients may authenticate with a certificate: those for which the platform is configured.
    pub methods: Vec<ClientAuthenticationMethod>,
}

impl ClientAuthenticationMethod {
    /// True if a deployment has the method. `mutual_tls` is what it offers.
    pub fn is_offered(self, mutual_tls: Option<&MutualTls>) -> bool {
        !self.needs_certificate() || mutual_tls.is_some_and(|offered| offered.methods.contains(&self))
    }
}

/// A setting that names the subject of a certificate.
struct SubjectSetting<'a> {
    name: &'static str,
    value: Option<&'a str>,
    parse: fn(&str) -> Option<CertificateSubject>,
    /// The rule that a value breaks which cannot be parsed.
    syntax: &'static str,
}

const METHOD: &str = "token_endpoint_auth_method";
const BOUND: &str = "tls_client_certificate_bound_access_tokens";

impl Client {
    /// Returns the five settings of which one names the subject of the client's certificate (RFC 8705 §2.1.2).
    fn subjects(&self) -> [SubjectSetting<'_>; 5] {
        [
            SubjectSetting {
                name: "tls_client_auth_subject_dn",
                value: self.tls_client_auth_subject_dn.as_deref(),
                parse: CertificateSubject::name,
                syntax: "must be a distinguished name such as CN=client,O=Example,C=DE, the last RDN first (RFC 4514); `openssl x509 -noout -subject -nameopt RFC2253` prints it",
            },
            SubjectSetting {
                name: "tls_client_auth_san_dns",
                value: self.tls_client_auth_san_dns.as_deref(),
                parse: CertificateSubject::dns,
                syntax: "must be a host name without a wildcard",
            },
            SubjectSetting {
                name: "tls_client_auth_san_uri",
                value: self.tls_client_auth_san_uri.as_deref(),
                parse: CertificateSubject::uri,
                syntax: "must be an absolute URI",
            },
            SubjectSetting {
                name: "tls_client_auth_san_ip",
                value: self.tls_client_auth_san_ip.as_deref(),
                parse: CertificateSubject::ip,
                syntax: "must be an IPv4 address, or an IPv6 address without brackets",
            },
            SubjectSetting {
                name: "tls_client_auth_san_email",
                value: self.tls_client_auth_san_email.as_deref(),
                parse: CertificateSubject::email,
                syntax: "must be an e-mail address",
            },
        ]
    }

    /// Returns the subject that the client's certificate must have. `None` unless the client names exactly one.
    pub(crate) fn certificate_subject(&self) -> Option<CertificateSubject> {
        let mut named = self.subjects().into_iter().filter_map(|setting| Some((setting.parse, setting.value?)));
        let (parse, value) = named.next()?;
        if named.next().is_some() { None } else { parse(value) }
    }

    /// Checks the settings of mutual TLS.
    pub(super) fn certificates(&self, problems: &mut Vec<Problem>) {
        let mut count = 0_usize;
        for SubjectSetting { name, value, parse, syntax } in self.subjects() {
            let Some(value) = value else { continue };
            count = count.saturating_add(1);
            if parse(value).is_none() {
                problems.push(Problem::new(name, syntax).with_value(value));
            }
        }
        match self.token_endpoint_auth_method {
            ClientAuthenticationMethod::TlsClientAuth if count != 1 => problems.push(Problem::new(
                METHOD,
                "tls_client_auth needs exactly one of tls_client_auth_subject_dn, _san_dns, _san_uri, _san_ip and _san_email (RFC 8705 section 2.1.2)",
            )),
            ClientAuthenticationMethod::SelfSignedTlsClientAuth
                if self.jwks.as_ref().is_some_and(|jwks| !has_certificate(jwks)) =>
            {
                let rule = "self_signed_tls_client_auth needs a key with x5c, the certificate of the client (RFC 8705 section 2.2.2)";
                problems.push(Problem::new("jwks", rule));
            }
            _ => {}
        }
        if self.tls_client_certificate_bound_access_tokens && self.dpop_bound_access_tokens {
            let rule = "must not be set besides dpop_bound_access_tokens: a token is bound to one key";
            problems.push(Problem::new(BOUND, rule));
        }
    }

    /// Returns the problems of settings that need more than the deployment offers.
    pub fn mutual_tls_problems(&self, offered: Option<&MutualTls>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let method = self.token_endpoint_auth_method;
        if !method.is_offered(offered) {
            let rule = "is not offered by this deployment: set LATCHKEY_MTLS_ORIGIN and LATCHKEY_MTLS_METHODS";
            problems.push(Problem::new(METHOD, rule).with_value(method.as_str()));
        }
        if self.tls_client_certificate_bound_access_tokens && offered.is_none() {
            let rule = "is not offered by this deployment: set LATCHKEY_MTLS_ORIGIN";
            problems.push(Problem::new(BOUND, rule));
        }
        problems
    }
}

/// True if a key of the set has a certificate (RFC 7517 §4.7).
fn has_certificate(jwks: &Value) -> bool {
    let keys = jwks.get("keys").and_then(Value::as_array);
    let certificate = |key: &Value| key.get("x5c")?.get(0)?.as_str().map(str::is_empty);
    keys.into_iter().flatten().any(|key| certificate(key) == Some(false))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use serde_json::json;

    fn client(more: Value) -> Client {
        let mut settings = json!({ "client_id": "app", "grant_types": ["client_credentials"] });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(settings).unwrap()
    }

    fn fields(more: Value) -> Vec<String> {
        client(more).validate().iter().map(|problem| problem.field().to_owned()).collect()
    }

    /// RFC 8705 §2.1.2.
    #[test]
    fn one_subject_is_named() {
        let method = |more: Value| {
            let mut all = json!({ "token_endpoint_auth_method": "tls_client_auth" });
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            all
        };
        for (name, value) in [
            ("tls_client_auth_subject_dn", "CN=a,O=b"),
            ("tls_client_auth_san_dns", "a.example"),
            ("tls_client_auth_san_uri", "https://a.example/"),
            ("tls_client_auth_san_ip", "2001:db8::1"),
            ("tls_client_auth_san_email", "a@a.example"),
        ] {
            assert_eq!(fields(method(json!({ name: value }))), Vec::<String>::new(), "{name}");
            assert!(client(json!({ name: value })).certificate_subject().is_some());
            assert_eq!(fields(method(json!({ name: "%" }))), [name]);
        }
        assert_eq!(fields(method(json!({}))), [METHOD]);
        let two = json!({ "tls_client_auth_san_dns": "a.example", "tls_client_auth_san_ip": "192.0.2.1" });
        assert_eq!(fields(method(two.clone())), [METHOD]);
        assert_eq!(client(two).certificate_subject(), None);
    }

    #[test]
    fn a_self_signed_certificate_is_in_the_keys() {
        let with = |keys: Value| {
            let x = "8l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
            let mut key = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x });
            key.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
            fields(json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": { "keys": [key] } }))
        };
        assert_eq!(with(json!({ "x5c": ["AAEC"] })), Vec::<String>::new());
        for none in [json!({}), json!({ "x5c": [] }), json!({ "x5c": "AAEC" }), json!({ "x5c": [""] })] {
            assert_eq!(with(none), ["jwks"]);
        }
        assert_eq!(fields(json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth" })), [METHOD]);
        let uri = "https://a.example/jwks";
        let at_url = json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks_uri": uri });
        assert_eq!(fields(at_url), Vec::<String>::new());
    }

    #[test]
    fn a_deployment_offers_what_its_platform_is_configured_for() {
        let offered = MutualTls {
            origin: "https://mtls.example".to_owned(),
            methods: vec![ClientAuthenticationMethod::TlsClientAuth],
        };
        let problems = |more: Value, offered| client(more).mutual_tls_problems(offered).len();
        let bound = json!({ "tls_client_certificate_bound_access_tokens": true });
        let pki = json!({ "token_endpoint_auth_method": "tls_client_auth" });
        let own = json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth" });
        for (settings, without, with) in [(bound, 1, 0), (pki, 1, 0), (own, 1, 1), (json!({}), 0, 0)] {
            assert_eq!(problems(settings.clone(), None), without, "{settings}");
            assert_eq!(problems(settings.clone(), Some(&offered)), with, "{settings}");
        }
    }

    #[test]
    fn a_token_is_bound_to_one_key() {
        let both = json!({ "tls_client_certificate_bound_access_tokens": true, "dpop_bound_access_tokens": true });
        assert_eq!(fields(both), [BOUND]);
    }
}
