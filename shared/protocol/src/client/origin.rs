//! The origin of a client: the party that vouches for its settings.

use serde::{Deserialize, Serialize};

/// The way in which a client was created (RFC 7591 §3, RFC 9700 §4.11.2). A later change of its settings does not change it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientOrigin {
    /// Created by the operator.
    #[default]
    Operator,
    /// Registered with an initial access token (RFC 7591 §1.2).
    InitialAccessToken,
    /// Registered with a software statement of a trusted issuer (RFC 7591 §2.3).
    SoftwareStatement,
    /// Registered without a credential: no trusted party vouches for its redirect URIs.
    OpenRegistration,
    /// Registered without a credential, and shared by all identical registrations of a public client.
    SharedRegistration,
    /// Has a metadata document: the host of its `client_id` vouches for its redirect URIs.
    MetadataDocument,
}

impl ClientOrigin {
    /// True if the operator created the client.
    pub const fn is_operator(self) -> bool {
        matches!(self, Self::Operator)
    }

    /// True if registration took no credential.
    pub const fn is_open(self) -> bool {
        match self {
            Self::OpenRegistration | Self::SharedRegistration | Self::MetadataDocument => true,
            Self::Operator | Self::InitialAccessToken | Self::SoftwareStatement => false,
        }
    }
}
