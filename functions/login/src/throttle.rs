//! Slowing down whoever guesses: per account and per address, counted before the password is looked at.

use crate::Visit;
use jose::Purpose;
use protocol::throttle::{ACCOUNT, ADDRESS};
use runtime::{Context, Fault, entropy};
use std::net::IpAddr;
use std::time::Duration;
use storage::{attempts, users};

/// Where the attempts against an account and from an address are counted. The names tell a reader of the store
/// neither.
pub(crate) struct Slots {
    account: String,
    address: String,
    writer: String,
}

impl Slots {
    pub(crate) fn new(visit: &Visit<'_>, username: &str) -> Result<Self, Fault> {
        let address = visit.request.address.map_or_else(|| "unknown".to_owned(), network);
        Ok(Self {
            account: name(visit.context, "account", &users::normalize(username)),
            address: name(visit.context, "address", &address),
            writer: entropy::name()?,
        })
    }

    /// Counts an attempt; says how long to wait when it may not be made yet.
    pub(crate) async fn reserve(&self, visit: &Visit<'_>) -> Result<Result<(), Duration>, Fault> {
        let (records, now) = (visit.context.records.as_ref(), visit.request.received_at);
        for (name, patience) in [(&self.address, ADDRESS), (&self.account, ACCOUNT)] {
            if let Err(next) = attempts::reserve(records, name, patience, now, &self.writer).await? {
                // Whole seconds, rounded up: whoever waits as told is let in.
                return Ok(Err(Duration::from_secs(next.since(now).as_secs().saturating_add(1))));
            }
        }
        Ok(Ok(()))
    }

    /// Takes the attempt back: the password was right.
    pub(crate) async fn forgive(&self, visit: &Visit<'_>) -> Result<(), Fault> {
        let records = visit.context.records.as_ref();
        attempts::forgive(records, &self.account, true, &self.writer).await?;
        attempts::forgive(records, &self.address, false, &self.writer).await?;
        Ok(())
    }
}

fn name(context: &Context, kind: &str, value: &str) -> String {
    let tag = context.secrets.mac(Purpose::Throttle, &[kind.as_bytes(), value.as_bytes()]);
    tag.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What one subscriber has: an IPv4 address, or a /64 of IPv6.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => address.segments().iter().take(4).map(|segment| format!("{segment:x}:")).collect(),
    }
}
