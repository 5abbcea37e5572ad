//! Processor time and memory of a process, as the kernel counts them.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Returns the processor time of the running threads of a process. Threads that have ended are left out: measure the
/// difference between two moments, and only of processes that keep their threads.
pub(crate) fn time(process: u32) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for thread in std::fs::read_dir(directory(process).join("task"))? {
        // The first number of `schedstat`, in nanoseconds; /proc/PID/stat counts in hundredths of a second.
        let statistics = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        let nanoseconds = statistics.split_whitespace().next().context("schedstat is empty")?.parse()?;
        total = total.saturating_add(Duration::from_nanos(nanoseconds));
    }
    Ok(total)
}

/// Returns the largest resident memory, in bytes.
pub(crate) fn resident(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(directory(process).join("status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kilobytes.saturating_mul(1024))
}

/// Returns the process of this program among the descendants of a process.
pub(crate) fn below(ancestor: u32, program: &str) -> Result<u32> {
    let mut parents = BTreeMap::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // `PID (program) state parent …`. A process may have ended meanwhile.
        let Ok(statistics) = std::fs::read_to_string(directory(process).join("stat")) else { continue };
        let Some((name, rest)) = statistics.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')) else {
            continue;
        };
        let parent = rest.split_whitespace().nth(1).and_then(|parent| parent.parse::<u32>().ok());
        parents.insert(process, (parent.unwrap_or_default(), name.to_owned()));
    }
    let parent = |process: u32| parents.get(&process).map(|(parent, _)| *parent);
    let descends =
        |process: u32| std::iter::successors(Some(process), |process| parent(*process)).any(|it| it == ancestor);
    let found = parents.iter().find(|(process, (_, name))| name == program && descends(**process));
    found.map(|(process, _)| *process).with_context(|| format!("no {program} runs below process {ancestor}"))
}

fn directory(process: u32) -> PathBuf {
    Path::new("/proc").join(process.to_string())
}
