//! The command line.

use crate::chooser::Application;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Without a command, `latchkey` is `latchkey dev`.

client, user, keys and seed speak to the /admin/ of a deployment, on any platform. They sign their requests with its secret:
set LATCHKEY_SECRET to it. For a local provider, the secret is taken from its data directory.

Examples:
  latchkey dev --port 9000
  latchkey client create
  latchkey client add https://app.example.com/callback --name Shop
  latchkey user add ada --claim email=ada@example.com
  latchkey client list --url https://id.example.com --json";

/// An OAuth 2.1 and OpenID Connect provider made of serverless functions: run it locally, and administer a deployment.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version, after_help = AFTER_HELP, subcommand_required = true)]
pub(crate) struct Cli {
    /// Print JSON, for programs to read.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a provider on this machine, with demo clients and a demo user.
    Dev(DevArgs),
    /// Write demo data to a deployment; for trying it out and for tests.
    Seed(SeedArgs),
    /// Register, show and remove clients.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Register, show and remove the people who can sign in.
    #[command(subcommand)]
    User(UserCommand),
    /// Show the signing keys, and rotate them before their time.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Make the secret of a new deployment, and say where to put it.
    Init,
    /// Serve the DynamoDB API from this machine, for the Lambda functions under an emulator.
    #[command(hide = true)]
    Dynamodb(DynamodbArgs),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct DevArgs {
    /// The port to listen on; 0 takes any free one.
    #[arg(long, short, default_value_t = 8787, env = "LATCHKEY_PORT")]
    pub(crate) port: u16,
    /// The address to listen on. Anything but a loopback address lets others reach the demo accounts.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// Where the secret and the store are kept.
    #[arg(long, value_name = "DIR", default_value = ".latchkey")]
    pub(crate) data: PathBuf,
    /// Keep nothing: a fresh store in memory, gone at the end.
    #[arg(long, conflicts_with = "data")]
    pub(crate) memory: bool,
    /// How many threads serve requests.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
    /// Write no line for each request.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// Which deployment, and how to prove that we may administer it.
#[derive(Clone, Debug, Args)]
pub(crate) struct DeploymentArgs {
    /// The deployment's origin.
    #[arg(long, env = "LATCHKEY_URL", default_value = "http://localhost:8787")]
    pub(crate) url: String,
    /// Where `latchkey dev` keeps its data; its secret is used for a local URL when LATCHKEY_SECRET is not set.
    #[arg(long, value_name = "DIR", default_value = ".latchkey")]
    pub(crate) data: PathBuf,
    /// The CAs to trust in place of the public ones, in PEM; SSL_CERT_FILE names them as well.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SeedArgs {
    /// The demo clients and the demo user, whose passwords everybody knows.
    // Nothing reads it: it is asked for, so that nobody writes such accounts by mistake.
    #[arg(long, required = true)]
    pub(crate) demo: bool,
    /// Write them to a deployment that is not on this machine, too: whoever reaches it can then sign in as the demo user.
    #[arg(long)]
    pub(crate) public_passwords: bool,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Choose the flow for what is being built, register the client, and show the settings to paste.
    Create(ClientCreateArgs),
    /// Register a client, or change what is named here of one; the rest stays.
    Add(ClientAddArgs),
    /// List the clients.
    List(DeploymentArgs),
    /// Show one client.
    Show(ClientIdArgs),
    /// Make an initial access token: whoever has it may register clients.
    Invite(InviteArgs),
    /// Make a new secret for a client, and show it once.
    Secret(ClientSecretArgs),
    /// Remove a client. Everything granted to it ends with it.
    Remove(ClientIdArgs),
}

#[derive(Debug, Args)]
pub(crate) struct InviteArgs {
    /// How many clients it may register.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) uses: u32,
    /// How many hours it is good for.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=8784))]
    pub(crate) hours: u32,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ClientIdArgs {
    /// The client's id.
    #[arg(allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) client_id: String,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ClientSecretArgs {
    /// The client's id.
    #[arg(allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) client_id: String,
    /// Let the secret before this one stay good, until the next is made.
    #[arg(long)]
    pub(crate) keep_old: bool,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ClientCreateArgs {
    /// What is being built; asked for when left out.
    #[arg(long = "for", value_enum, value_name = "APPLICATION")]
    pub(crate) application: Option<Application>,
    /// Where people are sent back to after sign-in.
    #[arg(value_name = "REDIRECT_URI")]
    pub(crate) redirect_uris: Vec<String>,
    /// The client's id; made up when left out.
    #[arg(long, allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) id: Option<String>,
    /// The name that people are shown.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The scopes that it may ask for, in one argument, separated by spaces.
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// The identifier of the API or the MCP server that is being built: the audience of tokens for it.
    #[arg(long, value_name = "URI")]
    pub(crate) resource: Option<String>,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ClientAddArgs {
    /// Where people may be sent with a code; exact, except that the port of a loopback address is free: 127.0.0.1 or ::1,
    /// not localhost. Those named here take the place of all before.
    #[arg(value_name = "REDIRECT_URI")]
    pub(crate) redirect_uris: Vec<String>,
    /// The client's id; made up when left out.
    #[arg(long, allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) id: Option<String>,
    /// The name that people are shown.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The client can keep a secret: a server, not a page or an app. The secret is made up, and shown once.
    #[arg(long)]
    pub(crate) confidential: bool,
    /// The client acts for itself: client_credentials. Implies --confidential.
    #[arg(long)]
    pub(crate) service: bool,
    /// The scopes that it may ask for, in one argument, separated by spaces.
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// Where people may be sent after signing out.
    #[arg(long, value_name = "URI")]
    pub(crate) post_logout_redirect_uri: Vec<String>,
    /// Any other setting, by its name in the registration metadata; the value is JSON, or else a string. The page
    /// infra/docs/client-settings.md lists them.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) settings: Vec<(String, String)>,
    /// Registration metadata from a JSON file, `-` for standard input: all of the client, but for what the other arguments
    /// override.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Register a person, or change the claims of one. The password of a new person is asked for, or read from standard
    /// input; 8 characters at least.
    Add(UserAddArgs),
    /// List the people.
    List(DeploymentArgs),
    /// Show one person's claims.
    Show(UsernameArgs),
    /// Remove a person, and end all their sessions and grants.
    Remove(UsernameArgs),
    /// End all sessions and grants of a person: they must sign in again everywhere.
    SignOut(UsernameArgs),
    /// Set a password, asked for or read from standard input; 8 characters at least.
    SetPassword(UsernameArgs),
}

#[derive(Debug, Args)]
pub(crate) struct UsernameArgs {
    /// The name that the person signs in with.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) username: String,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UserAddArgs {
    /// The name that the person signs in with.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) username: String,
    /// The identifier of the person in tokens, which never changes; made up when left out.
    #[arg(long, value_name = "SUB")]
    pub(crate) subject: Option<String>,
    /// A claim of the person, as name=Ada, email=ada@example.com or email_verified=true.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) claims: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// List the signing keys: those that sign, those to come, and those whose tokens may be alive.
    List(DeploymentArgs),
    /// Begin the next rotation now: new keys are published, and sign in two days, when everybody knows them.
    Rotate(KeyArgs),
    /// Replace keys that others may know: new ones sign at once, and every token that the old ones signed is refused.
    Replace(KeyArgs),
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
pub(crate) struct DynamodbArgs {
    /// The port to listen on; 0 takes any free one.
    #[arg(long, default_value_t = 8000)]
    pub(crate) port: u16,
    /// Where to keep the store; in memory when left out.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

impl Cli {
    /// The command line of this process; explains itself and ends the process when it is wrong.
    pub(crate) fn of_process() -> Self {
        Self::parse_from(with_command(std::env::args_os().collect()))
    }
}

/// Puts `dev` in where no command is named.
fn with_command(mut args: Vec<OsString>) -> Vec<OsString> {
    let first = args.iter().skip(1).find(|arg| *arg != "--json").and_then(|arg| arg.to_str());
    let names_one = match first {
        Some("-h" | "--help" | "-V" | "--version") => true,
        Some(argument) => !argument.starts_with('-'),
        None => false,
    };
    if !names_one {
        args.insert(1.min(args.len()), "dev".into());
    }
    args
}

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
    fn dev_is_the_command_when_none_is_named() {
        for line in
            ["latchkey", "latchkey --port 9000", "latchkey --json", "latchkey --json --memory", "latchkey dev --json"]
        {
            assert!(matches!(parsed(line).command, Command::Dev(_)), "{line}");
        }
        assert!(matches!(parsed("latchkey --json client list").command, Command::Client(ClientCommand::List(_))));
        assert!(parsed("latchkey client list --json").json);
    }
}
