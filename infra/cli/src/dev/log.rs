//! Log lines, written by a thread of their own: a slow terminal must not slow the server down.

use serde_json::Value;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time in which lines are gathered before they are written together.
const GATHER: Duration = Duration::from_millis(25);
/// Maximum length of the lines that wait to be written, in bytes. Further lines are dropped and counted.
const LIMIT: usize = 1 << 20;

#[derive(Default)]
struct Pending {
    lines: String,
    dropped: u64,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    pending: Mutex<Pending>,
    arrived: Condvar,
}

/// Writes log lines to standard error: short text if that is a terminal, otherwise the JSON lines.
pub(crate) struct Log {
    shared: Arc<Shared>,
    writer: JoinHandle<()>,
}

impl Log {
    /// Starts the thread.
    pub(crate) fn start() -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let of_thread = Arc::clone(&shared);
        let writer = std::thread::Builder::new().name("log".to_owned()).spawn(move || write(&of_thread))?;
        Ok(Self { shared, writer })
    }

    /// Returns the function that takes a line.
    pub(crate) fn sink(&self) -> Box<dyn Fn(&str) + Send + Sync> {
        let shared = Arc::clone(&self.shared);
        Box::new(move |line| shared.push(line))
    }

    /// Writes the remaining lines and ends the thread.
    pub(crate) fn close(self) {
        self.shared.lock().closed = true;
        self.shared.arrived.notify_all();
        let _ = self.writer.join();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: &str) {
        let mut pending = self.lock();
        if pending.lines.len() > LIMIT {
            pending.dropped = pending.dropped.saturating_add(1);
            return;
        }
        let is_first = pending.lines.is_empty();
        pending.lines.push_str(line);
        pending.lines.push('\n');
        drop(pending);
        if is_first {
            self.arrived.notify_one();
        }
    }
}

fn write(shared: &Shared) {
    let is_terminal = std::io::stderr().is_terminal();
    loop {
        let mut pending = shared.lock();
        while pending.lines.is_empty() && !pending.closed {
            pending = shared.arrived.wait(pending).unwrap_or_else(PoisonError::into_inner);
        }
        let closed = pending.closed;
        if !closed {
            drop(pending);
            std::thread::sleep(GATHER);
            pending = shared.lock();
        }
        let lines = std::mem::take(&mut pending.lines);
        let dropped = std::mem::take(&mut pending.dropped);
        drop(pending);
        let mut text = if is_terminal { lines.lines().map(short).collect() } else { lines };
        if dropped > 0 {
            text.push_str(&format!("({dropped} lines dropped)\n"));
        }
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
        if closed {
            return;
        }
    }
}

/// Returns a log line as short text: `POST token 200 demo-web`, and the error.
fn short(line: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(line) else { return format!("{line}\n") };
    let text = |name: &str| match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    if let Some(version) = value.pointer("/started/version").and_then(Value::as_str) {
        return format!("     {:9} {version} started\n", text("function"));
    }
    let mut words = format!("{:4} {:9} {} {}", text("method"), text("function"), text("status"), text("client"));
    for name in ["error", "reason"] {
        let text = text(name);
        if !text.is_empty() {
            words.push_str(if name == "error" { "  " } else { ": " });
            words.push_str(&text);
        }
    }
    format!("{}\n", words.trim_end())
}

#[cfg(test)]
mod tests {
    #[test]
    fn lines_are_shortened() {
        let line =
            r#"{"method":"POST","function":"token","status":400,"client":"c","error":"invalid_grant","reason":"used"}"#;
        assert_eq!(super::short(line), "POST token     400 c  invalid_grant: used\n");
        let started = r#"{"function":"dev","started":{"name":"latchkey","version":"1.2.3","commit":null}}"#;
        assert_eq!(super::short(started), "     dev       1.2.3 started\n");
        assert_eq!(super::short("plain"), "plain\n");
    }
}
