//! Arguments of `latchkey dev`.

use clap::Args;
use std::net::IpAddr;
use std::path::PathBuf;

#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
Settings are read from the environment, as in a deployment. Press Ctrl-C to stop.

Examples:
  latchkey dev
  latchkey dev --port 9000 --data /tmp/latchkey
  latchkey dev --memory --quiet
  latchkey dev --config latchkey.json
  latchkey dev --mtls
  LATCHKEY_ISSUER=https://id.example.test latchkey dev")]
pub(crate) struct DevArgs {
    /// Port to listen on; 0 takes any free port.
    #[arg(long, short, default_value_t = 8787, env = "LATCHKEY_PORT")]
    pub(crate) port: u16,
    /// Address to listen on. Unless it is a loopback address, other machines can reach the demo accounts.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// Directory of the secret and the store.
    #[arg(long, value_name = "DIR", default_value = ".latchkey")]
    pub(crate) data: PathBuf,
    /// Keep nothing: use a new store in memory, which ends with the process.
    #[arg(long, conflicts_with = "data")]
    pub(crate) memory: bool,
    /// File of configuration sections, which are applied at start, as by `latchkey config apply`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Also listen on this port with TLS, and ask clients for certificates (RFC 8705); 0 takes any free port.
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "8788")]
    pub(crate) mtls: Option<u16>,
    /// Number of threads that serve requests.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
    /// Do not log requests.
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Let the header field latchkey-test-clock move the time of a request, for tests.
    #[arg(long, hide = true)]
    pub(crate) test_clock: bool,
}
