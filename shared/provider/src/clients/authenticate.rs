//! Client authentication (RFC 6749 §2.3): finds the client and verifies its evidence.

use crate::rate_limiter::{Allowance, network};
use crate::remote_keys::KeyError;
use crate::{AuditEvent, Context, HandlerError, KeySource, responses};
use jose::{Jwt, certificate_thumbprint};
use latchkey_http::Request;
use platform::entropy;
use protocol::client_authentication::private_key_jwt::{self, AssertionAudience};
use protocol::client_authentication::tls::{self, CertificateMethod, CertificateProblem};
use protocol::client_authentication::{Verification, invalid_client};
use protocol::rate_limit::Quota;
use protocol::{ClientCredentials, Parameters, StoredClient};
use serde_json::Value;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use storage::markers;
use types::{ClientId, Error, Timestamp};

impl Context {
    /// Finds and authenticates the client that sent the request (RFC 6749 §2.3, §3.2.1).
    ///
    /// Wrong secrets, assertions with a wrong signature and replayed ones are limited per client and network (§2.3.1): beyond [`Quota::CLIENT_AUTHENTICATION`], this instance answers 429
    /// to the client from this network until the window ends. Right credentials from elsewhere are accepted.
    ///
    /// Returns the mark of a client assertion, too, which is verified but not marked as used.
    ///
    /// Round trips: none for a cached client; 1 to count a failure. A client whose authentication fails is read again at most once a
    /// second.
    pub(crate) async fn authenticate(
        &self,
        request: &Request,
        parameters: &Parameters,
    ) -> Result<(Arc<StoredClient>, Option<AssertionMark>), HandlerError> {
        let credentials = ClientCredentials::from_request(request.authorization()?, parameters)?;
        let limit = credentials.has_evidence().then(|| self.failures(&credentials.client_id, request));
        if let Some(Err(wait)) = limit.as_ref().map(Allowance::check) {
            return Err(too_many_failures(request, wait));
        }
        let authenticated = self.check_credentials(&credentials, request).await;
        if let Err(HandlerError::Request(_)) = &authenticated {
            AuditEvent::ClientAuthenticationFailed { client: &credentials.client_id }.record(request);
        }
        authenticated
    }

    /// Counts a failed authentication. Returns `error`, or 429 beyond the limit. Round trips: 1.
    async fn failed(&self, client_id: &ClientId, request: &Request, error: HandlerError) -> HandlerError {
        match self.failures(client_id, request).add().await {
            Ok(Ok(())) => error,
            Ok(Err(wait)) => too_many_failures(request, wait),
            Err(fault) => fault,
        }
    }

    /// Returns the limit of failed authentications.
    fn failures(&self, client_id: &ClientId, request: &Request) -> Allowance<'_> {
        let names = [client_id.as_str(), &network(request.address)];
        Allowance::new(self, request.received_at, Quota::CLIENT_AUTHENTICATION, "client authentication", &names)
    }

    async fn check_credentials(
        &self,
        credentials: &ClientCredentials,
        request: &Request,
    ) -> Result<(Arc<StoredClient>, Option<AssertionMark>), HandlerError> {
        let (client_id, now) = (&credentials.client_id, request.received_at);
        let mut client = self.client(client_id, now).await?;
        let checked = match self.check_evidence(credentials, client.as_deref(), request).await {
            // The client may have a new secret, certificate or method since it was read.
            Err(HandlerError::Request(_)) if self.clients.forget_older(client_id, now) => {
                client = self.client(client_id, now).await?;
                self.check_evidence(credentials, client.as_deref(), request).await
            }
            checked => checked,
        };
        let assertion = match (checked, &client) {
            (Ok(assertion), _) => assertion,
            (Err(HandlerError::Request(error)), Some(client)) if credentials.is_guess(client) => {
                return Err(self.failed(client_id, request, error.into()).await);
            }
            (Err(error), _) => return Err(error),
        };
        let Some(client) = client else {
            return Err(HandlerError::unavailable("a client passed the check that was not found"));
        };
        let mark = match assertion {
            None => None,
            Some(jwt) => Some(self.verify_assertion(jwt, &client, request).await?),
        };
        request.log.client(&client.client.client_id);
        Ok((client, mark))
    }

    /// Checks the evidence by the method that the client registered. Returns the client assertion that is left to verify.
    async fn check_evidence<'c>(
        &self,
        credentials: &'c ClientCredentials,
        client: Option<&StoredClient>,
        request: &Request,
    ) -> Result<Option<&'c str>, HandlerError> {
        match (credentials.check(client)?, client) {
            (Verification::Assertion(jwt), _) => Ok(Some(jwt)),
            (Verification::Certificate(method), Some(client)) => {
                self.verify_certificate(method, client, request).await?;
                Ok(None)
            }
            (Verification::Complete | Verification::Certificate(_), _) => Ok(None),
        }
    }

    /// Verifies the certificate of the TLS connection (RFC 8705 §2). Errors: `invalid_client`. Round trips: 0; the keys of the client may
    /// be fetched.
    async fn verify_certificate(
        &self,
        method: CertificateMethod,
        stored: &StoredClient,
        request: &Request,
    ) -> Result<(), HandlerError> {
        let refused = |problem: CertificateProblem| Err(Error::from(problem).into());
        if !stored.client.token_endpoint_auth_method.is_offered(self.config.mutual_tls.as_ref()) {
            return refused(CertificateProblem::NotOffered);
        }
        let Some(certificate) = &request.certificate else { return refused(CertificateProblem::Missing) };
        let (der, now) = (certificate.der(), request.received_at);
        match method {
            CertificateMethod::Pki => {
                let is_verified = certificate.is_chain_verified();
                Ok(tls::check_subject(der, is_verified, &stored.client, now).map_err(Error::from)?)
            }
            CertificateMethod::SelfSigned => {
                let Some(keys) = KeySource::of_stored(stored) else { return refused(CertificateProblem::Unregistered) };
                match self.lists_certificate(certificate_thumbprint(der), keys, now).await {
                    Ok(true) => Ok(()),
                    Ok(false) => refused(CertificateProblem::Unregistered),
                    Err(_) => refused(CertificateProblem::NoKeys),
                }
            }
        }
    }

    /// Verifies a client assertion (RFC 7523 §3). The cheapest checks come first.
    async fn verify_assertion(
        &self,
        assertion: &str,
        stored: &StoredClient,
        request: &Request,
    ) -> Result<AssertionMark, HandlerError> {
        let (client, now) = (&stored.client, request.received_at);
        let malformed = "it is no JWT signed by an asymmetric algorithm of this server";
        let jwt = Jwt::parse(assertion).ok_or_else(|| refused(malformed))?;
        private_key_jwt::check_algorithm(client, jwt.header().alg).map_err(refused)?;
        let Some(Value::Object(claims)) = jwt.unverified_claims() else { return Err(refused(malformed)) };
        let urls = ["/token", request.path.as_str()].map(|path| self.config.endpoint_urls(path)).concat();
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        let audience = AssertionAudience { issuer: self.config.issuer.as_str(), endpoints: &urls };
        let checked = private_key_jwt::check(claims, jwt.header().typ.as_deref(), client, audience, now)
            .map_err(|problem| refused(problem.as_str()))?;
        let keys = KeySource::of_stored(stored).ok_or_else(|| refused("the client has no keys registered"))?;
        let client_id = &client.client_id;
        match self.verify_by(&jwt, keys, now).await {
            Ok(_) => {}
            Err(error @ KeyError::Unverified) => return Err(self.failed(client_id, request, refused(error)).await),
            // Nothing was guessed: the keys cannot be read.
            Err(error @ (KeyError::Fetch(_) | KeyError::NoKeySet)) => return Err(refused(error)),
        }
        Ok(AssertionMark { name: checked.mark(), forgotten_at: checked.forgotten_at() })
    }

    /// Marks a verified assertion as used (RFC 7523 §3 (7)). Round trips: 1. Errors: `invalid_client` if it was used before.
    pub(crate) async fn spend_assertion(
        &self,
        mark: &AssertionMark,
        client: &StoredClient,
        request: &Request,
    ) -> Result<(), HandlerError> {
        let AssertionMark { name, forgotten_at } = mark;
        let records = self.records.as_ref();
        if markers::use_once(records, "assertion", name, *forgotten_at, &entropy::name()?).await? {
            return Ok(());
        }
        let client_id = &client.client.client_id;
        AuditEvent::ClientAuthenticationFailed { client: client_id }.record(request);
        Err(self.failed(client_id, request, refused("it was used before")).await)
    }
}

/// The mark of a verified client assertion, which makes it single-use.
#[derive(Clone, Debug)]
pub(crate) struct AssertionMark {
    name: String,
    forgotten_at: Timestamp,
}

fn too_many_failures(request: &Request, wait: Duration) -> HandlerError {
    let description =
        "client authentication failed too often from this network; correct the credentials and try again later";
    responses::too_many(request, wait, description).into()
}

fn refused(reason: impl Display) -> HandlerError {
    invalid_client(format!("client_assertion is refused: {reason}")).into()
}
