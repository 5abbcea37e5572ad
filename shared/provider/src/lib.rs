//! The parts that the endpoints share: configuration, clients, tokens, sessions, keys, logout notifications.

mod audit;
pub mod authorization;
pub mod authorization_response;
pub mod back_channel;
mod bearer;
pub mod browser;
mod client_request;
mod clients;
mod code_request;
mod config;
mod context;
pub mod cookies;
mod encrypt;
mod error;
mod fetch_pace;
mod function;
mod interaction_page;
pub mod interactions;
#[cfg(all(feature = "lambda", not(target_arch = "wasm32")))]
pub mod lambda;
pub mod names;
mod parameters;
pub mod password_hash;
mod password_policy;
pub mod poll_limiter;
pub mod rate_limiter;
mod registration;
mod remote_keys;
mod request_objects;
pub mod responses;
mod rotation;
pub mod sessions;
pub mod settings;
pub mod shell;
mod subject;
mod tokens;
mod trusted_proxy;
#[cfg(target_arch = "wasm32")]
pub mod worker;

pub use audit::{Actor, AuditEvent};
pub use bearer::bearer_challenge;
pub use client_request::{ClientRequest, PublicLimit};
pub use code_request::CodeRequest;
pub use config::{Config, ConfigError};
pub use context::{CACHED_FOR, Context};
pub use encrypt::encrypted;
pub use error::{HandlerError, PageError};
pub use function::{ErrorResponse, Function, Handler, Scheduled, ScheduledFunction, ScheduledRun};
pub use interaction_page::InteractionPage;
pub use parameters::RequestParameters;
pub use password_policy::PasswordPolicy;
pub use registration::{RegistrationPolicy, StatementIssuer, initial_access_token};
pub use remote_keys::{KeyError, KeyOwner, KeySource};
pub use tokens::{ActiveToken, ExchangeBinding, IdTokenBinding, IdTokenHint, PresentedIdToken, TokenIssuer};
pub use trusted_proxy::TrustedProxy;
