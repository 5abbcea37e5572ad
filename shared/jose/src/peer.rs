//! Verification with the keys that a peer publishes: a client, or a trusted issuer.

use crate::{Jwk, JwkSet, Jwt, VerificationKey, platform};
use serde_json::Value;

/// Maximum number of keys of a set that are tried for a token without a `kid`.
const MAX_TRIED: usize = 4;

/// Reason for which a token is not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unverified {
    /// No key of the set fits the token's `alg` and `kid`. The set may be out of date.
    NoKey,
    /// The signature is not by a key of the set.
    Signature,
}

impl JwkSet {
    /// Verifies a token, and returns its claims. The key is the one that the token names. For a token without a `kid`, the first keys for
    /// its algorithm are tried (OpenID Connect Core §10.1). A key is used only if [`Jwk::verifies`](crate::Jwk::verifies) allows
    /// it for the algorithm (RFC 8725 §3.1).
    pub async fn verify(&self, jwt: &Jwt<'_>) -> Result<Value, Unverified> {
        let header = jwt.header();
        let named = |key: &&Jwk| header.kid.is_none() || key.kid == header.kid;
        let mut outcome = Unverified::NoKey;
        for key in self.keys.iter().filter(|key| key.verifies(header.alg)).filter(named).take(MAX_TRIED) {
            // A key that the platform cannot use, such as a short RSA key, is skipped.
            let Ok(verifier) = platform().verifier(header.alg, &key.key).await else { continue };
            outcome = Unverified::Signature;
            if let Some(claims) = VerificationKey::new("", header.alg, verifier).verify(jwt).await {
                return Ok(claims);
            }
        }
        Err(outcome)
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::{Algorithm, KeyAlgorithm, SigningKey, sign_jwt};
    use serde_json::json;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// Runs a future to its end. Native cryptography never waits.
    fn run<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("a native operation is pending"),
        }
    }

    fn pair(alg: Algorithm, kid: &str) -> (SigningKey, Jwk) {
        let key = run(platform().generate(alg)).unwrap();
        let signer = run(platform().signer(alg, &key.pkcs8)).unwrap();
        (SigningKey::new(kid, alg, signer), Jwk { kid: Some(kid.to_owned()), ..Jwk::from(key.public) })
    }

    fn verify(keys: &[&Jwk], text: &str) -> Result<Value, Unverified> {
        let set = JwkSet { keys: keys.iter().copied().cloned().collect(), ..JwkSet::default() };
        run(set.verify(&Jwt::parse(text).unwrap()))
    }

    #[test]
    fn every_algorithm_and_the_named_key_alone() {
        let claims = json!({ "iss": "a" });
        for alg in Algorithm::ALL {
            let ((signing, key), (_, other)) = (pair(alg, "1"), pair(alg, "1"));
            let jwt = run(sign_jwt(&signing, "JWT", &claims)).unwrap();
            assert_eq!(verify(&[&key], &jwt), Ok(claims.clone()), "{alg}");
            assert_eq!(verify(&[&other], &jwt), Err(Unverified::Signature), "{alg}");
            assert_eq!(verify(&[&other, &key], &jwt), Ok(claims.clone()), "two keys of one name");
            let renamed = Jwk { kid: Some("2".to_owned()), ..key.clone() };
            assert_eq!(verify(&[&renamed], &jwt), Err(Unverified::NoKey), "{alg}");
            let unnamed = Jwk { kid: None, ..key.clone() };
            assert_eq!(verify(&[&unnamed], &jwt), Err(Unverified::NoKey), "{alg}");
            let for_encryption = Jwk { usage: Some("enc".to_owned()), ..key.clone() };
            assert_eq!(verify(&[&for_encryption], &jwt), Err(Unverified::NoKey), "{alg}");
        }
        let ((signing, key), (_, ed)) = (pair(Algorithm::RS256, "1"), pair(Algorithm::EdDSA, "1"));
        let jwt = run(sign_jwt(&signing, "JWT", &claims)).unwrap();
        assert_eq!(verify(&[&ed], &jwt), Err(Unverified::NoKey), "a key of another kind");
        let for_pss = Jwk { alg: Some(KeyAlgorithm::Signature(Algorithm::PS256)), ..key };
        assert_eq!(verify(&[&for_pss], &jwt), Err(Unverified::NoKey), "a key for another algorithm");
    }
}
