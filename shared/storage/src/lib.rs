//! Storage in two layers: [`Records`], the six verbs that every store offers, and typed repositories on top of them.
//!
//! The grants, clients, sessions and so on that a repository reads and writes are JSON in the body and the state of a
//! record.

pub mod guarded;
mod records;
mod repositories;

pub use records::{
    Advance, Bucket, ClockReading, Created, Cursor, Key, Kind, Owner, Page, Partition, Record, Records, StoreClock,
    Unavailable, Verb, contract, faults, idempotent_write, memory, sql,
};
pub use repositories::stored::{Listing, Unreadable};
pub use repositories::{
    account, admin_keys, clients, configuration, consents, counters, decisions, devices, directory, grant_checks,
    grants, logos, markers, notices, outbox, passkeys, pushed, registrations, second_factor, sessions, sign_out,
    signing_keys, users, waiting,
};
