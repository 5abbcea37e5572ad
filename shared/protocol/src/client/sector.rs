//! Sectors: groups of clients that receive the same `sub` for a user (OpenID Connect Core §8.1).

use super::Client;
use crate::SubjectType;
use url::Url;

impl Client {
    /// Returns the sector: the host of `sector_identifier_uri`, or else the one host of the redirect URIs. `None` if the
    /// redirect URIs have several hosts.
    pub fn sector(&self) -> Option<String> {
        let host = |uri: &str| Url::parse(uri).ok()?.host_str().map(str::to_owned);
        if let Some(uri) = &self.sector_identifier_uri {
            return host(uri);
        }
        let mut hosts = self.redirect_uris.iter().map(|uri| host(uri));
        let first = hosts.next()??;
        hosts.all(|other| other.as_deref() == Some(first.as_str())).then_some(first)
    }

    /// Returns the sector of a client with pairwise subjects; `None` for every other client.
    pub fn pairwise_sector(&self) -> Option<String> {
        if self.subject_type == SubjectType::Pairwise { self.sector() } else { None }
    }
}
