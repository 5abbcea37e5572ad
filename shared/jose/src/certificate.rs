//! The public key of an X.509 certificate (RFC 5280 §4.1), and its thumbprint. All else in the certificate is ignored: the operator
//! who configures a certificate trusts its key (SAML Metadata Interoperability Profile §2.6.1).

use crate::PublicKey;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use types::Thumbprint;
use types::der::{BIT_STRING, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, value};

/// Returns the thumbprint of a certificate in DER: `x5t#S256` (RFC 8705 §3.1).
pub fn certificate_thumbprint(der: &[u8]) -> Thumbprint {
    Thumbprint::from_digest(Sha256::digest(der).into())
}

/// Tag `[0]`, explicit.
const VERSION: u8 = 0xA0;

const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
const ED25519: &[u8] = &[0x2B, 0x65, 0x70];

impl PublicKey {
    /// Reads the key of a certificate in PEM, or in base64 as in SAML metadata. Returns `None` for other text, and for a key of an
    /// unsupported type.
    pub fn from_certificate(text: &str) -> Option<Self> {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("-----"));
        let base64: String = lines.flat_map(str::split_ascii_whitespace).collect();
        from_der(&STANDARD.decode(base64).ok()?)
    }
}

fn from_der(der: &[u8]) -> Option<PublicKey> {
    let (certificate, rest) = value(der, SEQUENCE)?;
    if !rest.is_empty() {
        return None;
    }
    let (to_be_signed, _) = value(certificate, SEQUENCE)?;
    let after_version = value(to_be_signed, VERSION).map_or(to_be_signed, |(_, rest)| rest);
    let (_, rest) = value(after_version, INTEGER)?;
    // Skip signature algorithm, issuer, validity, subject.
    let rest = (0..4).try_fold(rest, |rest, _| value(rest, SEQUENCE).map(|(_, rest)| rest))?;
    let (key_info, _) = value(rest, SEQUENCE)?;
    let (algorithm, rest) = value(key_info, SEQUENCE)?;
    let (bits, _) = value(rest, BIT_STRING)?;
    let (kind, parameters) = value(algorithm, OBJECT_IDENTIFIER)?;
    // A bit string begins with the number of unused bits of its last byte.
    let key = bits.strip_prefix(&[0])?;
    match kind {
        RSA => {
            let (numbers, _) = value(key, SEQUENCE)?;
            let (n, rest) = value(numbers, INTEGER)?;
            let (e, _) = value(rest, INTEGER)?;
            Some(PublicKey::Rsa { n: unsigned(n)?, e: unsigned(e)? })
        }
        EC if value(parameters, OBJECT_IDENTIFIER)?.0 == P256 => {
            let (x, y) = key.strip_prefix(&[4])?.split_at_checked(32)?;
            Some(PublicKey::P256 { x: x.try_into().ok()?, y: y.try_into().ok()? })
        }
        ED25519 => Some(PublicKey::Ed25519 { x: key.try_into().ok()? }),
        _ => None,
    }
}

/// Returns a positive integer without its leading zeros.
fn unsigned(integer: &[u8]) -> Option<Vec<u8>> {
    let first = integer.first()?;
    if *first >= 0x80 {
        return None;
    }
    let start = integer.iter().position(|byte| *byte != 0)?;
    integer.get(start..).map(<[u8]>::to_vec)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// RFC 8705 appendix A.
    #[test]
    fn the_thumbprint_is_the_digest_of_the_certificate() {
        let der = STANDARD.decode("MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOVbUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=").unwrap();
        assert_eq!(certificate_thumbprint(&der).to_string(), "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0");
    }
}
