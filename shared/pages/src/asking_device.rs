//! The device that asks for authorization, as pages show it (RFC 8628 §5.4).

use types::Timestamp;

/// The device that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceProfile<'a> {
    /// Kind, as the device says.
    pub kind: Option<&'a str>,
    /// City and country, or the network.
    pub place: Option<&'a str>,
    /// Minutes since the request of the device.
    pub minutes: u64,
}

impl<'a> DeviceProfile<'a> {
    /// Returns the profile at `now`.
    pub fn of(device: &'a protocol::AskingDevice, now: Timestamp) -> Self {
        Self {
            kind: device.kind.as_deref(),
            place: device.place.as_deref(),
            minutes: now.since(device.at).as_secs().div_euclid(60),
        }
    }

    /// Returns the time since the request, in words.
    pub(crate) fn age(&self) -> String {
        age(self.minutes)
    }
}

/// Returns a time in words.
pub(crate) fn age(minutes: u64) -> String {
    match minutes {
        0 => "less than a minute ago".to_owned(),
        1 => "1 minute ago".to_owned(),
        minutes => format!("{minutes} minutes ago"),
    }
}
