//! Arguments of `latchkey doctor`.

use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_long_help = "\
The command sends the requests of an MCP client that sees the server for the first time. It registers a client, as that client
would; --no-registration leaves this out.

Examples:
  latchkey doctor --mcp https://mcp.example.com/mcp
  latchkey doctor --mcp http://localhost:8787/demo-api --json
  latchkey doctor --mcp https://mcp.example.com/mcp --no-registration

Exit codes:
  0  A client gets through. There may be warnings.
  1  A client fails, or a check could not run.")]
pub(crate) struct DoctorArgs {
    /// URL of the MCP server, as users paste it into a client.
    #[arg(long, value_name = "URL")]
    pub(crate) mcp: String,
    /// Client ID metadata document with which the sign-in page is tried. Its redirect URI must be --redirect-uri.
    #[arg(long, value_name = "URL", default_value = "https://claude.ai/oauth/claude-code-client-metadata")]
    pub(crate) document: String,
    /// Redirect URI of the client that is tried.
    #[arg(long, value_name = "URI", default_value = "http://localhost/callback")]
    pub(crate) redirect_uri: String,
    /// Do not register a client.
    #[arg(long)]
    pub(crate) no_registration: bool,
    /// Warn of answers that take longer than this, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    pub(crate) slow: Duration,
    /// Time after which a client gives up, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// PEM file of the certificate authorities to trust in place of the public ones. SSL_CERT_FILE does the same.
    #[arg(long, value_name = "FILE", env = "SSL_CERT_FILE")]
    pub(crate) ca: Option<PathBuf>,
}

fn seconds(argument: &str) -> Result<Duration, String> {
    let seconds = argument.parse().ok().filter(|seconds| *seconds > 0.0 && *seconds <= 600.0);
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "must be a number of seconds from 0 to 600".to_owned())
}
