//! What each platform gives a function: HTTP types, configuration, clock, entropy, storage and keys.

mod fault;
mod request;
mod response;
pub mod routes;

pub use fault::Fault;
pub use request::Request;
pub use response::{Outcome, Response};
