//! The Workers: their sizes, and the cost of a warm token request in workerd.

use super::row::{Budget, Row, median, microseconds};
use super::signature;
use crate::load::{self, Script};
use crate::workers::{Options, Workers};
use crate::workspace::{self, Build};
use crate::{demo, processor, workers};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::time::Duration;

/// The budget of the upload of each Worker, in kilobytes after gzip: `infra/decisions/worker-bundle-weight.md`.
const MAX_BUNDLE: f64 = 480.0;

/// Returns the size of the upload of each Worker.
pub(super) fn sizes() -> Result<Vec<Row>> {
    workers::build_all(Build::Release)?;
    let row = |(name, bytes): (String, u64)| {
        let kilobytes = bytes as f64 / 1e3;
        Row::new(format!("Worker bundle, gzip, {name}"), kilobytes, "KB", Budget::AtMost(MAX_BUNDLE))
    };
    Ok(workers::sizes()?.into_iter().map(row).collect())
}

/// Measures the processor time of workerd for a token for `demo-service`, less that for a request that no Worker serves.
/// The difference leaves out the emulator's router, which Cloudflare does not count.
pub(super) fn token() -> Result<Vec<Row>> {
    workspace::build(Build::Release)?;
    workers::build_all(Build::Release)?;
    let options = Options { secret: demo::secret()?, ..Options::default() };
    let server = Workers::start(&options)?;
    demo::seed(&server.url, &options.secret, Build::Release)?;
    let port: u16 = server.url.rsplit(':').next().context("a URL without a port")?.parse()?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let workerd = processor::below(server.process(), "workerd")?;
    let cost = |request: Vec<u8>, status: u16| {
        let costs =
            load::cost_of_a_request(address, vec![Script::Same(request)], status, 5, Duration::from_secs(1), || {
                processor::time(workerd)
            })?;
        median(costs.into_iter().map(microseconds).collect())
    };
    let form = "grant_type=client_credentials&client_id=demo-service&client_secret=demo-service-secret-7Kq2Xv9Tb4";
    let token = cost(load::post("/token", form), 200)?;
    let way_in = cost(load::get("/nowhere"), 404)?;
    let signature = signature::es256()?;
    Ok(vec![
        Row::new(
            "Worker token, warm: CPU of a request beyond its signature",
            (token - way_in - signature) / 1e3,
            "ms",
            Budget::AtMost(1.0),
        ),
        Row::new("the same, with the emulator's way in", token / 1e3, "ms", Budget::None),
    ])
}
