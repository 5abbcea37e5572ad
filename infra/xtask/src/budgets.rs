//! `cargo xtask budgets`: what an instance costs, held against what it may cost.

use crate::{demo, lambda, workers, workspace};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;

/// One measurement.
struct Row {
    what: String,
    measured: f64,
    most: f64,
    unit: &'static str,
}

/// How many cold starts are measured; the median counts.
const STARTS: usize = 21;

/// Measures everything and prints a table; fails when something costs more than it may.
pub(crate) fn run() -> Result<()> {
    lambda::build_all("release")?;
    let mut rows = binaries()?;
    rows.extend(cold_starts()?);
    rows.extend(bundles()?);
    println!("{:<44} {:>10} {:>10}", "what", "measured", "at most");
    for row in &rows {
        let over = if row.measured > row.most { "  OVER" } else { "" };
        println!("{:<44} {:>7.2} {:<2} {:>7.2} {:<2}{over}", row.what, row.measured, row.unit, row.most, row.unit);
    }
    let over = rows.iter().filter(|row| row.measured > row.most).count();
    if over == 0 { Ok(()) } else { bail!("{over} over budget") }
}

fn binaries() -> Result<Vec<Row>> {
    let functions = workspace::functions()?;
    let mut rows = Vec::new();
    for function in functions.iter().filter(|function| *function != "records") {
        let bytes = std::fs::metadata(workspace::binary(function, "release"))?.len();
        rows.push(Row {
            what: format!("Lambda binary, {function}"),
            measured: megabytes(bytes),
            most: 8.0,
            unit: "MB",
        });
    }
    Ok(rows)
}

/// The functions whose Workers have the smaller budget.
const SMALL_BUNDLES: [&str; 2] = ["metadata", "revoke"];

fn bundles() -> Result<Vec<Row>> {
    workers::build_all(workers::Build::Release)?;
    let row = |(name, bytes): (String, u64)| {
        let most = if SMALL_BUNDLES.contains(&name.as_str()) { 150.0 } else { 300.0 };
        Row { what: format!("Worker bundle, gzip, {name}"), measured: megabytes(bytes) * 1000.0, most, unit: "KB" }
    };
    Ok(workers::sizes()?.into_iter().map(row).collect())
}

/// A token for `demo-service`, on a new instance each time.
fn cold_starts() -> Result<Vec<Row>> {
    let options =
        lambda::Options { port: 0, profile: "release".to_owned(), secret: demo::secret()?, settings: BTreeMap::new() };
    let tokio = tokio::runtime::Runtime::new()?;
    let emulator = tokio.block_on(lambda::Emulator::start(&options))?;
    demo::seed(&emulator.url, &options.secret)?;
    let event = lambda::form_event(
        "/token",
        "grant_type=client_credentials&client_id=demo-service&client_secret=demo-service-secret",
    )?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(tokio.block_on(lambda::measure(&emulator, "token", Bytes::from(event.clone())))?);
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(STARTS.div_euclid(2)).copied().context("nothing was measured")
    };
    let walls = median(starts.iter().map(|start| milliseconds(start.wall)).collect())?;
    let cpus = median(starts.iter().map(|start| milliseconds(start.cpu)).collect())?;
    let residents = median(starts.iter().map(|start| megabytes(start.resident)).collect())?;
    Ok(vec![
        Row { what: "Lambda token, start to answer, clock".to_owned(), measured: walls, most: 6.0, unit: "ms" },
        Row { what: "Lambda token, start to answer, processor".to_owned(), measured: cpus, most: 4.0, unit: "ms" },
        Row { what: "Lambda token, start to answer, memory".to_owned(), measured: residents, most: 12.0, unit: "MB" },
    ])
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[allow(clippy::cast_precision_loss, reason = "sizes are far below the precision of a float")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}
