//! Arguments of `latchkey secret`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Print the keys that a function needs, derived from LATCHKEY_SECRET: the value of its LATCHKEY_KEYS.
    ///
    /// With --json, prints an object with LATCHKEY_KEYS and LATCHKEY_KEYS_PREVIOUS, as `wrangler deploy --secrets-file` reads it.
    /// LATCHKEY_SECRET_PREVIOUS and LATCHKEY_PAIRWISE_SECRET are read from the environment too.
    #[command(
        after_long_help = "Examples:\n  latchkey secret derive token\n  latchkey secret derive token --json > secrets.json"
    )]
    Derive(DeriveArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DeriveArgs {
    /// The function, such as token.
    #[arg(value_name = "FUNCTION")]
    pub(crate) function: String,
}
