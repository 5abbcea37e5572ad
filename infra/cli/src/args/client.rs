//! Arguments of `latchkey client`.

use super::{ConfirmationArgs, DeploymentArgs, assignment};
use crate::chooser::Target;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Choose the flow for an application, register its client, and show the settings to paste.
    Create(ClientCreateArgs),
    /// Register a client, or change the named settings of a registered one.
    Add(ClientAddArgs),
    /// List the libraries and programs that `create --for` accepts by name, and the switches that each needs.
    #[command(
        after_long_help = "Examples:\n  latchkey client libraries\n  latchkey client libraries --json | jq '.[].name'"
    )]
    Libraries,
    /// List the clients.
    #[command(
        after_long_help = "Examples:\n  latchkey client list\n  latchkey client list --json | jq -r '.[].client_id'"
    )]
    List(DeploymentArgs),
    /// Show the settings of a client.
    #[command(
        after_long_help = "Examples:\n  latchkey client show shop\n  latchkey client show shop --json | jq .scope"
    )]
    Show(ClientIdArgs),
    /// Issue an initial access token, with which clients can be registered.
    Invite(InviteArgs),
    /// Generate a new secret for a client, and show it once.
    Secret(ClientSecretArgs),
    /// Record that the settings of a client that registered itself were reviewed: pages no longer mark it.
    Review(ClientReviewArgs),
    /// Set the logo of a client, which the sign-in and consent pages show.
    Logo(ClientLogoArgs),
    /// Remove a client and revoke everything that was granted to it.
    Remove(ClientRemoveArgs),
}

#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  latchkey client invite\n  latchkey client invite --uses 10 --hours 168")]
pub(crate) struct InviteArgs {
    /// Number of clients that may be registered with the token.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) uses: u32,
    /// Lifetime of the token, in hours.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=8784))]
    pub(crate) hours: u32,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ClientIdArgs {
    /// The client_id.
    #[arg(allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) client_id: String,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  latchkey client review shop\n  latchkey client review shop --withdraw")]
pub(crate) struct ClientReviewArgs {
    #[command(flatten)]
    pub(crate) client: ClientIdArgs,
    /// Withdraw the review: pages mark the client again.
    #[arg(long)]
    pub(crate) withdraw: bool,
}

#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  latchkey client logo shop logo.png\n  latchkey client logo shop --remove")]
pub(crate) struct ClientLogoArgs {
    #[command(flatten)]
    pub(crate) client: ClientIdArgs,
    /// The picture: a PNG or WebP file of at most 20 KB.
    #[arg(required_unless_present = "remove")]
    pub(crate) file: Option<PathBuf>,
    /// Remove the logo.
    #[arg(long, conflicts_with = "file")]
    pub(crate) remove: bool,
}

#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  latchkey client remove shop\n  latchkey client remove shop --yes")]
pub(crate) struct ClientRemoveArgs {
    #[command(flatten)]
    pub(crate) client: ClientIdArgs,
    #[command(flatten)]
    pub(crate) confirmation: ConfirmationArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  latchkey client secret shop
  latchkey client secret shop --keep-old
  latchkey client secret shop --yes > secret.txt")]
pub(crate) struct ClientSecretArgs {
    #[command(flatten)]
    pub(crate) client: ClientIdArgs,
    /// Let the previous secret stay valid until the next one is generated.
    #[arg(long)]
    pub(crate) keep_old: bool,
    #[command(flatten)]
    pub(crate) confirmation: ConfirmationArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
At a terminal, the command asks for what is not given.

Examples:
  latchkey client create
  latchkey client create --for spa https://app.example.com/callback --name Shop
  latchkey client create --for oauth2-proxy https://app.example.com/oauth2/callback
  latchkey client create --for service --scope 'read write'
  latchkey client create --for api --resource https://api.example.com --json")]
pub(crate) struct ClientCreateArgs {
    /// Kind of application: spa, native, web, service, device, mcp, api or mcp-client. Or a library, which gets the settings that
    /// it needs: a name of `latchkey client libraries`. At a terminal, the command asks for it.
    #[arg(long = "for", value_name = "APPLICATION")]
    pub(crate) application: Option<Target>,
    /// Redirect URIs: where users return to after sign-in.
    #[arg(value_name = "REDIRECT_URI")]
    pub(crate) redirect_uris: Vec<String>,
    /// URIs to which users may be redirected after sign-out.
    #[arg(long, value_name = "URI")]
    pub(crate) post_logout_redirect_uri: Vec<String>,
    /// The client_id; random by default.
    #[arg(long, allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) id: Option<String>,
    /// Name that users see.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Scopes that the client may request, in one argument, separated by spaces.
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// Identifier of the API or MCP server that is being built: the audience of its access tokens.
    #[arg(long, value_name = "URI")]
    pub(crate) resource: Option<String>,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Settings that are not named keep their values.

Examples:
  latchkey client add https://app.example.com/callback --name Shop
  latchkey client add --id shop --set access_token_lifetime=300
  latchkey client add --id job --service --scope 'read write'
  latchkey client add --file client.json")]
pub(crate) struct ClientAddArgs {
    /// Redirect URIs. They replace those that are registered. A request must match one exactly; only the port of the
    /// loopback addresses 127.0.0.1 and ::1 is free.
    #[arg(value_name = "REDIRECT_URI")]
    pub(crate) redirect_uris: Vec<String>,
    /// The client_id; random by default.
    #[arg(long, allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) id: Option<String>,
    /// Name that users see.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Make it a confidential client: a server, which can keep a secret. The secret is random and shown once.
    #[arg(long)]
    pub(crate) confidential: bool,
    /// Allow the grant type client_credentials: the client acts for itself. Implies --confidential.
    #[arg(long)]
    pub(crate) service: bool,
    /// Scopes that the client may request, in one argument, separated by spaces.
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// URIs to which users may be redirected after sign-out.
    #[arg(long, value_name = "URI")]
    pub(crate) post_logout_redirect_uri: Vec<String>,
    /// Any other setting by its name in the registration metadata. The value is JSON, otherwise a string. The page
    /// infra/docs/client-settings.md lists the settings.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) settings: Vec<(String, String)>,
    /// JSON file of registration metadata, `-` for standard input. It replaces all settings of the client; other
    /// arguments override it.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}
