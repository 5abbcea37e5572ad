//! Arguments of `latchkey keys`.

use super::{ConfirmationArgs, DeploymentArgs};
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// List the signing keys: those that sign, those that will, and those that still verify tokens.
    #[command(after_long_help = "Examples:\n  latchkey keys list\n  latchkey keys list --json | jq -r '.[].kid'")]
    List(DeploymentArgs),
    /// Begin the next rotation now: new keys are published, and sign in two days, when all caches have them.
    #[command(after_long_help = "Examples:\n  latchkey keys rotate\n  latchkey keys rotate --alg RS256")]
    Rotate(KeyArgs),
    /// Replace keys that may have leaked: new keys sign at once, and every token of the old keys is rejected.
    #[command(after_long_help = "Examples:\n  latchkey keys replace\n  latchkey keys replace --alg ES256 --yes")]
    Replace(ReplaceArgs),
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// Only the key for this algorithm: ES256, RS256 (which serves PS256 too) or EdDSA.
    #[arg(long, value_name = "ALG", value_parser = ["ES256", "RS256", "PS256", "EdDSA"])]
    pub(crate) alg: Option<String>,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReplaceArgs {
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    #[command(flatten)]
    pub(crate) confirmation: ConfirmationArgs,
}
