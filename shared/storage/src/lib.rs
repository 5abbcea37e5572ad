//! Storage: the five verbs ([`Records`]) and the typed repositories over them.

mod key;
mod records;

pub use key::{Key, Kind, Owner, Partition};
pub use records::{Advance, Created, Cursor, Page, Record, Records, Unavailable};
