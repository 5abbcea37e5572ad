//! URLs: redirect URIs, and those that the server itself fetches.

use protocol::RedirectUri;
use types::remote_url::{self as remote, EgressPolicy};

/// A redirect URI that can be registered matches itself, and has no way to name another host.
pub(crate) fn redirect_uri(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let uri = RedirectUri::new(text);
    if uri.problem().is_none() {
        assert!(uri.matches(text), "{text}");
        let url = url::Url::parse(text).expect("a redirect URI is a URL");
        assert!(url.fragment().is_none() && url.username().is_empty() && url.password().is_none(), "{text}");
    }
    if RedirectUri::new("https://app.example/cb").matches(text) {
        assert_eq!(text, "https://app.example/cb");
    }
    if RedirectUri::new("http://127.0.0.1/cb").matches(text) {
        let url = url::Url::parse(text).expect("a redirect URI is a URL");
        assert_eq!((url.host_str(), url.path(), url.query()), (Some("127.0.0.1"), "/cb", None), "{text}");
    }
}

/// A URL that the server may fetch is https, at a public host (RFC 7591 §5, RFC 9101 §10.4.1).
pub(crate) fn remote_url(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(url) = remote::parse(text, EgressPolicy::Public) {
        assert_eq!(url.scheme(), "https", "{text}");
        let address = match url.host().expect("a host") {
            url::Host::Domain(name) => {
                assert!(name.contains('.') && name.parse::<std::net::IpAddr>().is_err(), "{text}");
                None
            }
            url::Host::Ipv4(address) => Some(address.into()),
            url::Host::Ipv6(address) => Some(address.into()),
        };
        assert!(address.is_none_or(|address| remote::is_reachable(address, EgressPolicy::Public)), "{text}");
        assert!(remote::parse(text, EgressPolicy::Loopback).is_ok(), "{text}");
    }
}
