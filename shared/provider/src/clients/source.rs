//! The places where the settings of a client come from.

use crate::{Context, HandlerError};
use protocol::StoredClient;
use types::ClientId;

/// A source of clients. The form of a `client_id` decides which one applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientSource {
    /// The store: clients of the operator and clients that registered themselves (RFC 7591).
    Registered,
}

impl ClientSource {
    /// Returns the source of a `client_id`.
    pub(super) const fn of(_: &ClientId) -> Self {
        Self::Registered
    }

    /// Reads the client. Round trips: 1.
    pub(super) async fn find(
        self,
        client_id: &ClientId,
        context: &Context,
    ) -> Result<Option<StoredClient>, HandlerError> {
        match self {
            Self::Registered => Ok(storage::clients::find(context.records.as_ref(), client_id).await?),
        }
    }
}
