//! The proxy in front of the server that is trusted to name the client's address, and the certificate of its TLS connection.

use crate::Context;
use http::StatusCode;
use jose::constant_time_eq;
use latchkey_http::{CertificateChain, ClientCertificate, Forwarded, ProxyFields, Request, Response};
use protocol::Problem;
use std::net::IpAddr;
use types::{Error, ErrorCode};

/// A trusted proxy. It proves itself by a secret, because a client can send every header field that a proxy can send.
#[derive(Clone, Default)]
pub struct TrustedProxy {
    /// The header field with the client's address, in lower case.
    address_field: String,
    certificates: Option<ProxyCertificates>,
    /// The secrets of the proxy: two while the secret changes.
    secrets: Vec<String>,
    /// True if a request that did not pass the proxy is refused.
    is_only_way: bool,
}

/// The certificates that a trusted proxy names. Their secret is another one: a proxy may also serve hosts that ask for none, and pass on the
/// field as a client sent it there.
#[derive(Clone)]
struct ProxyCertificates {
    /// The header field with the certificate of the client's TLS connection, in lower case.
    field: String,
    /// The state of its chain.
    chain: CertificateChain,
    /// The secrets: two while the secret changes.
    secrets: Vec<String>,
}

impl std::fmt::Debug for TrustedProxy {
    /// Hides the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustedProxy").field("address_field", &self.address_field).finish_non_exhaustive()
    }
}

impl TrustedProxy {
    /// The setting with the header field.
    pub const ADDRESS_HEADER: &'static str = "LATCHKEY_PROXY_ADDRESS_HEADER";
    /// The setting with the secret.
    pub const SECRET: &'static str = "LATCHKEY_PROXY_SECRET";
    /// The setting with the header field of the client's certificate.
    pub const CERTIFICATE_HEADER: &'static str = "LATCHKEY_PROXY_CERTIFICATE_HEADER";
    /// The setting with the secret of requests whose certificate the proxy names.
    pub const CERTIFICATE_SECRET: &'static str = "LATCHKEY_PROXY_CERTIFICATE_SECRET";
    /// The setting that tells if the proxy verifies chains.
    pub const CERTIFICATE_CHAIN: &'static str = "LATCHKEY_PROXY_CERTIFICATE_CHAIN";
    /// The setting that refuses other requests.
    pub const ONLY: &'static str = "LATCHKEY_PROXY_ONLY";
    /// The least length of a secret, in characters.
    pub const LEAST_SECRET: usize = 32;

    /// Returns the proxy of the settings; `None` if they name none. Errors: what is wrong with which setting.
    pub fn of(
        address_field: Option<String>,
        secret: Option<String>,
        is_only_way: bool,
    ) -> Result<Option<Self>, Problem> {
        let (address_field, secret) = match (address_field, secret) {
            (Some(address_field), Some(secret)) => (address_field.to_ascii_lowercase(), secret),
            (None, None) if !is_only_way => return Ok(None),
            (Some(_), None) => {
                return Err(Problem::new(
                    Self::SECRET,
                    "is not set, but LATCHKEY_PROXY_ADDRESS_HEADER is: set the secret that the proxy sends as Latchkey-Proxy-Secret, or neither",
                ));
            }
            (None, _) => {
                return Err(Problem::new(
                    Self::ADDRESS_HEADER,
                    "is not set, but LATCHKEY_PROXY_SECRET or LATCHKEY_PROXY_ONLY is: name the header field in which the proxy sends the client's address, or set none of the three",
                ));
            }
        };
        if !is_field(&address_field) {
            return Err(Problem::new(
                Self::ADDRESS_HEADER,
                "is no name of a header field with an address; set one such as CloudFront-Viewer-Address or X-Forwarded-For",
            ));
        }
        let secrets = secrets_of(Self::SECRET, &secret)?;
        Ok(Some(Self { address_field, certificates: None, secrets, is_only_way }))
    }

    /// Returns the proxy with these settings of certificates. Errors: what is wrong with which setting.
    pub fn with_certificates(self, field: &str, secret: Option<&str>, chain: Option<&str>) -> Result<Self, Problem> {
        let field = field.to_ascii_lowercase();
        if !is_field(&field) || field == self.address_field {
            return Err(Problem::new(
                Self::CERTIFICATE_HEADER,
                "is no name of a header field with a certificate; set one such as CloudFront-Viewer-Cert-Pem or Client-Cert",
            ));
        }
        let secrets = secrets_of(Self::CERTIFICATE_SECRET, secret.unwrap_or_default())?;
        if secrets.iter().any(|secret| self.secrets.contains(secret)) {
            return Err(Problem::new(Self::CERTIFICATE_SECRET, "is also LATCHKEY_PROXY_SECRET: set another one"));
        }
        let chain = match chain {
            None | Some("unverified") => CertificateChain::Unverified,
            Some("verified") => CertificateChain::Verified,
            Some(_) => {
                let rule = "is neither verified nor unverified; set verified only if the proxy refuses certificates that lead to no CA of yours";
                return Err(Problem::new(Self::CERTIFICATE_CHAIN, rule));
            }
        };
        Ok(Self { certificates: Some(ProxyCertificates { field, chain, secrets }), ..self })
    }

    /// Returns the header fields of the proxy.
    pub fn fields(&self) -> ProxyFields<'_> {
        let certificate = self.certificates.as_ref().map(|certificates| certificates.field.as_str());
        ProxyFields { address: &self.address_field, certificate }
    }

    /// Returns the requests that a secret proves. The time depends on lengths alone.
    fn proven_by(&self, secret: &str) -> Proven<'_> {
        let is_one_of = |secrets: &[String]| {
            secrets.iter().fold(false, |found, own| constant_time_eq(own.as_bytes(), secret.as_bytes()) | found)
        };
        let is_plain = is_one_of(&self.secrets);
        match &self.certificates {
            Some(certificates) if is_one_of(&certificates.secrets) => Proven::WithCertificates(certificates),
            _ if is_plain => Proven::Plain,
            _ => Proven::Nothing,
        }
    }
}

/// The part of a request that the proxy vouches for.
enum Proven<'a> {
    /// None: the request did not pass the proxy.
    Nothing,
    /// The address of the client.
    Plain,
    /// The address, and the certificate of its TLS connection, if it has one.
    WithCertificates(&'a ProxyCertificates),
}

/// Parses the secrets of a setting. Errors: there is none, there are more than two, or one is weak.
fn secrets_of(setting: &'static str, text: &str) -> Result<Vec<String>, Problem> {
    let secrets: Vec<String> = text.split_ascii_whitespace().map(str::to_owned).collect();
    let is_strong =
        |secret: &String| secret.len() >= TrustedProxy::LEAST_SECRET && secret.bytes().all(|b| b.is_ascii_graphic());
    if secrets.is_empty() || secrets.len() > 2 || !secrets.iter().all(is_strong) {
        return Err(Problem::new(
            setting,
            "is not one secret of at least 32 visible ASCII characters, or two of them separated by a space; set one that `openssl rand -base64 32` makes",
        ));
    }
    Ok(secrets)
}

/// True if a text in lower case is a name of a header field (RFC 9110 §5.1), and not of that with the secret.
fn is_field(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    name.bytes().all(is_token) && name != Forwarded::SECRET
}

/// Returns the address that a proxy names: the last one of a list, which the proxy itself appended. A port may follow it.
fn address_of(value: &str) -> Option<IpAddr> {
    let last = value.rsplit(',').next()?.trim();
    let address = last.parse::<IpAddr>().ok().or_else(|| {
        // Some proxies write an IPv6 address without brackets before the port.
        let (address, port) = last.rsplit_once(':')?;
        port.parse::<u16>().ok()?;
        address.trim_matches(['[', ']']).parse().ok()
    });
    address.map(|address| address.to_canonical())
}

impl Context {
    /// Sets the client's address and certificate to those that the trusted proxy names. Without the proxy's secret those of the platform
    /// stay. Removes the certificate if the deployment uses none. Returns the response to a request that did not pass the proxy, if
    /// only the proxy may call.
    pub(crate) fn identify_client(&self, request: &mut Request) -> Option<Response> {
        let refusal = self.config.proxy.as_ref().and_then(|proxy| Self::read_forwarded(proxy, request));
        if self.config.mutual_tls.is_none() {
            request.certificate = None;
        }
        refusal
    }

    fn read_forwarded(proxy: &TrustedProxy, request: &mut Request) -> Option<Response> {
        let Forwarded { secret, address, certificate } = std::mem::take(&mut request.forwarded);
        // The TLS connection to the platform is that of the proxy, whose certificate is none of the client.
        let named = match secret.map_or(Proven::Nothing, |secret| proxy.proven_by(&secret)) {
            Proven::Nothing => None,
            Proven::Plain => Some(None),
            Proven::WithCertificates(ProxyCertificates { chain, .. }) => {
                Some(certificate.and_then(|field| ClientCertificate::from_field(&field, *chain)))
            }
        };
        if let Some(certificate) = named {
            request.address = address.and_then(|address| address_of(&address)).or(request.address);
            request.certificate = certificate;
            return None;
        }
        proxy.is_only_way.then(|| {
            let description = "this server answers requests through its proxy alone; use the address of its issuer";
            let error = Error::new(ErrorCode::AccessDenied, description);
            request.log.error(error.code.as_str(), &error.description);
            Response::json(StatusCode::FORBIDDEN, &error.to_body())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn an_address_is_the_last_of_a_list_without_its_port() {
        for (value, address) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:46532", "192.0.2.1"),
            ("203.0.113.9, 192.0.2.1", "192.0.2.1"),
            ("192.0.2.9,2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]:46532", "2001:db8::1"),
            ("2001:db8:0:0:0:0:0:1:46532", "2001:db8::1"),
            ("2001:db8::1:46532", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(address_of(value), Some(address.parse().unwrap()), "{value}");
        }
        for value in ["", ",", "192.0.2.1,", "unknown", "192.0.2.1:x", "192.0.2", "2001:db8::1]:1:x", "_hidden"] {
            assert_eq!(address_of(value), None, "{value}");
        }
    }

    fn of(address_field: &str, secret: &str, is_only_way: bool) -> Result<Option<TrustedProxy>, String> {
        let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let proxy = TrustedProxy::of(set(address_field), set(secret), is_only_way);
        proxy.map_err(|problem| problem.to_string())
    }

    #[test]
    fn settings_are_both_or_none() {
        assert!(of("", "", false).unwrap().is_none());
        assert_eq!(of("X-Address", SECRET, false).unwrap().unwrap().fields().address, "x-address");
        for (address_field, secret, is_only_way, setting) in [
            ("X-Address", "", false, "LATCHKEY_PROXY_SECRET"),
            ("", SECRET, false, "LATCHKEY_PROXY_ADDRESS_HEADER"),
            ("", "", true, "LATCHKEY_PROXY_ADDRESS_HEADER"),
            ("X Address", SECRET, false, "LATCHKEY_PROXY_ADDRESS_HEADER"),
            ("Latchkey-Proxy-Secret", SECRET, false, "LATCHKEY_PROXY_ADDRESS_HEADER"),
            ("X-Address", "short", false, "LATCHKEY_PROXY_SECRET"),
            ("X-Address", &format!("{SECRET} short"), false, "LATCHKEY_PROXY_SECRET"),
            ("X-Address", &format!("{SECRET} {SECRET} {SECRET}"), false, "LATCHKEY_PROXY_SECRET"),
            ("X-Address", &format!("{SECRET}\u{fc}"), false, "LATCHKEY_PROXY_SECRET"),
        ] {
            let problem = of(address_field, secret, is_only_way).unwrap_err();
            assert!(problem.contains(setting) && problem.contains("set"), "{problem}");
            assert!(!problem.contains("0123"), "{problem}");
        }
    }

    #[test]
    fn certificates_have_a_field_and_a_secret_of_their_own() {
        let own = SECRET.to_ascii_uppercase();
        let with = |field: &str, secret: Option<&str>, chain: Option<&str>| {
            let proxy = of("x-address", SECRET, false).unwrap().unwrap();
            proxy.with_certificates(field, secret, chain).map_err(|problem| problem.to_string())
        };
        for (chain, expected) in [
            (None, CertificateChain::Unverified),
            (Some("unverified"), CertificateChain::Unverified),
            (Some("verified"), CertificateChain::Verified),
        ] {
            let proxy = with("Client-Cert", Some(&own), chain).unwrap();
            assert_eq!(proxy.fields().certificate, Some("client-cert"));
            assert!(matches!(proxy.proven_by(SECRET), Proven::Plain));
            assert!(matches!(proxy.proven_by("x"), Proven::Nothing));
            assert!(matches!(proxy.proven_by(&own), Proven::WithCertificates(it) if it.chain == expected));
        }
        for (field, secret, chain, setting) in [
            ("Client Cert", Some(own.as_str()), None, "LATCHKEY_PROXY_CERTIFICATE_HEADER"),
            ("X-Address", Some(&own), None, "LATCHKEY_PROXY_CERTIFICATE_HEADER"),
            ("Latchkey-Proxy-Secret", Some(&own), None, "LATCHKEY_PROXY_CERTIFICATE_HEADER"),
            ("Client-Cert", Some(&own), Some("true"), "LATCHKEY_PROXY_CERTIFICATE_CHAIN"),
            ("Client-Cert", None, None, "LATCHKEY_PROXY_CERTIFICATE_SECRET"),
            ("Client-Cert", Some(SECRET), None, "LATCHKEY_PROXY_CERTIFICATE_SECRET"),
        ] {
            assert!(with(field, secret, chain).unwrap_err().contains(setting), "{field} {chain:?}");
        }
    }

    #[test]
    fn each_of_two_secrets_proves_the_proxy() {
        let other = SECRET.to_ascii_uppercase();
        let proxy = of("x-address", &format!("{SECRET} {other}"), false).unwrap().unwrap();
        let is_proven_by = |secret: &str| matches!(proxy.proven_by(secret), Proven::Plain);
        assert!(is_proven_by(SECRET) && is_proven_by(&other));
        let long = format!("{SECRET}x");
        for wrong in ["", "0123456789abcdef", &long, &format!("{SECRET} {other}")] {
            assert!(!is_proven_by(wrong), "{wrong}");
        }
        assert!(!format!("{proxy:?}").contains(SECRET));
    }
}
