//! Signatures of authenticators in the form of JWS.

use super::PasskeyProblem;

/// Returns an ECDSA signature in the form of JWS, r and s of 32 bytes each (RFC 7518 §3.4), from the form of WebAuthn, which is the DER
/// encoding of `Ecdsa-Sig-Value` (WebAuthn §6.5.5). Only the one DER encoding is accepted.
pub(super) fn from_der(der: &[u8]) -> Result<Vec<u8>, PasskeyProblem> {
    let [0x30, length, integers @ ..] = der else { return Err(PasskeyProblem::Credential) };
    if usize::from(*length) != integers.len() || integers.len() > 0x7f {
        return Err(PasskeyProblem::Credential);
    }
    let (r, rest) = integer(integers)?;
    let (s, rest) = integer(rest)?;
    if !rest.is_empty() {
        return Err(PasskeyProblem::Credential);
    }
    Ok([r, s].concat())
}

/// Reads a positive integer of at most 32 bytes. Returns it with leading zeros, and the bytes after it.
fn integer(bytes: &[u8]) -> Result<([u8; 32], &[u8]), PasskeyProblem> {
    let [0x02, length, rest @ ..] = bytes else { return Err(PasskeyProblem::Credential) };
    let (value, rest) = rest.split_at_checked(usize::from(*length)).ok_or(PasskeyProblem::Credential)?;
    let magnitude = match value {
        // A zero byte is there for a number whose first bit would be its sign, and only then.
        [0, first, ..] if *first >= 0x80 => value.get(1..).unwrap_or_default(),
        [first, ..] if (1..0x80).contains(first) => value,
        _ => return Err(PasskeyProblem::Credential),
    };
    let mut padded = [0; 32];
    let start = padded.len().checked_sub(magnitude.len()).ok_or(PasskeyProblem::Credential)?;
    padded.iter_mut().skip(start).zip(magnitude).for_each(|(place, byte)| *place = *byte);
    Ok((padded, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A DER integer.
    fn der(value: &[u8]) -> Vec<u8> {
        [&[2, u8::try_from(value.len()).unwrap()], value].concat()
    }

    fn sequence(r: &[u8], s: &[u8]) -> Vec<u8> {
        let both = [der(r), der(s)].concat();
        [&[0x30, u8::try_from(both.len()).unwrap()], both.as_slice()].concat()
    }

    #[test]
    fn both_numbers_have_32_bytes() {
        let long = [&[0, 0x80][..], &[7; 31]].concat();
        let signature = from_der(&sequence(&[1], &long)).unwrap();
        assert_eq!(signature.len(), 64);
        assert_eq!((&signature[..31], signature[31]), (&[0; 31][..], 1));
        assert_eq!(signature[32..], long[1..]);
    }

    #[test]
    fn only_the_one_encoding_is_accepted() {
        let good = sequence(&[1], &[2]);
        assert!(from_der(&good).is_ok());
        let (long, zero, negative) = ([1; 33], [0, 1], [0x80]);
        for bad in [
            Vec::new(),
            [good.as_slice(), &[0]].concat(),
            good[..good.len() - 1].to_vec(),
            sequence(&[], &[2]),
            sequence(&[0], &[2]),
            sequence(&long, &[2]),
            sequence(&zero, &[2]),
            sequence(&[1], &negative),
            [&[0x30, 0x81, 6], &good[2..]].concat(),
            [&[0x31], &good[1..]].concat(),
        ] {
            assert_eq!(from_der(&bad), Err(PasskeyProblem::Credential), "{bad:02x?}");
        }
    }
}
