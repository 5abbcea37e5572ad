//! Work that occupies the processor for long.

/// The works that run at the same time: one for each processor. Each password hash takes 19 MiB, so that a burst without a
/// limit would take gigabytes.
#[cfg(not(target_arch = "wasm32"))]
static PLACES: std::sync::LazyLock<tokio::sync::Semaphore> = std::sync::LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    tokio::sync::Semaphore::new(processors)
});

/// Runs work of tens of milliseconds on another thread, so that other requests are served meanwhile. Works beyond one for
/// each processor wait in a queue. Returns `None` if the work panicked.
#[cfg(not(target_arch = "wasm32"))]
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let place = PLACES.acquire().await.ok()?;
    // The work keeps its place even if the caller goes away.
    let work = move || {
        let result = work();
        drop(place);
        result
    };
    tokio::task::spawn_blocking(work).await.ok()
}

/// Runs the work at once, because an isolate has one thread.
#[cfg(target_arch = "wasm32")]
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    Some(work())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[tokio::test]
    async fn no_more_works_run_at_the_same_time_than_there_are_processors() {
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let works = (0..32).map(|index| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            run(move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst).saturating_add(1), Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(5));
                running.fetch_sub(1, Ordering::SeqCst);
                assert!(index != 7, "one work panics");
            })
        });
        let results = futures::future::join_all(works).await;
        assert_eq!(results.iter().filter(|result| result.is_none()).count(), 1);
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        assert!(most.load(Ordering::SeqCst) <= processors, "{most:?}");
    }
}
