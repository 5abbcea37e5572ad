//! AWS Lambda on this machine: the real binaries of functions, one process for each concurrent event.
//!
//! - [`Emulator`] serves an API Gateway HTTP API: it turns requests into events of payload format 2.0, and it asks a Lambda
//!   authorizer first where a route names one.
//! - [`Function`] starts the processes of a function and hands events to them through the Lambda Runtime API.
//! - [`Table`] stands before a DynamoDB emulation: it refuses the calls that the policy of a function does not allow, and it
//!   injects faults.
//!
//! The README shows how to put them together.
#![allow(clippy::disallowed_methods, reason = "runs on a developer's machine, whose clock it may read")]
#![allow(clippy::indexing_slicing, reason = "JSON answers null for a missing member")]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail"))]

mod emulator;
mod faults;
mod function;
mod gateway;
mod runtime_api;
mod table;

pub use emulator::{Emulator, Listener, Route};
pub use faults::{Fault, Plan};
pub use function::{Definition, Function, Instance};
pub use gateway::form_event;
pub use table::{Permission, Table};

/// Returns a random id: 32 hexadecimal digits.
fn random_id() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Compiles the sample of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
