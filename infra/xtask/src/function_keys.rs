//! `LATCHKEY_KEYS` of each function of a deployment that is run for tests.

use anyhow::{Context, Result};
use keys::Secret;

/// The setting of a function that holds its keys.
pub(crate) const SETTING: &str = "LATCHKEY_KEYS";

/// Returns the keys of a function; `None` if it has none.
pub(crate) fn of(function: &str, secret: &str) -> Result<Option<String>> {
    let row = manifest::FUNCTIONS.iter().find(|row| row.name == function).filter(|row| row.has_keys());
    let Some(row) = row else { return Ok(None) };
    let secret = Secret::parse(secret).context("the secret of the deployment")?;
    Ok(Some(secret.keys_of(row, None).to_string()))
}
