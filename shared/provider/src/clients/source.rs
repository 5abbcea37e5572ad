//! The places where the settings of a client come from.

use crate::{Context, HandlerError};
use protocol::StoredClient;
use protocol::limits::MAX_CLIENT_ID;

/// A source of clients. The form of a `client_id` decides which one applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientSource {
    /// The store: clients of the operator and clients that registered themselves (RFC 7591).
    Registered,
}

impl ClientSource {
    /// Returns the source of a `client_id`; `None` if no client can have it.
    pub(super) fn of(client_id: &str) -> Option<Self> {
        (1..=MAX_CLIENT_ID).contains(&client_id.len()).then_some(Self::Registered)
    }

    /// Reads the client. Round trips: 1.
    pub(super) async fn find(self, client_id: &str, context: &Context) -> Result<Option<StoredClient>, HandlerError> {
        match self {
            Self::Registered => Ok(storage::clients::find(context.records.as_ref(), client_id).await?),
        }
    }
}
