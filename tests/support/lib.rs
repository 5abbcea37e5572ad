//! What the black-box suite speaks HTTP with: calls, browsers, requests of each endpoint, tokens.
//!
//! `LATCHKEY_TEST_URL` is the base URL of the server, which is its issuer; `LATCHKEY_TEST_PLATFORM` (`local`, `lambda` or
//! `workers`) only names it in failures. `LATCHKEY_TEST_SECRET` and `LATCHKEY_TEST_CLI` (the deployment's secret and the
//! path of the `latchkey` command) let tests add clients and users; `LATCHKEY_TEST_GRACE` tells the grace window of
//! refresh tokens, in seconds, which tests wait out; `LATCHKEY_TEST_INTROSPECTION_AGE` how late the sample API may notice
//! a revocation. `LATCHKEY_TEST_FAULTS` is where faults of the store are planned (see [`faults`]).
//!
//! Nothing here knows how the server is made. A call that gets no answer, or another answer than the test expects, panics with the
//! whole exchange.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test's tools fail by panicking")]
#![allow(clippy::indexing_slicing, clippy::string_slice, clippy::arithmetic_side_effects, reason = "as above")]
#![allow(clippy::disallowed_methods, reason = "runs only where the system has a clock")]

pub mod admin;
mod authorization;
mod browser;
mod call;
mod client;
pub mod faults;
mod host;
pub mod jwe;
pub mod jwt;
mod page;
pub mod pushed;
pub mod registration;
mod signer;
mod target;
mod token;
pub mod trusted;

pub use authorization::{AuthorizationRequest, Callback, random};
pub use browser::{Browser, Cookie, Landing, Turn};
pub use call::{Call, Reply};
pub use client::{Authentication, Client, exchanger, service, spa, web};
pub use host::{Answer, Host, Received};
pub use page::{Form, Page};
pub use signer::Signer;
pub use target::{base, grace, issuer, now, platform, serve_at, url};
pub use token::{TokenRequest, Tokens, altered, authenticated, grant, introspect, introspection, revoke, userinfo};

/// The demo user's name.
pub const USERNAME: &str = "demo";
/// The demo user's password.
pub const PASSWORD: &str = "demo-password";
