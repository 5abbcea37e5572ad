//! Repositories: typed values in records. Each module owns the keys, the encoding and the writes of one kind of record.

pub mod account;
pub mod admin_keys;
pub mod clients;
pub mod configuration;
pub mod consents;
pub mod counters;
pub mod decisions;
mod deployment_list;
pub mod devices;
pub mod directory;
pub mod grant_checks;
pub mod grants;
pub mod logos;
pub mod markers;
pub mod notices;
pub mod passkeys;
pub mod pushed;
pub mod registrations;
pub mod sessions;
pub mod sign_out;
pub mod signing_keys;
pub(crate) mod stored;
mod tombstone;
mod update;
mod user_index;
pub mod users;
pub mod waiting;
