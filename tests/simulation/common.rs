//! What every test starts from.

use argon2::PasswordHasher;
use simulation::{Instance, seed};
use std::sync::{Arc, LazyLock};
use storage::Records;

pub(crate) const PASSWORD: &str = "correct horse";

/// The cheapest hash that Argon2 makes: tests are not about its cost.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let params = argon2::Params::new(8, 1, 1, None).unwrap();
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    argon2.hash_password_with_salt(PASSWORD.as_bytes(), b"0123456789abcdef").unwrap().to_string()
});

/// A deployment with a person and clients, and one instance of it.
pub(crate) async fn deployment(records: Arc<dyn Records>) -> Instance {
    seed(records.as_ref(), &HASH).await;
    Instance::start(records, &[])
}
