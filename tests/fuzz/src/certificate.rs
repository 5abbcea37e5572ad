//! X.509 certificates (RFC 5280 §4.1).

use base64::{Engine, engine::general_purpose::STANDARD};
use jose::PublicKey;

/// A certificate in PEM, and the bytes as DER.
pub(crate) fn certificate(bytes: &[u8]) {
    let der = PublicKey::from_certificate(&STANDARD.encode(bytes));
    let pem = std::str::from_utf8(bytes).ok().and_then(PublicKey::from_certificate);
    for key in [der, pem].into_iter().flatten() {
        assert_eq!(key.thumbprint().len(), 43);
    }
}
