//! Storage: the five verbs ([`Records`]) and the typed repositories over them.

pub mod attempts;
pub mod clients;
pub mod consents;
pub mod contract;
pub mod devices;
pub mod directory;
pub mod faults;
pub mod grants;
mod key;
pub mod logouts;
pub mod markers;
pub mod memory;
pub mod pushed;
mod records;
pub mod registrations;
pub mod sessions;
pub mod settle;
pub mod sign_out;
pub mod signing_keys;
mod stored;
pub mod users;
mod verb;

pub use key::{Key, Kind, Owner, Partition};
pub use records::{Advance, Created, Cursor, Page, Record, Records, Unavailable};
pub use verb::Verb;
