//! Hashes of passwords: Argon2id, as PHC strings.

use crate::HandlerError;
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use platform::{blocking, entropy};
use protocol::Password;
use protocol::limits::Argon2Cost;

/// Returns the hash of a new password, with a fresh salt. Takes some 30 ms of a processor and 19 MiB.
pub async fn hash(password: Password) -> Result<String, HandlerError> {
    let salt: [u8; 16] = entropy::bytes()?;
    let hashed = blocking::run(move || {
        let hashed = generated()?.hash_password_with_salt(password.expose().as_bytes(), &salt).ok()?;
        Some(hashed.to_string())
    });
    hashed.await.flatten().ok_or_else(|| HandlerError::unavailable("the password hash did not finish"))
}

/// True if the password matches the hash. Without a hash the password is wrong, and the comparison takes as long as with a hash
/// that [`hash`] made.
pub async fn matches(password: Password, hash: Option<String>) -> Result<bool, HandlerError> {
    let outcome = blocking::run(move || match hash {
        Some(hash) => PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok()),
        None => {
            let mut output = [0; 32];
            if let Some(argon2) = generated() {
                let _ = argon2.hash_password_into(password.expose().as_bytes(), b"salt of no user", &mut output);
            }
            std::hint::black_box(output);
            false
        }
    });
    outcome.await.ok_or_else(|| HandlerError::unavailable("the password check did not finish"))
}

fn generated() -> Option<Argon2<'static>> {
    let Argon2Cost { memory_kib, passes, lanes } = Argon2Cost::GENERATED;
    let params = Params::new(memory_kib, passes, lanes, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::PlatformUnicode;

    #[tokio::test]
    async fn a_hash_names_its_parameters_and_is_salted() {
        let password = |text| Password::prepare(text, &PlatformUnicode).unwrap();
        let made = hash(password("correct horse")).await.unwrap();
        assert!(made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{made}");
        assert_ne!(made, hash(password("correct horse")).await.unwrap());
        assert!(matches(password("correct horse"), Some(made.clone())).await.unwrap());
        assert!(!matches(password("Correct horse"), Some(made)).await.unwrap());
        assert!(!matches(password("correct horse"), None).await.unwrap());
        assert!(!matches(password("correct horse"), Some("$2b$12$".to_owned())).await.unwrap());
    }
}
