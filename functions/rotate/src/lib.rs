//! Scheduled: signing keys.
