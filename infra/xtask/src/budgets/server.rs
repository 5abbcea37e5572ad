//! The local server under load, and node-oidc-provider under the same load.

use super::peers::Provider;
use super::row::{Budget, Row, median, microseconds};
use super::{peers, signature};
use crate::load::{self, Script};
use crate::workspace::{self, Build};
use crate::{demo, process, processor};
use anyhow::Result;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The client of the refreshes, on both servers. Its tokens have no `openid` scope: both servers sign ID tokens by RS256,
/// and the cost of that signature would hide the difference.
pub(super) const REFRESHER: &str = "refresher";
/// The number of concurrent connections.
const CONNECTIONS: usize = 32;
/// The number of samples of a cost, and the duration of each.
const SAMPLES: usize = 5;
const STRETCH: Duration = Duration::from_secs(1);

const CLIENT_CREDENTIALS: &str =
    "grant_type=client_credentials&client_id=demo-service&client_secret=demo-service-secret-7Kq2Xv9Tb4&scope=read";

pub(super) fn measure() -> Result<Vec<Row>> {
    workspace::build(Build::Release)?;
    peers::install()?;
    let signature = signature::es256()?;
    let ours = Costs::of(&local()?)?;
    let signature = f64::midpoint(signature, signature::es256()?);
    let theirs = Costs::of(&peers::provider()?)?;
    let times = "requests per CPU second, times node-oidc-provider's";
    Ok(vec![
        Row::new("one ES256 signature, by openssl speed", signature, "µs", Budget::None),
        Row::new(
            format!("local server, client credentials, {CONNECTIONS} connections: CPU of a request, in signatures"),
            ours.many / signature,
            "",
            Budget::AtMost(2.0),
        ),
        Row::new(
            format!("local server, client credentials, {CONNECTIONS} connections: CPU of a request"),
            ours.many,
            "µs",
            Budget::None,
        ),
        Row::new("the same, 1 connection", ours.one, "µs", Budget::None),
        Row::new("the same, 1 connection, for a path that is not found", ours.nothing, "µs", Budget::None),
        Row::new(format!("client credentials: {times}"), theirs.many / ours.many, "", Budget::AtLeast(4.0)),
        Row::new(format!("refresh: {times}"), theirs.refresh / ours.refresh, "", Budget::AtLeast(6.0)),
    ])
}

/// The processor time of one request, in microseconds.
struct Costs {
    /// Client credentials, on many connections.
    many: f64,
    /// Client credentials, on one connection: the kernel puts the process to sleep and wakes it for each request.
    one: f64,
    /// A path that is not found, on one connection: the least cost of a request.
    nothing: f64,
    /// A refresh, on many connections.
    refresh: f64,
}

impl Costs {
    fn of(provider: &Provider) -> Result<Self> {
        let process = provider.process();
        let cost = |scripts: Vec<Script>, status: u16| {
            let cost = || processor::time(process);
            let costs = load::cost_of_a_request(provider.address, scripts, status, SAMPLES, STRETCH, cost)?;
            median(costs.into_iter().map(microseconds).collect())
        };
        let credentials = |count: usize| {
            let request = load::post("/token", CLIENT_CREDENTIALS);
            cost(std::iter::repeat_with(|| Script::Same(request.clone())).take(count).collect(), 200)
        };
        let form = format!("grant_type=refresh_token&client_id={REFRESHER}");
        let refreshes = provider
            .refresh_tokens
            .iter()
            .map(|token| Script::Refresh { form: form.clone(), token: token.clone() })
            .collect();
        Ok(Self {
            many: credentials(CONNECTIONS)?,
            one: credentials(1)?,
            nothing: cost(vec![Script::Same(load::get("/nowhere"))], 404)?,
            refresh: cost(refreshes, 200)?,
        })
    }
}

/// Starts `latchkey dev --memory`, with its log in a file and a grant for each connection.
fn local() -> Result<Provider> {
    let port = process::free_port()?;
    let url = format!("http://localhost:{port}");
    let secret = demo::secret()?;
    let latchkey = workspace::binary("latchkey", Build::Release);
    let log = std::fs::File::create(workspace::scratch("budgets")?.join("server.log"))?;
    let mut dev = Command::new(&latchkey);
    dev.args(["dev", "--memory", "--port", &port.to_string()]).env("LATCHKEY_SECRET", &secret);
    let server = process::Server::start(dev.stdout(Stdio::null()).stderr(log), port)?;
    let redirect_uri = "https://budgets.example/callback";
    let mut client = Command::new(&latchkey);
    client.args(["client", "add", redirect_uri, "--id", REFRESHER, "--scope", "profile offline_access"]);
    client.args(["--set", "skip_consent=true", "--url", &url]).env("LATCHKEY_SECRET", &secret);
    process::run(&mut client)?;
    let refresh_tokens = peers::sign_in(&url, redirect_uri, CONNECTIONS)?;
    Ok(Provider { server, address: SocketAddr::from(([127, 0, 0, 1], port)), refresh_tokens })
}
