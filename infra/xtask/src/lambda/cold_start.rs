//! How long a new instance takes to its first answer, and what that costs.

use super::Emulator;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use std::path::Path;
use std::time::{Duration, Instant};

/// One cold start: from starting the process to its first answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ColdStart {
    /// Time on the clock.
    pub(crate) wall: Duration,
    /// Time of the processor, over all threads.
    pub(crate) cpu: Duration,
    /// The most memory that was resident, in bytes.
    pub(crate) resident: u64,
}

/// Starts an instance of a function, sends it one event, and ends it.
pub(crate) async fn measure(emulator: &Emulator, function: &str, event: Bytes) -> Result<ColdStart> {
    let function = emulator.functions.get(function).with_context(|| format!("there is no function {function}"))?;
    let start = Instant::now();
    let mut instance = function.start().await?;
    let answer = function.run_in(&mut instance, event).await?;
    let wall = start.elapsed();
    if let Err(said) = answer {
        bail!("the function failed: {said}");
    }
    let process = instance.process().context("the function has ended")?;
    let directory = Path::new("/proc").join(process.to_string());
    Ok(ColdStart { wall, cpu: cpu(&directory)?, resident: resident(&directory)? })
}

/// The time of all threads: the first number of each `schedstat`, in nanoseconds.
fn cpu(process: &Path) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for thread in std::fs::read_dir(process.join("task"))? {
        let statistics = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        let nanoseconds = statistics.split_whitespace().next().context("schedstat is empty")?.parse()?;
        total = total.saturating_add(Duration::from_nanos(nanoseconds));
    }
    Ok(total)
}

fn resident(process: &Path) -> Result<u64> {
    let status = std::fs::read_to_string(process.join("status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kilobytes.saturating_mul(1024))
}
