//! The black-box suite: one file for each specification or theme. A test's name says the rule, its comment the section.

#![allow(clippy::disallowed_methods, reason = "runs only where the system has a clock")]
#![allow(clippy::arithmetic_side_effects, clippy::string_slice, reason = "a test fails by panicking")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "as above")]

mod administration;
mod client_authentication;
mod cors;
mod exactly_once;
mod form_post;
mod hostile;
mod lifetimes;
mod opaque_tokens;
mod openid_authentication;
mod openid_backchannel_logout;
mod openid_claims;
mod openid_discovery;
mod openid_encryption;
mod openid_frontchannel_logout;
mod openid_hints;
mod openid_hybrid;
mod openid_id_token;
mod openid_logout;
mod openid_offline;
mod openid_prompt;
mod openid_userinfo;
mod pages;
mod pairwise;
mod private_key_jwt;
mod resource_server;
mod rfc6749_authorization;
mod rfc6749_client_credentials;
mod rfc6749_code;
mod rfc6749_redirect_uri;
mod rfc6749_refresh;
mod rfc6749_token;
mod rfc6750;
mod rfc7009;
mod rfc7522;
mod rfc7523_grant;
mod rfc7591;
mod rfc7592;
mod rfc7636;
mod rfc7662;
mod rfc8414;
mod rfc8628;
mod rfc8693;
mod rfc8707;
mod rfc9068;
mod rfc9101;
mod rfc9126;
mod rfc9207;
mod rfc9700;
mod rfc9701;
mod rfc9728;
mod sign_in;
mod sign_out_everywhere;
