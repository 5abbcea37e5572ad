//! Redirect URIs: what may be registered, and what a request may name.

use url::Url;

/// Whether the URI that a request names is the registered one: the same string (RFC 9700 §2.1), but for the port of a
/// loopback address, which a native application cannot know in advance (RFC 8252 §7.3).
pub fn matches(registered: &str, requested: &str) -> bool {
    if registered == requested {
        return true;
    }
    ["http://127.0.0.1", "http://[::1]"].iter().any(|host| {
        match (registered.strip_prefix(host), requested.strip_prefix(host)) {
            (Some(registered), Some(requested)) => without_port(registered)
                .zip(without_port(requested))
                .is_some_and(|(registered, requested)| registered == requested),
            _ => false,
        }
    })
}

/// What follows the port, when what follows the host is a port, a path or a query at all.
fn without_port(after_host: &str) -> Option<&str> {
    let Some(rest) = after_host.strip_prefix(':') else {
        return (after_host.is_empty() || after_host.starts_with(['/', '?'])).then_some(after_host);
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (port, rest) = rest.split_at_checked(digits)?;
    let in_range = port.parse::<u16>().is_ok_and(|port| port > 0);
    (in_range && (rest.is_empty() || rest.starts_with(['/', '?']))).then_some(rest)
}

/// Why a URI cannot be registered for redirection; `None` when it can (RFC 6749 §3.1.2, RFC 8252 §7, §8.4).
pub fn problem(uri: &str) -> Option<&'static str> {
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
        scheme if scheme.contains('.') => None,
        _ => {
            Some("must be https, or a private-use scheme in reverse domain name form such as com.example.app:/callback")
        }
    }
}

/// Whether it is made of the characters of RFC 3986 §2 alone, each `%` before two hexadecimal digits.
fn has_only_uri_characters(uri: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    let is_whole = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    uri.bytes().all(is_allowed) && uri.split('%').skip(1).all(is_whole)
}

/// The host of an http or https URI as it is written (RFC 3986 §3.2), in lower case. Parsers of URLs find one even where
/// there is none, and repair others.
fn host(uri: &str) -> Option<String> {
    let (_, rest) = uri.split_once(':')?;
    let authority = rest.strip_prefix("//")?.split(['/', '?']).next()?;
    let end = authority.rfind(']').map_or(0, |bracket| bracket.saturating_add(1));
    let (bracketed, rest) = authority.split_at_checked(end)?;
    Some(format!("{bracketed}{}", rest.split(':').next()?).to_ascii_lowercase())
}

/// Whether any application on the person's device can be what answers there: at a private-use scheme or a loopback address
/// (RFC 8252 §8.6). What this server itself serves is not.
pub fn can_be_claimed(uri: &str, issuer: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| {
        url.scheme() != "https" && !Url::parse(issuer).is_ok_and(|issuer| issuer.origin() == url.origin())
    })
}

/// Whether what is sent to the URL stays secret on its way: https, or this machine's http.
pub fn is_secure(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

/// Whether the URL's host is this very machine.
pub fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}
