//! X.509 certificates (RFC 5280 §4.1), and the names of their subjects.

use base64::{Engine, engine::general_purpose::STANDARD};
use jose::PublicKey;
use latchkey_http::{CertificateChain, ClientCertificate};
use types::{Certificate, DistinguishedName};

/// A certificate in PEM, in a header field of a proxy, and the bytes as DER.
pub(crate) fn certificate(bytes: &[u8]) {
    let der = PublicKey::from_certificate(&STANDARD.encode(bytes));
    let text = std::str::from_utf8(bytes).ok();
    for key in [der, text.and_then(PublicKey::from_certificate)].into_iter().flatten() {
        assert_eq!(key.thumbprint().len(), 43);
    }
    let of_pem = text.and_then(|text| ClientCertificate::from_pem(text, CertificateChain::Unverified));
    let of_field = text.and_then(|text| ClientCertificate::from_field(text, CertificateChain::Unverified));
    for certificate in [&of_pem, &of_field].into_iter().flatten() {
        assert!(!certificate.der().is_empty() && !certificate.is_chain_verified());
        let _ = Certificate::from_der(certificate.der());
    }
    let _ = Certificate::from_der(bytes);
}

/// A distinguished name as text (RFC 4514). A name equals itself, whatever the case of its text.
pub(crate) fn distinguished_name(bytes: &[u8]) {
    let Some(text) = std::str::from_utf8(bytes).ok() else { return };
    let Some(name) = DistinguishedName::parse(text) else { return };
    if text.is_ascii() && !text.contains(['#', '\\']) {
        assert_eq!(DistinguishedName::parse(&text.to_ascii_uppercase()), Some(name));
    }
}
