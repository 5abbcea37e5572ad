//! The rules, by specification.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "a test may fail by panicking"
)]

mod authorization_request;
mod client;
mod grant;
mod interaction;
mod parsers;
mod rate_limit;
mod registration;
mod sealed_token;
