//! Races: calls at the same moment.

use crate::Clock;
use std::sync::Barrier;
use std::thread;

/// The number of callers in a race.
pub const CALLERS: usize = 32;

/// Calls from many threads at the same moment.
pub fn at_once<T: Send>(call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (barrier, clock) = (Barrier::new(CALLERS), Clock::here());
    let (call, barrier) = (&call, &barrier);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
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
