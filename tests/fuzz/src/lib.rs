//! Fuzz targets: one function for each parser of bytes that a client, a user or another server sends.
//!
//! A target takes any bytes. It panics if the parser panics, or if a value that the parser accepted breaks a promise that
//! the rest of the server relies on. `fuzz/` calls the targets from cargo-fuzz; `short_run.rs` calls them in the gate, with
//! the values in `seeds/` and mutations of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a target fails by panicking")]

mod certificate;
mod client;
mod details;
mod http;
mod jwt;
mod logo;
mod parameters;
mod saml;
mod sealed_token;
mod urls;

/// A fuzz target and the name of its folder in `seeds/`.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name, also of the binary in `fuzz/fuzz_targets`.
    pub name: &'static str,
    /// The function.
    pub run: fn(&[u8]),
}

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// Every target.
pub const TARGETS: &[Target] = &[
    target("authorization_details", details::authorization_details),
    target("basic", http::basic),
    target("certificate", certificate::certificate),
    target("claims", parameters::claims),
    target("client_metadata", client::metadata),
    target("cookies", http::cookies),
    target("distinguished_name", certificate::distinguished_name),
    target("form", parameters::form),
    target("jwe", jwt::jwe),
    target("jwk_set", jwt::jwk_set),
    target("jwt", jwt::jwt),
    target("lambda_event", http::lambda_event),
    target("logo", logo::logo),
    target("redirect_uri", urls::redirect_uri),
    target("remote_url", urls::remote_url),
    target("request_object", jwt::request_object),
    target("saml", saml::assertion),
    target("scope", parameters::scope),
    target("sealed_token", sealed_token::sealed_token),
    target("stored_client", client::stored),
];

/// Runs the target of this name.
///
/// # Panics
/// If there is no such target, or if the target found a fault.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("no target {name}"));
    (target.run)(bytes);
}
