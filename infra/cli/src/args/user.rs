//! Arguments of `latchkey user`.

use super::{ConfirmationArgs, DeploymentArgs, assignment};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Register a user, or change the claims of a registered one.
    Add(UserAddArgs),
    /// Set or remove claims of a user, such as groups and roles; the other claims stay.
    #[command(
        after_long_help = "Examples:\n  latchkey user set-claim ada groups=admins groups=staff\n  latchkey user set-claim ada --remove roles"
    )]
    SetClaim(UserClaimArgs),
    /// List the users.
    #[command(after_long_help = "Examples:\n  latchkey user list\n  latchkey user list --json | jq -r '.[].username'")]
    List(DeploymentArgs),
    /// Show the claims of a user.
    #[command(
        after_long_help = "Examples:\n  latchkey user show ada\n  latchkey user show ada --json | jq .claims.email"
    )]
    Show(UsernameArgs),
    /// Remove a user, and end all sessions and grants of the user.
    #[command(after_long_help = "Examples:\n  latchkey user remove ada\n  latchkey user remove ada --yes")]
    Remove(UserEndArgs),
    /// End all sessions and grants of a user, who must then sign in again everywhere.
    #[command(after_long_help = "Examples:\n  latchkey user sign-out ada\n  latchkey user sign-out ada --yes --json")]
    SignOut(UserEndArgs),
    /// Set the password of a user, and end all sessions and grants of the user.
    ///
    /// At a terminal the command asks for the password, otherwise it reads the first line of standard input. The deployment
    /// applies its rules to the password: by default 15 characters, and none that attackers try first.
    #[command(after_long_help = "Examples:\n  latchkey user set-password ada\n  latchkey user set-password ada < FILE")]
    SetPassword(UserPasswordArgs),
    /// Give a user a code without which no client may ask the user (OpenID Connect CIBA), or take it away.
    ///
    /// At a terminal the command asks for the code, otherwise it reads the first line of standard input.
    #[command(
        after_long_help = "Examples:\n  latchkey user set-user-code ada\n  latchkey user set-user-code ada < FILE\n  latchkey user set-user-code ada --remove"
    )]
    SetUserCode(UserCodeArgs),
    /// Keep a user from signing in, and end all sessions and grants of the user.
    #[command(after_long_help = "Examples:\n  latchkey user disable ada\n  latchkey user disable ada --yes")]
    Disable(UserEndArgs),
    /// Let a disabled user sign in again.
    #[command(after_long_help = "Examples:\n  latchkey user enable ada\n  latchkey user enable ada --json")]
    Enable(UsernameArgs),
    /// List the applications that a user allowed, and the scope of each.
    #[command(after_long_help = "Examples:\n  latchkey user consents ada\n  latchkey user consents ada --json")]
    Consents(UsernameArgs),
    /// List the live grants of a user: the access that applications have, and whether it ends with the session of the browser.
    ///
    /// Grants of agents stay when the user signs out: those with the scope offline_access, and those of clients and resources with
    /// grants_outlive_session. `latchkey user withdraw` ends the grants of one application.
    #[command(
        after_long_help = "Examples:\n  latchkey user grants ada\n  latchkey user grants ada --outlives-session\n  latchkey user grants ada --json"
    )]
    Grants(UserGrantsArgs),
    /// Withdraw the consent of a user to an application, and end the application's grants.
    #[command(
        after_long_help = "Examples:\n  latchkey user withdraw ada my-app\n  latchkey user withdraw ada my-app --yes"
    )]
    Withdraw(UserWithdrawArgs),
}

/// Arguments of `latchkey user set-claim`.
#[derive(Debug, Args)]
pub(crate) struct UserClaimArgs {
    /// Name with which the user signs in.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) username: String,
    /// Claim and value. A claim that is a list has each of its values once, or all of them as a JSON array.
    #[arg(value_name = "NAME=VALUE", value_parser = assignment, required_unless_present = "remove")]
    pub(crate) claims: Vec<(String, String)>,
    /// Claim to remove.
    #[arg(long, value_name = "NAME")]
    pub(crate) remove: Vec<String>,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

/// Arguments of `latchkey user grants`.
#[derive(Debug, Args)]
pub(crate) struct UserGrantsArgs {
    #[command(flatten)]
    pub(crate) user: UsernameArgs,
    /// List only the grants that stay when the user signs out of the browser.
    #[arg(long)]
    pub(crate) outlives_session: bool,
}

/// Arguments of `latchkey user set-password`.
#[derive(Debug, Args)]
pub(crate) struct UserPasswordArgs {
    #[command(flatten)]
    pub(crate) user: UsernameArgs,
    /// Keep the sessions and grants of the user. Without it they end, because someone else may know the old password.
    #[arg(long)]
    pub(crate) keep_sessions: bool,
    /// Import the hash of another system: the input is an Argon2id hash (PHC string), to which no rule can be applied.
    #[arg(long)]
    pub(crate) import_hash: bool,
}

/// Arguments of `latchkey user set-user-code`.
#[derive(Debug, Args)]
pub(crate) struct UserCodeArgs {
    #[command(flatten)]
    pub(crate) user: UsernameArgs,
    /// Take the code away.
    #[arg(long)]
    pub(crate) remove: bool,
}

/// Arguments of `latchkey user withdraw`.
#[derive(Debug, Args)]
pub(crate) struct UserWithdrawArgs {
    /// Name with which the user signs in.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) username: String,
    /// The application's client_id.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) client_id: String,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
    #[command(flatten)]
    pub(crate) confirmation: ConfirmationArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UsernameArgs {
    /// Name with which the user signs in.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) username: String,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

/// Arguments of the commands that end the grants of a user.
#[derive(Debug, Args)]
pub(crate) struct UserEndArgs {
    #[command(flatten)]
    pub(crate) user: UsernameArgs,
    #[command(flatten)]
    pub(crate) confirmation: ConfirmationArgs,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
For a new user, the command asks for a password at a terminal; otherwise it reads the first line of standard input. The
deployment applies its rules to the password: by default 15 characters, and none that attackers try first.

Examples:
  latchkey user add ada --claim name=Ada --claim email=ada@example.com
  latchkey user add ada --claim email_verified=true
  latchkey user add ada --claim groups=admins --claim groups=staff
  latchkey user add ada < FILE")]
pub(crate) struct UserAddArgs {
    /// Name with which the user signs in.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) username: String,
    /// Identifier of the user in tokens (`sub`); random by default. It never changes.
    #[arg(long, value_name = "SUB")]
    pub(crate) subject: Option<String>,
    /// A claim of the user, such as name=Ada, email=ada@example.com or groups=admins. A claim that is a list may be repeated.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) claims: Vec<(String, String)>,
    /// Import the hash of another system: the input is an Argon2id hash (PHC string), to which no rule can be applied.
    #[arg(long)]
    pub(crate) import_hash: bool,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}
