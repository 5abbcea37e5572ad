//! Guards an API. As a Lambda authorizer ([`lambda`]) it tells API Gateway whom to let in; as a Worker ([`gateway`]) it
//! stands before the API and passes on what it lets in.

pub mod gateway;
mod guard;
#[cfg(all(feature = "lambda", not(target_arch = "wasm32")))]
pub mod lambda;
#[cfg(target_arch = "wasm32")]
mod worker;

pub use guard::Guard;
