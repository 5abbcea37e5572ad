//! Signed metadata (RFC 8414 §2.1).

use crate::{Context, HandlerError};
use protocol::metadata;
use serde_json::{Map, Value};
use std::sync::{Mutex, PoisonError};
use types::Timestamp;

/// The metadata that an instance signed last.
#[derive(Default)]
pub(crate) struct SignedMetadata(Mutex<Option<Signed>>);

/// A metadata document and its signature.
struct Signed {
    kid: String,
    document: Map<String, Value>,
    jwt: String,
}

impl SignedMetadata {
    fn find(&self, kid: &str, document: &Map<String, Value>) -> Option<String> {
        let signed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let signed = signed.as_ref().filter(|signed| signed.kid == kid && signed.document == *document);
        signed.map(|signed| signed.jwt.clone())
    }
}

impl Context {
    /// Returns a metadata document with `signed_metadata`. An instance signs a document once for each of its signing keys. Round trips:
    /// 0; 1 if the signing keys are not cached.
    pub async fn with_signed_metadata(
        &self,
        mut document: Map<String, Value>,
        now: Timestamp,
    ) -> Result<Map<String, Value>, HandlerError> {
        let algorithm = metadata::signing_algorithm(self.config.profile);
        let key = self.keyring(now).await?.signing_key(algorithm, now).await.map_err(HandlerError::unavailable)?;
        let jwt = match self.signed_metadata.find(key.kid(), &document) {
            Some(jwt) => jwt,
            None => {
                let claims = metadata::signed_claims(&document, &self.config.issuer, now);
                let jwt = jose::sign_jwt(&key, "JWT", &claims).await.map_err(HandlerError::unavailable)?;
                let signed = Signed { kid: key.kid().to_owned(), document: document.clone(), jwt: jwt.clone() };
                *self.signed_metadata.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(signed);
                jwt
            }
        };
        document.insert(metadata::SIGNED_METADATA.to_owned(), Value::String(jwt));
        Ok(document)
    }
}
