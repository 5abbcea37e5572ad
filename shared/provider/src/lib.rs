//! The parts that the endpoints share: configuration, clients, tokens, sessions, keys, logout notifications.

pub mod administration;
mod approval;
mod audit;
pub mod authorization;
pub mod authorization_response;
pub mod back_channel;
mod bearer;
pub mod browser;
mod client_request;
mod clients;
mod clock_check;
mod code_request;
mod config;
mod configuration;
mod context;
pub mod cookies;
mod encrypt;
mod error;
mod fetch_pace;
mod function;
mod grantable;
mod imported_hash;
mod interaction_page;
pub mod interactions;
#[cfg(all(feature = "lambda", not(target_arch = "wasm32")))]
pub mod lambda;
pub mod mail;
pub mod names;
mod new_password;
mod parameters;
pub mod password_hash;
mod password_policy;
pub mod poll_limiter;
mod presented_assertion;
pub mod rate_limiter;
mod registration;
mod remote_keys;
mod request_objects;
pub mod responses;
mod rotation;
pub mod second_factor;
mod sender;
pub mod sessions;
pub mod settings;
pub mod shell;
mod signed_metadata;
mod subject;
mod tokens;
mod trusted_proxy;
pub mod user_data;
#[cfg(target_arch = "wasm32")]
pub mod worker;

pub use approval::Approval;
pub use audit::{Actor, AuditEvent};
pub use bearer::{bearer_challenge, dpop_challenge};
pub use client_request::{ClientRequest, PublicLimit};
pub use code_request::CodeRequest;
pub use config::{Config, ConfigError};
pub use configuration::{Configuration, Issuers, ListCheck, Sections, conflicts, list_problems};
pub use context::{CACHED_FOR, Context};
pub use encrypt::encrypted;
pub use error::{HandlerError, PageError};
pub use function::{
    ErrorResponse, Function, Handler, OnWritten, RefusalPage, Scheduled, ScheduledFunction, ScheduledRun,
};
pub use interaction_page::{InteractionPage, refused_claims};
#[cfg(target_arch = "wasm32")]
pub use new_password::bind_passwords;
pub use new_password::{NewPassword, PasswordVerdict};
pub use parameters::RequestParameters;
pub use password_policy::PasswordPolicy;
pub use presented_assertion::{PresentedAssertion, refused_assertion};
pub use registration::{RegistrationPolicy, StatementIssuer, initial_access_token};
pub use remote_keys::{KeyError, KeyOwner, KeySource};
pub use sender::{NonceRole, ProofReplay, Sender, SentProof, TokenScheme, proven_keys};
pub use tokens::{ActiveToken, ExchangeBinding, IdTokenBinding, IdTokenHint, PresentedIdToken, TokenIssuer};
pub use trusted_proxy::TrustedProxy;
