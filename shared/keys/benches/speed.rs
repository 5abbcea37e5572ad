//! The time of each operation with keys: `cargo bench -p latchkey-keys`. Compare with `openssl speed ecdsap256 rsa2048 ed25519`
//! on the same machine.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, clippy::arithmetic_side_effects, missing_docs)]

use jose::{Algorithm, Jwt, SigningKey, platform, sign_jwt};
use latchkey_keys::{KeySet, Keyring, Purpose, Secret, Secrets};
use serde_json::json;
use std::{
    hint::black_box,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};
use types::Timestamp;

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

/// Runs a future to its end. Native cryptography never waits.
fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a native operation is pending"),
    }
}

/// Prints the time of the fastest of several batches, because disturbances only add time.
fn measure<T>(name: &str, mut operation: impl FnMut() -> T) {
    let mut best = Duration::MAX;
    let mut count = 1;
    for _ in 0..20 {
        let start = Instant::now();
        for _ in 0..count {
            black_box(operation());
        }
        let each = start.elapsed() / count;
        best = best.min(each);
        count = (Duration::from_millis(50).as_nanos() / each.as_nanos().max(1)).clamp(1, 100_000).try_into().unwrap();
    }
    println!("{name:32} {:10.2} µs", best.as_nanos() as f64 / 1000.0);
}

fn main() {
    let claims = json!({
        "iss": "https://issuer.example", "sub": "demo-service", "aud": "https://api.example", "exp": 1_700_000_600,
        "iat": 1_700_000_000, "jti": "AAAAAAAAAAAAAAAAAAAAAA", "client_id": "demo-service", "scope": "read write",
    });
    let message = [b'x'; 420];
    let secrets = Secrets::new(Secret::from_bytes([1; 32]), None);
    let set = run(KeySet::generate(platform(), NOW)).unwrap();
    let stored = set.to_stored(&secrets).unwrap();

    for alg in Algorithm::ALL {
        let ring = Keyring::new(platform(), set.clone());
        let signing: Arc<SigningKey> = run(ring.signing_key(alg, NOW)).unwrap();
        let pkcs8 = set.pkcs8(signing.kid()).unwrap();
        measure(&format!("{alg} prepare signer"), || run(platform().signer(alg, pkcs8)).unwrap());
        let signer = run(platform().signer(alg, pkcs8)).unwrap();
        measure(&format!("{alg} sign alone"), || run(signer.sign(&message)).unwrap());
        measure(&format!("{alg} sign_jwt"), || run(sign_jwt(&signing, "at+jwt", &claims)).unwrap());
        let text = run(sign_jwt(&signing, "at+jwt", &claims)).unwrap();
        measure(&format!("{alg} parse and verify"), || run(ring.verify(&Jwt::parse(&text).unwrap(), NOW)).unwrap());

        let named = alg.as_str().parse().unwrap();
        let key = match alg {
            Algorithm::ES256 => jsonwebtoken::EncodingKey::from_ec_der(pkcs8),
            Algorithm::EdDSA => jsonwebtoken::EncodingKey::from_ed_der(pkcs8),
            Algorithm::RS256 | Algorithm::PS256 => jsonwebtoken::EncodingKey::from_rsa_der(pkcs8),
        };
        let provider = &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
        let theirs = (provider.signer_factory)(&named, &key).unwrap();
        if theirs.try_sign(&message).is_ok() {
            measure(&format!("{alg} jsonwebtoken, prepared"), || theirs.try_sign(&message).unwrap());
        }
    }

    // All of `sign_jwt` except the signature.
    struct Nothing;
    #[async_trait::async_trait]
    impl jose::Signer for Nothing {
        async fn sign(&self, _: &[u8]) -> Result<Vec<u8>, jose::CryptoError> {
            Ok(vec![0; 64])
        }
    }
    let nothing = SigningKey::new(&"k".repeat(43), Algorithm::ES256, Arc::new(Nothing));
    measure("sign_jwt without a signature", || run(sign_jwt(&nothing, "at+jwt", &claims)).unwrap());

    let sealed = secrets.seal(Purpose::Interaction, &message).unwrap();
    let both = || Secrets::new(Secret::from_bytes([1; 32]), Some(Secret::from_bytes([2; 32])));
    measure("Secrets::new, both secrets", both);
    measure("mac, 100 bytes", || secrets.mac(Purpose::Token, &[&message[..50], &message[..50]]));
    measure("seal, 420 bytes", || secrets.seal(Purpose::Interaction, &message).unwrap());
    measure("open, 420 bytes", || secrets.open(Purpose::Interaction, &sealed).unwrap());
    measure("KeySet::from_stored", || KeySet::from_stored(&stored, &secrets).unwrap());
    measure("jwks_json", || set.published().jwks_json(&Algorithm::ALL, None, NOW));
    let generate = Instant::now();
    run(KeySet::generate(platform(), NOW)).unwrap();
    println!("KeySet::generate {:?}", generate.elapsed());
}
