//! The part of DER that certificates need (X.690 §8, §10, §11).

/// Tag of BOOLEAN.
pub const BOOLEAN: u8 = 0x01;
/// Tag of INTEGER.
pub const INTEGER: u8 = 0x02;
/// Tag of BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// Tag of OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// Tag of OBJECT IDENTIFIER.
pub const OBJECT_IDENTIFIER: u8 = 0x06;
/// Tag of UTF8String.
pub const UTF8_STRING: u8 = 0x0C;
/// Tag of PrintableString.
pub const PRINTABLE_STRING: u8 = 0x13;
/// Tag of TeletexString.
pub const TELETEX_STRING: u8 = 0x14;
/// Tag of IA5String.
pub const IA5_STRING: u8 = 0x16;
/// Tag of UTCTime.
pub const UTC_TIME: u8 = 0x17;
/// Tag of GeneralizedTime.
pub const GENERALIZED_TIME: u8 = 0x18;
/// Tag of BMPString.
pub const BMP_STRING: u8 = 0x1E;
/// Tag of SEQUENCE.
pub const SEQUENCE: u8 = 0x30;
/// Tag of SET.
pub const SET: u8 = 0x31;

/// Splits the first value off `der`. Returns its tag, its content and the rest.
pub fn any(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..0x80 => (usize::from(first), rest),
        _ => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            if length.is_empty() || length.len() > 3 {
                return None;
            }
            (length.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte)), rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Splits the first value off `der`, if it has this tag, and returns its content and the rest.
pub fn value(der: &[u8], expected: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = any(der)?;
    (tag == expected).then_some((content, rest))
}

/// Returns the values of a sequence or set: tag and content. `None` if one of them is malformed.
pub fn all(mut der: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut values = Vec::new();
    while !der.is_empty() {
        let (tag, content, rest) = any(der)?;
        values.push((tag, content));
        der = rest;
    }
    Some(values)
}
