//! Identifiers of records that tokens name.

use crate::token::Mac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Length of a record identifier in bytes: the partition (2) and 128 random bits.
pub(crate) const LENGTH: usize = 18;

/// Declares the identifier of one kind of record: a partition of the store and 128 random bits. Identifiers of different
/// kinds are different types.
macro_rules! record_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name([u8; LENGTH]);

        impl $name {
            /// Makes an identifier from the partition of its record and fresh randomness.
            pub const fn new(partition: [u8; 2], random: [u8; 16]) -> Self {
                Self(join(partition, random))
            }

            /// Returns the partition of the store that holds the record.
            pub const fn partition(self) -> [u8; 2] {
                let [first, second, ..] = self.0;
                [first, second]
            }

            /// Returns the identifier as the store and interactions name it: 24 characters of base64url.
            pub fn name(self) -> String {
                URL_SAFE_NO_PAD.encode(self.0)
            }

            /// Reads the identifier from its name in the store.
            pub fn from_name(name: &str) -> Option<Self> {
                URL_SAFE_NO_PAD.decode(name).ok()?.try_into().ok().map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.name())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                Self::from_name(&name).ok_or_else(|| serde::de::Error::custom("not the name of a record"))
            }
        }

        /// Shows the first characters alone: enough to compare two, too few to name the record.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let [_, _, first, second, ..] = self.0;
                write!(f, concat!(stringify!($name), "({:02x}{:02x}…)"), first, second)
            }
        }
    };
}

/// Declares the form in which tokens hold an identifier.
macro_rules! in_tokens {
    ($($name:ident)+) => {
        $(impl $name {
            /// Returns the identifier as it is written into a token: with its partition veiled.
            pub(crate) fn veil(self, mac: &dyn Mac) -> [u8; LENGTH] {
                veiled(self.0, mac.tag(&veil_parts(&self.0)))
            }

            /// Reads the identifier from a token of the key `key_id`.
            pub(crate) fn unveil(mac: &dyn Mac, key_id: [u8; 4], bytes: [u8; LENGTH]) -> Option<Self> {
                Some(Self(veiled(bytes, mac.tag_with(key_id, &veil_parts(&bytes))?)))
            }
        })+
    };
}

in_tokens!(GrantId SessionId PushedRequestId DecisionId InitialAccessTokenId RegistrationId);

record_id!(
    /// Identifier of a grant.
    GrantId
);
record_id!(
    /// Identifier of a session of a browser.
    SessionId
);
record_id!(
    /// Identifier of a pushed authorization request (RFC 9126).
    PushedRequestId
);
record_id!(
    /// User handle: a user, as the authenticators of the passkeys know it (WebAuthn §5.4.3). It names the partition of their records.
    UserHandle
);
record_id!(
    /// Identifier of the decision of a user about a request from another device (RFC 8628, CIBA).
    DecisionId
);
record_id!(
    /// Identifier of a registration (RFC 7591).
    RegistrationId
);
record_id!(
    /// Identifier of an initial access token (RFC 7591 §1.2).
    InitialAccessTokenId
);

const fn join([a, b]: [u8; 2], random: [u8; 16]) -> [u8; LENGTH] {
    let [c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r] = random;
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r]
}

/// Returns the input of the veil over a partition: the rest of the identifier.
fn veil_parts(id: &[u8; LENGTH]) -> [&[u8]; 2] {
    let (_, random) = id.split_at(2);
    [b"partition", random]
}

/// Veils the partition of an identifier, or removes the veil. The partition is that of the user who owns the record; two
/// clients that compare their tokens must not see that they serve one user (OpenID Connect Core §8.1, §17.3).
const fn veiled(id: [u8; LENGTH], veil: [u8; 32]) -> [u8; LENGTH] {
    let ([first, second, random @ ..], [veil_first, veil_second, ..]) = (id, veil);
    join([first ^ veil_first, second ^ veil_second], random)
}
