//! The parts that differ between platforms: events, outgoing requests, clock, randomness. No OAuth.

pub mod blocking;
pub mod clock;
#[cfg(not(target_arch = "wasm32"))]
mod compression;
pub mod entropy;
mod error;
pub mod fetch;
#[cfg(all(feature = "lambda", not(target_arch = "wasm32")))]
pub mod lambda;
#[cfg(not(target_arch = "wasm32"))]
pub mod local;
#[cfg(target_arch = "wasm32")]
mod service;
#[cfg(target_arch = "wasm32")]
mod stream;
pub mod unicode;
pub mod version;
#[cfg(target_arch = "wasm32")]
pub mod worker;

pub use error::PlatformError;
pub use fetch::{FetchError, Fetched, Fetcher};
