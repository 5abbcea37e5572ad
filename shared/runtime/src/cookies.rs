//! Cookies: bound to the host and secure, but on http://localhost, where a browser would refuse that.

use crate::Config;
use std::time::Duration;

/// The signed-in browser: a sealed session token.
pub const SESSION: &str = "latchkey_session";
/// The browser itself: random, so that a form or a link of one browser is worth nothing in another.
pub const BROWSER: &str = "latchkey_browser";

/// The name under which a cookie travels.
pub fn wire_name(config: &Config, name: &str) -> String {
    if config.is_https() { format!("__Host-{name}") } else { name.to_owned() }
}

/// The `Set-Cookie` value that stores a cookie; without `max_age` for as long as the browser runs.
pub fn set(config: &Config, name: &str, value: &str, max_age: Option<Duration>) -> String {
    let secure = if config.is_https() { "; Secure" } else { "" };
    let max_age = max_age.map(|age| format!("; Max-Age={}", age.as_secs())).unwrap_or_default();
    format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{max_age}", wire_name(config, name))
}

/// The `Set-Cookie` value that removes a cookie.
pub fn clear(config: &Config, name: &str) -> String {
    set(config, name, "", Some(Duration::ZERO))
}
