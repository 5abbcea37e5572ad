//! The JWT bearer grant without client authentication (RFC 7523 §2.1, RFC 7521 §4.1): the request has nothing but `grant_type` and
//! `assertion`, and perhaps `scope` and `resource`. The assertion says who asks.
//!
//! | `iss` of the assertion | party |
//! |---|---|
//! | a trusted issuer with workloads | the workload that a rule of the issuer accepts |
//! | a trusted issuer with a client | that client, for the subject of the assertion |
//! | a client with keys | the client itself: `sub` is the client, too |

use crate::issue::TokenResponse;
use crate::jwt_bearer;
use crate::{TokenRequest, client_credentials};
use latchkey_http::Request;
use platform::entropy;
use protocol::client_authentication::invalid_client;
use protocol::client_authentication::private_key_jwt::{self, AssertionAudience};
use protocol::{Assertion, ClientOrigin, GrantType, Parameters, StoredClient, TrustedIssuer, Workload};
use provider::{AuditEvent, Context, HandlerError, KeySource, PresentedAssertion, refused_assertion as refused};
use serde_json::Value;
use std::sync::Arc;
use storage::markers;
use types::{Error, Scope, Subject};

/// The party of a request. Its assertion is verified.
pub(crate) struct Party<'c> {
    /// The client; of a workload, the one that its rule describes.
    pub(crate) client: Arc<StoredClient>,
    evidence: Evidence<'c>,
}

/// A verified assertion, by the token that it asks for.
enum Evidence<'c> {
    /// A token for the party itself.
    Own(OwnAssertion),
    /// A token for the subject of an issuer.
    OfIssuer(&'c TrustedIssuer, Assertion),
}

/// A verified assertion of a party that asks for a token for itself.
struct OwnAssertion {
    assertion: Assertion,
    subject: Subject,
    reusable: bool,
}

/// True if the request names a client, or authenticates one.
pub(crate) fn names_client(request: &Request, parameters: &Parameters) -> Result<bool, HandlerError> {
    let named = ["client_id", "client_secret", "client_assertion", "client_assertion_type"];
    Ok(request.authorization()?.is_some() || named.iter().any(|name| parameters.value(name).is_some()))
}

impl<'c> Party<'c> {
    /// Finds the party of a request without client authentication, and verifies its assertion. An assertion that is malformed,
    /// forged, expired or for another audience costs no storage call once the client is cached. Errors: `invalid_grant`;
    /// `invalid_client` if the issuer's assertions need a client that authenticates.
    pub(crate) async fn of(
        request: &Request,
        context: &'c Context,
        parameters: &Parameters,
    ) -> Result<Self, HandlerError> {
        let presented = jwt_bearer::read(parameters)?;
        let now = request.received_at;
        let party = match presented.trusted_issuer(context)? {
            Some(issuer) if issuer.is_for_workloads() => {
                let assertion = presented.verified(issuer, context, now).await?;
                Self::workload(issuer, assertion, parameters, context)?
            }
            Some(issuer) => {
                let client_id = issuer.client.as_ref().ok_or_else(|| {
                    invalid_client("assertions of this issuer are for clients that authenticate: send client_id, or an Authorization header")
                })?;
                let assertion = presented.verified(issuer, context, now).await?;
                let client = context.client(client_id, now).await?.filter(|client| issuer.serves(client));
                let client = client.ok_or_else(|| {
                    HandlerError::unavailable(format_args!("{}: no client {client_id} for it", issuer.issuer))
                })?;
                Self { client, evidence: Evidence::OfIssuer(issuer, assertion) }
            }
            None => Self::itself(request, context, &presented).await?,
        };
        presented.check_algorithm(&party.client.client)?;
        request.log.client(&party.client.client.client_id);
        Ok(party)
    }

    fn workload(
        issuer: &TrustedIssuer,
        assertion: Assertion,
        parameters: &Parameters,
        context: &Context,
    ) -> Result<Self, HandlerError> {
        if parameters.value("resource").is_none() {
            return Err(Error::invalid_request("the parameter 'resource' is missing: a workload names the API").into());
        }
        let accepting = || issuer.workloads.iter().filter(|workload| workload.claims.accept(&assertion.claims));
        let with_resource = accepting().find(|workload| workload.allows(parameters.values("resource")));
        let found: Option<&Workload> = with_resource.or_else(|| accepting().next());
        let workload = found.ok_or_else(|| {
            Error::invalid_grant("no rule of this server's operator accepts the workload of the assertion")
        })?;
        let subject = workload.subject(&assertion.claims).ok_or_else(|| {
            Error::invalid_grant("the claim that names the workload is missing, or is no visible ASCII text")
        })?;
        let client =
            workload.as_client().ok_or_else(|| HandlerError::unavailable("a rule for workloads is unusable"))?;
        let own = OwnAssertion { assertion, subject, reusable: issuer.reusable };
        let client = StoredClient { client: client.client.narrowed(context.config.profile), ..client };
        Ok(Self { client: Arc::new(client), evidence: Evidence::Own(own) })
    }

    /// A client that asserts for itself (RFC 7523 §3: `iss` and `sub` are its `client_id`). One that registered itself must also be
    /// registered for client credentials, which is the same grant by another way.
    async fn itself(
        request: &Request,
        context: &Context,
        presented: &PresentedAssertion<'_>,
    ) -> Result<Self, HandlerError> {
        const UNKNOWN: &str =
            "the issuer of the assertion is neither trusted here nor a client that may assert for itself";
        let now = request.received_at;
        let client = match &presented.issuer {
            Some(issuer) => context.named_client(issuer, now).await?,
            None => None,
        };
        let may_assert = |stored: &StoredClient| match stored.origin {
            ClientOrigin::Operator => true,
            ClientOrigin::MetadataDocument => false,
            _ => stored.client.may_use(GrantType::ClientCredentials),
        };
        let unknown = || Error::invalid_grant(UNKNOWN);
        let stored = client.filter(|stored| may_assert(stored)).ok_or_else(unknown)?;
        let keys = KeySource::of_stored(&stored).ok_or_else(unknown)?;
        let (jwt, client) = (&presented.jwt, &stored.client);
        private_key_jwt::check_algorithm(client, jwt.header().alg).map_err(refused)?;
        let Some(Value::Object(claims)) = jwt.unverified_claims() else { return Err(unknown().into()) };
        let urls = context.config.endpoint_urls("/token");
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        let audience = AssertionAudience { issuer: context.config.issuer.as_str(), endpoints: &urls };
        let assertion = private_key_jwt::check_grant(claims, jwt.header().typ.as_deref(), client, audience, now)
            .map_err(|problem| refused(problem.as_str()))?;
        if let Err(error) = context.verify_by(jwt, keys, now).await {
            AuditEvent::ClientAuthenticationFailed { client: &client.client_id }.record(request);
            return Err(refused(&error.to_string()).into());
        }
        let own = OwnAssertion { subject: Subject::from(&client.client_id), assertion, reusable: false };
        Ok(Self { client: stored, evidence: Evidence::Own(own) })
    }

    /// Issues the access token. Round trips: those of [`jwt_bearer::issue`]; for a party that asks for itself, 1 to mark an
    /// assertion that has a `jti`, else 0: without one the assertion may be presented until it expires
    /// (infra/decisions/assertions-without-a-client.md).
    pub(crate) async fn issue(&self, request: &TokenRequest<'_>) -> Result<TokenResponse, HandlerError> {
        let own = match &self.evidence {
            Evidence::OfIssuer(issuer, assertion) => return jwt_bearer::issue_for(request, issuer, assertion).await,
            Evidence::Own(own) => own,
        };
        // Some libraries have no parameter for the scope, and write it into the assertion.
        let asserted = own.assertion.claims.get("scope").and_then(Value::as_str).and_then(Scope::parse);
        let scope = request.parameters.scope()?.or_else(|| asserted.filter(|_| own.is_of_client(&self.client)));
        let claims = client_credentials::claims(request, own.subject.clone(), scope)?;
        if !own.reusable && own.assertion.claims.contains_key("jti") {
            let (mark, forgotten_at) = (own.assertion.mark(), own.assertion.forgotten_at());
            let records = request.context.records.as_ref();
            if !markers::use_once(records, "assertion", &mark, forgotten_at, &entropy::name()?).await? {
                return Err(
                    Error::invalid_grant("the assertion was used before; make a new one for each request").into()
                );
            }
        }
        request.token_of(claims).await
    }
}

impl OwnAssertion {
    /// True if a client made the assertion for itself: its claims are the words of the client, not of a platform.
    fn is_of_client(&self, stored: &StoredClient) -> bool {
        self.assertion.issuer == stored.client.client_id.as_str()
    }
}
