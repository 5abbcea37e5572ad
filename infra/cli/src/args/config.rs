//! Arguments of `latchkey config`.

use super::{ConfirmationArgs, DeploymentArgs};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show the stored sections, as a file that `latchkey config apply` accepts.
    #[command(
        after_long_help = "Examples:\n  latchkey config show > latchkey.json\n  latchkey config show --json | jq .version"
    )]
    Show(DeploymentArgs),
    /// Check the sections of a file, show what changes, and store them.
    ///
    /// A section that the file does not name stays as it is. A section that is null is removed. The functions have the change
    /// after a minute at most.
    Apply(ConfigApplyArgs),
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  latchkey config apply latchkey.json --dry-run
  latchkey config apply latchkey.json --url https://id.example.com
  latchkey config show | jq '.resources += [{\"resource\": \"https://api.example.com\"}]' | latchkey config apply - --yes")]
pub(crate) struct ConfigApplyArgs {
    /// File with a JSON object of sections; - is standard input.
    pub(crate) file: PathBuf,
    /// Check the sections and show what would change, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) confirmation: ConfirmationArgs,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}
