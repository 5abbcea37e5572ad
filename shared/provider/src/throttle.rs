//! Rate limits per account, address and browser. An attempt is counted before it is checked.

use crate::{Context, HandlerError};
use keys::Purpose;
use latchkey_http::Request;
use platform::entropy;
use protocol::throttle::Patience;
use std::net::IpAddr;
use std::time::Duration;
use storage::attempts;
use types::Timestamp;

/// A counter of attempts. Its id is a MAC, which tells a reader of the store nothing.
struct Slot {
    name: String,
    patience: Patience,
    /// True if a successful attempt resets the counter; otherwise it only undoes its own count.
    clears: bool,
}

/// The counters of one attempt.
pub struct Slots<'a> {
    context: &'a Context,
    now: Timestamp,
    slots: Vec<Slot>,
    write_id: String,
}

impl<'a> Slots<'a> {
    /// Starts without counters, for an attempt of this request.
    pub fn new(context: &'a Context, request: &Request) -> Result<Self, HandlerError> {
        Ok(Self { context, now: request.received_at, slots: Vec::new(), write_id: entropy::name()? })
    }

    /// Adds a counter for the subscriber's [`network`]. A successful attempt only undoes its own count, because many
    /// users may share an address.
    #[must_use]
    pub fn per_address(self, kind: &str, address: Option<IpAddr>, patience: Patience) -> Self {
        self.with(kind, &network(address), patience, false)
    }

    /// Adds a counter for this name. A successful attempt resets it.
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

    /// Counts the attempt. Errors: the delay until an attempt is allowed, in whole seconds, rounded up so that an
    /// attempt after the delay succeeds.
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

    /// Undoes the count of a successful attempt.
    pub async fn forgive(&self) -> Result<(), HandlerError> {
        for slot in self.slots.iter().rev() {
            attempts::forgive(self.context.records.as_ref(), &slot.name, slot.clears, &self.write_id).await?;
        }
        Ok(())
    }
}

/// Returns the network of one subscriber: an IPv4 address, or a /64 of IPv6. All unknown addresses are one network.
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
