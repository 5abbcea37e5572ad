//! The demo data, written to a server through its `/admin/`, as an operator would.

use crate::{process, workspace};
use anyhow::Result;
use std::process::Command;

/// Registers the demo clients and the demo user at a server.
pub(crate) fn seed(url: &str, secret: &str) -> Result<()> {
    let mut seed = Command::new(workspace::binary("latchkey", "dev"));
    process::run(seed.args(["seed", "--demo", "--url", url]).env("LATCHKEY_SECRET", secret))
}

/// A new secret for a server, in hexadecimal.
pub(crate) fn secret() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
