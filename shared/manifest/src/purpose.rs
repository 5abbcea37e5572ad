//! The purposes of the keys that are derived from the deployment secret.

use std::fmt;

/// The purpose of a derived key. Keys of different purposes are independent. A function receives the keys of its row, and no
/// others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Sealed tokens: codes, refresh tokens, sessions and others.
    Token,
    /// Opaque access tokens.
    AccessToken,
    /// Interactions: requests on their way through sign-in and consent.
    Interaction,
    /// Form tokens, against cross-site request forgery.
    Form,
    /// Client secrets and fingerprints of registrations. The fingerprints are stored, so a new key of their own would
    /// invalidate them.
    ClientSecret,
    /// The private half of the stored signing keys.
    SigningKeys,
    /// The public half of the stored signing keys: proves that this deployment wrote it.
    PublishedKeys,
    /// Names of counters of the rate limits.
    Counter,
    /// Pairwise subject identifiers.
    Pairwise,
    /// Ids of the records behind user codes.
    UserCode,
    /// Contents of notifications to clients, while they wait in the store.
    Notice,
    /// Credentials with which functions call the objects that hold the records. On Cloudflare alone.
    Records,
    /// Secrets of authenticator apps, which are sealed, and recovery codes, of which the MAC is stored.
    SecondFactor,
    /// The private key to which clients encrypt request objects.
    RequestObject,
    /// The public half of that key, for a function that publishes it, and beside the private half. No secret: it is a point of 64
    /// bytes in place of a derived key.
    RequestObjectPublic,
    /// Links in mails.
    Mail,
}

impl Purpose {
    /// Number of purposes.
    pub const COUNT: usize = 16;

    /// Every purpose, in the order of declaration.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Token,
        Self::AccessToken,
        Self::Interaction,
        Self::Form,
        Self::ClientSecret,
        Self::SigningKeys,
        Self::PublishedKeys,
        Self::Counter,
        Self::Pairwise,
        Self::UserCode,
        Self::Notice,
        Self::Records,
        Self::SecondFactor,
        Self::RequestObject,
        Self::RequestObjectPublic,
        Self::Mail,
    ];

    /// Returns the label in the derivation, which is also the member of `LATCHKEY_KEYS`. A changed label changes the key.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::AccessToken => "access-token",
            Self::Interaction => "interaction",
            Self::Form => "form",
            Self::ClientSecret => "client-secret",
            Self::SigningKeys => "signing-keys",
            Self::PublishedKeys => "published-keys",
            Self::Counter => "counter",
            Self::Pairwise => "pairwise",
            Self::UserCode => "user-code",
            Self::Notice => "notice",
            Self::Records => "records",
            Self::SecondFactor => "second-factor",
            Self::RequestObject => "request-object",
            Self::RequestObjectPublic => "request-object-public",
            Self::Mail => "mail",
        }
    }

    /// Returns the purpose with this label.
    pub fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.label() == label)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_has_a_label_and_its_place() {
        for (position, purpose) in Purpose::ALL.into_iter().enumerate() {
            assert_eq!(purpose as usize, position);
            assert_eq!(Purpose::from_label(purpose.label()), Some(purpose));
        }
        assert_eq!(Purpose::from_label("other"), None);
    }
}
