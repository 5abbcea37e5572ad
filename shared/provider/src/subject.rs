//! Pairwise subjects (OpenID Connect Core §8.1): the one place of the mapping.
//!
//! Grants, sessions, consents and users have the subject of the user. Every `sub` that a client sends or receives (ID
//! tokens, access tokens, UserInfo, introspection, ID token hints, the `claims` parameter) is the one of its sector.

use crate::Context;
use keys::Purpose;
use protocol::Client;
use types::Subject;

impl Context {
    /// Returns the `sub` of a user for a client: the subject of the user, or for pairwise clients an HMAC of sector and
    /// subject, which cannot be reversed (OpenID Connect Core §8.1). It depends on a secret that must not change:
    /// `LATCHKEY_PAIRWISE_SECRET`.
    pub fn subject_for(&self, client: &Client, subject: &Subject) -> Subject {
        match client.pairwise_sector() {
            None => subject.clone(),
            Some(sector) => self.pairwise_subject(&sector, subject),
        }
    }

    /// Returns the `sub` of a user for a sector.
    pub fn pairwise_subject(&self, sector: &str, subject: &Subject) -> Subject {
        Subject::pairwise(self.secrets.mac(Purpose::Pairwise, &[sector.as_bytes(), subject.as_str().as_bytes()]))
    }
}
