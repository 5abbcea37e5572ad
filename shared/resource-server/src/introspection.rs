//! Introspection (RFC 7662) with a bounded memory.

use crate::cache::{Cache, Key};
use crate::http_client::MAX_ANSWER;
use crate::{Denial, Http, Introspection};
use base64::prelude::{BASE64_STANDARD, Engine};
use form_urlencoded::Serializer;
use http::{Request, Response, StatusCode, header};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use types::Timestamp;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// What the token says (RFC 7662 §2.2).
    Json,
    /// A JWT in its place.
    Jwt,
}

/// What the authorization server said of a token.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Inactive,
    Active(Arc<Answer>),
}

/// What it said of an active one.
#[derive(Debug)]
pub(crate) enum Answer {
    Claims(Value),
    Jwt(String),
}

impl Answer {
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

/// Asks, and remembers.
#[derive(Debug, Default)]
pub(crate) struct Introspector {
    active: Mutex<Cache<Arc<Answer>>>,
    /// Apart, so that made-up tokens push no good one out.
    inactive: Mutex<Cache<()>>,
}

impl Introspector {
    /// Whether a token is active, as it was said less than `age` ago.
    pub(crate) async fn ask(
        &self,
        introspection: &Introspection,
        http: &dyn Http,
        token: &str,
        form: Form,
        now: Timestamp,
    ) -> Result<Verdict, Denial> {
        let key = Key::of(token, u8::from(form == Form::Jwt));
        if let Some(answer) = self.active().find(&key, introspection.age, now) {
            return Ok(Verdict::Active(answer));
        }
        if self.inactive().find(&key, introspection.age, now).is_some() {
            return Ok(Verdict::Inactive);
        }
        let verdict = ask(introspection, http, token, form).await.map_err(Denial::Unavailable)?;
        match &verdict {
            Verdict::Active(answer) => self.active().keep(key, answer.clone(), now),
            Verdict::Inactive => {
                self.active().forget(&key);
                self.inactive().keep(key, (), now);
            }
        }
        Ok(verdict)
    }

    fn active(&self) -> std::sync::MutexGuard<'_, Cache<Arc<Answer>>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inactive(&self) -> std::sync::MutexGuard<'_, Cache<()>> {
        self.inactive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(introspection: &Introspection, http: &dyn Http, token: &str, form: Form) -> Result<Verdict, String> {
    let endpoint = &introspection.endpoint;
    let response = http.send(request(introspection, token, form)?).await;
    read(&response.map_err(|error| format!("{endpoint}: {error}"))?, form)
        .ok_or_else(|| format!("{endpoint}: the answer is not what was asked for"))
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

/// `None` when the answer says nothing that can be relied on.
fn read(response: &Response<Vec<u8>>, form: Form) -> Option<Verdict> {
    let text = std::str::from_utf8(response.body()).ok().filter(|text| text.len() <= MAX_ANSWER)?;
    if response.status() == StatusCode::NO_CONTENT && form == Form::Jwt {
        return Some(Verdict::Inactive);
    }
    if response.status() != StatusCode::OK {
        return None;
    }
    let content_type = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = content_type.split(';').next()?.trim();
    if essence.eq_ignore_ascii_case("application/jwt") && form == Form::Jwt {
        return Some(Verdict::Active(Arc::new(Answer::Jwt(text.trim().to_owned()))));
    }
    if !essence.eq_ignore_ascii_case("application/json") {
        return None;
    }
    let claims: Value = serde_json::from_slice(text.as_bytes()).ok()?;
    match (claims.get("active")?.as_bool()?, form) {
        (false, _) => Some(Verdict::Inactive),
        (true, Form::Json) => Some(Verdict::Active(Arc::new(Answer::Claims(claims)))),
        // A JWT was asked for: the opaque token must not be passed on for want of one.
        (true, Form::Jwt) => None,
    }
}
