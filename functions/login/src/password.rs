//! Passwords: Argon2id.

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordVerifier, Version};
use platform::blocking;
use provider::HandlerError;

/// Whether a password is the one whose hash, a PHC string, is given. Without a hash it is wrong, and costs what a hash
/// made by `latchkey user` costs, so that the time does not tell whether an account exists.
pub(crate) async fn is_right(password: String, hash: Option<String>) -> Result<bool, HandlerError> {
    let outcome = blocking::run(move || match hash {
        Some(hash) => PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()),
        None => {
            waste(&password);
            false
        }
    });
    outcome.await.ok_or_else(|| HandlerError::unavailable("the password check did not finish"))
}

/// The work of a check, for nothing (OWASP: 19 MiB, two passes, one lane).
fn waste(password: &str) {
    let mut output = [0; 32];
    if let Ok(params) = Params::new(19_456, 2, 1, Some(32)) {
        let _ = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
            password.as_bytes(),
            b"nobody's salt",
            &mut output,
        );
    }
    std::hint::black_box(output);
}
