//! The client as a page shows it.

/// A client as a page shows it; the URIs are the client's metadata (RFC 7591 §2). A link that is not http or https is left
/// out. `logo_uri` is not used: pages load nothing from elsewhere, and a client could show the logo of another one.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClientProfile<'a> {
    /// `client_name`, or the client identifier where it has none.
    pub name: &'a str,
    /// Name of the logo that the operator uploaded, which this server delivers below `/logos/`.
    pub logo: Option<&'a str>,
    /// `client_uri`: the application's home page.
    pub client_uri: Option<&'a str>,
    /// `policy_uri`: its privacy policy.
    pub policy_uri: Option<&'a str>,
    /// `tos_uri`: its terms of service.
    pub tos_uri: Option<&'a str>,
    /// Host of the metadata document of a client that has one: its identity, which the name does not prove.
    pub identity: Option<&'a str>,
    /// Host of this server, if its operator neither registered nor reviewed the client.
    pub unreviewed_at: Option<&'a str>,
}

impl<'a> ClientProfile<'a> {
    /// Returns the profile of a client of this server.
    pub fn of(stored: &'a protocol::StoredClient, issuer: &'a types::Issuer) -> Self {
        let client = &stored.client;
        Self {
            identity: split_web(client.client_id.as_str()).map(|(_, host)| host).filter(|_| stored.is_document()),
            unreviewed_at: if stored.is_reviewed() { None } else { split_web(issuer.as_str()).map(|(_, host)| host) },
            name: client.display_name(),
            logo: stored.logo.as_ref().map(protocol::LogoName::as_str),
            client_uri: client.client_uri.as_deref(),
            policy_uri: client.policy_uri.as_deref(),
            tos_uri: client.tos_uri.as_deref(),
        }
    }

    pub(crate) fn home(&self) -> Option<&'a str> {
        self.client_uri.filter(|uri| is_web(uri))
    }

    /// Returns the host of its home page.
    pub(crate) fn site(&self) -> Option<&'a str> {
        split_web(self.home()?).map(|(_, host)| host)
    }

    pub(crate) fn policy(&self) -> Option<&'a str> {
        self.policy_uri.filter(|uri| is_web(uri))
    }

    pub(crate) fn terms(&self) -> Option<&'a str> {
        self.tos_uri.filter(|uri| is_web(uri))
    }
}

/// The link to a client at which the user starts again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Restart<'a> {
    pub(crate) name: &'a str,
    pub(crate) uri: &'a str,
    pub(crate) host: &'a str,
}

impl<'a> Restart<'a> {
    /// Returns the link for a name and a URI; `None` if the URI is no web page.
    pub(crate) fn of((name, uri): (&'a str, Option<&'a str>)) -> Option<Self> {
        let uri = uri.filter(|uri| is_web(uri))?;
        let (_, host) = split_web(uri)?;
        Some(Self { name, uri, host })
    }
}

/// Returns the letter that replaces a missing logo or picture.
pub(crate) fn monogram(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "?".into(), |c| c.to_uppercase().collect())
}

/// Returns the place where the browser goes in the end: a host, an application on this device, or a private-use scheme.
pub(crate) fn destination(redirect_uri: &str) -> String {
    match split_web(redirect_uri) {
        Some((_, authority)) if is_loopback(authority) => format!("{authority} (this device)"),
        Some((_, authority)) => authority.to_owned(),
        None => match redirect_uri.split_once(':') {
            Some((scheme, _)) => format!("the app {scheme}"),
            None => redirect_uri.to_owned(),
        },
    }
}

/// True if a program on this device receives what is sent to the redirect URI: at a loopback address or a private-use scheme.
pub(crate) fn is_local(redirect_uri: &str) -> bool {
    split_web(redirect_uri).is_none_or(|(_, authority)| is_loopback(authority))
}

pub(crate) fn is_web(uri: &str) -> bool {
    split_web(uri).is_some_and(|(_, authority)| !authority.is_empty())
}

/// Schemes that a browser runs or shows itself: no application receives them.
const BROWSER_SCHEMES: [&str; 12] = [
    "javascript",
    "data",
    "vbscript",
    "blob",
    "about",
    "file",
    "filesystem",
    "view-source",
    "http",
    "https",
    "ws",
    "wss",
];

/// True if a browser may be redirected there: to the web, or to an application by its private-use scheme (RFC 8252 §7.1).
pub(crate) fn is_destination(uri: &str) -> bool {
    is_web(uri) || private_use_scheme(uri).is_some()
}

/// Returns the private-use scheme of a URI (RFC 3986 §3.1): one that an application on the device receives.
pub(crate) fn private_use_scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_private = !BROWSER_SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (is_scheme && is_private).then_some(scheme)
}

/// Returns scheme and `host[:port]` of an http or https URI. User information is left out: it could be mistaken for a host.
pub(crate) fn split_web(uri: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = uri.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    Some((scheme, authority.rsplit('@').next()?))
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    matches!(host, Some("127.0.0.1" | "::1" | "localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations() {
        for (uri, expected) in [
            ("https://app.example/cb", "app.example"),
            ("https://app.example:8443?x", "app.example:8443"),
            ("https://bank.example@evil.example/", "evil.example"),
            ("https://evil.example\\@bank.example/", "evil.example"),
            ("http://127.0.0.1:3000/cb", "127.0.0.1:3000 (this device)"),
            ("http://[::1]:3000/cb", "[::1]:3000 (this device)"),
            ("http://localhost/cb", "localhost (this device)"),
            ("http://127.0.0.1.evil.example/cb", "127.0.0.1.evil.example"),
            ("com.example.app:/cb", "the app com.example.app"),
        ] {
            assert_eq!(destination(uri), expected);
        }
    }

    #[test]
    fn browsers_are_sent_to_the_web_and_to_applications() {
        for uri in
            ["https://app.example/out", "http://127.0.0.1/out", "com.example.app:/out?state=*", "cursor://x/callback"]
        {
            assert!(is_destination(uri), "{uri}");
        }
        for uri in [
            "javascript:alert(1)",
            "JavaScript:x",
            "data:text/html,x",
            "java\tscript.x:alert(1)",
            "/out",
            "",
            "javascript:a.b:c",
        ] {
            assert!(!is_destination(uri), "{uri}");
        }
    }

    #[test]
    fn links_are_web_links() {
        let client = ClientProfile {
            name: "x",
            logo: None,
            client_uri: Some("javascript:alert(1)//https://a.example"),
            policy_uri: Some("data:text/html,x"),
            tos_uri: Some("https://a.example/tos"),
            identity: None,
            unreviewed_at: None,
        };
        assert_eq!(client.home(), None);
        assert_eq!(client.policy(), None);
        assert_eq!(client.terms(), Some("https://a.example/tos"));
    }

    #[test]
    fn monograms() {
        assert_eq!(monogram("demo"), "D");
        assert_eq!(monogram("<b>"), "B");
        assert_eq!(monogram("\u{df}"), "SS");
        assert_eq!(monogram(""), "?");
    }
}
