//! The issuer's keys (RFC 7517 §5): fetched, and kept for minutes.

use crate::http_client::MAX_ANSWER;
use crate::{Config, Denial, Http};
use http::{Request, StatusCode, header};
use jose::{JwkSet, Jwt, VerificationKey, platform};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use types::Timestamp;

/// How long the issuer's keys are used before they are fetched again. Latchkey publishes a new key for longer than
/// that before it signs with it.
pub const KEYS_KEPT_FOR: Duration = Duration::from_secs(300);
/// How long they are used at most while the issuer cannot be reached.
pub const KEYS_OUTLIVE_FAULTS_FOR: Duration = Duration::from_secs(3600);
/// How long after a fetch they are not fetched again, whatever tokens name.
const PAUSE: Duration = Duration::from_secs(5);
/// How many keys of a set are used.
const MAX_KEYS: usize = 32;

/// The keys that an instance knows.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    keys: Option<(Timestamp, Arc<[VerificationKey]>)>,
    asked_at: Option<Timestamp>,
}

impl State {
    fn younger_than(&self, age: Duration, now: Timestamp) -> Option<Arc<[VerificationKey]>> {
        let (fetched_at, keys) = self.keys.as_ref()?;
        (now.since(*fetched_at) < age).then(|| keys.clone())
    }

    /// The keys to use without asking: fresh ones, or, right after a fetch that failed, older ones.
    fn known(&self, now: Timestamp) -> Option<Arc<[VerificationKey]>> {
        let age = if self.may_ask(now) { KEYS_KEPT_FOR } else { KEYS_OUTLIVE_FAULTS_FOR };
        self.younger_than(age, now)
    }

    fn may_ask(&self, now: Timestamp) -> bool {
        self.asked_at.is_none_or(|asked_at| now.since(asked_at) >= PAUSE)
    }
}

impl Keys {
    /// The claims, if the issuer signed them. A token that names a key which is not known makes us look whether there
    /// is a new one, at most every few seconds.
    pub(crate) async fn verify(
        &self,
        jwt: &Jwt<'_>,
        config: &Config,
        http: &dyn Http,
        now: Timestamp,
    ) -> Result<Option<Value>, Denial> {
        // RFC 9068 §2.1 has tokens name their key when there are several; Latchkey's always do.
        let Some(kid) = jwt.header().kid.as_deref() else { return Ok(None) };
        let known = self.state().known(now);
        let mut keys = match known {
            Some(keys) => keys,
            None => self.fetch(config, http, now).await?,
        };
        if !keys.iter().any(|key| key.kid() == kid) && self.state().may_ask(now) {
            keys = self.fetch(config, http, now).await?;
        }
        Ok(jose::verify(jwt, &keys).await)
    }

    async fn fetch(&self, config: &Config, http: &dyn Http, now: Timestamp) -> Result<Arc<[VerificationKey]>, Denial> {
        self.state().asked_at = Some(now);
        let fetched = ask(config, http).await;
        let mut state = self.state();
        match fetched {
            Ok(keys) => {
                state.keys = Some((now, keys.clone()));
                Ok(keys)
            }
            Err(reason) => state.younger_than(KEYS_OUTLIVE_FAULTS_FOR, now).ok_or(Denial::Unavailable(reason)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(config: &Config, http: &dyn Http) -> Result<Arc<[VerificationKey]>, String> {
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
            // A key that the platform cannot use is as good as none.
            if let Ok(verifier) = platform().verifier(alg, &jwk.key).await {
                keys.push(VerificationKey::new(kid, alg, verifier));
            }
        }
    }
    Ok(keys.into())
}
