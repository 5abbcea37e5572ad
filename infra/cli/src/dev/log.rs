//! Log lines, written behind the requests' back: a slow terminal must not slow the server down.

use serde_json::Value;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long lines are gathered before they are written together.
const GATHER: Duration = Duration::from_millis(25);
/// How much waits to be written at most; what comes on top is left out, and counted.
const LIMIT: usize = 1 << 20;

#[derive(Default)]
struct Pending {
    lines: String,
    left_out: u64,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    pending: Mutex<Pending>,
    arrived: Condvar,
}

/// Where log lines go: standard error. In words when that is a terminal, else as they are, JSON.
pub(crate) struct Log {
    shared: Arc<Shared>,
    writer: JoinHandle<()>,
}

impl Log {
    pub(crate) fn start() -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        let writer = std::thread::Builder::new().name("log".to_owned()).spawn(move || write(&theirs))?;
        Ok(Self { shared, writer })
    }

    /// What takes one line.
    pub(crate) fn sink(&self) -> Box<dyn Fn(&str) + Send + Sync> {
        let shared = Arc::clone(&self.shared);
        Box::new(move |line| shared.push(line))
    }

    /// Writes what is left.
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
            pending.left_out = pending.left_out.saturating_add(1);
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
        let left_out = std::mem::take(&mut pending.left_out);
        drop(pending);
        let mut text = if is_terminal { lines.lines().map(in_words).collect() } else { lines };
        if left_out > 0 {
            text.push_str(&format!("({left_out} lines left out)\n"));
        }
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
        if closed {
            return;
        }
    }
}

/// A line of the shell, for a person: `POST token 200 demo-web`, and what went wrong.
fn in_words(line: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(line) else { return format!("{line}\n") };
    let text = |name: &str| match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
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
    fn lines_are_put_in_words() {
        let line =
            r#"{"method":"POST","function":"token","status":400,"client":"c","error":"invalid_grant","reason":"used"}"#;
        assert_eq!(super::in_words(line), "POST token     400 c  invalid_grant: used\n");
        assert_eq!(super::in_words("plain"), "plain\n");
    }
}
