//! The public key of an X.509 certificate (RFC 5280 §4.1). All else in the certificate is ignored: the operator who configures a
//! certificate trusts its key (SAML Metadata Interoperability Profile §2.6.1).

use crate::PublicKey;
use base64::{Engine as _, engine::general_purpose::STANDARD};

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
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

/// Splits the first value off `der`, if it has this tag, and returns its content and the rest (X.690 §8.1).
fn value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = der.strip_prefix(&[tag])?;
    let (&first, rest) = rest.split_first()?;
    if first < 0x80 {
        return rest.split_at_checked(usize::from(first));
    }
    let (length, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
    if length.is_empty() || length.len() > 3 {
        return None;
    }
    let length = length.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    rest.split_at_checked(length)
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
