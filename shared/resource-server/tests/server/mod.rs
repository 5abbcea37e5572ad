//! An authorization server that a test controls.

use async_trait::async_trait;
use http::{Request, Response, header};
use jose::{Algorithm, Jwk, JwkSet, SigningKey, platform, sign_jwt};
use latchkey_resource_server::{Http, Timestamp};
use serde_json::{Value, json};
use std::sync::Mutex;

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const RESOURCE: &str = "https://api.example/";
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Returns a signing key and its public key.
pub(crate) async fn key(alg: Algorithm, kid: &str) -> (SigningKey, Jwk) {
    let pair = platform().generate(alg).await.unwrap();
    let signer = platform().signer(alg, &pair.pkcs8).await.unwrap();
    (SigningKey::new(kid, alg, signer), Jwk { kid: Some(kid.to_owned()), ..Jwk::from(pair.public) })
}

/// Returns valid claims with changes.
pub(crate) fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": RESOURCE, "sub": "ada", "client_id": "app", "scope": "read",
        "iat": NOW.as_secs(), "exp": NOW.as_secs() + 600, "jti": "1",
    });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    claims
}

/// Signs a token.
pub(crate) async fn token(key: &SigningKey, typ: &str, claims: &Value) -> String {
    sign_jwt(key, typ, claims).await.unwrap()
}

/// An authorization server with set answers, which records requests.
#[derive(Default)]
pub(crate) struct Server {
    /// The document at `/jwks`; requests fail if there is none.
    pub(crate) keys: Mutex<Option<JwkSet>>,
    /// The answer of `/introspect`: content type and body.
    pub(crate) introspection: Mutex<Option<(&'static str, String)>>,
    /// The paths of the requests, and their `Accept`.
    pub(crate) asked: Mutex<Vec<(String, String)>>,
    /// The posted forms.
    pub(crate) forms: Mutex<Vec<String>>,
}

impl Server {
    pub(crate) fn publish(&self, keys: &[&Jwk]) {
        *self.keys.lock().unwrap() =
            Some(JwkSet { keys: keys.iter().copied().cloned().collect(), ..JwkSet::default() });
    }

    pub(crate) fn say(&self, content_type: &'static str, body: impl ToString) {
        *self.introspection.lock().unwrap() = Some((content_type, body.to_string()));
    }

    pub(crate) fn times(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|(asked, _)| asked == path).count()
    }
}

#[async_trait]
impl Http for Server {
    async fn send(&self, request: Request<String>) -> Result<Response<Vec<u8>>, String> {
        let accept = request.headers()[header::ACCEPT].to_str().unwrap().to_owned();
        self.asked.lock().unwrap().push((request.uri().path().to_owned(), accept));
        if request.uri().path() == "/jwks" {
            let keys = self.keys.lock().unwrap().clone().ok_or("down")?;
            return Ok(Response::new(serde_json::to_vec(&keys).unwrap()));
        }
        assert_eq!(request.headers()[header::AUTHORIZATION], "Basic YXBpOnMlM0E=", "RFC 6749 §2.3.1");
        self.forms.lock().unwrap().push(request.into_body());
        let (content_type, body) = self.introspection.lock().unwrap().clone().ok_or("down")?;
        let response = Response::builder().header(header::CONTENT_TYPE, content_type);
        Ok(response.body(body.into_bytes()).unwrap())
    }
}
