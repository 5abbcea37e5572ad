//! Hashes of passwords: Argon2id, as PHC strings.

use crate::HandlerError;
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use platform::fetch::pause;
use platform::{blocking, clock, entropy};
use protocol::Password;
use protocol::limits::Argon2Cost;
use std::time::Duration;
use types::Timestamp;

/// Returns the hash of a new password, with a fresh salt. Takes some 30 ms of a processor and 19 MiB.
pub async fn hash(password: Password) -> Result<String, HandlerError> {
    let salt: [u8; 16] = entropy::bytes()?;
    let hashed = blocking::run(move || {
        let hashed = generated()?.hash_password_with_salt(password.expose().as_bytes(), &salt).ok()?;
        Some(hashed.to_string())
    });
    hashed.await.flatten().ok_or_else(|| HandlerError::unavailable("the password hash did not finish"))
}

/// The outcome of a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// True if the password matches.
    pub is_right: bool,
    /// True if the hash costs more than one that [`hash`] makes: replace it while the password is known.
    pub is_dearer: bool,
    /// The time at which the comparison began.
    began: Timestamp,
    /// The time that a hash of the greatest work of the deployment would have taken.
    dearest: Duration,
}

/// The longest wait after a failed comparison.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Compares a password with a hash. Without a hash the password is wrong, and the comparison takes as long as with a hash that
/// [`hash`] made. `most_work` is the greatest work of the deployment's hashes.
pub async fn compare(password: Password, hash: Option<String>, most_work: u32) -> Result<Comparison, HandlerError> {
    let began = clock::now();
    let generated_work = Argon2Cost::GENERATED.work();
    let compared = blocking::run(move || {
        let began = clock::now();
        let (is_right, work) = match hash {
            Some(hash) => match PasswordHash::new(&hash) {
                Ok(hash) => {
                    let cost = |name| hash.params.get_decimal(name).unwrap_or(0);
                    let is_right = Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok();
                    (is_right, cost("m").saturating_mul(cost("t")))
                }
                Err(_) => (false, generated_work),
            },
            None => {
                waste(&password);
                (false, generated_work)
            }
        };
        (is_right, work.max(Argon2Cost::LEAST.work()), clock::now().since(began))
    });
    let (is_right, work, spent) =
        compared.await.ok_or_else(|| HandlerError::unavailable("the password check did not finish"))?;
    // A Worker's clock stands still while it computes: the usual time stands in for what cannot be measured.
    let measured = spent.saturating_mul(most_work.max(work)).checked_div(work).unwrap_or_default();
    let dearest = Argon2Cost::time_of_failure(most_work).max(measured).min(LONGEST_WAIT);
    Ok(Comparison { is_right, is_dearer: work > generated_work, began, dearest })
}

impl Comparison {
    /// Waits until the dearest hash of the deployment would have been compared, so that the time of a failure says nothing about
    /// the hash, and not if there is one. The wait costs no processor.
    pub async fn wait(&self) {
        let left = self.dearest.saturating_sub(clock::now().since(self.began));
        if !left.is_zero() {
            pause(left).await;
        }
    }
}

/// Does the work of a comparison without one.
fn waste(password: &Password) {
    let mut output = [0; 32];
    if let Some(argon2) = generated() {
        let _ = argon2.hash_password_into(password.expose().as_bytes(), b"salt of no user", &mut output);
    }
    std::hint::black_box(output);
}

fn generated() -> Option<Argon2<'static>> {
    let Argon2Cost { memory_kib, passes, lanes } = Argon2Cost::GENERATED;
    let params = Params::new(memory_kib, passes, lanes, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::PLATFORM_UNICODE;

    #[tokio::test]
    async fn a_hash_names_its_parameters_and_is_salted() {
        let password = |text| Password::prepare(text, &PLATFORM_UNICODE).unwrap();
        let made = hash(password("correct horse")).await.unwrap();
        assert!(made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{made}");
        assert_ne!(made, hash(password("correct horse")).await.unwrap());
        let work = Argon2Cost::GENERATED.work();
        let compare = async |text, hash: Option<&str>| {
            compare(password(text), hash.map(str::to_owned), work).await.unwrap().is_right
        };
        assert!(compare("correct horse", Some(&made)).await);
        assert!(!compare("Correct horse", Some(&made)).await);
        assert!(!compare("correct horse", None).await);
        assert!(!compare("correct horse", Some("$2b$12$")).await);
    }

    /// A failure takes as long for an unknown name as for an account with the dearest hash.
    #[tokio::test]
    async fn the_time_of_a_failure_does_not_depend_on_the_hash() {
        let most = Argon2Cost::GENERATED.work().saturating_mul(3);
        let least = Argon2Cost::time_of_failure(most);
        let cheap = hash(Password::prepare("correct horse", &PLATFORM_UNICODE).unwrap()).await.unwrap();
        for hash in [None, Some(cheap)] {
            let began = clock::now();
            let wrong = Password::prepare("wrong horse", &PLATFORM_UNICODE).unwrap();
            let compared = compare(wrong, hash, most).await.unwrap();
            compared.wait().await;
            let took = clock::now().since(began);
            assert!(!compared.is_right && took.as_millis().saturating_add(2) >= least.as_millis(), "{took:?}");
        }
    }
}
