//! `Set-Cookie` values. Cookies are bound to the host and secure, except on http://localhost, where browsers would reject
//! that.

use std::time::Duration;

/// Returns the name under which a cookie travels: with the prefix `__Host-` over https (RFC 6265bis §4.1.3.2).
pub fn wire_name(name: &str, is_https: bool) -> String {
    if is_https { format!("__Host-{name}") } else { name.to_owned() }
}

/// Returns the `Set-Cookie` value that stores a cookie; without `max_age` the browser keeps it until it closes.
pub fn set(name: &str, value: &str, max_age: Option<Duration>, is_https: bool) -> String {
    let secure = if is_https { "; Secure" } else { "" };
    let max_age = max_age.map(|age| format!("; Max-Age={}", age.as_secs())).unwrap_or_default();
    format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{max_age}", wire_name(name, is_https))
}
