//! Slowing down whoever guesses, per account, per address, per browser: an attempt is counted before it is looked at.

use crate::{Context, HandlerError};
use keys::Purpose;
use latchkey_http::Request;
use platform::entropy;
use protocol::throttle::Patience;
use std::net::IpAddr;
use std::time::Duration;
use storage::attempts;
use types::Timestamp;

/// Where attempts of one kind are counted. The name tells a reader of the store nothing.
struct Slot {
    name: String,
    patience: Patience,
    /// Whether a right attempt clears it, or only takes itself back.
    clears: bool,
}

/// All places where one attempt is counted.
pub struct Slots<'a> {
    context: &'a Context,
    now: Timestamp,
    slots: Vec<Slot>,
    write_id: String,
}

impl<'a> Slots<'a> {
    /// None yet, for an attempt that this request makes.
    pub fn new(context: &'a Context, request: &Request) -> Result<Self, HandlerError> {
        Ok(Self { context, now: request.received_at, slots: Vec::new(), write_id: entropy::name()? })
    }

    /// Counts it at one subscriber's [`network`]. A right attempt only takes itself back, for many people may share it.
    #[must_use]
    pub fn per_address(self, kind: &str, address: Option<IpAddr>, patience: Patience) -> Self {
        self.with(kind, &network(address), patience, false)
    }

    /// Counts it at whatever bears this name. A right attempt clears it.
    #[must_use]
    pub fn per(self, kind: &str, name: &str, patience: Patience) -> Self {
        self.with(kind, name, patience, true)
    }

    fn with(mut self, kind: &str, value: &str, patience: Patience, clears: bool) -> Self {
        let tag = self.context.secrets.mac(Purpose::Throttle, &[kind.as_bytes(), value.as_bytes()]);
        let name = tag.iter().map(|byte| format!("{byte:02x}")).collect();
        self.slots.push(Slot { name, patience, clears });
        self
    }

    /// Counts the attempt; says how long to wait when it may not be made yet. Whole seconds, rounded up: whoever waits
    /// as told is let in.
    pub async fn reserve(&self) -> Result<Result<(), Duration>, HandlerError> {
        let records = self.context.records.as_ref();
        for slot in &self.slots {
            let reserved = attempts::reserve(records, &slot.name, slot.patience, self.now, &self.write_id).await?;
            if let Err(next) = reserved {
                return Ok(Err(Duration::from_secs(next.since(self.now).as_secs().saturating_add(1))));
            }
        }
        Ok(Ok(()))
    }

    /// Takes the attempt back: it was right.
    pub async fn forgive(&self) -> Result<(), HandlerError> {
        for slot in self.slots.iter().rev() {
            attempts::forgive(self.context.records.as_ref(), &slot.name, slot.clears, &self.write_id).await?;
        }
        Ok(())
    }
}

/// What one subscriber has: an IPv4 address, or a /64 of IPv6. Those whose address is not known are one.
pub fn network(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => address.segments().iter().take(4).map(|segment| format!("{segment:x}:")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_is_one_however_the_address_is_written() {
        let of = |text: &str| network(Some(text.parse().unwrap()));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("::ffff:192.0.2.1"), of("::ffff:192.0.2.2"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(network(None), "unknown");
    }
}
