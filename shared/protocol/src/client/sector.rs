//! Sectors: groups of clients that receive the same `sub` for a user (OpenID Connect Core §8.1).

use super::{Client, RedirectUri};
use crate::{GrantType, Problem, SubjectType};
use url::Url;

impl Client {
    /// Returns the sector: the host of `sector_identifier_uri`, or else the one host of the redirect URIs. `None` if the
    /// redirect URIs have several hosts, or if there are none.
    ///
    /// A redirect URI that is not https proves no host: any application on the device can claim it (RFC 8252 §8.6). A
    /// client that has only such redirect URIs is a sector of its own.
    pub fn sector(&self) -> Option<String> {
        let host = |url: Url| url.host_str().map(str::to_owned);
        if let Some(uri) = &self.sector_identifier_uri {
            return host(Url::parse(uri).ok()?);
        }
        if !self.redirect_uris.is_empty() && !self.redirect_uris.iter().any(RedirectUri::is_https) {
            // No host contains a space.
            return Some(format!("client {}", self.client_id));
        }
        if !self.redirect_uris.iter().all(RedirectUri::is_https) {
            return None;
        }
        let mut hosts = self.redirect_uris.iter().map(|uri| host(uri.url()?));
        let first = hosts.next()??;
        hosts.all(|other| other.as_deref() == Some(first.as_str())).then_some(first)
    }

    /// Returns the problem of a self-registered client with pairwise subjects that does not prove its sector (§8.1). Its
    /// tokens must pass through a redirect URI of the sector: each other grant would show the subjects to a client that
    /// only names the redirect URI of another one. A `sector_identifier_uri` must list a redirect URI.
    pub(super) fn sector_proof_problem(&self) -> Option<Problem> {
        if self.subject_type != SubjectType::Pairwise {
            return None;
        }
        let needs_redirect = |grant: &GrantType| match grant {
            GrantType::AuthorizationCode | GrantType::RefreshToken | GrantType::ClientCredentials => true,
            GrantType::DeviceCode
            | GrantType::JwtBearer
            | GrantType::Saml2Bearer
            | GrantType::TokenExchange
            | GrantType::Ciba => false,
        };
        if let Some(grant) = self.grant_types.iter().find(|grant| !needs_redirect(grant)) {
            let rule = "pairwise subjects need grants that redirect to the sector (OpenID Connect Core section 8.1)";
            return Some(Problem::new("grant_types", rule).with_value(grant.as_str()));
        }
        let rule = "pairwise subjects need a redirect URI of the sector (OpenID Connect Core section 8.1)";
        self.redirect_uris.is_empty().then(|| Problem::new("redirect_uris", rule))
    }

    /// Returns the sector of a client with pairwise subjects; `None` for every other client.
    pub fn pairwise_sector(&self) -> Option<String> {
        if self.subject_type == SubjectType::Pairwise { self.sector() } else { None }
    }
}
