//! Clients: where they are found, and how they authenticate.

mod authenticate;
mod cache;
mod document;

use crate::{Context, HandlerError};
pub(crate) use authenticate::AssertionMark;
pub(crate) use cache::ClientCache;
use protocol::StoredClient;
use std::sync::Arc;
use types::{ClientId, Timestamp};

impl Context {
    /// Returns a client, or `None` if no client has this `client_id`. The result may be as old as [`crate::CACHED_FOR`], and
    /// a few seconds old if there is no client. Round trips: 1 if neither is cached.
    pub async fn client(
        &self,
        client_id: &ClientId,
        now: Timestamp,
    ) -> Result<Option<Arc<StoredClient>>, HandlerError> {
        if let Some(cached) = self.clients.get(client_id, now) {
            return Ok(cached.filter(|client| client.is_there(now)));
        }
        let found = storage::clients::find(self.records.as_ref(), client_id).await?;
        let found = found.filter(|found| found.is_there(now)).map(|found| Arc::new(self.with_rules_of_today(found)));
        self.clients.put(client_id, found.as_ref(), now);
        Ok(found)
    }

    /// Returns a client as today's settings of the deployment have it: narrowed by its security profile, and one that the operator did
    /// not register with the scopes that such clients may have. Its own `scope` is that of requests without one, not a limit: a
    /// resource may have new scopes since.
    pub(crate) fn with_rules_of_today(&self, mut stored: StoredClient) -> StoredClient {
        stored.client = stored.client.narrowed(self.config.profile);
        if !stored.origin.is_operator() {
            let allowed = &self.configuration.registration_scopes;
            stored.client.default_scope = Some(stored.client.scope.within(allowed));
            stored.client.scope = allowed.clone();
        }
        stored
    }

    /// As [`Self::client`], for a `client_id` that a request names. A text that is no `client_id` names no client.
    pub async fn named_client(
        &self,
        client_id: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<StoredClient>>, HandlerError> {
        match ClientId::parse(client_id) {
            Some(client_id) => self.client(&client_id, now).await,
            None => Ok(None),
        }
    }

    /// Removes a client from the cache, after a change.
    pub fn forget_client(&self, client_id: &ClientId) {
        self.clients.forget(client_id);
    }
}
