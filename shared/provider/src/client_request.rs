//! Requests of clients that authenticate: the one way in for /token, /par, /revoke, /introspect and
//! /device_authorization.

use crate::clients::AssertionMark;
use crate::rate_limiter::{Allowance, network};
use crate::sender::{CheckedProof, Sender, SentProof, proven_keys};
use crate::{Context, HandlerError, RequestParameters, responses};
use latchkey_http::Request;
use protocol::rate_limit::Quota;
use protocol::{Client, ClientCredentials, Parameters, ProvenKeys, StoredClient};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use types::Timestamp;

/// A request of a client that is found and authenticated. The request log names the client.
pub struct ClientRequest<'a> {
    /// HTTP request.
    pub request: &'a Request,
    /// Running instance.
    pub context: &'a Context,
    /// Parameters of the body. None is repeated.
    pub parameters: Parameters,
    /// Client, as it is stored.
    pub stored: Arc<StoredClient>,
    /// The sender, if the request has a DPoP proof.
    pub sender: Option<Sender>,
    /// Time when the request arrived.
    pub now: Timestamp,
    assertion: Option<AssertionMark>,
    spent: AtomicBool,
}

impl<'a> ClientRequest<'a> {
    /// Reads the form and authenticates the client. Errors: `invalid_request`, `invalid_client`.
    pub async fn open(request: &'a Request, context: &'a Context) -> Result<Self, HandlerError> {
        let opened = Self::authenticated(request, context, Self::parameters(request)?, CheckedProof::NONE).await?;
        opened.spend(None).await?;
        Ok(opened)
    }

    /// As [`Self::open`], for a request that begins the request of a user: the metadata document of a client that has one
    /// is read if its copy is not fresh. Checks the DPoP proof. Errors: also `invalid_dpop_proof`, `use_dpop_nonce`.
    pub async fn open_first(
        request: &'a Request,
        context: &'a Context,
        proof: &SentProof<'_>,
    ) -> Result<Self, HandlerError> {
        let parameters = Self::parameters(request)?;
        let proof = context.check_proof(proof, None)?;
        let credentials = ClientCredentials::from_request(request.authorization()?, &parameters)?;
        context.requesting_client(credentials.client_id.as_str(), request).await?;
        let opened = Self::authenticated(request, context, parameters, proof).await?;
        opened.spend(None).await?;
        Ok(opened)
    }

    /// Reads the form, in which no parameter is repeated (RFC 6749 §3.2). Errors: `invalid_request`.
    pub fn parameters(request: &Request) -> Result<Parameters, HandlerError> {
        let parameters = request.form()?;
        parameters.refuse_repeated()?;
        Ok(parameters)
    }

    /// Checks the DPoP proof and authenticates the client, for an endpoint that checks some of the parameters first. The caller calls
    /// [`Self::spend`] before it issues anything. Errors: `invalid_request`, `invalid_client`, `invalid_dpop_proof`, `use_dpop_nonce`.
    pub async fn authenticate(
        request: &'a Request,
        context: &'a Context,
        parameters: Parameters,
        proof: &SentProof<'_>,
    ) -> Result<Self, HandlerError> {
        let proof = context.check_proof(proof, None)?;
        Self::authenticated(request, context, parameters, proof).await
    }

    async fn authenticated(
        request: &'a Request,
        context: &'a Context,
        parameters: Parameters,
        proof: CheckedProof<'_>,
    ) -> Result<Self, HandlerError> {
        let (stored, assertion) = context.authenticate(request, &parameters).await?;
        let sender = proof.verify().await?;
        Ok(Self {
            request,
            context,
            parameters,
            stored,
            sender,
            now: request.received_at,
            assertion,
            spent: AtomicBool::new(false),
        })
    }

    /// Marks the client assertion as used, and `proof`, if it must be used once. A request that lacks something else, such as a nonce,
    /// is repeated with the same assertion, so this comes last. Errors: `invalid_client`, `invalid_dpop_proof`. Round trips: 0; 1 for
    /// an assertion or a proof; both at the same time.
    pub async fn spend(&self, proof: Option<&Sender>) -> Result<(), HandlerError> {
        let assertion = async {
            match &self.assertion {
                Some(mark) => self.context.spend_assertion(mark, &self.stored, self.request).await,
                None => Ok(()),
            }
        };
        let proof = async {
            match proof {
                Some(sender) => self.context.spend_proof(sender, self.now).await,
                None => Ok(()),
            }
        };
        let (assertion, proof) = futures::join!(assertion, proof);
        assertion?;
        proof?;
        self.spent.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// True if [`Self::spend`] succeeded.
    pub fn is_spent(&self) -> bool {
        self.spent.load(Ordering::Relaxed)
    }

    /// Returns the settings of the client.
    pub fn client(&self) -> &Client {
        &self.stored.client
    }

    /// Returns the keys that the sender proved to possess.
    pub fn proven_keys(&self) -> ProvenKeys {
        proven_keys(self.request, self.sender.as_ref())
    }

    /// Returns the limit of the requests that the client makes from one network, if it does not authenticate. Errors: 429, if
    /// this instance saw the limit used up. Round trips: 0.
    pub fn limit(&self, quota: Quota, kind: &'static str) -> Result<PublicLimit<'a>, HandlerError> {
        let client = self.client();
        let allowance = (!client.is_confidential()).then(|| {
            let names = [client.client_id.as_str(), &network(self.request.address)];
            Allowance::new(self.context, self.now, quota, kind, &names)
        });
        let limit = PublicLimit { request: self.request, allowance };
        match limit.allowance.as_ref().map(Allowance::check) {
            Some(Err(wait)) => Err(limit.refusal(wait)),
            _ => Ok(limit),
        }
    }
}

/// The limit of requests of a client that does not authenticate; no limit for a client that does.
pub struct PublicLimit<'a> {
    request: &'a Request,
    allowance: Option<Allowance<'a>>,
}

impl PublicLimit<'_> {
    /// Does the work of the request and counts the request at the same time. Errors: 429, if the limit is used up. Round trips:
    /// 1, at the same time as the work.
    pub async fn count<T>(&self, work: impl Future<Output = Result<T, HandlerError>>) -> Result<T, HandlerError> {
        let Some(allowance) = &self.allowance else { return work.await };
        let (done, counted) = futures::join!(work, allowance.add());
        match counted? {
            Ok(()) => done,
            Err(wait) => Err(self.refusal(wait)),
        }
    }

    fn refusal(&self, wait: std::time::Duration) -> HandlerError {
        let description = "this client sent too many requests from this network; try again later";
        responses::too_many(self.request, wait, description).into()
    }
}
