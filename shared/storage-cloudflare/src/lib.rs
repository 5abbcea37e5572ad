//! Records over Durable Objects, with Workers KV as a read cache of what may be a minute old.
//!
//! A record lives in one of a fixed number of SQLite-backed objects ([`Shards`]); the partition in its key says which.
//! Functions and objects speak [`Command`] and [`Answer`].

mod cache;
mod command;
mod shards;

#[cfg(target_arch = "wasm32")]
mod durable;
#[cfg(target_arch = "wasm32")]
mod kv;

pub use cache::{Cache, CachedRecords, FRESH};
pub use command::{Answer, Command};
pub use shards::{InvalidShards, LocationHint, Shards};

#[cfg(target_arch = "wasm32")]
pub use durable::DurableRecords;
#[cfg(target_arch = "wasm32")]
pub use kv::KvCache;
