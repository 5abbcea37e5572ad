//! The checks of an authorization request that need keys, storage or the network; the pure ones are in `protocol`.
//! `/authorize` and `/par` accept the same requests, because both call this module.

use crate::{Context, HandlerError, KeySource};
use jose::{EncryptedJwt, Jwt};
use latchkey_http::MAX_QUERY;
use protocol::{
    AuthorizationRequest, Client, PUSHED_REQUEST_PREFIX, Parameters, PushedRequestId, RequestEndpoint, RequestObject,
    RequestUri, ResponseTarget, SentRequest, StoredClient,
};
use serde::Serialize;
use serde_json::{Map, Value};
use storage::pushed;
use types::{Error, ErrorCode, Subject, Timestamp};

/// The longest request as JSON: 4,416 bytes. The request travels sealed in the URL of the browser, which makes it a third
/// longer. The rest of the URL is for the state of the interaction. Of a longer pushed request, only the part that sign-in needs
/// travels.
const MAX_REQUEST: usize = (MAX_QUERY - 1280) / 4 * 3;

/// Checks that a request is short enough to travel through sign-in. Errors: `invalid_request`.
pub fn check_length(request: &impl Serialize) -> Result<(), Error> {
    if serde_json::to_vec(request).is_ok_and(|json| json.len() <= MAX_REQUEST) {
        return Ok(());
    }
    Err(Error::invalid_request(format!(
        "the request is too long to travel through sign-in: more than {MAX_REQUEST} bytes as JSON; push a request with long \
         claims or authorization_details, and keep redirect_uri, state, scope and login_hint short"
    )))
}

/// An authorization request whose checks have passed.
#[derive(Clone, Debug)]
pub struct CheckedRequest {
    /// The request.
    pub request: AuthorizationRequest,
    /// `sub` of the ID token hint: this user must sign in.
    pub expected_subject: Option<Subject>,
    /// The pushed request that this is.
    pub pushed: Option<PushedRequestId>,
    /// True if the pushed request is too long to travel through sign-in.
    pub stays_in_store: bool,
}

impl Context {
    /// Checks a request at the authorization endpoint: a reference to a pushed request, a request object, or plain
    /// parameters (RFC 9126 §4, RFC 9101 §5, RFC 6749 §4.1.1).
    pub async fn check_authorization(
        &self,
        parameters: &Parameters,
        client: &StoredClient,
        now: Timestamp,
    ) -> Result<CheckedRequest, HandlerError> {
        if parameters.is_repeated("request_uri") || parameters.is_repeated("request") {
            return Err(HandlerError::Request(Error::invalid_request("request or request_uri is repeated")));
        }
        match parameters.value("request_uri").and_then(|uri| uri.strip_prefix(PUSHED_REQUEST_PREFIX)) {
            Some(reference) => self.find_pushed(reference, &client.client, now).await,
            None => self.check_sent(parameters, client, RequestEndpoint::Authorization, now).await,
        }
    }

    /// Checks a request at the pushed authorization request endpoint (RFC 9126 §2.1).
    pub async fn check_pushed(
        &self,
        parameters: &Parameters,
        client: &StoredClient,
        now: Timestamp,
    ) -> Result<CheckedRequest, HandlerError> {
        self.check_sent(parameters, client, RequestEndpoint::PushedRequest, now).await
    }

    /// Checks a request that is no reference to a pushed one.
    async fn check_sent(
        &self,
        parameters: &Parameters,
        stored: &StoredClient,
        endpoint: RequestEndpoint,
        now: Timestamp,
    ) -> Result<CheckedRequest, HandlerError> {
        let client = &stored.client;
        let sent = SentRequest {
            parameters,
            in_request_object: false,
            endpoint,
            client,
            targets: self.configuration.targets(stored),
            require_pushed_requests: self.config.require_pushed_requests,
        };
        let opened = match self.open_request_object(&sent, stored, now).await {
            Ok(opened) => opened,
            Err(error) => {
                return Err(match ResponseTarget::check(parameters, client) {
                    Ok(target) => HandlerError::Redirect(Box::new(target), error),
                    Err(_) => HandlerError::Request(error),
                });
            }
        };
        let sent = match &opened {
            Some(parameters) => SentRequest { parameters, in_request_object: true, ..sent },
            None => sent,
        };
        let target = ResponseTarget::check(sent.parameters, client).map_err(HandlerError::Request)?;
        let rejected = |error| HandlerError::Redirect(Box::new(target.clone()), error);
        let request = AuthorizationRequest::check(&sent, target.clone()).map_err(rejected)?;
        let expected_subject = match sent.parameters.value("id_token_hint") {
            None => None,
            Some(token) => Some(self.hinted_subject(token, client, now).await?.ok_or_else(|| {
                rejected(Error::invalid_request(
                    "id_token_hint is not an ID token that this server issued to this client",
                ))
            })?),
        };
        let length = match endpoint {
            RequestEndpoint::Authorization => check_length(&request),
            RequestEndpoint::PushedRequest => check_length(&request.longest_reference()),
        };
        match length {
            Err(error) => Err(self.answer_short(target, error)),
            Ok(()) => Ok(CheckedRequest { request, expected_subject, pushed: None, stays_in_store: false }),
        }
    }

    /// Returns the error for the client; for the user, if the redirect would be too long as well.
    fn answer_short(&self, target: ResponseTarget, error: Error) -> HandlerError {
        let length = target.error_response(&error, &self.config.issuer).redirect_length();
        match length.is_some_and(|length| length > MAX_QUERY) {
            true => HandlerError::Request(error),
            false => HandlerError::Redirect(Box::new(target), error),
        }
    }

    /// Returns the request that a client pushed (RFC 9126 §4). Parameters beside the reference are ignored. Round trips: 1;
    /// 0 if the reference is forged, expired, belongs to another client or is of another epoch.
    async fn find_pushed(
        &self,
        reference: &str,
        client: &Client,
        now: Timestamp,
    ) -> Result<CheckedRequest, HandlerError> {
        let over = || {
            HandlerError::Request(Error::new(
                ErrorCode::InvalidRequestUri,
                "the request_uri is unknown, expired or used, or was given to another client; push the request again",
            ))
        };
        let opened = RequestUri::open(&self.secrets, reference, &client.client_id, now);
        let id = opened.map_err(|reason| HandlerError::of_token(reason, over(), over()))?.request;
        let found = pushed::find(self.records.as_ref(), id, now, self.config.code_lifetime).await?.ok_or_else(over)?;
        let request = found.request.recheck(client).map_err(|_| over())?;
        let stays_in_store = check_length(&request).is_err();
        Ok(CheckedRequest { request, expected_subject: found.expected_subject, pushed: Some(id), stays_in_store })
    }

    /// Returns the subject that the ID token hint names (OpenID Connect Core §3.1.2.1); `None` if this server did not issue
    /// the hint to this client.
    async fn hinted_subject(
        &self,
        token: &str,
        client: &Client,
        now: Timestamp,
    ) -> Result<Option<Subject>, HandlerError> {
        let hint = self.id_token_hint(token, now).await?.filter(|hint| hint.aud == client.client_id);
        Ok(hint.map(|hint| hint.sub))
    }

    /// Returns the parameters of the request object, if the request has one.
    async fn open_request_object(
        &self,
        sent: &SentRequest<'_>,
        stored: &StoredClient,
        now: Timestamp,
    ) -> Result<Option<Parameters>, Error> {
        sent.check_references()?;
        let fetched;
        let object = match (sent.parameters.value("request"), sent.parameters.value("request_uri")) {
            (Some(object), _) => object,
            (None, Some(uri)) => {
                fetched = self.request_object_at(uri, stored, now).await?;
                fetched.as_str()
            }
            (None, None) => return Ok(None),
        };
        let decrypted;
        let object = if EncryptedJwt::is_meant(object) {
            decrypted = self.decrypt_request_object(object, sent.client).await?;
            decrypted.as_str()
        } else {
            RequestObject::check_encryption(sent.client, None)?;
            object
        };
        let claims = self.request_object_claims(object, stored, now).await?;
        Ok(Some(RequestObject::new(claims).into_parameters(sent.client, &self.config.issuer, now)?))
    }

    /// Returns the request object that a client encrypted to the key of this server (RFC 9101 §6.1). Errors: `invalid_request_object`,
    /// with one description for every failure to decrypt.
    async fn decrypt_request_object(&self, object: &str, client: &Client) -> Result<String, Error> {
        let Some(jwe) = EncryptedJwt::parse(object) else {
            return Err(RequestObject::invalid(
                "the request object is encrypted in a way that this server does not support: see \
                 request_object_encryption_alg_values_supported and request_object_encryption_enc_values_supported; \
                 cty is JWT, and neither zip nor crit is allowed",
            ));
        };
        RequestObject::check_encryption(client, Some((jwe.alg(), jwe.enc())))?;
        jwe.decrypt(&self.secrets.decryption_keys()).await.ok_or_else(|| {
            RequestObject::invalid(
                "the request object cannot be decrypted: encrypt it to the key of jwks_uri whose use is enc",
            )
        })
    }

    async fn request_object_claims(
        &self,
        object: &str,
        stored: &StoredClient,
        now: Timestamp,
    ) -> Result<Map<String, Value>, Error> {
        let client = &stored.client;
        if let Some(claims) = jose::unsecured_claims(object) {
            RequestObject::check_algorithm(client, None)?;
            return Ok(claims);
        }
        let Some(jwt) = Jwt::parse(object) else {
            return Err(RequestObject::invalid(
                "the request object is not a signed JWT of an algorithm that this server knows",
            ));
        };
        if jwt.header().typ.is_some() && !RequestObject::TYPES.iter().any(|known| jwt.typ_is(known)) {
            return Err(RequestObject::invalid(
                "typ says that the JWT is not a request object (RFC 9101 section 10.8)",
            ));
        }
        RequestObject::check_algorithm(client, Some(jwt.header().alg))?;
        let Some(keys) = KeySource::of_stored(stored) else {
            return Err(RequestObject::invalid("the client has registered no keys"));
        };
        match self.verify_by(&jwt, keys, now).await {
            Ok(Value::Object(claims)) => Ok(claims),
            Ok(_) => Err(RequestObject::invalid("the request object is not a JSON object")),
            Err(error) => Err(Error::new(ErrorCode::InvalidRequestObject, error.to_string())),
        }
    }
}
