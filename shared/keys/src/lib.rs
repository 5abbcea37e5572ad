//! The deployment secret, the keys that are derived from it, and the signing keys: stored encrypted, rotated,
//! published.

#[cfg(not(target_arch = "wasm32"))]
mod admin_key;
mod credential;
mod derived;
mod key_set;
mod keyring;
mod rotation;
mod secret;
mod secrets;

#[cfg(not(target_arch = "wasm32"))]
pub use admin_key::AdminPrivateKey;
pub use credential::credential;
pub use derived::{DerivedKeys, InvalidKeys};
pub use key_set::{KeySet, PublishedKey, PublishedKeys};
pub use keyring::Keyring;
pub use manifest::Purpose;
pub use rotation::{Addition, Occasion, Plan, Policy, Retirement};
pub use secret::{InvalidSecret, Secret};
pub use secrets::Secrets;
