//! URLs that this server may fetch: keys, request objects, lists of redirect URIs, logout notifications. Clients
//! register these URLs, so an attacker can choose them (RFC 9101 §10.4.1, RFC 7591 §5).
//!
//! A URL is checked twice: [`parse`] checks its text, and [`is_reachable`] checks each resolved address when the
//! server connects. Redirects are never followed, so there is no third URL to check.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// The addresses that a deployment may connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EgressPolicy {
    /// Public addresses, over https.
    Public,
    /// Also loopback addresses, over plain http: only for an issuer on http://localhost.
    Loopback,
    /// Any address, over http or https: for the server that the operator configured, never for a URL that a client
    /// registered.
    Any,
}

/// Maximum length of a URL to fetch, in bytes.
pub const MAX_LENGTH: usize = 2048;

/// Names that no public resolver answers, or that name this machine or its network (RFC 6761, RFC 6762, RFC 8375, RFC
/// 7686, and `internal`, which ICANN reserved).
const NOT_PUBLIC: [&str; 5] = ["localhost", "local", "internal", "home.arpa", "onion"];

/// Parses a URL and checks its text. Errors: the reason for which it must not be fetched.
pub fn parse(url: &str, reach: EgressPolicy) -> Result<Url, &'static str> {
    if url.len() > MAX_LENGTH {
        return Err("must not be longer than 2048 bytes");
    }
    if url.bytes().any(|byte| byte <= b' ' || byte >= 0x7F || byte == b'\\') {
        return Err("must be ASCII without spaces, control characters or backslashes");
    }
    let Ok(parsed) = Url::parse(url) else { return Err("must be an absolute URL") };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("must not have a user name or password");
    }
    let host = parsed.host().ok_or("must be an https URL")?;
    if reach == EgressPolicy::Any {
        return if matches!(parsed.scheme(), "https" | "http") {
            Ok(parsed)
        } else {
            Err("must be an http or https URL")
        };
    }
    let is_loopback = is_this_machine(&host);
    let may_be_plain = reach == EgressPolicy::Loopback && is_loopback;
    if parsed.scheme() != "https" && !(parsed.scheme() == "http" && may_be_plain) {
        return Err("must be an https URL");
    }
    let is_public = match &host {
        Host::Domain(name) => is_public_name(name),
        Host::Ipv4(address) => is_public_v4(*address),
        Host::Ipv6(address) => is_public_v6(*address),
    };
    if is_public || may_be_plain { Ok(parsed) } else { Err("must be at a public host") }
}

/// True if the server may connect to a resolved address.
pub fn is_reachable(address: IpAddr, reach: EgressPolicy) -> bool {
    if reach == EgressPolicy::Any {
        return true;
    }
    let is_public = match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    };
    is_public || (reach == EgressPolicy::Loopback && address.is_loopback())
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn is_public_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_under =
        |suffix: &&str| name.strip_suffix(*suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    // The search list of the server's network would complete a name of one label.
    name.contains('.') && !NOT_PUBLIC.iter().any(is_under)
}

/// True for a globally reachable address: none of the special-purpose registry (RFC 6890), no multicast (RFC 5771),
/// not in the former class E (RFC 1112 §4).
fn is_public_v4(address: Ipv4Addr) -> bool {
    match address.octets() {
        // This network; private; loopback.
        [0 | 10 | 127, ..] => false,
        // Shared by carriers (RFC 6598).
        [100, second, ..] => !(64..=127).contains(&second),
        // Link-local, where clouds keep their instances' credentials.
        [169, 254, ..] => false,
        [172, second, ..] => !(16..=31).contains(&second),
        // IETF assignments, documentation, 6to4 relays, private.
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [192, 168, ..] => false,
        // Benchmarks, documentation.
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => false,
        // Multicast, reserved, broadcast.
        [224..=255, ..] => false,
        _ => true,
    }
}

/// True for global unicast (RFC 4291 §2.4), except for addresses that contain an IPv4 address or are for
/// documentation. Loopback, unique local, link-local, multicast, mapped IPv4 (::ffff:0:0/96) and NAT64 (64:ff9b::/96)
/// addresses all lie outside of 2000::/3.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // IETF assignments, Teredo and ORCHID among them (2001::/23); documentation.
        [0x2001, 0..=0x01FF, ..] | [0x2001, 0x0DB8, ..] => false,
        // 6to4.
        [0x2002, ..] => false,
        // Documentation (RFC 9637).
        [0x3FFF, 0..=0x0FFF, ..] => false,
        [0x2000..=0x3FFF, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(url: &str, reach: EgressPolicy) -> Option<&'static str> {
        parse(url, reach).err()
    }

    #[test]
    fn public_https_urls_are_fetched() {
        for url in [
            "https://client.example/jwks.json",
            "https://client.example:8443/a?b=c#d",
            "https://xn--bcher-kva.example/",
            "https://1.1.1.1/",
            "https://[2606:4700:4700::1111]/",
            "https://internal.example.com/",
            "https://local.example./",
        ] {
            assert_eq!(problem(url, EgressPolicy::Public), None, "{url}");
            assert_eq!(problem(url, EgressPolicy::Loopback), None, "{url}");
        }
    }

    #[test]
    fn nothing_else_is() {
        let long = format!("https://client.example/{}", "a".repeat(MAX_LENGTH));
        for url in [
            "",
            "client.example/jwks",
            "//client.example/",
            "http://client.example/",
            "ftp://client.example/",
            "file:///etc/passwd",
            "data:application/json,{}",
            "javascript:alert(1)",
            "https:",
            "https://",
            "https://user@client.example/",
            "https://user:pass@client.example/",
            "https://:pass@client.example/",
            "https://client.example\\@localhost/",
            "https://client.example/ a",
            "https://client.exam\tple/",
            "https://client.example/\n",
            "https://b\u{fc}cher.example/",
            "https://intranet/",
            "https://metadata.google.internal/",
            "https://metadata.google.internal./",
            "https://printer.local/",
            "https://router.home.arpa/",
            "https://x.onion/",
            "https://a.localhost/",
            "https://localhost./",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            // Other notations of 127.0.0.1, 169.254.169.254 and 10.0.0.1.
            "https://2852039166/",
            "https://0xa9fea9fe/",
            "https://0251.0376.0251.0376/",
            "https://169.254.43518/",
            "https://10.1/",
            "https://\u{ff11}0.0.0.1/",
            "https://[::ffff:169.254.169.254]/",
            "https://[fe80::1]/",
            "https://[fd00:ec2::254]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[::]/",
            "https://0.0.0.0/",
            &long,
        ] {
            assert!(problem(url, EgressPolicy::Public).is_some(), "{url}");
            assert!(problem(url, EgressPolicy::Loopback).is_some(), "{url}");
        }
    }

    #[test]
    fn this_machine_is_fetched_from_by_a_deployment_on_it_alone() {
        for url in [
            "http://localhost:9000/jwks",
            "http://127.0.0.1:9000/",
            "http://[::1]:9000/",
            "https://localhost/",
            "http://127.1/",
            "http://2130706433/",
        ] {
            assert_eq!(problem(url, EgressPolicy::Loopback), None, "{url}");
            assert!(problem(url, EgressPolicy::Public).is_some(), "{url}");
        }
    }

    #[test]
    fn every_special_address_is_refused_and_its_neighbours_are_not() {
        for (first, last) in [
            ("0.0.0.0", "0.255.255.255"),
            ("10.0.0.0", "10.255.255.255"),
            ("100.64.0.0", "100.127.255.255"),
            ("127.0.0.0", "127.255.255.255"),
            ("169.254.0.0", "169.254.255.255"),
            ("172.16.0.0", "172.31.255.255"),
            ("192.0.0.0", "192.0.0.255"),
            ("192.0.2.0", "192.0.2.255"),
            ("192.88.99.0", "192.88.99.255"),
            ("192.168.0.0", "192.168.255.255"),
            ("198.18.0.0", "198.19.255.255"),
            ("198.51.100.0", "198.51.100.255"),
            ("203.0.113.0", "203.0.113.255"),
            ("224.0.0.0", "255.255.255.255"),
        ] {
            let number = |text: &str| u32::from(text.parse::<Ipv4Addr>().unwrap());
            for inside in [number(first), number(last), number(first) / 2 + number(last) / 2] {
                assert!(
                    !is_reachable(Ipv4Addr::from(inside).into(), EgressPolicy::Public),
                    "{}",
                    Ipv4Addr::from(inside)
                );
            }
            for beside in [number(first).checked_sub(1), number(last).checked_add(1)].into_iter().flatten() {
                assert!(
                    is_reachable(Ipv4Addr::from(beside).into(), EgressPolicy::Public),
                    "{}",
                    Ipv4Addr::from(beside)
                );
            }
        }
        for refused in [
            "::",
            "::1",
            "::7f00:1",
            "::ffff:1.1.1.1",
            "::ffff:127.0.0.1",
            "64:ff9b::1.1.1.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:20::1",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "2001:db8:ffff::1",
            "2002:7f00:1::",
            "3fff::1",
            "3fff:fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fdff::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
            "1fff::1",
        ] {
            assert!(!is_reachable(refused.parse().unwrap(), EgressPolicy::Public), "{refused}");
        }
        for public in ["2000::1", "2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700::1111", "3fff:1000::1"] {
            assert!(is_reachable(public.parse().unwrap(), EgressPolicy::Public), "{public}");
        }
    }

    #[test]
    fn reaching_this_machine_opens_no_other_network() {
        for address in ["127.0.0.1", "127.9.9.9", "::1", "1.1.1.1"] {
            assert!(is_reachable(address.parse().unwrap(), EgressPolicy::Loopback), "{address}");
        }
        for address in ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1", "0.0.0.0", "::"] {
            assert!(!is_reachable(address.parse().unwrap(), EgressPolicy::Loopback), "{address}");
        }
    }
}
