//! The issuer's keys (RFC 7517 §5).

use crate::http_client::MAX_ANSWER;
use crate::{AccessError, Config, Http};
use http::{Request, StatusCode, header};
use jose::{CachedJwks, FetchDecision, JwkSet, Jwt, VerificationKey, jwks_lifetime, platform};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use types::Timestamp;

/// Time after which a request to the authorization server must have failed.
pub const HTTP_TIMEOUT: Duration = Duration::from_secs(3);
/// Maximum number of keys of a set that are used.
const MAX_KEYS: usize = 32;

/// The keys that an instance has cached. The policy is that of the authorization server for its clients' keys.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    cached: Mutex<CachedJwks<Arc<[VerificationKey]>, String>>,
}

impl Keys {
    /// Returns the claims, if the issuer signed them. A token that names an unknown key causes a fetch, on average once a
    /// second at most.
    pub(crate) async fn verify(
        &self,
        jwt: &Jwt<'_>,
        config: &Config,
        http: &dyn Http,
        now: Timestamp,
    ) -> Result<Option<Value>, AccessError> {
        // A token must name its key if there are several (RFC 9068 §2.1). Latchkey's always do.
        let Some(kid) = jwt.header().kid.as_deref() else { return Ok(None) };
        let cached = self.cached().fresh(now);
        let is_cached = cached.is_some();
        let mut keys = match cached {
            Some(keys) => keys,
            None => self.fetch(config, http, now).await?,
        };
        if is_cached && !keys.iter().any(|key| key.kid() == kid) {
            keys = self.fetch(config, http, now).await?;
        }
        Ok(jose::verify(jwt, &keys).await)
    }

    async fn fetch(
        &self,
        config: &Config,
        http: &dyn Http,
        now: Timestamp,
    ) -> Result<Arc<[VerificationKey]>, AccessError> {
        let decision = self.cached().decide(now, HTTP_TIMEOUT, false);
        match decision {
            FetchDecision::Use(outcome) => outcome,
            // This crate has no timer to wait with: the first requests of an instance fetch side by side.
            FetchDecision::Fetch | FetchDecision::Wait => {
                let outcome = request_keys(config, http).await;
                self.cached().record(outcome, now)
            }
        }
        .map_err(AccessError::Unavailable)
    }

    fn cached(&self) -> MutexGuard<'_, CachedJwks<Arc<[VerificationKey]>, String>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn request_keys(config: &Config, http: &dyn Http) -> Result<(Arc<[VerificationKey]>, Duration), String> {
    let request = Request::get(&config.jwks_uri).header(header::ACCEPT, "application/jwk-set+json, application/json");
    let request = request.body(String::new()).map_err(|error| format!("{}: {error}", config.jwks_uri))?;
    let response = http.send(request).await.map_err(|error| format!("{}: {error}", config.jwks_uri))?;
    let text = std::str::from_utf8(response.body()).ok().filter(|text| text.len() <= MAX_ANSWER);
    let set = text.filter(|_| response.status() == StatusCode::OK).and_then(JwkSet::parse);
    let set = set.ok_or_else(|| format!("{}: {} is no JWK Set", config.jwks_uri, response.status()))?;
    let mut keys = Vec::new();
    for jwk in set.keys.iter().take(MAX_KEYS) {
        let Some(kid) = &jwk.kid else { continue };
        for alg in config.algorithms.iter().copied().filter(|alg| jwk.verifies(*alg)) {
            // A key that the platform cannot use is left out.
            if let Ok(verifier) = platform().verifier(alg, &jwk.key).await {
                keys.push(VerificationKey::new(kid, alg, verifier));
            }
        }
    }
    let cache_control = response.headers().get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    Ok((keys.into(), jwks_lifetime(cache_control)))
}
