//! Every rule of the authorization server, pure: no I/O, no clock, no randomness, no platform.

mod time;

pub use time::Timestamp;
