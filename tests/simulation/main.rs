//! The functions in one process, by topic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "a test may fail by panicking"
)]

mod common;

mod account;
mod assertions;
mod audit;
mod backchannel;
mod client_documents;
mod clients;
mod clocks;
mod configuration;
mod consents;
mod cost;
mod device;
mod enterprise_managed;
mod evolution;
mod faults;
mod grant_checks;
mod grant_histories;
mod hot_keys;
mod introspection;
mod keys;
mod lengths;
mod logout;
mod mail;
mod mutual_tls;
mod notifications;
mod operator_claims;
mod passkeys;
mod profiles;
mod pushed_requests;
mod record_access;
mod registration;
mod request_limits;
mod resources;
mod restart;
mod restore;
mod revocation;
mod round_trips;
mod sender_constraint;
mod sign_in_limits;
