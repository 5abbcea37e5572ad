//! Arguments of `latchkey admin-key` and `latchkey init`.

use super::{ConfirmationArgs, DeploymentArgs};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use protocol::administration::AdminScope;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum AdminKeyCommand {
    /// Generate a key pair on this machine, without a request, and show its public half.
    ///
    /// An administrator registers the public half with `latchkey admin-key create --public-key`, or the operator sets it as
    /// LATCHKEY_ADMIN_KEY of the deployment.
    #[command(
        after_long_help = "Examples:\n  latchkey admin-key generate --out ci.key\n  latchkey admin-key generate --out ci.key --json | jq -r .public_key"
    )]
    Generate(GenerateArgs),
    /// Register an admin key with a name, scopes and an expiry.
    Create(AdminKeyCreateArgs),
    /// List the admin keys of a deployment, with their scopes and expiry.
    #[command(
        after_long_help = "Examples:\n  latchkey admin-key list\n  latchkey admin-key list --json | jq -r '.[].name'"
    )]
    List(DeploymentArgs),
    /// Revoke an admin key: its next request is rejected.
    #[command(
        after_long_help = "Examples:\n  latchkey admin-key revoke ci\n  latchkey admin-key revoke ci --yes --json"
    )]
    Revoke(AdminKeyRevokeArgs),
}

/// Arguments of `latchkey admin-key generate`.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// New file for the private half.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Scopes: clients:read, clients:write, users:read, users:write, keys:read, keys:write, admin-keys:read, admin-keys:write,
configuration:read, configuration:write, and all. Writing includes reading. A key cannot grant scopes that it lacks, and no key outlives the one that created it.

Examples:
  latchkey admin-key create ci --scope clients:write --days 90 --out ci.key
  latchkey admin-key create support --scope users:read --scope clients:read --public-key PUBLIC_KEY")]
pub(crate) struct AdminKeyCreateArgs {
    /// Name of the key, which listings show.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) name: String,
    /// A scope of the key.
    #[arg(long = "scope", value_name = "SCOPE", required = true, value_parser = AdminScope::names())]
    pub(crate) scopes: Vec<String>,
    /// Lifetime of the key, in days; by default a year.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1830))]
    pub(crate) days: Option<u32>,
    /// Generate the key on this machine, and write its private half to this new file.
    #[arg(long, value_name = "FILE", required_unless_present = "public_key", conflicts_with = "public_key")]
    pub(crate) out: Option<PathBuf>,
    /// Public half of a key that was generated elsewhere.
    #[arg(long, value_name = "PUBLIC_KEY", allow_hyphen_values = true)]
    pub(crate) public_key: Option<String>,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AdminKeyRevokeArgs {
    /// The `kid` of the key, or its name if no other key has it.
    #[arg(allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_key: String,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
    #[command(flatten)]
    pub(crate) confirmation: ConfirmationArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
The private half of the admin key is written to the directory latchkey in $XDG_CONFIG_HOME (~/.config). An existing file is
not overwritten.

Examples:
  latchkey init
  latchkey init --host id.example.com
  LATCHKEY_SECRET=$(latchkey init --json | jq -r .secret)")]
pub(crate) struct InitArgs {
    /// Host of the deployment: the key is used for this deployment alone. Without it, the key is used for every
    /// deployment without a key of its own.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) host: Option<String>,
    /// File for the private half of the admin key, in place of that in the configuration directory.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}
