//! The members of a request's one log line.

use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use types::ClientId;

/// The members of a request's one log line. Never a token, a code, a password or a secret. Clones share the members.
#[derive(Clone, Debug, Default)]
pub struct RequestLog(Arc<Mutex<LogMembers>>);

/// The members that a function adds to the log line.
#[derive(Clone, Debug, Default)]
pub struct LogMembers {
    /// `client`: the client that sent the request, once known.
    pub client: Option<ClientId>,
    /// `admin_key`: the admin key that signed the request, once authenticated.
    pub admin_key: Option<String>,
    /// `error`: the error code of the response.
    pub error: Option<String>,
    /// `reason`: the explanation of the error, for the operator.
    pub reason: Option<String>,
    /// `events`: the audit events of the request.
    pub events: Vec<Value>,
}

impl RequestLog {
    /// Records the client.
    pub fn client(&self, client_id: &ClientId) {
        self.lock().client = Some(client_id.clone());
    }

    /// Returns the client, once it is recorded.
    pub fn client_id(&self) -> Option<ClientId> {
        self.lock().client.clone()
    }

    /// Records the admin key that signed the request.
    pub fn admin_key(&self, kid: &str) {
        self.lock().admin_key = Some(kid.to_owned());
    }

    /// Returns the admin key that signed the request, once it is recorded.
    pub fn admin_key_id(&self) -> Option<String> {
        self.lock().admin_key.clone()
    }

    /// Records the error code of the response and its explanation.
    pub fn error(&self, code: &str, reason: &str) {
        let mut members = self.lock();
        members.error = Some(code.to_owned());
        members.reason = Some(reason.to_owned());
    }

    /// Adds an audit event.
    pub fn event(&self, event: Value) {
        self.lock().events.push(event);
    }

    /// Returns the members recorded so far, and forgets them.
    pub fn take(&self) -> LogMembers {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, LogMembers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
