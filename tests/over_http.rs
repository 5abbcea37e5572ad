//! The black-box suite, over HTTP: the same tests on the local server, the Lambda binaries and the Workers.
//!
//! `LATCHKEY_TEST_URL` names the server; `tests/README.md` lists the other variables.

#![allow(clippy::disallowed_methods, reason = "the suite runs only where the system has a clock")]
#![allow(clippy::arithmetic_side_effects, clippy::string_slice, reason = "a test fails by panicking")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "as above")]

mod conformance;
mod resilience;
