//! Signing of JWTs, and encryption to clients that registered for it.

use crate::remote_keys::KeySource;
use crate::{Context, HandlerError};
use jose::{JwkSet, Recipient};
use protocol::Client;
use serde::Serialize;
use types::{Algorithm, ContentEncryption, Error, KeyManagementAlgorithm, Timestamp};

impl Context {
    /// Signs a JWT for a client with the current key of this algorithm. Another one replaces it if its key type is omitted, or if the
    /// profile of the client does not allow it.
    pub async fn sign(
        &self,
        client: &Client,
        algorithm: Algorithm,
        typ: &str,
        claims: &(impl Serialize + Sync),
        now: Timestamp,
    ) -> Result<String, HandlerError> {
        let algorithm = self.config.signing.signature(algorithm, client);
        let key = self.keyring(now).await?.signing_key(algorithm, now).await.map_err(HandlerError::unavailable)?;
        jose::sign_jwt(&key, typ, claims).await.map_err(HandlerError::unavailable)
    }

    /// Returns the key of the client that responses are encrypted to; `None` without `alg`. The default of `enc` is
    /// A128CBC-HS256 (OpenID Connect Registration §2, RFC 9701 §6, JARM §3). Errors: `invalid_request` if the client has no key.
    async fn recipient(
        &self,
        client: &Client,
        alg: Option<KeyManagementAlgorithm>,
        enc: Option<ContentEncryption>,
        now: Timestamp,
    ) -> Result<Option<Recipient>, HandlerError> {
        let Some(alg) = alg else { return Ok(None) };
        let enc = enc.unwrap_or(ContentEncryption::A128CbcHs256);
        let recipient = match KeySource::of(client) {
            Some(KeySource::Set(set)) => JwkSet::from_value(set).and_then(|keys| Recipient::among(&keys, alg, enc)),
            Some(KeySource::Uri(uri, owner)) => {
                let keys = self.remote_keys((uri, owner), now).await.map_err(HandlerError::unavailable)?;
                Recipient::among(&keys, alg, enc)
            }
            None => None,
        };
        recipient.map(Some).ok_or_else(|| no_key(alg).into())
    }

    /// Returns the key that the client's ID tokens are encrypted to; `None` if they are not encrypted.
    pub async fn id_token_recipient(&self, client: &Client, now: Timestamp) -> Result<Option<Recipient>, HandlerError> {
        let (alg, enc) = (client.id_token_encrypted_response_alg, client.id_token_encrypted_response_enc);
        self.recipient(client, alg, enc, now).await
    }

    /// Returns the key that the client's UserInfo responses are encrypted to; `None` if they are not encrypted.
    pub async fn userinfo_recipient(&self, client: &Client, now: Timestamp) -> Result<Option<Recipient>, HandlerError> {
        let (alg, enc) = (client.userinfo_encrypted_response_alg, client.userinfo_encrypted_response_enc);
        self.recipient(client, alg, enc, now).await
    }

    /// Returns the key that the client's authorization responses are encrypted to (JARM §3); `None` if they are not encrypted.
    pub(crate) async fn authorization_recipient(
        &self,
        client: &Client,
        now: Timestamp,
    ) -> Result<Option<Recipient>, HandlerError> {
        let (alg, enc) = (client.authorization_encrypted_response_alg, client.authorization_encrypted_response_enc);
        self.recipient(client, alg, enc, now).await
    }

    /// Returns the key that the client's introspection responses are encrypted to (RFC 9701 §6); `None` if they are not
    /// encrypted.
    pub async fn introspection_recipient(
        &self,
        client: &Client,
        now: Timestamp,
    ) -> Result<Option<Recipient>, HandlerError> {
        let (alg, enc) = (client.introspection_encrypted_response_alg, client.introspection_encrypted_response_enc);
        self.recipient(client, alg, enc, now).await
    }
}

/// Encrypts a signed JWT, if there is a recipient.
pub async fn encrypted(recipient: Option<&Recipient>, jwt: String) -> Result<String, HandlerError> {
    match recipient {
        Some(recipient) => jose::encrypt_jwt(recipient, &jwt).await.map_err(HandlerError::unavailable),
        None => Ok(jwt),
    }
}

fn no_key(alg: KeyManagementAlgorithm) -> Error {
    Error::invalid_request(format!(
        "the client is registered for answers encrypted by {}, and its keys have none for that",
        alg.as_str()
    ))
}
