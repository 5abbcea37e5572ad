//! DPoP proofs (RFC 9449): parsed and checked for the authorization server and for the resource server alike.

mod nonce;
mod scheme;

use crate::{Algorithm, Jwk, Jwt, VerificationKey, platform};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use types::json::numeric_date;
use types::{Thumbprint, Timestamp};
use url::Url;

pub use nonce::{NonceMac, NoncePolicy, NonceRole, Nonces, mac};
pub use scheme::{SchemeProblem, TokenScheme};

/// The time by which `iat` of a proof may differ from the clock of the server (RFC 9449 §11.1).
pub const WINDOW: Duration = Duration::from_secs(60);

/// `typ` of a proof (RFC 9449 §4.2).
const TYPE: &str = "dpop+jwt";

/// The longest proof, in bytes. A proof of an RSA key of 4096 bits has 2 KB.
const MAX_LENGTH: usize = 4096;

/// The longest `jti` and `nonce`, in bytes.
const MAX_IDENTIFIER: usize = 256;

/// The longest RSA modulus of a proof, in bytes. The sender chooses the key, and each proof costs a verification.
const MAX_MODULUS: usize = 512;

/// The reason why a proof is rejected (RFC 9449 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DpopProblem {
    /// (2) It is no JWT.
    Malformed,
    /// (4) `typ`.
    Type,
    /// (5) `alg`.
    Algorithm,
    /// (6), (7) `jwk`.
    Key,
    /// (3) A claim is missing.
    Claims,
    /// (6) The signature.
    Signature,
    /// (8) `htm`.
    Method,
    /// (9) `htu`.
    Url,
    /// (11) `iat`, or `exp` or `nbf`, which are optional.
    Time,
    /// (12) `ath`.
    AccessToken,
    /// §5: `ath` where there is no access token.
    UnexpectedAccessToken,
    /// (10) `nonce`: the server demands another one.
    Nonce,
}

impl DpopProblem {
    /// Returns the reason, for the client developer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "it is no JWT, or there are two of them",
            Self::Type => "its typ is not dpop+jwt",
            Self::Algorithm => "its alg is none of dpop_signing_alg_values_supported",
            Self::Key => "its jwk is no public key that its alg can use",
            Self::Claims => "it must have jti, htm, htu and iat",
            Self::Signature => "its signature is not by the key in its jwk",
            Self::Method => "its htm is not the method of the request",
            Self::Url => "its htu is not the URL of the request, without query and fragment",
            Self::Time => "its iat is not now, or it has expired",
            Self::AccessToken => "its ath is not the digest of the access token",
            Self::UnexpectedAccessToken => "it has ath, but the request has no access token",
            Self::Nonce => "it must have the nonce of the header field DPoP-Nonce",
        }
    }
}

/// The request that a proof must be for.
#[derive(Clone, Copy, Debug)]
pub struct DpopRequest<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// The URLs of the endpoint.
    pub urls: &'a [&'a str],
    /// The access token of the request; `None` at an authorization server.
    pub access_token: Option<&'a str>,
}

/// A proof of possession. Its signature is not verified before [`Self::verify`].
#[derive(Clone, Debug)]
pub struct DpopProof<'a> {
    jwt: Jwt<'a>,
    key: Jwk,
    claims: Map<String, Value>,
}

impl<'a> DpopProof<'a> {
    /// Parses a proof (RFC 9449 §4.3 (1) to (5), (7)).
    pub fn parse(text: &'a str) -> Result<Self, DpopProblem> {
        if text.len() > MAX_LENGTH {
            return Err(DpopProblem::Malformed);
        }
        let jwt = Jwt::parse(text).ok_or_else(|| unsupported(text))?;
        // The type is exact: neither a longer one nor one with a prefix.
        if !jwt.header().typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case(TYPE)) {
            return Err(DpopProblem::Type);
        }
        if !Algorithm::DPOP.contains(&jwt.header().alg) {
            return Err(DpopProblem::Algorithm);
        }
        let key = jwt.embedded_key().filter(|key| key.verifies(jwt.header().alg) && is_affordable(key));
        let key = key.ok_or(DpopProblem::Key)?;
        let Some(Value::Object(claims)) = jwt.unverified_claims() else { return Err(DpopProblem::Claims) };
        let proof = Self { jwt, key, claims };
        let is_identifier = |text: &str| (1..=MAX_IDENTIFIER).contains(&text.len());
        let is_complete = proof.text("jti").is_some_and(is_identifier)
            && proof.text("htm").is_some()
            && proof.text("htu").is_some()
            && proof.nonce().is_none_or(is_identifier);
        if !is_complete || !matches!(proof.date("iat"), Ok(Some(_))) {
            return Err(DpopProblem::Claims);
        }
        Ok(proof)
    }

    /// Checks that the proof is for this request (RFC 9449 §4.3 (8), (9), (12)). The caller compares the key with that of the access
    /// token.
    pub fn check(&self, request: &DpopRequest<'_>) -> Result<(), DpopProblem> {
        if self.text("htm") != Some(request.method) {
            return Err(DpopProblem::Method);
        }
        let htu = self.text("htu").and_then(normalized).ok_or(DpopProblem::Url)?;
        if !request.urls.iter().any(|url| normalized(url).as_ref() == Some(&htu)) {
            return Err(DpopProblem::Url);
        }
        match (request.access_token, self.claims.get("ath")) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(DpopProblem::UnexpectedAccessToken),
            (Some(token), Some(Value::String(ath))) if *ath == access_token_hash(token) => Ok(()),
            (Some(_), _) => Err(DpopProblem::AccessToken),
        }
    }

    /// True if `iat` is within [`WINDOW`] of now.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        let Ok(Some(iat)) = self.date("iat") else { return false };
        iat <= now.after(WINDOW) && now <= iat.after(WINDOW)
    }

    /// True if `exp` and `nbf`, which are optional, allow the proof now (RFC 7519 §4.1.4, §4.1.5).
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        let (Ok(exp), Ok(nbf)) = (self.date("exp"), self.date("nbf")) else { return false };
        exp.is_none_or(|exp| now <= exp.after(WINDOW)) && nbf.is_none_or(|nbf| nbf <= now.after(WINDOW))
    }

    /// Returns `nonce`.
    pub fn nonce(&self) -> Option<&str> {
        self.text("nonce")
    }

    /// Returns the thumbprint of the key (RFC 7638): `jkt`.
    pub fn thumbprint(&self) -> Thumbprint {
        Thumbprint::from_digest(self.key.key.thumbprint_digest())
    }

    /// Returns a digest that identifies the proof: of its key and its `jti`.
    pub fn digest(&self) -> [u8; 32] {
        let jti = self.text("jti").unwrap_or_default();
        Sha256::new().chain_update(self.thumbprint().as_bytes()).chain_update(jti).finalize().into()
    }

    /// Verifies the signature (RFC 9449 §4.3 (6)).
    pub async fn verify(&self) -> Result<(), DpopProblem> {
        let alg = self.jwt.header().alg;
        let verifier = platform().verifier(alg, &self.key.key).await.map_err(|_| DpopProblem::Key)?;
        let verified = VerificationKey::new("", alg, verifier).verify(&self.jwt).await;
        verified.map(drop).ok_or(DpopProblem::Signature)
    }

    fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    fn date(&self, claim: &str) -> Result<Option<Timestamp>, types::json::NoDate> {
        numeric_date(&self.claims, claim)
    }
}

/// Returns `ath`: the digest of an access token (RFC 9449 §4.2).
pub fn access_token_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}

/// Tells a JWT of an unsupported algorithm from other text.
fn unsupported(text: &str) -> DpopProblem {
    let header = text.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok());
    let header = header.and_then(|header| types::json::value(&header).ok());
    let alg = header.as_ref().and_then(|header| header.get("alg")).and_then(Value::as_str);
    match alg {
        Some(alg) if text.split('.').count() == 3 && alg.parse::<Algorithm>().is_err() => DpopProblem::Algorithm,
        _ => DpopProblem::Malformed,
    }
}

/// True if a verification with the key costs little.
fn is_affordable(key: &Jwk) -> bool {
    match &key.key {
        crate::PublicKey::Rsa { n, e } => n.len() <= MAX_MODULUS && e.len() <= 4,
        crate::PublicKey::P256 { .. } | crate::PublicKey::Ed25519 { .. } => true,
    }
}

/// Returns a URL in its normal form, without query and fragment (RFC 3986 §6.2.2, §6.2.3; RFC 9449 §4.3). `None` if it is no http or
/// https URL, or has user information.
fn normalized(text: &str) -> Option<String> {
    let mut url = Url::parse(text).ok()?;
    if !matches!(url.scheme(), "https" | "http") || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    url.set_query(None);
    url.set_fragment(None);
    Some(decode_unreserved(url.as_str()))
}

/// Decodes the percent-encoded octets that need no encoding, and writes the others in upper case (RFC 3986 §6.2.2.1, §6.2.2.2).
fn decode_unreserved(url: &str) -> String {
    let mut parts = url.split('%');
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let octet = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (octet, part.get(2..)) {
            (Some(octet), Some(rest)) => {
                if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
                    result.push(char::from(octet));
                } else {
                    result.push_str(&format!("%{octet:02X}"));
                }
                result.push_str(rest);
            }
            _ => {
                result.push('%');
                result.push_str(part);
            }
        }
    }
    result
}
