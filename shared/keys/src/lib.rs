//! The deployment secret, the keys that are derived from it, and the signing keys: stored encrypted, rotated,
//! published.

mod key_set;
mod keyring;
mod rotation;
mod secret;

pub use key_set::{KeySet, PublishedKey, PublishedKeys};
pub use keyring::Keyring;
pub use rotation::{Addition, Occasion, Plan, Policy, Retirement};
pub use secret::{InvalidSecret, Purpose, Secret, Secrets};
