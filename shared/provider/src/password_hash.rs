//! Hashes of passwords: Argon2id, as PHC strings. Imported ones may have another form.

use crate::{HandlerError, imported_hash};
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use platform::fetch::pause;
use platform::{blocking, clock, entropy};
use protocol::limits::Argon2Cost;
use protocol::{Password, StoredHash};
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
    /// True if the hash costs more than one that [`hash`] makes, or has another form: replace it while the password is known.
    pub is_to_replace: bool,
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
        let parsed = hash.as_deref().and_then(StoredHash::parse);
        let is_right = match (&parsed, hash.as_deref()) {
            (Some(StoredHash::Argon2id(_)), Some(hash)) => is_match(&password, hash),
            (Some(imported), Some(hash)) => imported_hash::is_match(password.expose().as_bytes(), hash, imported),
            (None, _) | (_, None) => {
                waste(&password);
                false
            }
        };
        let is_to_replace = parsed.as_ref().is_some_and(|hash| !hash.is_own_form() || hash.work() > generated_work);
        let work = parsed.map_or(generated_work, |hash| hash.work());
        (is_right, is_to_replace, work.max(Argon2Cost::LEAST.work()), clock::now().since(began))
    });
    let (is_right, is_to_replace, work, spent) =
        compared.await.ok_or_else(|| HandlerError::unavailable("the password check did not finish"))?;
    // A Worker's clock stands still while it computes: the usual time stands in for what cannot be measured.
    let measured = spent.saturating_mul(most_work.max(work)).checked_div(work).unwrap_or_default();
    let dearest = Argon2Cost::time_of_failure(most_work).max(measured).min(LONGEST_WAIT);
    Ok(Comparison { is_right, is_to_replace, began, dearest })
}

/// True if a text has a hash that [`hash`] made. A failure takes as long as a success, and no other hash is known.
pub async fn is_own(text: Password, hash: String) -> Result<bool, HandlerError> {
    let compared = blocking::run(move || is_match(&text, &hash)).await;
    compared.ok_or_else(|| HandlerError::unavailable("the check of a hash did not finish"))
}

fn is_match(password: &Password, hash: &str) -> bool {
    let verified = |hash: PasswordHash| Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok();
    PasswordHash::new(hash).is_ok_and(verified)
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

    /// Passwords and their hashes: by Python's bcrypt, by OpenSSL, and by the documentation of Firebase.
    const IMPORTED: &[(&str, &str)] = &[
        ("correct horse", "$2b$08$RCpbXrRWq2ZDFM/ulDEoTOSdqgjFw7oSMNWCsYE3IfpPoCU19fpVC"),
        ("correct horse", "$2a$08$X9il49mt3zmst/blAFtUgedw7eQdx4GIdCiM4R/Dun2i.CxY.h1nq"),
        ("correct horse", "$pbkdf2-sha1$i=10000$AAECAwQFBgcICQoLDA0ODw$/AtELtgmsPDI8LWGK9x0DWVUnSI"),
        ("correct horse", "$pbkdf2-sha256$i=10000$AAECAwQFBgcICQoLDA0ODw$5RUHDgNTp9sBOWGYS4e6u57cz/Sq3/TQgaDP/8MW6L8"),
        (
            "correct horse",
            "$pbkdf2-sha512$i=10000$AAECAwQFBgcICQoLDA0ODw$ECEiF3rHxiQNn3eIhD3/rQu7JgNUuHNkEwXr67HsHXDuCHXNSrvzIej3ijbWJ6UeJwPOircNgc2J7kJoHTU9dA",
        ),
        ("correct horse", "$scrypt$ln=12,r=8,p=2$AAECAwQFBgcICQoLDA0ODw$yt+EkZRXTfH+R04o4kTfzi+vVfvhLp1EQUjLtTusQlA"),
        (
            "user1password",
            "$firebase-scrypt$ln=14,r=8,sep=Bw==,key=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
        ),
    ];

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

    /// Each form, with a hash that another implementation made. It is replaced after a right password.
    #[tokio::test]
    async fn imported_hashes_match_their_passwords() {
        for (password, hash) in IMPORTED {
            let prepared = |text: &str| Password::prepare(text, &PLATFORM_UNICODE).unwrap();
            let right = compare(prepared(password), Some((*hash).to_owned()), Argon2Cost::MOST.work()).await.unwrap();
            assert!(right.is_right && right.is_to_replace, "{hash}");
            let other = prepared(&format!("x{password}"));
            let wrong = compare(other, Some((*hash).to_owned()), Argon2Cost::MOST.work()).await.unwrap();
            assert!(!wrong.is_right, "{hash}");
            assert_eq!(StoredHash::problem(hash, Argon2Cost::MOST.work()), None, "{hash}");
        }
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
