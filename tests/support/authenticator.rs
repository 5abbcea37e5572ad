//! An authenticator in software (Web Authentication Level 3), whose answers a test can change before they are signed.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// User present, user verified.
pub const VERIFIED: u8 = 0b101;
/// The passkey may be copied, and is.
pub const SYNCHRONISED: u8 = 0b1_1000;
const ATTESTED: u8 = 1 << 6;

/// An authenticator with one passkey.
pub struct Authenticator {
    origin: String,
    pair: Pair,
    /// The identifier of the passkey.
    pub id: Vec<u8>,
    /// The handle of the user, from the options of the registration.
    pub user_handle: String,
    /// The counter; 0 for a passkey that is synchronised.
    pub count: u32,
    /// The flags of its answers.
    pub flags: u8,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// The parts of an answer, before it is written and signed.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The client data.
    pub client_data: Value,
    /// RP ID.
    pub rp_id: String,
    /// The flags.
    pub flags: u8,
    /// The counter.
    pub count: u32,
    /// The identifier of the passkey in the JSON.
    pub id: Vec<u8>,
    /// The handle of the user in the JSON.
    pub user_handle: String,
    /// The format of the attestation, and its statement in CBOR.
    pub attestation: (String, Vec<u8>),
    /// Bytes at the end of the authenticator data.
    pub extra: Vec<u8>,
    /// The public key in COSE; of the authenticator if `None`.
    pub key: Option<Vec<u8>>,
}

impl Authenticator {
    /// Returns an authenticator with a new key for `ES256`, `EdDSA` or `RS256`, whose passkeys are synchronised, in a browser at a page of
    /// this origin.
    pub fn at(origin: &str, alg: &str) -> Self {
        let pair = match alg {
            "ES256" => Pair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key")),
            "EdDSA" => Pair::Ed25519(Ed25519KeyPair::generate().expect("a key")),
            "RS256" => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")),
            other => panic!("no key for {other}"),
        };
        let mut id = vec![0; 32];
        getrandom::fill(&mut id).expect("randomness");
        Self {
            origin: origin.to_owned(),
            pair,
            id,
            user_handle: String::new(),
            count: 0,
            flags: VERIFIED | SYNCHRONISED,
        }
    }

    /// Answers the options of a page that makes a passkey.
    pub fn create(&mut self, options: &Value) -> Answer {
        self.user_handle = options["user"]["id"].as_str().expect("a handle").to_owned();
        Answer { flags: self.flags | ATTESTED, ..self.answer("webauthn.create", options, &options["rp"]["id"]) }
    }

    /// Answers the options of a sign-in page. The counter rises, if there is one.
    pub fn get(&mut self, options: &Value) -> Answer {
        self.count += u32::from(self.count > 0);
        self.answer("webauthn.get", options, &options["rpId"])
    }

    fn answer(&self, ceremony: &str, options: &Value, rp_id: &Value) -> Answer {
        let client_data = json!({
            "type": ceremony,
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": false,
            "other_keys_can_be_added_here": "do not compare clientDataJSON against a template",
        });
        Answer {
            client_data,
            rp_id: rp_id.as_str().expect("an RP ID").to_owned(),
            flags: self.flags,
            count: self.count,
            id: self.id.clone(),
            user_handle: self.user_handle.clone(),
            attestation: ("none".to_owned(), vec![0xa0]),
            extra: Vec::new(),
            key: None,
        }
    }

    /// Writes the answer of a registration as JSON.
    pub fn registration(&self, answer: &Answer) -> String {
        let mut data = head(answer);
        data.extend_from_slice(&[7; 16]);
        data.extend_from_slice(&u16::try_from(self.id.len()).expect("a short id").to_be_bytes());
        data.extend_from_slice(&self.id);
        data.extend_from_slice(&answer.key.clone().unwrap_or_else(|| self.cose()));
        data.extend_from_slice(&answer.extra);
        let (format, statement) = &answer.attestation;
        let object =
            [&[0xa3][..], &text("fmt"), &text(format), &text("attStmt"), statement, &text("authData"), &bytes(&data)]
                .concat();
        json!({
            "id": encode(&answer.id),
            "rawId": encode(&answer.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": { "credProps": { "rk": true } },
            "response": {
                "clientDataJSON": encode(answer.client_data.to_string().as_bytes()),
                "attestationObject": encode(&object),
                "transports": ["internal", "hybrid", "telepathy"],
            },
        })
        .to_string()
    }

    /// Writes the answer of a sign-in as JSON, with the signature.
    pub fn assertion(&self, answer: &Answer) -> String {
        let mut data = head(answer);
        data.extend_from_slice(&answer.extra);
        let client_data = answer.client_data.to_string();
        let signed = [data.as_slice(), &Sha256::digest(client_data.as_bytes())].concat();
        json!({
            "id": encode(&answer.id),
            "rawId": encode(&answer.id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(client_data.as_bytes()),
                "authenticatorData": encode(&data),
                "signature": encode(&self.sign(&signed)),
                "userHandle": answer.user_handle,
            },
        })
        .to_string()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::P256(pair) => pair.sign(&random, message).expect("a signature").as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).expect("a signature");
                signature
            }
        }
    }

    /// Returns the public key as `COSE_Key`.
    fn cose(&self) -> Vec<u8> {
        match &self.pair {
            Pair::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21][..], &bytes(x), &[0x22], &bytes(y)].concat()
            }
            Pair::Ed25519(pair) => {
                [&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21][..], &bytes(pair.public_key().as_ref())].concat()
            }
            Pair::Rsa(pair) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                [&[0xa4, 1, 3, 3, 0x39, 1, 0, 0x20][..], &bytes(&public.n), &[0x21], &bytes(&public.e)].concat()
            }
        }
    }
}

fn head(answer: &Answer) -> Vec<u8> {
    let hash = Sha256::digest(answer.rp_id.as_bytes());
    [&hash[..], &[answer.flags], &answer.count.to_be_bytes()].concat()
}

/// Returns a text of at most 23 bytes in CBOR.
fn text(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("a short text");
    assert!(length < 24, "{text}");
    [&[0x60 | length], text.as_bytes()].concat()
}

/// Returns a byte string in CBOR.
fn bytes(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("short bytes").to_be_bytes();
    [&[0x59], &length[..], bytes].concat()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
