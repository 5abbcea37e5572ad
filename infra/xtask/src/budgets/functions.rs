//! The Lambda functions: their sizes, and the cost of the token function, cold and warm.

use super::peers;
use super::row::{Budget, Row, median, megabytes, microseconds, milliseconds};
use super::signature;
use crate::lambda::{self, ColdStart, Deployment, Function};
use crate::template::Template;
use crate::workspace::{self, Build};
use crate::{demo, process};
use anyhow::Result;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

/// The number of cold starts that are measured. The median counts.
const STARTS: usize = 21;
/// The number of warm answers in one measurement, and the number of measurements.
const ANSWERS: u32 = 500;
const ROUNDS: usize = 5;

/// Returns the size of each binary, built as for a deployment.
pub(super) fn sizes() -> Result<Vec<Row>> {
    let template = Template::read(&workspace::root().join("template.yaml"))?;
    process::run(Command::new("infra/aws/build.sh").arg("all").current_dir(workspace::root()))?;
    let mut rows = Vec::new();
    for function in template.functions {
        let binary = workspace::root().join("target/lambda").join(&function.name).join("bootstrap");
        let bytes = std::fs::metadata(binary)?.len();
        let most = if function.permissions.is_empty() { 5.0 } else { 8.0 };
        rows.push(Row::new(format!("Lambda binary, {}", function.name), megabytes(bytes), "MB", Budget::AtMost(most)));
    }
    Ok(rows)
}

/// Measures a token for `demo-service`: from a new instance each time, then from a warm one. A Node function that does the
/// same work is measured beside it.
pub(super) fn token() -> Result<Vec<Row>> {
    // The first three write the demo data.
    lambda::build(&["admin", "admin-users", "configuration", "token"], Build::Release)?;
    let peer = peers::token_function()?;
    let options =
        lambda::Options { port: 0, build: Build::Release, secret: demo::secret()?, settings: BTreeMap::new() };
    let tokio = tokio::runtime::Runtime::new()?;
    let deployment = tokio.block_on(Deployment::start(&options))?;
    demo::seed(deployment.url(), &options.secret, options.build)?;
    let event = Bytes::from(lambda::form_event(
        "/token",
        "grant_type=client_credentials&client_id=demo-service&client_secret=demo-service-secret-7Kq2Xv9Tb4",
    )?);

    let ours = deployment.function("token")?;
    let theirs = Arc::new(ours.with_binary(peer)?);
    let (our_start, their_start) = tokio.block_on(cold(&ours, &theirs, &event))?;
    let signature = signature::es256()?;
    let our_warm = tokio.block_on(warm(&ours, &event))?;
    let their_warm = tokio.block_on(warm(&theirs, &event))?;

    let start = "Lambda token, start to first answer";
    let warm = "Lambda token, warm";
    let than = "the Node function, times ours";
    Ok(vec![
        Row::new(format!("{start}: clock"), our_start.wall, "ms", Budget::AtMost(6.0)),
        Row::new(format!("{start}: CPU"), our_start.cpu, "ms", Budget::AtMost(4.0)),
        Row::new(format!("{start}: memory"), our_start.resident, "MB", Budget::AtMost(12.0)),
        Row::new(format!("{start}: clock, {than}"), their_start.wall / our_start.wall, "", Budget::None),
        Row::new(format!("{start}: CPU, {than}"), their_start.cpu / our_start.cpu, "", Budget::None),
        Row::new(format!("{start}: memory, {than}"), their_start.resident / our_start.resident, "", Budget::None),
        Row::new(
            format!("{warm}: CPU of a request beyond its signature"),
            (our_warm - signature) / 1e3,
            "ms",
            Budget::AtMost(0.2),
        ),
        Row::new(format!("{warm}: CPU of a request, {than}"), their_warm / our_warm, "", Budget::None),
    ])
}

/// The medians of cold starts: milliseconds, milliseconds, megabytes.
struct Start {
    wall: f64,
    cpu: f64,
    resident: f64,
}

impl Start {
    fn of(starts: &[ColdStart]) -> Result<Self> {
        Ok(Self {
            wall: median(starts.iter().map(|start| milliseconds(start.wall)).collect())?,
            cpu: median(starts.iter().map(|start| milliseconds(start.cpu)).collect())?,
            resident: median(starts.iter().map(|start| megabytes(start.resident)).collect())?,
        })
    }
}

/// Starts both in turns, so that other work on the machine disturbs both alike.
async fn cold(ours: &Function, theirs: &Function, event: &Bytes) -> Result<(Start, Start)> {
    let (mut our_starts, mut their_starts) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        our_starts.push(lambda::cold_start(ours, event).await?);
        their_starts.push(lambda::cold_start(theirs, event).await?);
    }
    Ok((Start::of(&our_starts)?, Start::of(&their_starts)?))
}

/// Returns the microseconds of one warm answer.
async fn warm(function: &Function, event: &Bytes) -> Result<f64> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(microseconds(lambda::warm(function, event, ANSWERS).await?));
    }
    median(rounds)
}
