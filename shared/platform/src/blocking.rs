//! Work that occupies the processor for long.

/// Runs work of tens of milliseconds on another thread, so that other requests are served meanwhile. Returns `None` if the
/// work panicked.
#[cfg(not(target_arch = "wasm32"))]
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// Runs the work at once, because an isolate has one thread.
#[cfg(target_arch = "wasm32")]
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    Some(work())
}
