//! Storage: the five verbs ([`Records`]) and the typed repositories over them.

pub mod contract;
pub mod faults;
mod key;
pub mod memory;
mod records;
pub mod settle;
mod verb;

pub use key::{Key, Kind, Owner, Partition};
pub use records::{Advance, Created, Cursor, Page, Record, Records, Unavailable};
pub use verb::Verb;
