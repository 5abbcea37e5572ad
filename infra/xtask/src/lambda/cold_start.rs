//! What an instance of a function costs: until its first answer, and for each answer after that.

use super::function::{Function, Instance};
use crate::processor;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
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
pub(crate) async fn cold_start(function: &Function, event: &Bytes) -> Result<ColdStart> {
    let start = Instant::now();
    let mut instance = function.start().await?;
    answered(function, &mut instance, event).await?;
    let wall = start.elapsed();
    let process = instance.process().context("the function has ended")?;
    Ok(ColdStart { wall, cpu: processor::time(process)?, resident: processor::resident(process)? })
}

/// The processor time of each of `count` answers of an instance that is warm.
pub(crate) async fn warm(function: &Function, event: &Bytes, count: u32) -> Result<Duration> {
    let mut instance = function.start().await?;
    for _ in 0..count {
        answered(function, &mut instance, event).await?;
    }
    let process = instance.process().context("the function has ended")?;
    let before = processor::time(process)?;
    for _ in 0..count {
        answered(function, &mut instance, event).await?;
    }
    let spent = processor::time(process)?.saturating_sub(before);
    spent.checked_div(count).context("no answers to measure")
}

async fn answered(function: &Function, instance: &mut Instance, event: &Bytes) -> Result<()> {
    match function.run_in(instance, event.clone()).await? {
        Ok(answer) if answer.windows(16).any(|part| part == br#""statusCode":200"#) => Ok(()),
        Ok(answer) => bail!("the function answered {}", String::from_utf8_lossy(&answer)),
        Err(said) => bail!("the function failed: {said}"),
    }
}
