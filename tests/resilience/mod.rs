//! Behavior under races and hostile input, over HTTP. `faults/` and `crash.rs` are test binaries of their own.

mod bursts;
mod exactly_once;
mod hostile;
mod limits;
