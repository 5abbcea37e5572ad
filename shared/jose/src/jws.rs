//! Signed JWTs in the compact form (RFC 7515 §3.1, RFC 7519).

use crate::{Algorithm, CryptoError, Signer, Verifier};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;
use std::sync::Arc;

/// The longest JWT that is read, in bytes.
pub const MAX_JWT_LENGTH: usize = 16 * 1024;

/// The `typ` values whose headers each signing key has encoded beforehand.
const PREPARED: [&str; 2] = ["at+jwt", "JWT"];

/// A key that signs, prepared.
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
    /// Names a signer. `kid` and `alg` go into the header of what it signs.
    pub fn new(kid: &str, alg: Algorithm, signer: Arc<dyn Signer>) -> Self {
        let headers = PREPARED.map(|typ| (typ, encode_header(alg, kid, typ)));
        Self { kid: kid.to_owned(), alg, signer, headers }
    }

    /// Its name.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its algorithm.
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
    // A struct of strings has no way to fail; the empty header that stood for it would verify nowhere.
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

/// Header and claims, encoded; with room for the rest. Not async, so that claims need not be `Send`.
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

/// The header of a JWT, as the sender wrote it: nothing in it is proved before the signature is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Header {
    /// The algorithm it claims to be signed with.
    pub alg: Algorithm,
    /// The key it claims to be signed with.
    #[serde(default)]
    pub kid: Option<String>,
    /// The type of the token (RFC 7515 §4.1.9).
    #[serde(default)]
    pub typ: Option<String>,
    /// Extensions that must be understood (RFC 7515 §4.1.11): none is here.
    #[serde(default, rename = "crit")]
    _crit: Refused,
    /// RFC 7797.
    #[serde(default, rename = "b64")]
    _b64: Refused,
}

/// A member whose presence makes a header unreadable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Refused;

impl<'de> Deserialize<'de> for Refused {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("the header holds an extension that is not understood"))
    }
}

/// A JWT that is well formed; nothing is proved of it until [`verify`].
#[derive(Clone, Debug)]
pub struct Jwt<'a> {
    header: Header,
    message: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    /// Reads the compact form: three parts of canonical base64url, at most [`MAX_JWT_LENGTH`] bytes, a header with a
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
        let header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        Some(Self { header, message, payload, signature })
    }

    /// Its header, as claimed.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Whether its `typ` is `expected`, without regard to case and to `application/` (RFC 7515 §4.1.9).
    pub fn typ_is(&self, expected: &str) -> bool {
        self.header.typ.as_deref().is_some_and(|typ| {
            let typ = match typ.split_once('/') {
                Some((kind, rest)) if kind.eq_ignore_ascii_case("application") => rest,
                _ => typ,
            };
            typ.eq_ignore_ascii_case(expected)
        })
    }

    /// Its claims, proved by nothing: for choosing a key or a client, never for trust. `None` if not an object.
    pub fn unverified_claims(&self) -> Option<Value> {
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(self.payload).ok()?).ok()?;
        claims.is_object().then_some(claims)
    }
}

/// A key that verifies, prepared.
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
    /// Names a verifier, and the one algorithm that it is for.
    pub fn new(kid: &str, alg: Algorithm, verifier: Arc<dyn Verifier>) -> Self {
        Self { kid: kid.to_owned(), alg, verifier }
    }

    /// Its name.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its algorithm.
    pub const fn alg(&self) -> Algorithm {
        self.alg
    }

    /// The claims, if this key signed them. The token must name this key's algorithm; its `kid` is not looked at.
    pub async fn verify(&self, jwt: &Jwt<'_>) -> Option<Value> {
        if jwt.header.alg != self.alg || !self.verifier.verify(jwt.message.as_bytes(), &jwt.signature).await {
            return None;
        }
        jwt.unverified_claims()
    }
}

/// The claims, if the key that the token names by `kid` is among `keys`, is for the algorithm that the token names
/// (RFC 8725 §3.1), and signed it. Expiry, issuer, audience and `typ` are the caller's to check.
pub async fn verify(jwt: &Jwt<'_>, keys: &[VerificationKey]) -> Option<Value> {
    let kid = jwt.header.kid.as_deref()?;
    let key = keys.iter().find(|key| key.kid == kid && key.alg == jwt.header.alg)?;
    key.verify(jwt).await
}
