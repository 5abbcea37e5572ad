//! Arguments of `latchkey user`.

use super::{ConfirmationArgs, DeploymentArgs, assignment};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Register a user, or change the claims of a registered one.
    Add(UserAddArgs),
    /// Import the users of another system, with the hashes of their passwords.
    ///
    /// A user who is registered already stays as registered, so an import that was interrupted is repeated. The first right password
    /// replaces an imported hash by one of this deployment.
    #[command(
        after_long_help = "Examples:\n  latchkey user import users.ndjson --dry-run\n  latchkey user import realm.json --from keycloak\n  latchkey user import users.json --from firebase --firebase-signer-key KEY"
    )]
    Import(UserImportArgs),
    /// Set or remove claims of a user, such as groups and roles; the other claims stay.
    #[command(
        after_long_help = "Examples:\n  latchkey user set-claim ada groups=admins groups=staff\n  latchkey user set-claim ada --remove roles"
    )]
    SetClaim(UserClaimArgs),
    /// List the users, or find those with an e-mail address or an external id.
    #[command(
        after_long_help = "Examples:\n  latchkey user list\n  latchkey user list --email ada@example.com\n  latchkey user list --json | jq -r '.[].username'"
    )]
    List(UserListArgs),
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
    /// List the ways in which a user signs in beside the password: passkeys, authenticator app, recovery codes.
    #[command(
        after_long_help = "Examples:\n  latchkey user sign-in-methods ada\n  latchkey user sign-in-methods ada --json"
    )]
    SignInMethods(UsernameArgs),
    /// Remove the authenticator app and the recovery codes of a user who lost them, and end all sessions and grants.
    ///
    /// The password alone suffices again. Make sure that it is the user who asks: an attacker who knows the password may.
    #[command(
        after_long_help = "Examples:\n  latchkey user remove-second-factor ada\n  latchkey user remove-second-factor ada --yes"
    )]
    RemoveSecondFactor(UserEndArgs),
    /// Remove all passkeys of a user who lost a device, and end all sessions and grants.
    #[command(
        after_long_help = "Examples:\n  latchkey user remove-passkeys ada\n  latchkey user remove-passkeys ada --yes"
    )]
    RemovePasskeys(UserEndArgs),
    /// Export all that is stored about a user, as JSON.
    #[command(after_long_help = "Examples:\n  latchkey user export ada > ada.json")]
    Export(UsernameArgs),
}

/// Arguments of `latchkey user list`.
#[derive(Debug, Args)]
pub(crate) struct UserListArgs {
    /// List only the users with this e-mail address. Several users may have it.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "external_id")]
    pub(crate) email: Option<String>,
    /// List only the users with this identifier in another directory.
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

/// Arguments of `latchkey user import`.
#[derive(Debug, Args)]
pub(crate) struct UserImportArgs {
    /// File of the export; - for standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// System that wrote the file. `lines` has one JSON object on each line: username, sub, claims, password_hash, disabled.
    #[arg(long, value_enum, default_value_t = ImportFormat::Lines)]
    pub(crate) from: ImportFormat,
    /// Name with which users sign in. `auto` is the user name of the other system, or else the e-mail address.
    #[arg(long, value_enum, default_value_t = ImportName::Auto)]
    pub(crate) username: ImportName,
    /// Read and check the file, and send nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Signer key of the Firebase project (base64_signer_key).
    #[arg(long, value_name = "BASE64")]
    pub(crate) firebase_signer_key: Option<String>,
    /// Salt separator of the Firebase project (base64_salt_separator).
    #[arg(long, value_name = "BASE64", default_value = "Bw==")]
    pub(crate) firebase_salt_separator: String,
    /// Rounds of the Firebase project.
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    pub(crate) firebase_rounds: u32,
    /// Memory cost of the Firebase project (mem_cost).
    #[arg(long, value_name = "NUMBER", default_value_t = 14)]
    pub(crate) firebase_mem_cost: u8,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}

/// A system whose users can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFormat {
    /// One user on each line, as JSON.
    Lines,
    /// Auth0: the export with password hashes, from its support.
    Auth0,
    /// Keycloak: the export of a realm.
    Keycloak,
    /// Firebase Authentication: firebase auth:export.
    Firebase,
    /// Okta: users of its API, with the hashes as in its own import.
    Okta,
}

/// A name with which imported users sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportName {
    /// The user name, or else the e-mail address.
    Auto,
    /// The e-mail address.
    Email,
    /// The identifier.
    Id,
}

impl ImportName {
    /// Returns the name of a user; empty if there is none.
    pub(crate) fn of(self, username: Option<&str>, email: Option<&str>, id: Option<&str>) -> String {
        let name = match self {
            Self::Auto => username.or(email),
            Self::Email => email,
            Self::Id => id,
        };
        name.unwrap_or_default().to_owned()
    }
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
    /// Import the hash of another system: the input is a hash, such as $argon2id$… or $2b$…, to which no rule can be applied.
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
    /// Import the hash of another system: the input is a hash, such as $argon2id$… or $2b$…, to which no rule can be applied.
    #[arg(long)]
    pub(crate) import_hash: bool,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}
