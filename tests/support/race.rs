//! Races: calls at the same moment.

use crate::Clock;
use std::sync::Barrier;
use std::thread;

/// The number of callers in a race.
pub const CALLERS: usize = 32;

/// Calls from [`CALLERS`] threads at the same moment.
pub fn at_once<T: Send>(call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    race(CALLERS, call)
}

/// Calls from this number of threads at the same moment. Returns the results in the order of the callers.
pub fn race<T: Send>(callers: usize, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (barrier, clock) = (Barrier::new(callers), Clock::here());
    let (call, barrier) = (&call, &barrier);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..callers)
            .map(|index| {
                scope.spawn(move || {
                    clock.set();
                    barrier.wait();
                    call(index)
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().expect("an answer")).collect()
    })
}
