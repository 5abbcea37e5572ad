//! The certificate of a client's TLS connection (RFC 8705), as platforms and proxies hand it over.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt;

/// The certificate of a client's TLS connection. The client proved in the handshake that it possesses the private key.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    der: Vec<u8>,
    chain: CertificateChain,
}

/// The state of the chain of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateChain {
    /// The platform verified it up to a trust anchor of the operator.
    Verified,
    /// The platform did not verify it, or it leads to no trust anchor.
    Unverified,
}

/// The longest certificate that is read, in bytes of its encoding.
const MAX_LENGTH: usize = 32 * 1024;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

impl ClientCertificate {
    /// Returns the certificate with this DER.
    pub const fn new(der: Vec<u8>, chain: CertificateChain) -> Self {
        Self { der, chain }
    }

    /// Reads the first certificate of a PEM text (RFC 7468 §5). `None` for other text.
    pub fn from_pem(text: &str, chain: CertificateChain) -> Option<Self> {
        let (_, rest) = text.split_once(BEGIN)?;
        let (base64, _) = rest.split_once(END)?;
        let base64: String = base64.split_ascii_whitespace().collect();
        Self::from_base64(&base64, chain)
    }

    /// Reads a Byte Sequence of Structured Fields, `:base64:`, as RFC 9440 §2.1 has it. `None` for other text.
    pub fn from_byte_sequence(text: &str, chain: CertificateChain) -> Option<Self> {
        Self::from_base64(text.trim().strip_prefix(':')?.strip_suffix(':')?, chain)
    }

    /// Reads the value of a proxy's header field: a Byte Sequence (RFC 9440 §2.1), or percent-encoded PEM, which CloudFront, load
    /// balancers of AWS and nginx send. `None` for other text.
    pub fn from_field(text: &str, chain: CertificateChain) -> Option<Self> {
        match text.trim().starts_with(':') {
            true => Self::from_byte_sequence(text, chain),
            false => Self::from_pem(&percent_decoded(text)?, chain),
        }
    }

    fn from_base64(text: &str, chain: CertificateChain) -> Option<Self> {
        let der = STANDARD.decode(text).ok().filter(|der| !der.is_empty())?;
        (text.len() <= MAX_LENGTH).then(|| Self::new(der, chain))
    }

    /// Returns the DER (RFC 5280 §4.1).
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// True if the platform verified the chain.
    pub fn is_chain_verified(&self) -> bool {
        self.chain == CertificateChain::Verified
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").field("chain", &self.chain).finish_non_exhaustive()
    }
}

/// Decodes percent-encoded octets (RFC 3986 §2.1). `+` stays: it is a character of base64.
fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
        decoded.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_read_from_each_form() {
        let chain = CertificateChain::Unverified;
        let expected = Some(ClientCertificate::new(vec![0xfb, 0xef, 0xff], chain));
        let pem = format!("subject=x\n{BEGIN}\n++\n//\n{END}\n{BEGIN}\nAAAA\n{END}\n");
        assert_eq!(ClientCertificate::from_pem(&pem, chain), expected);
        assert_eq!(ClientCertificate::from_byte_sequence(":++//:", chain), expected);
        for field in [
            ":++//:",
            " :++//: ",
            "-----BEGIN%20CERTIFICATE-----%0A%2B%2b//%0A-----END%20CERTIFICATE-----%0A",
            "-----BEGIN%20CERTIFICATE-----%0A++//%0A-----END%20CERTIFICATE-----",
        ] {
            assert_eq!(ClientCertificate::from_field(field, chain), expected, "{field}");
        }
        for field in ["", ":", "::", ":++//", "++//", "%", "%zz", "-----BEGIN%20CERTIFICATE-----%0AAAAA", ":==:"] {
            assert_eq!(ClientCertificate::from_field(field, chain), None, "{field}");
        }
    }
}
