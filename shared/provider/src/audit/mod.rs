//! Audit events: each security-relevant act is one event of the request's log line.

mod event;

use crate::ScheduledRun;
use latchkey_http::{Request, RequestId};
use serde::Serialize;
use serde_json::Value;
use std::net::IpAddr;
use types::{ClientId, Subject};

use event::Outcome;
pub use event::{Actor, AuditEvent};

/// An event as it is logged. Its members never hold a token, a code, a password or a secret.
#[derive(Serialize)]
struct Entry<'a> {
    event: &'static str,
    outcome: Outcome,
    actor: Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a Subject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    request: &'a RequestId,
}

impl AuditEvent<'_> {
    /// Records the event in the log line of the request.
    pub fn record(&self, request: &Request) {
        let admin_key = request.log.admin_key_id();
        request.log.event(self.entry(&request.id, request.address, admin_key));
    }

    /// Records the event in the log line of the run.
    pub fn record_scheduled(&self, run: &ScheduledRun) {
        run.log.event(self.entry(&run.id, None, None));
    }

    fn entry(&self, request: &RequestId, address: Option<IpAddr>, admin_key: Option<String>) -> Value {
        let entry = Entry {
            event: self.name(),
            outcome: self.outcome(),
            actor: self.actor(),
            admin_key,
            subject: self.subject(),
            client: self.client(),
            address,
            reason: self.reason(),
            request,
        };
        // Strings always serialize.
        serde_json::to_value(&entry).unwrap_or_default()
    }
}
