//! Sectors: clients that know a person by the same name (OpenID Connect Core §8.1).

use super::Client;
use crate::SubjectType;
use url::Url;

impl Client {
    /// The host that names the client's sector: that of its `sector_identifier_uri`, or else the one host of its
    /// redirect URIs. `None` when it has several and does not say.
    pub fn sector(&self) -> Option<String> {
        let host = |uri: &str| Url::parse(uri).ok()?.host_str().map(str::to_owned);
        if let Some(uri) = &self.sector_identifier_uri {
            return host(uri);
        }
        let mut hosts = self.redirect_uris.iter().map(|uri| host(uri));
        let first = hosts.next()??;
        hosts.all(|other| other.as_deref() == Some(first.as_str())).then_some(first)
    }

    /// The sector in which people have names of its own; `None` when the client knows them as everybody does.
    pub fn pairwise_sector(&self) -> Option<String> {
        if self.subject_type == SubjectType::Pairwise { self.sector() } else { None }
    }
}
