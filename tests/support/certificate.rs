//! Certificates of clients (RFC 8705): issued by the CA of the server under test, or self-signed.

use crate::call::{Call, Reply};
use crate::signer::Signer;
use crate::target::{base, mtls_origin, platform};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, SanType};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::env;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use ureq::http::Request;
use ureq::tls::{ClientCert, PrivateKey, RootCerts, TlsConfig};

/// The platform's verdict about the chain of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// A trusted CA issued it.
    Verified,
    /// The chain leads to no trusted CA.
    Unverified,
    /// A trusted CA issued it, and revoked it. Workers alone learn that.
    Revoked,
}

/// A certificate of a client, with its private key.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    /// PKCS #8 in PEM.
    key: String,
    chain: Chain,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {:?})", self.thumbprint(), self.chain)
    }
}

/// A subject alternative name.
#[derive(Clone, Copy, Debug)]
pub enum Name<'a> {
    /// `dNSName`.
    Dns(&'a str),
    /// `uniformResourceIdentifier`.
    Uri(&'a str),
    /// `iPAddress`.
    Ip(&'a str),
    /// `rfc822Name`.
    Email(&'a str),
}

/// The key of the CA, and its certificate.
static CA: LazyLock<Issuer<'static, KeyPair>> = LazyLock::new(|| {
    let mut params = params("Latchkey development CA", &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = match certificates() {
        Some(directory) => {
            let pem = std::fs::read_to_string(directory.join("ca-key.pem")).expect("the key of the CA");
            KeyPair::from_pem(&pem).expect("a key")
        }
        None => KeyPair::generate().expect("a key"),
    };
    Issuer::new(params, key)
});

/// Returns the directory of the certificates of `latchkey dev --mtls`. Other platforms believe the test which CA is trusted.
fn certificates() -> Option<PathBuf> {
    (platform() == "local").then(|| {
        let name = "LATCHKEY_TEST_CERTIFICATES";
        env::var(name).unwrap_or_else(|_| panic!("{name} is not set: this test uses certificates")).into()
    })
}

fn params(name: &str, names: &[Name<'_>]) -> CertificateParams {
    let text = |text: &str| text.to_owned().try_into().expect("ASCII");
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in [(DnType::CommonName, name), (DnType::OrganizationName, "Suite & Co., Ltd")] {
        if kind == DnType::CommonName || name != "Latchkey development CA" {
            params.distinguished_name.push(kind, value);
        }
    }
    params.subject_alt_names = names
        .iter()
        .map(|name| match name {
            Name::Dns(name) => SanType::DnsName(text(name)),
            Name::Uri(name) => SanType::URI(text(name)),
            Name::Ip(name) => SanType::IpAddress(name.parse::<IpAddr>().expect("an address")),
            Name::Email(name) => SanType::Rfc822Name(text(name)),
        })
        .collect();
    params
}

impl Certificate {
    /// Returns a certificate that the trusted CA issued for the subject `CN=name, O="Suite & Co., Ltd"` with these names.
    pub fn issued(name: &str, names: &[Name<'_>]) -> Self {
        Self::signed(&params(name, names), Chain::Verified)
    }

    /// Returns a certificate of the trusted CA that is valid from the beginning of one year to that of another.
    pub fn between(name: &str, names: &[Name<'_>], from: i32, to: i32) -> Self {
        let mut params = params(name, names);
        (params.not_before, params.not_after) = (rcgen::date_time_ymd(from, 1, 1), rcgen::date_time_ymd(to, 1, 1));
        Self::signed(&params, Chain::Verified)
    }

    fn signed(params: &CertificateParams, chain: Chain) -> Self {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &*CA).expect("a certificate");
        Self { der: certificate.der().to_vec(), key: key.serialize_pem(), chain }
    }

    /// Returns a self-signed certificate.
    pub fn self_signed(name: &str, names: &[Name<'_>]) -> Self {
        let key = KeyPair::generate().expect("a key");
        let certificate = params(name, names).self_signed(&key).expect("a certificate");
        Self { der: certificate.der().to_vec(), key: key.serialize_pem(), chain: Chain::Unverified }
    }

    /// Returns the certificate as one that its CA revoked.
    #[must_use]
    pub fn revoked(self) -> Self {
        Self { chain: Chain::Revoked, ..self }
    }

    /// Returns `x5t#S256` (RFC 8705 §3.1).
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.der))
    }

    /// Returns `cnf` of a token that is bound to the certificate.
    pub fn cnf(&self) -> Value {
        json!({ "x5t#S256": self.thumbprint() })
    }

    /// Returns a JWK with the certificate (RFC 7517 §4.7). No server compares the key itself.
    pub fn jwk(&self) -> Value {
        let mut jwk = Signer::new("ES256", "certificate").jwk();
        jwk["x5c"] = json!([STANDARD.encode(&self.der)]);
        jwk
    }

    /// Returns the certificate in PEM, percent-encoded, as CloudFront and load balancers send it.
    pub fn encoded_pem(&self) -> String {
        let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(&self.der));
        form_urlencoded::byte_serialize(pem.as_bytes()).collect::<String>().replace('+', "%20")
    }

    /// Returns the certificate as a Byte Sequence (RFC 9440 §2.1).
    pub fn byte_sequence(&self) -> String {
        format!(":{}:", STANDARD.encode(&self.der))
    }

    /// Adds the header fields by which the emulations of platforms take a certificate for that of the TLS connection. API Gateway accepts no
    /// other than those of its truststore; CloudFront passes others through.
    pub(crate) fn on(&self, call: Call) -> Call {
        match (platform().as_str(), self.chain) {
            ("lambda", Chain::Unverified) => call.through_proxy_with(&self.encoded_pem()),
            (_, chain) => {
                let chain = match chain {
                    Chain::Verified => "verified",
                    Chain::Unverified => "unverified",
                    Chain::Revoked => "revoked",
                };
                let call = call.header("latchkey-test-certificate", self.byte_sequence());
                call.header("latchkey-test-certificate-chain", chain)
            }
        }
    }
}

/// True if certificates travel in real TLS connections: to `latchkey dev --mtls`.
pub(crate) fn is_real() -> bool {
    platform() == "local"
}

/// Sends a request to the port with TLS, with this certificate or none.
pub(crate) fn send(call: Call, certificate: Option<&Certificate>) -> Reply {
    let (method, url, headers, body) = call.parts();
    let url = url.replacen(base(), mtls_origin(), 1);
    let mut request = Request::builder().method(method).uri(&url);
    for (name, value) in &headers {
        request = request.header(name, value);
    }
    let pem = std::fs::read(certificates().expect("a directory").join("ca.pem")).expect("the CA");
    let ca = ureq::tls::Certificate::from_pem(&pem).expect("a certificate");
    let own = certificate.map(|certificate| {
        let chain = [ureq::tls::Certificate::from_der(&certificate.der).to_owned()];
        ClientCert::new_with_certs(&chain, PrivateKey::from_pem(certificate.key.as_bytes()).expect("a key"))
    });
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .root_certs(RootCerts::new_with_certs(&[ca]))
        .client_cert(own)
        .build();
    let config = ureq::Agent::config_builder().proxy(None).tls_config(tls).http_status_as_error(false).max_redirects(0);
    let agent: ureq::Agent = config.allow_non_standard_methods(true).build().into();
    let mut response =
        agent.run(request.body(body).expect("a request")).unwrap_or_else(|error| panic!("{url}: {error}"));
    let (status, headers): (u16, HeaderMap) = (response.status().as_u16(), response.headers().clone());
    let body = response.body_mut().read_to_vec().expect("a body");
    Reply::new(call, status, headers, body)
}
