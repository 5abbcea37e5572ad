//! Records in Durable Objects, with Workers KV as a read cache of clients.
//!
//! A fixed number of objects with SQLite hold the records ([`Shards`]); the partition in the key decides which one.
//! Functions send [`Command`] and objects return [`Answer`].

mod cache;
mod caller;
mod command;
mod maintenance;
mod reshard;
mod restore;
mod shards;

#[cfg(target_arch = "wasm32")]
mod durable;
#[cfg(target_arch = "wasm32")]
mod kv;

pub use cache::{Cache, CachedRecords, FRESH};
pub use caller::{Caller, Refusal};
pub use command::{Answer, Call, Command, DEPLOYMENT, Layout, TIME_FIELD};
pub use maintenance::{Operator, Step, StepAnswer};
pub use reshard::{Change, Counter, Load, Phase, Place, Reshard, StoredLayout};
pub use restore::Restore;
pub use shards::{InvalidShards, LocationHint, Shards};

#[cfg(target_arch = "wasm32")]
pub use durable::DurableRecords;
#[cfg(target_arch = "wasm32")]
pub use kv::KvCache;
