//! Signed JWTs in the compact form (RFC 7515 §3.1, RFC 7519).

use crate::{Algorithm, CryptoError, Jwk, Signer, Verifier};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;
use std::sync::Arc;

/// Maximum length of a JWT, in bytes.
pub const MAX_JWT_LENGTH: usize = 16 * 1024;

/// The `typ` values whose headers each signing key encodes in advance.
const PREPARED: [&str; 2] = ["at+jwt", "JWT"];

/// A prepared signing key.
#[derive(Clone)]
pub struct SigningKey {
    kid: String,
    alg: Algorithm,
    signer: Arc<dyn Signer>,
    /// Encoded headers with the dot after them, by `typ`.
    headers: [(&'static str, String); PREPARED.len()],
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).field("alg", &self.alg).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Returns a key that writes `kid` and `alg` into the header of each JWT.
    pub fn new(kid: &str, alg: Algorithm, signer: Arc<dyn Signer>) -> Self {
        let headers = PREPARED.map(|typ| (typ, encode_header(alg, kid, typ)));
        Self { kid: kid.to_owned(), alg, signer, headers }
    }

    /// Returns the `kid`.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns the algorithm.
    pub const fn alg(&self) -> Algorithm {
        self.alg
    }
}

fn encode_header(alg: Algorithm, kid: &str, typ: &str) -> String {
    #[derive(Serialize)]
    struct Written<'a> {
        alg: Algorithm,
        kid: &'a str,
        typ: &'a str,
    }
    // A struct of strings always serializes. A JWT with the empty header would not verify.
    let json = serde_json::to_vec(&Written { alg, kid, typ }).unwrap_or_default();
    let mut encoded = URL_SAFE_NO_PAD.encode(json);
    encoded.push('.');
    encoded
}

/// Signs claims as a JWT whose header has `alg`, `kid` and `typ` (`at+jwt` by RFC 9068 §2.1, `JWT` for ID tokens).
pub async fn sign_jwt<C: Serialize + ?Sized>(key: &SigningKey, typ: &str, claims: &C) -> Result<String, CryptoError> {
    let mut jwt = signing_input(key, typ, claims)?;
    let signature = key.signer.sign(jwt.as_bytes()).await?;
    jwt.push('.');
    URL_SAFE_NO_PAD.encode_string(&signature, &mut jwt);
    Ok(jwt)
}

/// Returns encoded header and claims, with capacity for the signature. Not async, so that claims need not be `Send`.
fn signing_input<C: Serialize + ?Sized>(key: &SigningKey, typ: &str, claims: &C) -> Result<String, CryptoError> {
    let mut payload = Vec::with_capacity(512);
    serde_json::to_writer(&mut payload, claims).map_err(|_| CryptoError::Encoding)?;
    let unprepared;
    let header = match key.headers.iter().find(|(prepared, _)| *prepared == typ) {
        Some((_, header)) => header,
        None => {
            unprepared = encode_header(key.alg, &key.kid, typ);
            &unprepared
        }
    };
    let signature_room = if matches!(key.alg, Algorithm::RS256 | Algorithm::PS256) { 344 } else { 88 };
    let payload_room = payload.len().saturating_mul(4).div_ceil(3);
    let mut jwt = String::with_capacity(header.len().saturating_add(payload_room).saturating_add(signature_room));
    jwt.push_str(header);
    URL_SAFE_NO_PAD.encode_string(&payload, &mut jwt);
    Ok(jwt)
}

/// The header of a JWT as sent. The signature is not verified yet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Header {
    /// `alg`: the signature algorithm.
    pub alg: Algorithm,
    /// `kid`: the identifier of the signing key.
    #[serde(default)]
    pub kid: Option<String>,
    /// `typ`: the type of the token (RFC 7515 §4.1.9).
    #[serde(default)]
    pub typ: Option<String>,
    /// `crit`: extensions that the recipient must understand (RFC 7515 §4.1.11). None is supported.
    #[serde(default, rename = "crit")]
    _crit: Refused,
    /// `b64`: unencoded payloads (RFC 7797), which are not supported.
    #[serde(default, rename = "b64")]
    _b64: Refused,
}

/// A member whose presence makes a header invalid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refused;

impl<'de> Deserialize<'de> for Refused {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("the header has an unsupported extension"))
    }
}

/// A well-formed JWT. Its signature is not verified before [`verify`].
#[derive(Clone, Debug)]
pub struct Jwt<'a> {
    header: Header,
    message: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    /// Parses the compact form: three parts of canonical base64url, at most [`MAX_JWT_LENGTH`] bytes, a header with a
    /// known signature algorithm and neither `crit` nor `b64`.
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() > MAX_JWT_LENGTH {
            return None;
        }
        let (message, signature) = text.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        if payload.contains('.') {
            return None;
        }
        let header = types::json::decode(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        Some(Self { header, message, payload, signature })
    }

    /// Returns the header as sent.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// True if `typ` is `expected`, ignoring case and the prefix `application/` (RFC 7515 §4.1.9).
    pub fn typ_is(&self, expected: &str) -> bool {
        self.header.typ.as_deref().is_some_and(|typ| {
            let typ = match typ.split_once('/') {
                Some((kind, rest)) if kind.eq_ignore_ascii_case("application") => rest,
                _ => typ,
            };
            typ.eq_ignore_ascii_case(expected)
        })
    }

    /// Returns `jwk` of the header: a public key that the sender chose (RFC 7515 §4.1.3). It proves who signed nothing: only a protocol
    /// whose tokens are bound to the key may use it.
    pub fn embedded_key(&self) -> Option<Jwk> {
        #[derive(Deserialize)]
        struct Embedded {
            jwk: Jwk,
        }
        let (header, _) = self.message.split_once('.')?;
        let header: Embedded = types::json::decode(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        Some(header.jwk)
    }

    /// Returns the claims without verification: to choose a key or a client, never to trust. `None` if they are no JSON object.
    pub fn unverified_claims(&self) -> Option<Value> {
        let claims = types::json::value(&URL_SAFE_NO_PAD.decode(self.payload).ok()?).ok()?;
        claims.is_object().then_some(claims)
    }
}

/// A prepared verification key.
#[derive(Clone)]
pub struct VerificationKey {
    kid: String,
    alg: Algorithm,
    verifier: Arc<dyn Verifier>,
}

impl std::fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerificationKey").field("kid", &self.kid).field("alg", &self.alg).finish_non_exhaustive()
    }
}

impl VerificationKey {
    /// Returns a key for one algorithm.
    pub fn new(kid: &str, alg: Algorithm, verifier: Arc<dyn Verifier>) -> Self {
        Self { kid: kid.to_owned(), alg, verifier }
    }

    /// Returns the `kid`.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns the algorithm.
    pub const fn alg(&self) -> Algorithm {
        self.alg
    }

    /// Verifies a JWT with this key, and returns its claims. `alg` must be the key's algorithm; `kid` is ignored.
    pub async fn verify(&self, jwt: &Jwt<'_>) -> Option<Value> {
        if jwt.header.alg != self.alg || !self.verifier.verify(jwt.message.as_bytes(), &jwt.signature).await {
            return None;
        }
        jwt.unverified_claims()
    }
}

/// Verifies a JWT with the key that its `kid` names, and returns its claims. The key must be for the `alg` of the JWT (RFC 8725 §3.1).
/// The caller checks expiry, issuer, audience and `typ`.
pub async fn verify(jwt: &Jwt<'_>, keys: &[VerificationKey]) -> Option<Value> {
    let kid = jwt.header.kid.as_deref()?;
    let key = keys.iter().find(|key| key.kid == kid && key.alg == jwt.header.alg)?;
    key.verify(jwt).await
}
