//! Redirect URIs: which may be registered, and which a request may name.

use serde::{Deserialize, Serialize};
use types::Issuer;
use url::Url;

/// The loopback addresses at which a native application may listen on any port (RFC 8252 §7.3). Applications in use today also
/// listen at `localhost`, which §8.3 does not recommend.
const LOOPBACK: [&str; 3] = ["http://127.0.0.1", "http://[::1]", "http://localhost"];

/// Schemes that browsers handle themselves, or that hold content: no application receives their redirects.
const BROWSER_SCHEMES: [&str; 16] = [
    "about",
    "blob",
    "chrome",
    "data",
    "devtools",
    "edge",
    "file",
    "filesystem",
    "ftp",
    "jar",
    "javascript",
    "resource",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// A redirect URI, as a client registers it or a request names it (RFC 6749 §3.1.2). Any text: [`Self::problem`] says
/// whether it may be registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Returns the redirect URI of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, unchanged.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True if a request that names `requested` names this registered URI: the same string (RFC 9700 §2.1). At a loopback
    /// address the port may differ, because a native application does not know it in advance (RFC 8252 §7.3).
    pub fn matches(&self, requested: &str) -> bool {
        let registered = self.as_str();
        if registered == requested {
            return true;
        }
        LOOPBACK.iter().any(|host| match (registered.strip_prefix(host), requested.strip_prefix(host)) {
            (Some(registered), Some(requested)) => without_port(registered)
                .zip(without_port(requested))
                .is_some_and(|(registered, requested)| registered == requested),
            _ => false,
        })
    }

    /// Returns the rule that the redirect URI breaks; `None` if it may be registered (RFC 6749 §3.1.2, RFC 8252 §7, §8.4).
    pub fn problem(&self) -> Option<&'static str> {
        let uri = self.as_str();
        if uri.contains('#') {
            return Some("must not have a fragment");
        }
        if uri.contains('*') {
            return Some("must not have wildcards");
        }
        if !has_only_uri_characters(uri) {
            return Some(
                "must have no other characters than URIs are made of (RFC 3986 section 2), and whole percent-encodings",
            );
        }
        let Ok(url) = Url::parse(uri) else { return Some("must be an absolute URI") };
        if !url.username().is_empty() || url.password().is_some() {
            return Some("must not have a user name or password");
        }
        if matches!(url.scheme(), "https" | "http") && host(uri) != url.host_str().map(str::to_owned) {
            return Some("must have the host behind '//', as browsers will write it");
        }
        match url.scheme() {
            "https" => None,
            "http" if is_loopback(&url) => None,
            "http" => Some("must be https; http is for loopback addresses alone"),
            scheme if BROWSER_SCHEMES.contains(&scheme) => {
                Some("must not have a scheme that browsers handle themselves")
            }
            _ => None,
        }
    }

    /// Returns the private-use scheme of a native application (RFC 8252 §7.1); `None` for https and http.
    pub fn private_use_scheme(&self) -> Option<String> {
        self.url().map(|url| url.scheme().to_owned()).filter(|scheme| !matches!(scheme.as_str(), "https" | "http"))
    }

    /// True if any application on the user's device can receive the redirect: at a private-use scheme or a loopback address
    /// (RFC 8252 §8.6). A page of this server cannot be claimed.
    pub fn can_be_claimed(&self, issuer: &Issuer) -> bool {
        self.url().is_some_and(|url| {
            url.scheme() != "https" && !Url::parse(issuer.as_str()).is_ok_and(|issuer| issuer.origin() == url.origin())
        })
    }

    /// True if the redirect URI is at a loopback address (RFC 8252 §7.3).
    pub fn is_loopback(&self) -> bool {
        self.url().is_some_and(|url| is_loopback(&url))
    }

    /// True if the redirect URI is https: its host proves who receives the response.
    pub fn is_https(&self) -> bool {
        self.url().is_some_and(|url| url.scheme() == "https")
    }

    /// Returns the parsed URI; `None` if it is none.
    pub fn url(&self) -> Option<Url> {
        Url::parse(self.as_str()).ok()
    }
}

/// Returns the rest after the port; `None` if the host is not followed by a port, a path, a query or the end.
fn without_port(after_host: &str) -> Option<&str> {
    let Some(rest) = after_host.strip_prefix(':') else {
        return (after_host.is_empty() || after_host.starts_with(['/', '?'])).then_some(after_host);
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (port, rest) = rest.split_at_checked(digits)?;
    let in_range = port.parse::<u16>().is_ok_and(|port| port > 0);
    (in_range && (rest.is_empty() || rest.starts_with(['/', '?']))).then_some(rest)
}

/// True if the text has only characters of RFC 3986 §2, with two hexadecimal digits after each `%`.
fn has_only_uri_characters(uri: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    let is_whole = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    uri.bytes().all(is_allowed) && uri.split('%').skip(1).all(is_whole)
}

/// Returns the host of an http or https URI as it is written (RFC 3986 §3.2), in lower case. URL parsers repair hosts, and
/// find one where none is written.
fn host(uri: &str) -> Option<String> {
    let (_, rest) = uri.split_once(':')?;
    let authority = rest.strip_prefix("//")?.split(['/', '?']).next()?;
    let end = authority.rfind(']').map_or(0, |bracket| bracket.saturating_add(1));
    let (bracketed, rest) = authority.split_at_checked(end)?;
    Some(format!("{bracketed}{}", rest.split(':').next()?).to_ascii_lowercase())
}

/// True if the URL is https, or http at this machine.
pub fn is_secure_url(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

/// True if the host of the URL is this machine.
fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}
