//! What each platform gives a function: HTTP types, configuration, clock, entropy, storage and keys.

mod authenticate;
pub mod authorization;
pub mod back_channel;
mod bearer;
pub mod blocking;
pub mod browser;
mod config;
mod context;
pub mod cookies;
mod encrypt;
pub mod entropy;
mod fault;
pub mod fetch;
mod form;
pub mod issue;
#[cfg(not(target_arch = "wasm32"))]
pub mod lambda;
pub mod pacing;
mod page;
mod registration;
mod remote_keys;
mod request;
mod response;
mod rotation;
pub mod routes;
pub mod settings;
pub mod shell;
#[cfg(target_arch = "wasm32")]
mod stream;
mod subject;
pub mod throttle;
mod verify;
mod visit;
#[cfg(target_arch = "wasm32")]
pub mod worker;

pub use bearer::bearer_challenge;
pub use config::{Config, ConfigError};
pub use context::{CACHED_FOR, Context};
pub use encrypt::encrypted;
pub use fault::Fault;
pub use fetch::{FetchError, Fetched, Fetcher};
pub use form::Refusal;
pub use registration::{RegistrationPolicy, StatementIssuer, initial_access_token};
pub use remote_keys::{KeyError, KeySource};
pub use request::Request;
pub use response::{Outcome, Response};
pub use shell::{Handler, Scheduled};
pub use verify::{Backing, IdTokenHint, ProvedIdToken};
pub use visit::Visit;
