//! Introspection (RFC 7662), whose answers are cached.

use crate::http_client::MAX_ANSWER;
use crate::{AccessError, Http, Introspection};
use base64::prelude::{BASE64_STANDARD, Engine};
use form_urlencoded::Serializer;
use http::{Request, Response, StatusCode, header};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use types::{BoundedCache, Timestamp};

/// Maximum number of active, and of inactive, tokens whose state an instance caches.
const MAX_TOKENS: usize = 2048;

/// The form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The claims of the token (RFC 7662 §2.2).
    Json,
    /// A JWT in exchange for an opaque token.
    Jwt,
}

/// The state of a token.
#[derive(Clone, Debug)]
pub(crate) enum TokenState {
    Inactive,
    Active(Arc<IntrospectedToken>),
}

/// An active token, as the authorization server describes it.
#[derive(Debug)]
pub(crate) enum IntrospectedToken {
    Claims(Value),
    Jwt(String),
}

impl IntrospectedToken {
    pub(crate) fn jwt(&self) -> Option<&str> {
        match self {
            Self::Jwt(jwt) => Some(jwt),
            Self::Claims(_) => None,
        }
    }

    pub(crate) const fn claims(&self) -> &Value {
        match self {
            Self::Claims(claims) => claims,
            Self::Jwt(_) => &Value::Null,
        }
    }
}

/// The SHA-256 hash of a token and of the form that was requested: the cache holds no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Fingerprint([u8; 32]);

impl Fingerprint {
    fn new(token: &str, form: Form) -> Self {
        let form = u8::from(form == Form::Jwt);
        Self(Sha256::new().chain_update([form]).chain_update(token.as_bytes()).finalize().into())
    }
}

/// The states of tokens that an instance has cached.
#[derive(Debug)]
pub(crate) struct Introspector {
    active: Mutex<BoundedCache<Fingerprint, Arc<IntrospectedToken>>>,
    /// A cache of its own, so that invented tokens evict no active one.
    inactive: Mutex<BoundedCache<Fingerprint, ()>>,
}

impl Default for Introspector {
    fn default() -> Self {
        let (active, inactive) = (BoundedCache::new(MAX_TOKENS), BoundedCache::new(MAX_TOKENS));
        Self { active: Mutex::new(active), inactive: Mutex::new(inactive) }
    }
}

impl Introspector {
    /// Returns the state of a token, as the authorization server described it less than [`Introspection::age`] ago.
    pub(crate) async fn introspect(
        &self,
        introspection: &Introspection,
        http: &dyn Http,
        token: &str,
        form: Form,
        now: Timestamp,
    ) -> Result<TokenState, AccessError> {
        let fingerprint = Fingerprint::new(token, form);
        if let Some(token) = self.active().get(&fingerprint, introspection.age, now) {
            return Ok(TokenState::Active(token.clone()));
        }
        if self.inactive().get(&fingerprint, introspection.age, now).is_some() {
            return Ok(TokenState::Inactive);
        }
        let state = request_state(introspection, http, token, form).await.map_err(AccessError::Unavailable)?;
        match &state {
            TokenState::Active(token) => self.active().insert(fingerprint, token.clone(), now),
            TokenState::Inactive => {
                self.active().remove(&fingerprint);
                self.inactive().insert(fingerprint, (), now);
            }
        }
        Ok(state)
    }

    fn active(&self) -> MutexGuard<'_, BoundedCache<Fingerprint, Arc<IntrospectedToken>>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inactive(&self) -> MutexGuard<'_, BoundedCache<Fingerprint, ()>> {
        self.inactive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn request_state(
    introspection: &Introspection,
    http: &dyn Http,
    token: &str,
    form: Form,
) -> Result<TokenState, String> {
    let endpoint = &introspection.endpoint;
    let response = http.send(request(introspection, token, form)?).await;
    read(&response.map_err(|error| format!("{endpoint}: {error}"))?, form)
        .ok_or_else(|| format!("{endpoint}: the answer is no introspection response in the requested form"))
}

fn request(introspection: &Introspection, token: &str, form: Form) -> Result<Request<String>, String> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = format!("{}:{}", encoded(&introspection.client_id), encoded(&introspection.client_secret));
    let accept = match form {
        Form::Json => "application/json",
        Form::Jwt => "application/jwt",
    };
    let parameters = [("token", token), ("token_type_hint", "access_token")];
    Request::post(&introspection.endpoint)
        .header(header::AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(credentials)))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, accept)
        .body(Serializer::new(String::new()).extend_pairs(parameters).finish())
        .map_err(|error| format!("{}: {error}", introspection.endpoint))
}

/// Reads an answer. Returns `None` if it is no introspection response in the requested form.
fn read(response: &Response<Vec<u8>>, form: Form) -> Option<TokenState> {
    let text = std::str::from_utf8(response.body()).ok().filter(|text| text.len() <= MAX_ANSWER)?;
    if response.status() == StatusCode::NO_CONTENT && form == Form::Jwt {
        return Some(TokenState::Inactive);
    }
    if response.status() != StatusCode::OK {
        return None;
    }
    let content_type = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = content_type.split(';').next()?.trim();
    if essence.eq_ignore_ascii_case("application/jwt") && form == Form::Jwt {
        return Some(TokenState::Active(Arc::new(IntrospectedToken::Jwt(text.trim().to_owned()))));
    }
    if !essence.eq_ignore_ascii_case("application/json") {
        return None;
    }
    let claims = types::json::value(text.as_bytes()).ok()?;
    match (claims.get("active")?.as_bool()?, form) {
        (false, _) => Some(TokenState::Inactive),
        (true, Form::Json) => Some(TokenState::Active(Arc::new(IntrospectedToken::Claims(claims)))),
        // The opaque token must not be passed on in place of the JWT that was requested.
        (true, Form::Jwt) => None,
    }
}
