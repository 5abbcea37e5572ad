//! The device that asks for authorization, as the user sees it before the decision (RFC 8628 §5.4).

use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use types::Timestamp;

/// The longest place that is kept, in bytes.
const MAX_PLACE: usize = 80;

/// The kinds of devices that name themselves in `User-Agent`, by a part of it. The first that fits counts.
const KINDS: [(&str, &str); 22] = [
    ("AppleTV", "Apple TV"),
    ("tvOS", "Apple TV"),
    ("Tizen", "Samsung TV"),
    ("Web0S", "LG TV"),
    ("webOS", "LG TV"),
    ("BRAVIA", "Sony TV"),
    ("Roku", "Roku"),
    ("AFT", "Fire TV"),
    ("CrKey", "Chromecast"),
    ("Android TV", "Android TV"),
    ("GoogleTV", "Android TV"),
    ("PlayStation", "PlayStation"),
    ("Xbox", "Xbox"),
    ("Nintendo", "Nintendo console"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android device"),
    ("Windows", "Windows computer"),
    ("Macintosh", "Mac"),
    ("Darwin", "Apple device"),
    ("Linux", "Linux computer"),
    ("curl", "command-line program"),
];

/// The device that asks: its kind, its place, and the time of the request. The kind is what the device says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskingDevice {
    /// Kind, from `User-Agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// City and country, or else the network: the start of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Time of the request.
    pub at: Timestamp,
}

impl AskingDevice {
    /// Returns the device of a request.
    pub fn of(user_agent: Option<&str>, place: Option<&str>, address: Option<IpAddr>, at: Timestamp) -> Self {
        let kind = user_agent
            .and_then(|agent| KINDS.iter().find(|(part, _)| agent.contains(part)))
            .map(|(_, kind)| (*kind).to_owned());
        let is_plain = |place: &&str| place.len() <= MAX_PLACE && !place.chars().any(char::is_control);
        let place = place.filter(is_plain).map(str::to_owned).or_else(|| address.map(network));
        Self { kind, place, at }
    }
}

/// Returns the start of an address, which names the network but not the device: three of four parts, or a /48.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            format!("address {first}.{second}.{third}.x")
        }
        IpAddr::V6(address) => {
            let [first, second, third, ..] = address.segments();
            format!("address {first:x}:{second:x}:{third:x}:x")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_places() {
        let long = "x".repeat(81);
        let of = |agent, place, address: Option<&str>| {
            let address = address.map(|address| address.parse().unwrap());
            let device = AskingDevice::of(agent, place, address, Timestamp::from_secs(1));
            (device.kind.unwrap_or_default(), device.place.unwrap_or_default())
        };
        let expect = |kind: &str, place: &str| (kind.to_owned(), place.to_owned());
        assert_eq!(of(Some("AppleTV11,1/11.1"), Some("Lyon, FR"), Some("203.0.113.7")), expect("Apple TV", "Lyon, FR"));
        assert_eq!(of(Some("<b>"), None, Some("203.0.113.7")), expect("", "address 203.0.113.x"));
        assert_eq!(
            of(Some("curl/8"), Some("a\nb"), Some("::ffff:203.0.113.7")),
            expect("command-line program", "address 203.0.113.x")
        );
        assert_eq!(of(None, Some(long.as_str()), Some("2001:db8:1:2::3")), expect("", "address 2001:db8:1:x"));
        assert_eq!(of(None, None, None), expect("", ""));
    }
}
