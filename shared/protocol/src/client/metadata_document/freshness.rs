//! The freshness of a document that was read (§5.2, RFC 9111).

use crate::Client;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::time::Duration;
use types::Timestamp;

/// The shortest time for which a document is used without another look, whatever its headers say.
const LEAST: Duration = Duration::from_secs(5 * 60);
/// The time without such headers.
const USUAL: Duration = Duration::from_secs(3600);
/// The longest time.
const MOST: Duration = Duration::from_secs(24 * 3600);

/// Time from the last successful look at a document in which its copy is used while the document cannot be read.
pub const LAST_GOOD_COPY: Duration = Duration::from_secs(7 * 24 * 3600);

/// The copy of a document that the store has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentCopy {
    /// Time of the last successful look; the time of the first use for a copy that came with this server.
    pub read_at: Timestamp,
    /// Time up to which the document is not read again.
    pub fresh_until: Timestamp,
    /// `ETag` of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

impl DocumentCopy {
    /// True if the document need not be read now.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.fresh_until && self.read_at <= now
    }

    /// True if the copy may be used while the document cannot be read.
    pub fn may_replace(&self, now: Timestamp) -> bool {
        now.since(self.read_at) < LAST_GOOD_COPY
    }

    /// Returns the copy that must be renewed soon, because the document could not be read now.
    #[must_use]
    pub fn postponed(&self, now: Timestamp) -> Self {
        Self { fresh_until: now.after(LEAST), ..self.clone() }
    }
}

/// Returns the time up to which a document is used without another look: that of `Cache-Control`, within bounds.
pub fn fresh_until(cache_control: Option<&str>, now: Timestamp) -> Timestamp {
    let directives: Vec<String> =
        cache_control.unwrap_or_default().split(',').map(|part| part.trim().to_ascii_lowercase()).collect();
    let is_uncached = ["no-store", "no-cache"].iter().any(|name| directives.iter().any(|part| part == name));
    let seconds = |name: &str| {
        let value = directives.iter().find_map(|part| part.strip_prefix(name)?.strip_prefix('='))?;
        value.trim_matches('"').parse().ok().map(Duration::from_secs)
    };
    let lifetime = match seconds("s-maxage").or_else(|| seconds("max-age")) {
        _ if is_uncached => LEAST,
        Some(lifetime) => lifetime.clamp(LEAST, MOST),
        None => USUAL,
    };
    now.after(lifetime)
}

/// Returns the digest of the settings that a user relies on: redirect URIs, authentication method and keys. A change asks the
/// user for consent again.
pub(in crate::client) fn identity_digest(client: &Client) -> String {
    let relied_on = json!([client.redirect_uris, client.token_endpoint_auth_method, client.jwks, client.jwks_uri]);
    URL_SAFE_NO_PAD.encode(Sha256::digest(relied_on.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_decide_within_bounds() {
        let now = Timestamp::from_secs(1_800_000_000);
        for (header, expected) in [
            (None, USUAL),
            (Some("public"), USUAL),
            (Some("max-age=7200"), Duration::from_secs(7200)),
            (Some("public, Max-Age=7200, s-maxage=10800"), Duration::from_secs(10800)),
            (Some("max-age=\"7200\""), Duration::from_secs(7200)),
            (Some("max-age=0"), LEAST),
            (Some("max-age=31536000"), MOST),
            (Some("no-store, max-age=7200"), LEAST),
            (Some("no-cache"), LEAST),
            (Some("max-age=x"), USUAL),
        ] {
            assert_eq!(fresh_until(header, now), now.after(expected), "{header:?}");
        }
    }
}
