//! A guard of an API: a Lambda authorizer of API Gateway ([`lambda`]), and a gateway in front of the API ([`gateway`]), which
//! is a Worker.

#[cfg(any(feature = "lambda", target_arch = "wasm32"))]
mod authorization_server;
pub mod gateway;
mod guard;
#[cfg(all(feature = "lambda", not(target_arch = "wasm32")))]
pub mod lambda;
#[cfg(target_arch = "wasm32")]
mod worker;

pub use guard::Guard;
