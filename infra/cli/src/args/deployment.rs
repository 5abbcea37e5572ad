//! Arguments that name a deployment, and those of `latchkey seed`.

use clap::Args;
use std::path::PathBuf;

/// The deployment to administer, and the proof that the caller may.
#[derive(Clone, Debug, Args)]
pub(crate) struct DeploymentArgs {
    /// Origin of the deployment.
    #[arg(long, env = "LATCHKEY_URL", default_value = "http://localhost:8787")]
    pub(crate) url: String,
    /// File of the private half of an admin key. By default the file of this deployment in the directory latchkey of
    /// $XDG_CONFIG_HOME (~/.config); for a local provider a key derived from its secret.
    #[arg(long, value_name = "FILE", env = "LATCHKEY_ADMIN_KEY_FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Issuer identifier of the deployment, if it is not --url. Requests are signed for it.
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// Data directory of `latchkey dev`. Its secret is used for a local URL if LATCHKEY_SECRET is not set.
    #[arg(long, value_name = "DIR", default_value = ".latchkey")]
    pub(crate) data: PathBuf,
    /// PEM file of the certificate authorities to trust in place of the public ones. SSL_CERT_FILE does the same.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  latchkey seed --demo
  latchkey seed --demo --public-passwords --url https://try.example.com")]
pub(crate) struct SeedArgs {
    /// Write the demo clients and the demo user. Their passwords are public.
    // No code reads this flag. It is required so that such accounts are never written by mistake.
    #[arg(long, required = true)]
    pub(crate) demo: bool,
    /// Write them to a deployment on another machine too. Everyone who reaches it can then sign in as the demo user.
    #[arg(long)]
    pub(crate) public_passwords: bool,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
}
