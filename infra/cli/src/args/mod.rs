//! The command line. Each group of commands has its own file.

mod admin_key;
mod client;
mod config;
mod deployment;
mod dev;
mod doctor;
mod keys;
mod records;
mod secret;
mod user;

pub(crate) use admin_key::{AdminKeyCommand, AdminKeyCreateArgs, AdminKeyRevokeArgs, GenerateArgs, InitArgs};
pub(crate) use client::{
    ClientAddArgs, ClientCommand, ClientCreateArgs, ClientIdArgs, ClientLogoArgs, ClientRemoveArgs, ClientReviewArgs,
    ClientSecretArgs, InviteArgs,
};
pub(crate) use config::{ConfigApplyArgs, ConfigCommand};
pub(crate) use deployment::{DeploymentArgs, SeedArgs};
pub(crate) use dev::DevArgs;
pub(crate) use doctor::DoctorArgs;
pub(crate) use keys::{KeyArgs, KeysCommand, ReplaceArgs};
pub(crate) use records::{RecordsCommand, ReshardArgs, RestoreArgs};
pub(crate) use secret::{DeriveArgs, SecretCommand};
pub(crate) use user::{
    ImportFormat, ImportName, UserAddArgs, UserClaimArgs, UserCodeArgs, UserCommand, UserEndArgs, UserGrantsArgs,
    UserImportArgs, UserListArgs, UserPasswordArgs, UserWithdrawArgs, UsernameArgs,
};

use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;

const AFTER_HELP: &str = "\
Without a command, `latchkey` is `latchkey dev`.

client, user, config, keys, admin-key, records and seed call the administration endpoint /admin/ of a deployment, on any platform. They sign
their requests with an admin key, whose file --key or LATCHKEY_ADMIN_KEY_FILE names. Otherwise they look in the directory
latchkey of $XDG_CONFIG_HOME (~/.config) for HOST.key and admin.key. For a local provider, the key is derived from its secret:
LATCHKEY_SECRET, or the one in its data directory.

Examples:
  latchkey dev --port 9000
  latchkey client create
  latchkey client add https://app.example.com/callback --name Shop
  latchkey user add ada --claim email=ada@example.com
  latchkey doctor --mcp https://mcp.example.com/mcp
  latchkey client list --url https://id.example.com --json
  latchkey config apply latchkey.json

Exit codes:
  0    The command succeeded.
  1    The command failed. Standard error says why, as JSON with --json: {\"error\": …, \"remedy\": …}
  2    The command line is not valid.
  130  `latchkey dev` was interrupted a second time while it was ending.";

/// An OAuth 2.1 and OpenID Connect provider made of serverless functions: run it locally, and administer a deployment.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version, after_help = AFTER_HELP, subcommand_required = true)]
pub(crate) struct Cli {
    /// Print JSON for programs, and ask no questions.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a provider on this machine, with demo clients and a demo user.
    Dev(DevArgs),
    /// Write the demo clients and the demo user to a deployment, for trials and tests.
    Seed(SeedArgs),
    /// Register, show and remove clients.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Register, show and remove users.
    #[command(subcommand)]
    User(UserCommand),
    /// Show and apply the configuration: resources, claims and trusted issuers.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Show the signing keys, and rotate them early.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Derive the keys of one function from the deployment secret.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Generate, list and revoke the keys of administrators.
    #[command(subcommand)]
    AdminKey(AdminKeyCommand),
    /// Restore the records of a deployment on Cloudflare, or change the number of its Durable Objects.
    #[command(subcommand)]
    Records(RecordsCommand),
    /// Follow the way of an MCP client through a protected server, and report where it would fail.
    Doctor(DoctorArgs),
    /// Generate the secret and the first admin key of a new deployment, and show where to put them.
    Init(InitArgs),
}

/// Consent to an act that cannot be undone.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ConfirmationArgs {
    /// Do not ask for confirmation. Without a terminal, or with --json, the command never asks.
    #[arg(long, short)]
    pub(crate) yes: bool,
}

impl Cli {
    /// Returns the command line of this process. If it is not valid, prints the reason and ends the process.
    pub(crate) fn of_process() -> Self {
        Self::parse_from(with_command(std::env::args_os().collect()))
    }
}

/// Inserts `dev` if the arguments name no command.
fn with_command(mut args: Vec<OsString>) -> Vec<OsString> {
    let first = args.iter().skip(1).find(|arg| *arg != "--json").and_then(|arg| arg.to_str());
    let names_command = match first {
        Some("-h" | "--help" | "-V" | "--version") => true,
        Some(argument) => !argument.starts_with('-'),
        None => false,
    };
    if !names_command {
        args.insert(1.min(args.len()), "dev".into());
    }
    args
}

/// Parses `NAME=VALUE`.
fn assignment(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("must be NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parsed(line: &str) -> Cli {
        Cli::try_parse_from(with_command(line.split(' ').map(OsString::from).collect())).expect(line)
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn dev_is_the_default_command() {
        for line in
            ["latchkey", "latchkey --port 9000", "latchkey --json", "latchkey --json --memory", "latchkey dev --json"]
        {
            assert!(matches!(parsed(line).command, Command::Dev(_)), "{line}");
        }
        assert!(matches!(parsed("latchkey --json client list").command, Command::Client(ClientCommand::List(_))));
        assert!(parsed("latchkey client list --json").json);
    }

    /// Every command and group has an about of one sentence; every visible command has examples.
    #[test]
    fn every_command_is_described_in_one_sentence_and_has_examples() {
        fn check(command: &clap::Command) {
            let name = command.get_name();
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty() && !about.contains(". "), "{name}: {about}");
            let after = command.get_after_long_help().or(command.get_after_help());
            let has_examples = after.is_some_and(|help| help.to_string().contains("Examples:"));
            assert!(has_examples || command.has_subcommands() || command.is_hide_set(), "{name} has no examples");
            command.get_subcommands().filter(|command| command.get_name() != "help").for_each(check);
        }
        check(&Cli::command());
    }
}
