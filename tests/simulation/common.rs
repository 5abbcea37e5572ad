//! The start of each test.

use argon2::PasswordHasher;
use simulation::{Instance, seed};
use std::sync::{Arc, LazyLock, Mutex};
use storage::Records;

pub(crate) const PASSWORD: &str = "correct horse";

/// A hash with the lowest Argon2 cost: tests do not depend on it.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let params = argon2::Params::new(8, 1, 1, None).unwrap();
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    argon2.hash_password_with_salt(PASSWORD.as_bytes(), b"0123456789abcdef").unwrap().to_string()
});

/// Keeps the log lines of an instance.
pub(crate) fn keep_log(instance: &mut Instance) -> Arc<Mutex<Vec<String>>> {
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&lines);
    instance.context_mut().log = Arc::new(move |line: &str| kept.lock().unwrap().push(line.to_owned()));
    lines
}

/// Returns an instance of a deployment with a user and clients.
pub(crate) async fn deployment(records: Arc<dyn Records>) -> Instance {
    stock(records.as_ref()).await;
    Instance::start(records, &[])
}

/// Stores the user and the clients of every deployment.
pub(crate) async fn stock(records: &dyn Records) {
    seed(records, &HASH).await;
}
