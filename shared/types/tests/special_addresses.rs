//! The address filter, held to IANA's registries of special-purpose addresses (RFC 6890).
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test may fail by panicking")]

use latchkey_types::remote_url::{EgressPolicy, is_reachable};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A row of the registry.
struct Block {
    name: String,
    /// The first address, the one in the middle, and the last.
    samples: [IpAddr; 3],
    is_globally_reachable: bool,
}

fn registry() -> Vec<Block> {
    let rows = include_str!("special-purpose-addresses.tsv").lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let [block, name, _, reachable] = row.split('\t').collect::<Vec<_>>().try_into().unwrap();
        assert!(["yes", "no", "-"].contains(&reachable), "{row}");
        let (first, length) = block.split_once('/').unwrap();
        let length: u32 = length.parse().unwrap();
        let samples = match first.parse().unwrap() {
            IpAddr::V4(first) => {
                let (first, size) = (u32::from(first), u32::MAX.checked_shr(length).unwrap_or(0));
                [first, first | (size / 2), first | size].map(|address| Ipv4Addr::from(address).into())
            }
            IpAddr::V6(first) => {
                let (first, size) = (u128::from(first), u128::MAX.checked_shr(length).unwrap_or(0));
                [first, first | (size / 2), first | size].map(|address| Ipv6Addr::from(address).into())
            }
        };
        Block { name: format!("{block} {name}"), samples, is_globally_reachable: reachable == "yes" }
    })
    .collect()
}

#[test]
fn a_block_that_is_not_globally_reachable_is_refused() {
    let blocks = registry();
    assert_eq!(blocks.len(), 51);
    for block in blocks.iter().filter(|block| !block.is_globally_reachable) {
        for address in block.samples {
            assert!(!is_reachable(address, EgressPolicy::Public), "{address} of {}", block.name);
            let is_loopback = address.is_loopback();
            assert_eq!(is_reachable(address, EgressPolicy::Loopback), is_loopback, "{address} of {}", block.name);
        }
    }
}

/// Stricter than the registry: protocol assignments, and addresses that hold an IPv4 address, are refused as a whole.
#[test]
fn a_globally_reachable_block_is_refused_only_within_a_larger_one() {
    let refused: Vec<String> = registry()
        .into_iter()
        .filter(|block| block.is_globally_reachable)
        .filter(|block| block.samples.iter().any(|address| !is_reachable(*address, EgressPolicy::Public)))
        .map(|block| block.name.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    let within_assignments = ["192.0.0.9/32", "192.0.0.10/32", "64:ff9b::/96", "2001:1::1/128", "2001:1::2/128"];
    let more = ["2001:1::3/128", "2001:3::/32", "2001:4:112::/48", "2001:20::/28", "2001:30::/28"];
    assert_eq!(refused, [within_assignments, more].concat());
}

#[test]
fn multicast_is_refused() {
    for address in ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"] {
        assert!(!is_reachable(address.parse().unwrap(), EgressPolicy::Public), "{address}");
    }
}

#[test]
fn public_addresses_are_accepted() {
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "128.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "193.0.6.139",
        "198.17.255.255",
        "198.20.0.0",
        "203.0.114.0",
        "223.255.255.255",
        "2001:500:88:200::8",
        "2001:4860:4860::8888",
        "2001:67c:2e8:22::c100:68b",
        "2400:cb00::1",
        "2606:4700:4700::1111",
        "2620:fe::fe",
        "2a00:1450:4001:81b::200e",
        "2c0f:fb50:4002::1",
    ] {
        assert!(is_reachable(address.parse().unwrap(), EgressPolicy::Public), "{address}");
    }
}
