//! The deployment secret.

use crate::derived::{self, DerivedKeys};
use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD},
};
use jose::CryptoError;
use manifest::{Function, Purpose};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// base64url, with or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The deployment secret: 32 random bytes, wiped from memory on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The error for a text that is no secret. It does not contain the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSecret;

impl std::fmt::Display for InvalidSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not 32 bytes in base64url or hexadecimal")
    }
}

impl std::error::Error for InvalidSecret {}

impl Secret {
    /// Wraps 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Parses 64 hexadecimal digits, or 32 bytes in base64url, padded or not. Surrounding white space is ignored.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let text = text.trim();
        let bytes = if text.len() == 64 { decode_hex(text) } else { LENIENT.decode(text).ok() };
        let bytes = Zeroizing::new(bytes.ok_or(InvalidSecret)?);
        bytes.as_slice().try_into().map(Self).map_err(|_| InvalidSecret)
    }

    /// Generates a secret.
    pub fn generate() -> Result<Self, CryptoError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| CryptoError::Random)?;
        Ok(Self(bytes))
    }

    /// Returns the seed of the admin key that is derived from the secret.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn admin_key_seed(&self) -> Zeroizing<[u8; 32]> {
        derived::admin_key_seed(&self.0)
    }

    /// Returns the secret in base64url, as it is configured. Never log it.
    pub fn to_base64url(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Returns every derived key.
    pub fn derive(&self) -> DerivedKeys {
        DerivedKeys::of(&self.0)
    }

    /// Returns the derived keys of these purposes as text: the value of `LATCHKEY_KEYS`. Pairwise subjects keep their key when
    /// the deployment secret changes, if they have a secret of their own: `pairwise`. Never log it.
    pub fn export(&self, purposes: &[Purpose], pairwise: Option<&Self>) -> Zeroizing<String> {
        derived::export(&self.0, purposes, pairwise.map(|pairwise| &pairwise.0), None)
    }

    /// Returns the value of `LATCHKEY_KEYS` of a function on Cloudflare: its derived keys, and the credential with which it calls
    /// the objects that hold the records. The owner of these objects has the key in place of a credential. Never log it.
    pub fn keys_of(&self, function: &Function, pairwise: Option<&Self>) -> Zeroizing<String> {
        let pairwise = pairwise.map(|pairwise| &pairwise.0);
        let credential = if function.is_server() { self.derive().credential(function.name) } else { None };
        derived::export(&self.0, &function.purposes(), pairwise, credential.as_ref().map(|text| text.as_str()))
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let mut digits = text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()));
    let mut bytes = Vec::with_capacity(32);
    while let Some(high) = digits.next() {
        bytes.push((high? << 4) | digits.next()??);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_in_either_form_and_never_shown() {
        let bytes: [u8; 32] = std::array::from_fn(|index| index as u8 * 8);
        let secret = Secret::from_bytes(bytes);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let base64 = secret.to_base64url();
        for text in [&hex, &hex.to_uppercase(), &base64, &format!("{base64}="), &format!(" {base64}\n")] {
            assert_eq!(Secret::parse(text).unwrap().0, bytes, "{text}");
        }
        let not_hex = "g".repeat(64);
        let not_ascii = "é".repeat(32);
        let short = hex.replacen('0', "", 1);
        for text in ["", "secret", &short, &short.repeat(2), &not_hex, &not_ascii, &format!("{base64}A"), "AAAA"] {
            assert_eq!(Secret::parse(text).unwrap_err(), InvalidSecret, "{text}");
        }
        assert_eq!(format!("{secret:?}"), "Secret(redacted)");
        assert_ne!(Secret::generate().unwrap().0, Secret::generate().unwrap().0);
    }
}
