//! The cookies of the provider.

use crate::Config;
use latchkey_http::cookie;
use std::time::Duration;

/// Session cookie: a sealed session token.
pub const SESSION: &str = "latchkey_session";
/// Browser cookie: random, so that a form or a link made for one browser is rejected in another.
pub const BROWSER: &str = "latchkey_browser";

/// Cookie of the accounts that signed in before in this browser: sealed tokens, separated by full stops.
pub const KNOWN_BROWSER: &str = "latchkey_known_browser";

/// Cookie of a browser in which a user was offered a passkey.
pub const PASSKEY_OFFERED: &str = "latchkey_passkey_offered";

/// Returns the name under which a cookie travels.
pub fn wire_name(config: &Config, name: &str) -> String {
    cookie::wire_name(name, config.is_https())
}

/// Returns the `Set-Cookie` value that stores a cookie; without `max_age` the browser keeps it until it closes.
pub fn set(config: &Config, name: &str, value: &str, max_age: Option<Duration>) -> String {
    cookie::set(name, value, max_age, config.is_https())
}

/// Returns the `Set-Cookie` value that removes a cookie.
pub fn clear(config: &Config, name: &str) -> String {
    set(config, name, "", Some(Duration::ZERO))
}
