//! The demo data, written to a server through its `/admin/` API, as an operator would.

use crate::{process, workspace};
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Writes the demo clients, the demo user and the sample API as a resource to a server, with the `latchkey` command of this build.
pub(crate) fn seed(url: &str, secret: &str, build: workspace::Build) -> Result<()> {
    let mut seed = Command::new(workspace::binary("latchkey", build));
    process::run(seed.args(["seed", "--demo", "--url", url]).env("LATCHKEY_SECRET", secret))
}

/// Applies the sections of a file to the configuration of a server.
pub(crate) fn configure(url: &str, secret: &str, file: &Path) -> Result<()> {
    let mut apply = Command::new(workspace::binary("latchkey", workspace::Build::Dev));
    process::run(apply.args(["config", "apply", "--yes", "--url", url]).arg(file).env("LATCHKEY_SECRET", secret))
}

/// Opens client registration, as `latchkey dev` does, unless `settings` configure it.
pub(crate) fn open_registration(settings: &mut BTreeMap<String, String>) {
    for (name, value) in demo_api::registration_settings() {
        settings.entry(name.to_owned()).or_insert(value);
    }
}

/// Returns the settings of the guard of the sample API at the server at `url`.
pub(crate) fn api_settings(url: &str) -> BTreeMap<String, String> {
    demo_api::demo_settings(url).into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Returns the public half of the admin key that is derived from a secret: `LATCHKEY_ADMIN_KEY` of a server for tests. The
/// `latchkey` command derives the private half from the same secret.
pub(crate) fn admin_key(secret: &str) -> Result<String> {
    let secret = keys::Secret::parse(secret).map_err(|error| anyhow::anyhow!("LATCHKEY_SECRET is {error}"))?;
    let key =
        keys::AdminPrivateKey::derived(&secret).map_err(|error| anyhow::anyhow!("deriving the admin key: {error}"))?;
    Ok(key.public().to_string())
}

/// Returns a new secret for a server, in hexadecimal.
pub(crate) fn secret() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
