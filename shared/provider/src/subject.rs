//! By which name a client knows a person: the one place where the mapping stands.
//!
//! Grants, sessions, consents and users have the person's own subject. Whatever leaves for a client or comes back from
//! one (`sub` of ID tokens, access tokens, UserInfo and introspection; ID token hints; the `claims` parameter) has the
//! name in the client's sector.

use crate::Context;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keys::Purpose;
use protocol::Client;

impl Context {
    /// The person's own subject for a client that knows people by it; else a name that all clients of one sector, and
    /// nobody besides, know the person by: an HMAC of sector and subject, which cannot be turned back (OpenID Connect
    /// Core §8.1). It changes with the secret that it is made under, so that one must be kept
    /// (`LATCHKEY_PAIRWISE_SECRET`).
    pub fn subject_for(&self, client: &Client, subject: &str) -> String {
        let Some(sector) = client.pairwise_sector() else { return subject.to_owned() };
        let secrets = self.config.pairwise.as_ref().unwrap_or(&self.secrets);
        URL_SAFE_NO_PAD.encode(secrets.mac(Purpose::Pairwise, &[sector.as_bytes(), subject.as_bytes()]))
    }
}
