//! Audit events: each security-relevant act is one event of the request's log line.

mod event;

use crate::Context;
use latchkey_http::{Request, RequestLog};
use serde::Serialize;
use serde_json::{Value, json};
use std::net::IpAddr;
use types::{ClientId, Subject, Timestamp};

use event::Outcome;
pub use event::{Actor, AuditEvent};

/// An event as it is logged. Its members never hold a token, a code, a password or a secret.
#[derive(Serialize)]
struct Entry<'a> {
    event: &'static str,
    outcome: Outcome,
    actor: Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a Subject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    request: &'a str,
}

impl AuditEvent<'_> {
    /// Records the event in the log line of the request.
    pub fn record(&self, request: &Request) {
        self.record_in(&request.log, &request.id, request.address);
    }

    fn record_in(&self, log: &RequestLog, request_id: &str, address: Option<IpAddr>) {
        log.event(self.entry(request_id, address));
    }

    /// Writes the event as a log line of its own, for an act of a schedule.
    pub fn record_scheduled(&self, context: &Context, function: &str, now: Timestamp) {
        let events = [self.entry("", None)];
        let line = json!({ "at": now.as_millis(), "function": function, "events": events });
        (context.log)(&line.to_string());
    }

    fn entry(&self, request: &str, address: Option<IpAddr>) -> Value {
        let entry = Entry {
            event: self.name(),
            outcome: self.outcome(),
            actor: self.actor(),
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
