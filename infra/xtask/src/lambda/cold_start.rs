//! The cost of an instance of a function: until its first answer, and for each further answer.

use crate::processor;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use lambda_emulator::{Function, Instance};
use std::time::{Duration, Instant};

/// One cold start: from the start of the process to its first answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ColdStart {
    /// Elapsed time.
    pub(crate) wall: Duration,
    /// Processor time of all threads.
    pub(crate) cpu: Duration,
    /// The largest resident memory, in bytes.
    pub(crate) resident: u64,
}

/// Starts an instance of a function, sends it one event, and ends it.
pub(crate) async fn cold_start(function: &Function, event: &Bytes) -> Result<ColdStart> {
    let start = Instant::now();
    let mut instance = function.start().await?;
    expect_ok(function, &mut instance, event).await?;
    let wall = start.elapsed();
    let process = instance.process().context("the function has ended")?;
    Ok(ColdStart { wall, cpu: processor::time(process)?, resident: processor::resident(process)? })
}

/// Returns the processor time of one answer of a warm instance: the mean of `count` answers.
pub(crate) async fn warm(function: &Function, event: &Bytes, count: u32) -> Result<Duration> {
    let mut instance = function.start().await?;
    for _ in 0..count {
        expect_ok(function, &mut instance, event).await?;
    }
    let process = instance.process().context("the function has ended")?;
    let before = processor::time(process)?;
    for _ in 0..count {
        expect_ok(function, &mut instance, event).await?;
    }
    let spent = processor::time(process)?.saturating_sub(before);
    spent.checked_div(count).context("no answers to measure")
}

async fn expect_ok(function: &Function, instance: &mut Instance, event: &Bytes) -> Result<()> {
    match function.run_in(instance, event.clone()).await? {
        Ok(answer) if answer.windows(16).any(|part| part == br#""statusCode":200"#) => Ok(()),
        Ok(answer) => bail!("the function answered {}", String::from_utf8_lossy(&answer)),
        Err(reported) => bail!("the function failed: {reported}"),
    }
}
