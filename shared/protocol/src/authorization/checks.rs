//! The checks of an authorization request: one table that says which check applies where, and in which order.

use super::{AuthorizationRequest, ClaimsRequest, CodeChallenge, Prompt};
use crate::client::software;
use crate::parameters::printable;
use crate::resource::Targets;
use crate::{Client, GrantType, Parameters, ResponseMode, ResponseType};
use types::{Error, ErrorCode, Thumbprint};

/// An endpoint that receives authorization requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestEndpoint {
    /// The authorization endpoint (RFC 6749 §3.1).
    Authorization,
    /// The pushed authorization request endpoint (RFC 9126 §2).
    PushedRequest,
}

/// The parameters of an authorization request, and what their checks depend on.
#[derive(Clone, Copy)]
pub struct SentRequest<'a> {
    /// The parameters: those of the HTTP request, or those of its request object.
    pub parameters: &'a Parameters,
    /// True if the parameters are those of a request object (RFC 9101).
    pub in_request_object: bool,
    /// The endpoint that received the request.
    pub endpoint: RequestEndpoint,
    /// The client that `client_id` names.
    pub client: &'a Client,
    /// The resources and scopes that the client may request.
    pub targets: Targets<'a>,
    /// True if the deployment accepts pushed requests only (RFC 9126 §5).
    pub require_pushed_requests: bool,
}

/// A check.
enum Check {
    /// Runs before a request object is opened.
    Reference(fn(&SentRequest<'_>) -> Result<(), Error>),
    /// Runs when the response target is known. It completes its part of the request.
    Request(fn(&SentRequest<'_>, &mut AuthorizationRequest) -> Result<(), Error>),
}

/// A row of the table: a check and the places where it applies.
struct Row {
    check: Check,
    authorization_endpoint: bool,
    pushed_request_endpoint: bool,
    request_object: bool,
}

const fn row(check: Check, authorization_endpoint: bool, pushed_request_endpoint: bool, request_object: bool) -> Row {
    Row { check, authorization_endpoint, pushed_request_endpoint, request_object }
}

const YES: bool = true;
const NO: bool = false;

/// The checks, in the order in which they run. The last column says whether a check applies to the parameters of a request
/// object; [`super::RequestObject`] checks its other members.
const CHECKS: &[Row] = &[
    //                                         authorization, pushed, request object
    row(Check::Reference(no_pushed_reference), NO, YES, NO),
    row(Check::Reference(one_reference), YES, YES, NO),
    row(Check::Reference(required_request_object), YES, YES, NO),
    row(Check::Request(no_repeated_parameter), YES, YES, NO),
    row(Check::Request(no_registration), YES, YES, YES),
    row(Check::Request(response_type), YES, YES, YES),
    row(Check::Request(response_mode), YES, YES, YES),
    row(Check::Request(profile), YES, YES, YES),
    row(Check::Request(code_challenge), YES, YES, YES),
    row(Check::Request(dpop_jkt), YES, YES, YES),
    row(Check::Request(requested_access), YES, YES, YES),
    row(Check::Request(hybrid_flow), YES, YES, YES),
    row(Check::Request(challenge_or_nonce), YES, YES, YES),
    row(Check::Request(prompt), YES, YES, YES),
    row(Check::Request(claims), YES, YES, YES),
    row(Check::Request(max_age), YES, YES, YES),
    row(Check::Request(acr_values), YES, YES, YES),
    row(Check::Request(pushed_if_required), YES, NO, YES),
];

impl SentRequest<'_> {
    /// Checks `request` and `request_uri`, before a request object is opened. Errors: `invalid_request`.
    pub fn check_references(&self) -> Result<(), Error> {
        self.rows().try_for_each(|row| match row.check {
            Check::Reference(check) => check(self),
            Check::Request(_) => Ok(()),
        })
    }

    /// Runs the checks of the request. Each completes its part of `request`.
    pub(super) fn run_checks(&self, request: &mut AuthorizationRequest) -> Result<(), Error> {
        self.rows().try_for_each(|row| match row.check {
            Check::Reference(_) => Ok(()),
            Check::Request(check) => check(self, request),
        })
    }

    /// Returns the rows that apply to these parameters.
    fn rows(&self) -> impl Iterator<Item = &'static Row> {
        let sent = *self;
        CHECKS.iter().filter(move |row| {
            let at_endpoint = match sent.endpoint {
                RequestEndpoint::Authorization => row.authorization_endpoint,
                RequestEndpoint::PushedRequest => row.pushed_request_endpoint,
            };
            at_endpoint && (row.request_object || !sent.in_request_object)
        })
    }

    /// Returns a copy of a parameter.
    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.parameters.value(name).map(str::to_owned)
    }
}

fn no_pushed_reference(sent: &SentRequest<'_>) -> Result<(), Error> {
    match sent.parameters.value("request_uri") {
        Some(_) => Err(Error::invalid_request("request_uri cannot be pushed (RFC 9126 section 2.1)")),
        None => Ok(()),
    }
}

fn one_reference(sent: &SentRequest<'_>) -> Result<(), Error> {
    match (sent.parameters.value("request"), sent.parameters.value("request_uri")) {
        (Some(_), Some(_)) => {
            Err(Error::invalid_request("request and request_uri exclude each other (RFC 9101 section 5)"))
        }
        _ => Ok(()),
    }
}

fn required_request_object(sent: &SentRequest<'_>) -> Result<(), Error> {
    let has_object = ["request", "request_uri"].iter().any(|name| sent.parameters.value(name).is_some());
    if sent.client.require_signed_request_object && !has_object {
        return Err(Error::invalid_request(
            "this client's requests must be signed request objects (RFC 9101 section 10.5)",
        ));
    }
    Ok(())
}

fn no_repeated_parameter(sent: &SentRequest<'_>, _: &mut AuthorizationRequest) -> Result<(), Error> {
    sent.parameters.refuse_repeated()
}

fn no_registration(sent: &SentRequest<'_>, _: &mut AuthorizationRequest) -> Result<(), Error> {
    match sent.parameters.value("registration") {
        Some(_) => Err(Error::new(
            ErrorCode::RegistrationNotSupported,
            "the parameter 'registration' is not supported: clients register at the registration endpoint",
        )),
        None => Ok(()),
    }
}

/// Accepts `code`, and `code id_token` for clients that registered it. Rejects every type that returns an access token in
/// the front channel, and every type without a code (RFC 9700 §2.1.2).
fn response_type(sent: &SentRequest<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    let asked = sent.parameters.required("response_type")?;
    let Some(known) = ResponseType::parse(asked) else {
        let mut words = asked.split(' ');
        let why = if words.clone().any(|word| word == "token") {
            "no access token is issued in the front channel (RFC 9700 section 2.1.2)"
        } else if words.any(|word| word == "id_token") {
            "an ID token in the front channel comes with a code, as 'code id_token'"
        } else {
            "use code"
        };
        return Err(Error::new(
            ErrorCode::UnsupportedResponseType,
            format!("response_type '{}' is not supported: {why}", printable(asked)),
        ));
    };
    if !sent.client.may_use(GrantType::AuthorizationCode) {
        return Err(Error::new(ErrorCode::UnauthorizedClient, "the client may not use the authorization_code grant"));
    }
    if !sent.client.response_types.contains(&known) {
        return Err(Error::new(
            ErrorCode::UnauthorizedClient,
            format!("the client did not register the response_type '{}'", known.as_str()),
        ));
    }
    request.response_type = known;
    Ok(())
}

fn response_mode(sent: &SentRequest<'_>, _: &mut AuthorizationRequest) -> Result<(), Error> {
    if sent.parameters.value("response_mode").is_some_and(|mode| !ResponseMode::names().any(|name| name == mode)) {
        let names = ResponseMode::names().collect::<Vec<_>>().join(", ");
        return Err(Error::invalid_request(format!("response_mode is unknown; it must be one of {names}")));
    }
    Ok(())
}

fn profile(sent: &SentRequest<'_>, _: &mut AuthorizationRequest) -> Result<(), Error> {
    match sent.client.profile {
        Some(profile) => profile.check_response(sent.parameters, sent.client),
        None => Ok(()),
    }
}

fn code_challenge(sent: &SentRequest<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    request.code_challenge = CodeChallenge::from_request(sent.parameters)?;
    if request.code_challenge.is_none() && sent.client.must_use_pkce() {
        return Err(without_defence(
            sent.client,
            "code_challenge is missing: this client must use PKCE (RFC 7636) with S256",
        ));
    }
    Ok(())
}

fn dpop_jkt(sent: &SentRequest<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    let invalid = || {
        Error::invalid_request("dpop_jkt must be the SHA-256 thumbprint of a key in base64url (RFC 9449 section 10)")
    };
    let named = sent.parameters.value("dpop_jkt");
    request.dpop_jkt = named.map(|text| Thumbprint::parse(text).ok_or_else(invalid)).transpose()?;
    Ok(())
}

/// Returns the error of a request that nothing protects. Its description names the switch of a client software that is known.
fn without_defence(client: &Client, description: &'static str) -> Error {
    match software::switch(client.software_id.as_deref()) {
        Some(switch) => Error::invalid_request(format!("{description}; set {switch}")),
        None => Error::invalid_request(description),
    }
}

fn requested_access(sent: &SentRequest<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    let access = sent.targets.of_request(sent.parameters, sent.client)?;
    request.scope = access.scope;
    request.resources = access.resources;
    request.authorization_details = access.authorization_details;
    Ok(())
}

/// Applies the additional rules of the hybrid flow (OpenID Connect Core §3.3.2.1, OAuth 2.0 Multiple Response Types §5).
fn hybrid_flow(sent: &SentRequest<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    if request.response_type != ResponseType::CodeIdToken {
        return Ok(());
    }
    if !request.scope.contains("openid") {
        return Err(Error::invalid_request("response_type 'code id_token' needs the scope openid"));
    }
    if request.nonce.is_none() {
        return Err(Error::invalid_request(
            "nonce is missing: response_type 'code id_token' needs one (OpenID Connect Core section 3.3.2.11)",
        ));
    }
    let asked = sent.parameters.value("response_mode");
    if asked == Some("query")
        || (asked == Some("query.jwt") && sent.client.authorization_encrypted_response_alg.is_none())
    {
        return Err(Error::invalid_request(
            "this response_mode would leave an ID token in logs and histories; use fragment or form_post, or their JWTs",
        ));
    }
    Ok(())
}

/// Rejects a request that nothing protects against an injected code (RFC 9700 §2.1.1, §4.5.3): a code challenge does, and so
/// does the `nonce` of an ID token. The operator may exempt a client from the `nonce`, never from the ID token.
fn challenge_or_nonce(sent: &SentRequest<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    let has_nonce = request.nonce.is_some() || !sent.client.require_nonce;
    if request.code_challenge.is_some() || (has_nonce && request.scope.contains("openid")) {
        return Ok(());
    }
    Err(without_defence(
        sent.client,
        "a request without code_challenge needs the scope openid and a nonce (RFC 9700 section 2.1.1)",
    ))
}

fn prompt(sent: &SentRequest<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    if let Some(text) = sent.parameters.value("prompt") {
        request.prompt = Prompt::parse(text)?;
    }
    Ok(())
}

fn claims(sent: &SentRequest<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    request.claims = requested_claims(sent.parameters, sent.client, &sent.targets)?;
    Ok(())
}

/// Returns the claims that a request asks for by name, without those that the client may not request. Errors:
/// `invalid_request`; `unmet_authentication_requirements` for an essential `acr` that no sign-in reaches (OpenID Connect Core
/// §5.5.1.1).
pub(crate) fn requested_claims(
    parameters: &Parameters,
    client: &Client,
    targets: &Targets<'_>,
) -> Result<ClaimsRequest, Error> {
    let Some(text) = parameters.value("claims") else { return Ok(ClaimsRequest::default()) };
    let claims = ClaimsRequest::parse(text)?;
    if claims.id_token("acr").is_some_and(|acr| acr.essential && !targets.classes.can_meet(&acr)) {
        return Err(unmet("no sign-in of this server reaches the acr that is requested as essential"));
    }
    Ok(targets.claims.known(claims.within(&client.scope), client))
}

fn max_age(sent: &SentRequest<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    let invalid = |_| Error::invalid_request("max_age must be a whole number of seconds, 0 or more");
    request.max_age = match sent.parameters.value("max_age") {
        Some(seconds) => Some(seconds.parse().map_err(invalid)?),
        None => sent.client.default_max_age,
    };
    Ok(())
}

/// Keeps the classes that a sign-in of this server reaches. None: a request for access fails, so that its client does not return
/// with a token that the API refuses again (RFC 9470 §5). `default_acr_values` of the client are never an error. They stand in for
/// `acr_values` if the claim `acr` is not requested either (OpenID Connect Registration §2).
fn acr_values(sent: &SentRequest<'_>, request: &mut AuthorizationRequest) -> Result<(), Error> {
    let is_reached = |acr: &&str| sent.targets.classes.names().any(|class| class == *acr);
    let Some(asked) = sent.parameters.value("acr_values") else {
        if request.claims.id_token("acr").is_none() {
            let defaults = sent.client.default_acr_values.iter().map(String::as_str);
            request.acr_values = defaults.filter(is_reached).map(str::to_owned).collect();
        }
        return Ok(());
    };
    request.acr_values = asked.split_ascii_whitespace().filter(is_reached).map(str::to_owned).collect();
    let is_unmet = request.acr_values.is_empty() && !asked.trim().is_empty();
    if is_unmet && request.is_for_access() {
        Err(unmet("acr_values has no class that a sign-in of this server reaches"))
    } else {
        Ok(())
    }
}

/// Returns `unmet_authentication_requirements` (OpenID Connect Core Unmet Authentication Requirements 1.0 §2).
pub(crate) fn unmet(description: &'static str) -> Error {
    Error::new(ErrorCode::UnmetAuthenticationRequirements, description)
}

/// Rejects a request that was not pushed, if the deployment or the client requires it (RFC 9126 §5, §6).
fn pushed_if_required(sent: &SentRequest<'_>, _: &mut AuthorizationRequest) -> Result<(), Error> {
    if sent.require_pushed_requests || sent.client.require_pushed_authorization_requests {
        return Err(Error::invalid_request("authorization requests must be pushed first (RFC 9126 section 5)"));
    }
    Ok(())
}
