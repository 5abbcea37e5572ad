//! The tools of the black-box suite: HTTP calls, browsers, requests of each endpoint, tokens.
//!
//! `tests/README.md` lists the environment variables that name the server. The tools know the server only by its URL. A
//! request without a response, or with another response than the test expects, panics with the whole exchange.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test's tools fail by panicking")]
#![allow(clippy::indexing_slicing, clippy::string_slice, clippy::arithmetic_side_effects, reason = "as above")]
#![allow(clippy::disallowed_methods, reason = "runs only where the system has a clock")]

pub mod admin;
pub mod authenticator;
mod authorization;
mod browser;
mod call;
mod certificate;
mod client;
mod clock;
pub mod device;
pub mod dpop;
pub mod faults;
mod host;
pub mod jwe;
pub mod jwt;
pub mod mail;
mod page;
pub mod pushed;
mod race;
pub mod registration;
mod signer;
pub mod snapshot;
mod target;
mod token;
pub mod trusted;

pub use authorization::{AuthorizationRequest, Callback, random};
pub use browser::{Browser, Cookie, Landing, Turn};
pub use call::{Call, Reply, address};
pub use certificate::{Certificate, Chain, Name};
pub use client::{Authentication, Client, exchanger, service, spa, web};
pub use clock::{Clock, now, wait};
pub use host::{Answer, Host, Received};
pub use page::{Form, Page};
pub use race::{CALLERS, at_once, race};
pub use signer::Signer;
pub use target::{base, grace, issuer, lost_answer, mtls_origin, platform, race_window, serve_at, url};
pub use token::{TokenRequest, Tokens, altered, authenticated, grant, introspect, introspection, revoke, userinfo};

/// The demo user's name.
pub const USERNAME: &str = "demo";
/// The demo user's password.
pub const PASSWORD: &str = "four-quiet-lanterns";
