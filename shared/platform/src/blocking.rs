//! Work that takes the processor for long.

/// Runs work of tens of milliseconds beside the loop that serves other requests, where the platform has a place for
/// it. `None` when it did not finish.
#[cfg(not(target_arch = "wasm32"))]
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// Runs the work at once: an isolate has one thread.
#[cfg(target_arch = "wasm32")]
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    Some(work())
}
