//! Decryption of nested JWTs that peers encrypt to a P-256 key of this server (RFC 7516 §5.2, RFC 7518 §4.6).

use super::{cbc_tag, derive, key_length};
use crate::crypto::decryption;
use crate::{ContentEncryption, Jwk, KeyManagementAlgorithm, MAX_JWT_LENGTH, PublicKey, constant_time_eq};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use zeroize::Zeroizing;

/// Maximum length of `apu` and of `apv`, in bytes.
const MAX_PARTY_INFO: usize = 256;

/// The private key of this server that peers encrypt to: on P-256.
pub struct DecryptionKey {
    kid: String,
    public: PublicKey,
    scalar: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecryptionKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl DecryptionKey {
    /// Returns a key from its public point and its private scalar (big-endian). The `kid` is the thumbprint.
    pub fn new(public: PublicKey, scalar: Zeroizing<[u8; 32]>) -> Self {
        Self { kid: public.thumbprint(), public, scalar }
    }

    /// Returns the public part.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Returns the private scalar, big-endian.
    pub fn scalar(&self) -> &[u8; 32] {
        &self.scalar
    }
}

/// An encrypted JWT in the compact form. It is not decrypted, and proves nothing about its sender afterwards either.
pub struct EncryptedJwt<'a> {
    header: Header,
    /// The encoded header, which is the additional authenticated data.
    aad: &'a str,
    encrypted_key: Vec<u8>,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

/// The header of an encrypted JWT as sent (RFC 7516 §4.1, RFC 7518 §4.6.1).
#[derive(Deserialize)]
struct Header {
    alg: KeyManagementAlgorithm,
    enc: ContentEncryption,
    epk: Jwk,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    cty: Option<String>,
    #[serde(default)]
    apu: Option<String>,
    #[serde(default)]
    apv: Option<String>,
    /// `zip`: compression, by which a short text could become a long one (RFC 8725 §3.6).
    #[serde(default, rename = "zip")]
    _zip: crate::jws::Refused,
    /// `crit`: extensions that the recipient must understand. None is supported.
    #[serde(default, rename = "crit")]
    _crit: crate::jws::Refused,
}

impl<'a> EncryptedJwt<'a> {
    /// True if a text has the five parts of an encrypted JWT.
    pub fn is_meant(text: &str) -> bool {
        text.bytes().filter(|byte| *byte == b'.').count() == 4
    }

    /// Parses the compact form: five parts of canonical base64url, at most [`MAX_JWT_LENGTH`] bytes, a header with an algorithm of
    /// [`KeyManagementAlgorithm::RECEIVED`] and neither `zip` nor `crit`. `cty` may be missing, and says otherwise that the content is a JWT.
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() > MAX_JWT_LENGTH {
            return None;
        }
        let mut parts = text.split('.');
        let aad = parts.next()?;
        let mut part = || URL_SAFE_NO_PAD.decode(parts.next()?).ok();
        let (encrypted_key, iv, ciphertext, tag) = (part()?, part()?, part()?, part()?);
        if parts.next().is_some() {
            return None;
        }
        let header: Header = types::json::decode(&URL_SAFE_NO_PAD.decode(aad).ok()?).ok()?;
        let is_fit = KeyManagementAlgorithm::RECEIVED.contains(&header.alg)
            && matches!(header.epk.key, PublicKey::P256 { .. })
            && header.cty.as_deref().is_none_or(is_jwt);
        is_fit.then_some(Self { header, aad, encrypted_key, iv, ciphertext, tag })
    }

    /// Returns `alg`.
    pub const fn alg(&self) -> KeyManagementAlgorithm {
        self.header.alg
    }

    /// Returns `enc`.
    pub const fn enc(&self) -> ContentEncryption {
        self.header.enc
    }

    /// Decrypts with the key that `kid` names, or with the first of the keys that fits if the header has no `kid`. Returns the content,
    /// which is a text; `None` for every failure.
    pub async fn decrypt(&self, keys: &[&DecryptionKey]) -> Option<String> {
        let named = |key: &&&DecryptionKey| self.header.kid.as_ref().is_none_or(|kid| *kid == key.kid);
        for key in keys.iter().filter(named) {
            if let Some(content) = self.decrypt_by(key).await {
                return String::from_utf8(content).ok();
            }
        }
        None
    }

    async fn decrypt_by(&self, key: &DecryptionKey) -> Option<Vec<u8>> {
        let cek = self.content_key(key).await?;
        let aad = self.aad.as_bytes();
        match self.header.enc {
            ContentEncryption::A128Gcm | ContentEncryption::A256Gcm => {
                let iv = self.iv.as_slice().try_into().ok()?;
                let tag: &[u8; 16] = self.tag.as_slice().try_into().ok()?;
                let sealed = [self.ciphertext.as_slice(), tag].concat();
                decryption().aes_gcm(&cek, iv, aad, &sealed).await.ok()
            }
            ContentEncryption::A128CbcHs256 | ContentEncryption::A256CbcHs512 => {
                let (mac_key, cipher_key) = cek.split_at_checked(key_length(self.header.enc) / 2)?;
                let iv = self.iv.as_slice().try_into().ok()?;
                let expected = cbc_tag(self.header.enc, mac_key, aad, &self.iv, &self.ciphertext).ok()?;
                // A padding is read only where the tag is right: it is no oracle (RFC 7518 §5.2.2.2).
                if !constant_time_eq(&expected, &self.tag) {
                    return None;
                }
                decryption().aes_cbc(cipher_key, iv, &self.ciphertext).await.ok()
            }
        }
    }

    /// Returns the content key (RFC 7516 §5.2, steps 6 to 11; RFC 7518 §4.6.2).
    async fn content_key(&self, key: &DecryptionKey) -> Option<Zeroizing<Vec<u8>>> {
        let party = |info: Option<&String>| {
            let info = URL_SAFE_NO_PAD.decode(info.map_or("", String::as_str)).ok()?;
            (info.len() <= MAX_PARTY_INFO).then_some(info)
        };
        let (apu, apv) = (party(self.header.apu.as_ref())?, party(self.header.apv.as_ref())?);
        let length = key_length(self.header.enc);
        let (name, derived_length) = match self.header.alg {
            KeyManagementAlgorithm::RsaOaep256 => return None,
            KeyManagementAlgorithm::EcdhEs => (self.header.enc.as_str(), length),
            KeyManagementAlgorithm::EcdhEsA128Kw => (self.header.alg.as_str(), 16),
            KeyManagementAlgorithm::EcdhEsA256Kw => (self.header.alg.as_str(), 32),
        };
        let secret = decryption().agree(key, &self.header.epk.key).await.ok()?;
        let derived = derive(&secret, name, &apu, &apv, derived_length);
        if self.header.alg == KeyManagementAlgorithm::EcdhEs {
            return self.encrypted_key.is_empty().then_some(derived);
        }
        // Key wrap adds eight bytes (RFC 3394 §2.2.1).
        if self.encrypted_key.len() != length.saturating_add(8) {
            return None;
        }
        let cek = decryption().unwrap_key(&derived, &self.encrypted_key).await.ok()?;
        (cek.len() == length).then_some(cek)
    }
}

/// True if a content type is that of a JWT or of a request object (RFC 7519 §5.2, RFC 9101 §10.8), with or without `application/`.
fn is_jwt(cty: &str) -> bool {
    let kind = match cty.split_once('/') {
        Some((kind, rest)) if kind.eq_ignore_ascii_case("application") => rest,
        _ => cty,
    };
    ["JWT", "oauth-authz-req+jwt"].iter().any(|known| kind.eq_ignore_ascii_case(known))
}

#[cfg(not(target_arch = "wasm32"))]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{JwkSet, Recipient, encrypt_jwt, p256_public_key};
    use serde_json::json;

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(work).poll(&mut context) {
            std::task::Poll::Ready(done) => done,
            std::task::Poll::Pending => panic!("native cryptography never waits"),
        }
    }

    fn key(d: &str) -> DecryptionKey {
        let scalar: [u8; 32] = URL_SAFE_NO_PAD.decode(d).unwrap().try_into().unwrap();
        DecryptionKey::new(p256_public_key(&scalar).unwrap(), scalar.into())
    }

    fn decrypt(text: &str, keys: &[&DecryptionKey]) -> Option<String> {
        block_on(EncryptedJwt::parse(text)?.decrypt(keys))
    }

    #[test]
    fn rfc_7518_c_the_agreement() {
        let bob = key("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
        let epk = json!({
            "kty": "EC",
            "crv": "P-256",
            "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
            "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
        });
        let epk: Jwk = serde_json::from_value(epk).unwrap();
        let secret = block_on(decryption().agree(&bob, &epk.key)).unwrap();
        let derived = derive(&secret, "A128GCM", b"Alice", b"Bob", 16);
        assert_eq!(URL_SAFE_NO_PAD.encode(&*derived), "VqqN6vgjbSBcIijNcacQGg");
    }

    #[test]
    fn rfc_7520_5_5_opens() {
        let mut key = key("r_kHyZ-a06rmxM3yESK84r1otSg-aQcVStkRhA-iCM8");
        assert_eq!(decrypt(RFC_7520_5_5, &[&key]), None, "another kid");
        key.kid = "meriadoc.brandybuck@buckland.example".to_owned();
        let text = decrypt(RFC_7520_5_5, &[&key]).unwrap();
        assert!(text.starts_with("You can trust us to stick with you through thick and thin"), "{text}");
    }

    #[test]
    fn rfc_3394_4_1_and_4_6() {
        let counting: Vec<u8> = (0..32).collect();
        let hex = |text: &str| -> Vec<u8> {
            let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
            digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
        };
        let data = hex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
        let unwrap = |key: &[u8], wrapped: &str| block_on(decryption().unwrap_key(key, &hex(wrapped)));
        let wrapped = "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5";
        assert_eq!(*unwrap(&counting[..16], wrapped).unwrap(), data[..16]);
        let wrapped = "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21";
        assert_eq!(*unwrap(&counting, wrapped).unwrap(), data);
        assert!(unwrap(&counting[..16], wrapped).is_err());
    }

    const MINE: &str = "r_kHyZ-a06rmxM3yESK84r1otSg-aQcVStkRhA-iCM8";
    const OTHER: &str = "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw";

    fn recipient(key: &DecryptionKey, alg: KeyManagementAlgorithm, enc: ContentEncryption) -> Recipient {
        let jwk = Jwk { kid: Some(key.kid.clone()), ..Jwk::from(key.public().clone()) };
        Recipient::among(&JwkSet { keys: vec![jwk], ..JwkSet::default() }, alg, enc).unwrap()
    }

    #[test]
    fn every_pair_of_algorithms_opens_and_nothing_altered_does() {
        let (mine, other) = (key(MINE), key(OTHER));
        for alg in KeyManagementAlgorithm::RECEIVED.iter().copied() {
            for enc in ContentEncryption::ALL.iter().copied() {
                let text = block_on(encrypt_jwt(&recipient(&mine, alg, enc), "a.b.c")).unwrap();
                assert_eq!(decrypt(&text, &[&other, &mine]).as_deref(), Some("a.b.c"), "{alg:?} {enc:?}");
                assert_eq!(decrypt(&text, &[&other]), None, "{alg:?} {enc:?}");
                let parts: Vec<&str> = text.split('.').collect();
                for part in 1..5 {
                    let mut bytes = URL_SAFE_NO_PAD.decode(parts[part]).unwrap();
                    let altered = |bytes: &[u8]| {
                        let encoded = URL_SAFE_NO_PAD.encode(bytes);
                        let mut parts = parts.clone();
                        parts[part] = &encoded;
                        decrypt(&parts.join("."), &[&mine])
                    };
                    bytes.push(0);
                    assert_eq!(altered(&bytes), None, "{alg:?} {enc:?}: part {part} is longer");
                    bytes.pop();
                    if !bytes.is_empty() {
                        bytes[0] ^= 1;
                        assert_eq!(altered(&bytes), None, "{alg:?} {enc:?}: part {part} is changed");
                        bytes[0] ^= 1;
                        bytes.pop();
                        assert_eq!(altered(&bytes), None, "{alg:?} {enc:?}: part {part} is shorter");
                        assert_eq!(altered(&[]), None, "{alg:?} {enc:?}: part {part} is empty");
                    }
                }
            }
        }
    }

    #[test]
    fn headers_that_are_not_supported_do_not_parse() {
        let mine = key(MINE);
        let epk = serde_json::to_value(Jwk::from(mine.public().clone())).unwrap();
        let text = |header: &serde_json::Value| {
            format!("{}..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA", URL_SAFE_NO_PAD.encode(header.to_string()))
        };
        let good = json!({ "alg": "ECDH-ES", "enc": "A128GCM", "epk": epk });
        assert!(EncryptedJwt::parse(&text(&good)).is_some());
        let x = epk["x"].clone();
        for (name, value) in [
            ("alg", json!("RSA-OAEP-256")),
            ("alg", json!("RSA1_5")),
            ("alg", json!("dir")),
            ("alg", json!("ECDH-ES+A192KW")),
            ("alg", json!(null)),
            ("enc", json!("A192GCM")),
            ("enc", json!(["A128GCM"])),
            ("zip", json!("DEF")),
            ("zip", json!(null)),
            ("crit", json!(["exp"])),
            ("cty", json!("jwk+json")),
            ("cty", json!("")),
            ("epk", json!(null)),
            ("epk", json!({ "kty": "EC", "crv": "P-384", "x": x, "y": x })),
            ("epk", json!({ "kty": "OKP", "crv": "X25519", "x": x })),
            ("epk", json!({ "kty": "OKP", "crv": "Ed25519", "x": x })),
            ("epk", json!({ "kty": "EC", "crv": "P-256", "x": x, "y": epk["y"], "d": x })),
            ("epk", json!({ "kty": "EC", "crv": "P-256", "x": x })),
        ] {
            let mut header = good.clone();
            header[name] = value.clone();
            assert!(EncryptedJwt::parse(&text(&header)).is_none(), "{name} {value}");
        }
        for cty in ["JWT", "jwt", "application/jwt", "oauth-authz-req+jwt"] {
            let mut header = good.clone();
            header["cty"] = json!(cty);
            assert!(EncryptedJwt::parse(&text(&header)).is_some(), "{cty}");
        }
        let good = text(&good);
        let long = format!("{good}{}", "A".repeat(MAX_JWT_LENGTH));
        for text in
            ["", "....", "a.b.c.d.e", &format!("{good}.AAAA"), &good.replacen("..", ".", 1), &long, &format!("{good}=")]
        {
            assert!(EncryptedJwt::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_point_off_the_curve_agrees_on_nothing() {
        let mine = key(MINE);
        let x = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
        let header =
            json!({ "alg": "ECDH-ES", "enc": "A128GCM", "epk": { "kty": "EC", "crv": "P-256", "x": x, "y": x } });
        let text =
            format!("{}..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA", URL_SAFE_NO_PAD.encode(header.to_string()));
        assert_eq!(decrypt(&text, &[&mine]), None);
        assert!(EncryptedJwt::parse(&text).is_some());
    }

    const RFC_7520_5_5: &str = concat!(
        "eyJhbGciOiJFQ0RILUVTIiwia2lkIjoibWVyaWFkb2MuYnJhbmR5YnVja0BidWNrbGFuZC5leGFtcGxlIiwiZXBrIjp7Imt0eSI6IkVDIiwiY3J2IjoiUC0yNTYiLCJ4IjoibVBVS1RfYkFXR0hJaGcwVHBqanFWc1AxclhXUXVfdndWT0hIdE5rZFlvQSIsInkiOiI4QlFBc0ltR2VBUzQ2ZnlXdzVNaFlmR1RUMElqQnBGdzJTUzM0RHY0SXJzIn0sImVuYyI6IkExMjhDQkMtSFMyNTYifQ",
        "..yc9N8v5sYyv3iGQT926IUg",
        ".BoDlwPnTypYq-ivjmQvAYJLb5Q6l-F3LIgQomlz87yW4OPKbWE1zSTEFjDfhU9IPIOSA9Bml4m7iDFwA-1ZXvHteLDtw4R1XRGMEsDIqAYtskTTmzmzNa-_q4F_evAPUmwlO-ZG45Mnq4uhM1fm_D9rBtWolqZSF3xGNNkpOMQKF1Cl8i8wjzRli7-IXgyirlKQsbhhqRzkv8IcY6aHl24j03C-AR2le1r7URUhArM79BY8soZU0lzwI-sD5PZ3l4NDCCei9XkoIAfsXJWmySPoeRb2Ni5UZL4mYpvKDiwmyzGd65KqVw7MsFfI_K767G9C9Azp73gKZD0DyUn1mn0WW5LmyX_yJ-3AROq8p1WZBfG-ZyJ6195_JGG2m9Csg",
        ".WCCkNa-x4BeB9hIDIfFuhg",
    );
}
