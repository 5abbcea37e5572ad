//! The checks of an authorization request, wherever it arrives: in the query, pushed, or in a request object. What
//! `/authorize` lets pass and what `/par` lets pass is the same, because this is the one way in.

use crate::{Context, HandlerError, KeySource};
use jose::Jwt;
use latchkey_http::MAX_QUERY;
use platform::fetch;
use protocol::request_object::{self, MAX_REQUEST_URI, PUSHED_PREFIX, invalid};
use protocol::{
    AuthorizationRequest, AuthorizationResponse, Client, Parameters, PushedRequestId, RequestUri, ResponseTarget,
};
use serde_json::{Map, Value};
use storage::pushed;
use types::{Error, ErrorCode, Timestamp};

/// The longest request, as JSON: 4,416 bytes. Sealed, which makes it a third longer, it travels in the browser's URL, with
/// room for what comes along: who must sign in, in which browser, what people decide.
const MAX_REQUEST: usize = (MAX_QUERY - 1280) / 4 * 3;

/// Why a request cannot travel through sign-in, however it came here.
pub fn too_long(request: &AuthorizationRequest) -> Option<Error> {
    let fits = serde_json::to_vec(request).is_ok_and(|json| json.len() <= MAX_REQUEST);
    (!fits).then(|| {
        Error::invalid_request(format!(
            "the request is too long to travel through sign-in, pushed or not: more than {MAX_REQUEST} bytes as JSON; \
             keep state, scope and claims short"
        ))
    })
}

/// A request that passed every check.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The request.
    pub request: AuthorizationRequest,
    /// Who must sign in, when an ID token hint says so: a subject.
    pub expected_subject: Option<String>,
    /// The pushed request that it is.
    pub pushed: Option<PushedRequestId>,
}

impl Context {
    /// Checks what arrived at the authorization endpoint: a reference to a pushed request, a request object, or plain
    /// parameters (RFC 9126 §4, RFC 9101 §5, RFC 6749 §4.1.1).
    pub async fn check_authorization(
        &self,
        parameters: &Parameters,
        client: &Client,
        now: Timestamp,
    ) -> Result<Checked, HandlerError> {
        if parameters.is_repeated("request_uri") || parameters.is_repeated("request") {
            return Err(HandlerError::Request(Error::invalid_request("request or request_uri is repeated")));
        }
        if let Some(reference) = parameters.value("request_uri").and_then(|uri| uri.strip_prefix(PUSHED_PREFIX)) {
            return self.pushed_request(reference, client, now).await;
        }
        let checked = self.check_unpushed(parameters, client, now).await?;
        if self.config.require_pushed_requests || client.require_pushed_authorization_requests {
            let target = Box::new(checked.request.target);
            let error = Error::invalid_request("authorization requests must be pushed first (RFC 9126 section 5)");
            return Err(HandlerError::Redirect(target, error));
        }
        Ok(checked)
    }

    /// Checks a request that is not a reference: what is pushed, and what comes without having been pushed.
    pub async fn check_unpushed(
        &self,
        parameters: &Parameters,
        client: &Client,
        now: Timestamp,
    ) -> Result<Checked, HandlerError> {
        let resolved = match self.open_request_object(parameters, client, now).await {
            Ok(resolved) => resolved,
            Err(error) => {
                return Err(match ResponseTarget::check(parameters, client) {
                    Ok(target) => HandlerError::Redirect(Box::new(target), error),
                    Err(_) => HandlerError::Request(error),
                });
            }
        };
        let parameters = resolved.as_ref().unwrap_or(parameters);
        let target = ResponseTarget::check(parameters, client).map_err(HandlerError::Request)?;
        let rejected = |error| HandlerError::Redirect(Box::new(target.clone()), error);
        let request = AuthorizationRequest::check(parameters, client, target.clone(), &self.config.resources)
            .map_err(rejected)?;
        let expected_subject = match parameters.value("id_token_hint") {
            None => None,
            Some(token) => Some(self.hinted_subject(token, client, now).await?.ok_or_else(|| {
                rejected(Error::invalid_request(
                    "id_token_hint is not an ID token that this server issued to this client",
                ))
            })?),
        };
        match too_long(&request) {
            Some(error) => Err(self.answer_short(target, error)),
            None => Ok(Checked { request, expected_subject, pushed: None }),
        }
    }

    /// For the client, unless the answer would be too long as well.
    fn answer_short(&self, target: ResponseTarget, error: Error) -> HandlerError {
        match target.error_response(&error, &self.config.issuer) {
            AuthorizationResponse::Redirect(location) if location.len() > MAX_QUERY => HandlerError::Request(error),
            _ => HandlerError::Redirect(Box::new(target), error),
        }
    }

    /// The request that a client pushed (RFC 9126 §4); parameters beside the reference count for nothing. A reference
    /// that is forged, expired or another client's is refused before any storage is asked.
    async fn pushed_request(&self, reference: &str, client: &Client, now: Timestamp) -> Result<Checked, HandlerError> {
        let over = || {
            HandlerError::Request(Error::new(
                ErrorCode::InvalidRequestUri,
                "the request_uri is unknown, expired or used, or was given to another client; push the request anew",
            ))
        };
        let opened = RequestUri::open(&self.secrets, reference, &client.client_id, now);
        let id = opened.ok_or_else(over)?.request;
        let grace = self.config.code_lifetime;
        let found = pushed::find(self.records.as_ref(), id, now, grace).await?;
        let found = found.filter(|found| found.request.client_id == client.client_id).ok_or_else(over)?;
        Ok(Checked { request: found.request, expected_subject: found.expected_subject, pushed: Some(id) })
    }

    /// Returns the subject that the ID token hint names (OpenID Connect Core §3.1.2.1); `None` if this server did not issue
    /// the hint to this client.
    async fn hinted_subject(
        &self,
        token: &str,
        client: &Client,
        now: Timestamp,
    ) -> Result<Option<String>, HandlerError> {
        let hint = self.id_token_hint(token, now).await?.filter(|hint| hint.aud == client.client_id);
        Ok(hint.map(|hint| hint.sub))
    }

    /// The parameters of the request object, when there is one.
    async fn open_request_object(
        &self,
        parameters: &Parameters,
        client: &Client,
        now: Timestamp,
    ) -> Result<Option<Parameters>, Error> {
        let fetched;
        let object = match (parameters.value("request"), parameters.value("request_uri")) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid_request("request and request_uri exclude each other (RFC 9101 section 5)"));
            }
            (Some(object), None) => object,
            (None, Some(uri)) => {
                fetched = self.fetch_request_object(uri, client).await?;
                fetched.as_str()
            }
            (None, None) if client.require_signed_request_object => {
                return Err(Error::invalid_request(
                    "this client's requests must be signed request objects (RFC 9101 section 10.5)",
                ));
            }
            (None, None) => return Ok(None),
        };
        let claims = self.request_object_claims(object, client, now).await?;
        Ok(Some(request_object::parameters(claims, &client.client_id, &self.config.issuer, now)?))
    }

    async fn fetch_request_object(&self, uri: &str, client: &Client) -> Result<String, Error> {
        let refuse = |description: String| Error::new(ErrorCode::InvalidRequestUri, description);
        if uri.len() > MAX_REQUEST_URI {
            return Err(refuse(format!("request_uri is longer than {MAX_REQUEST_URI} characters")));
        }
        if !request_object::is_registered(client, uri) {
            return Err(refuse("the request_uri is not among the client's request_uris".to_owned()));
        }
        let fetched = self.fetch.get(uri, jose::MAX_JWT_LENGTH, fetch::TIMEOUT).await;
        let fetched = fetched.map_err(|error| refuse(format!("the request object cannot be fetched: {error}")))?;
        let text = String::from_utf8(fetched.body).ok().filter(|_| fetched.status == http::StatusCode::OK);
        text.map(|text| text.trim().to_owned())
            .ok_or_else(|| refuse("what is at the request_uri is no request object of status 200".to_owned()))
    }

    async fn request_object_claims(
        &self,
        object: &str,
        client: &Client,
        now: Timestamp,
    ) -> Result<Map<String, Value>, Error> {
        if let Some(claims) = jose::unsecured_claims(object) {
            request_object::check_algorithm(client, None)?;
            return Ok(claims);
        }
        let Some(jwt) = Jwt::parse(object) else {
            return Err(invalid("the request object is not a signed JWT of an algorithm that this server knows"));
        };
        if jwt.header().typ.is_some() && !request_object::TYPES.iter().any(|known| jwt.typ_is(known)) {
            return Err(invalid("typ says that the JWT is not a request object (RFC 9101 section 10.8)"));
        }
        request_object::check_algorithm(client, Some(jwt.header().alg))?;
        let Some(keys) = KeySource::of(client) else {
            return Err(invalid("the client has registered no keys"));
        };
        match self.verify_by(&jwt, keys, now).await {
            Ok(Value::Object(claims)) => Ok(claims),
            Ok(_) => Err(invalid("the request object is not a JSON object")),
            Err(error) => Err(Error::new(ErrorCode::InvalidRequestObject, error.to_string())),
        }
    }
}
