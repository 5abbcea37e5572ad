//! The authorization request (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1) and where its answer goes.
//!
//! Checking has two stages. [`ResponseTarget::check`] finds out who asks and where to answer; what fails there is
//! told to the person, never redirected. Everything after it is answered through the target: no error type that can
//! be redirected exists without one.

use crate::device::DeviceRequest;
use crate::parameters::printable;
use crate::{
    AuthenticationContext, ClaimsRequest, Client, CodeChallenge, GrantType, Parameters, Resource, ResponseType,
    redirect_uri, resource,
};
use serde::{Deserialize, Serialize};
use types::{Error, ErrorCode, Scope};

/// How the answer travels (OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post Response Mode §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the redirect's query.
    #[default]
    Query,
    /// In the redirect's fragment.
    Fragment,
    /// In a form that the browser posts.
    FormPost,
}

impl ResponseMode {
    /// The names on the wire.
    pub const NAMES: &[&str] = &["query", "fragment", "form_post"];

    fn parse(name: &str) -> Option<Self> {
        match name {
            "query" => Some(Self::Query),
            "fragment" => Some(Self::Fragment),
            "form_post" => Some(Self::FormPost),
            _ => None,
        }
    }
}

/// Where the answer to a request goes: a redirect URI that the client registered. Only the check makes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseTarget {
    redirect_uri: String,
    response_mode: ResponseMode,
    state: Option<String>,
}

impl ResponseTarget {
    /// Finds where to answer. Fails when the redirect URI is not one of the client's; the error is for the person at
    /// the browser (RFC 6749 §3.1.2.4: MUST NOT redirect).
    pub fn check(parameters: &Parameters, client: &Client) -> Result<Self, Error> {
        for name in ["client_id", "redirect_uri"] {
            if parameters.is_repeated(name) {
                return Err(Error::invalid_request(format!("the parameter '{name}' is repeated")));
            }
        }
        let Some(requested) = parameters.value("redirect_uri") else {
            return Err(Error::invalid_request("the parameter 'redirect_uri' is missing"));
        };
        if !client.redirect_uris.iter().any(|registered| redirect_uri::matches(registered, requested)) {
            return Err(Error::invalid_request(
                "the redirect_uri is not registered for this client; it must match to the character",
            ));
        }
        let response_mode = response_mode(parameters);
        let state = if parameters.is_repeated("state") { None } else { parameters.value("state").map(str::to_owned) };
        Ok(Self { redirect_uri: requested.to_owned(), response_mode, state })
    }

    /// A page of this server: nothing is answered to anybody else.
    fn own_page(page: &str) -> Self {
        Self { redirect_uri: page.to_owned(), response_mode: ResponseMode::default(), state: None }
    }

    /// The redirect URI, as the request named it.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The answer that carries a code (RFC 6749 §4.1.2), in the hybrid flow with the ID token that vouches for it
    /// (OpenID Connect Core §3.3.2.5), with the issuer (RFC 9207 §2).
    pub fn code_response(&self, code: &str, id_token: Option<String>, issuer: &str) -> AuthorizationResponse {
        let id_token = id_token.map(|id_token| ("id_token", id_token));
        self.response([("code", code.to_owned())].into_iter().chain(id_token).collect(), issuer)
    }

    /// The answer that carries an error (RFC 6749 §4.1.2.1), with the issuer (RFC 9207 §2).
    pub fn error_response(&self, error: &Error, issuer: &str) -> AuthorizationResponse {
        self.response(
            vec![("error", error.code.as_str().to_owned()), ("error_description", error.wire_description())],
            issuer,
        )
    }

    fn response(&self, mut fields: Vec<(&'static str, String)>, issuer: &str) -> AuthorizationResponse {
        fields.extend(self.state.iter().map(|state| ("state", state.clone())));
        fields.push(("iss", issuer.to_owned()));
        let encoded = || form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        match self.response_mode {
            ResponseMode::Query => {
                let separator = if self.redirect_uri.contains('?') { '&' } else { '?' };
                AuthorizationResponse::Redirect(format!("{}{separator}{}", self.redirect_uri, encoded()))
            }
            ResponseMode::Fragment => AuthorizationResponse::Redirect(format!("{}#{}", self.redirect_uri, encoded())),
            ResponseMode::FormPost => AuthorizationResponse::FormPost { action: self.redirect_uri.clone(), fields },
        }
    }
}

/// How the answer travels: as asked, but never in the query when the request asks for a token, however wrong it is
/// otherwise (OAuth 2.0 Multiple Response Types §3, §5).
fn response_mode(parameters: &Parameters) -> ResponseMode {
    let asks_for_token = parameters
        .value("response_type")
        .is_some_and(|types| types.split(' ').any(|word| matches!(word, "id_token" | "token")));
    match parameters.value("response_mode").and_then(ResponseMode::parse) {
        None | Some(ResponseMode::Query) if asks_for_token => ResponseMode::Fragment,
        asked => asked.unwrap_or_default(),
    }
}

/// An answer, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationResponse {
    /// Send the browser to this URI.
    Redirect(String),
    /// Have the browser post these fields.
    FormPost {
        /// To this URI.
        action: String,
        /// Name and value.
        fields: Vec<(&'static str, String)>,
    },
}

/// What the client asks to be done with the person (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Show nothing: answer from what is there, or fail.
    pub none: bool,
    /// Have the person sign in anew.
    pub login: bool,
    /// Ask for consent even if it is remembered.
    pub consent: bool,
    /// Let the person choose the account.
    pub select_account: bool,
}

impl Prompt {
    /// The values on the wire.
    pub const NAMES: &[&str] = &["none", "login", "consent", "select_account"];

    fn parse(text: &str) -> Result<Self, Error> {
        let mut prompt = Self::default();
        for value in text.split(' ').filter(|value| !value.is_empty()) {
            match value {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                other => {
                    return Err(Error::invalid_request(format!("prompt has the unknown value '{}'", printable(other))));
                }
            }
        }
        if prompt.none && (prompt.login || prompt.consent || prompt.select_account) {
            return Err(Error::invalid_request("prompt=none cannot be combined with other values"));
        }
        Ok(prompt)
    }
}

/// A request that passed every check. Left out are `id_token_hint`, which takes keys to check, and parameters that change
/// nothing here, such as `ui_locales`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: String,
    /// Where the answer goes.
    pub target: ResponseTarget,
    /// What the answer carries.
    pub response_type: ResponseType,
    /// What is asked for, of what the client may ask for.
    pub scope: Scope,
    /// The resources that tokens are asked for (RFC 8707); none means the deployment's own audience.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// Binds the ID token to the client's session.
    pub nonce: Option<String>,
    /// What the verifier of the token request must answer.
    pub code_challenge: Option<CodeChallenge>,
    /// What shall be done with the person.
    pub prompt: Prompt,
    /// How many seconds ago the person may have signed in.
    pub max_age: Option<u64>,
    /// Who is expected to sign in.
    pub login_hint: Option<String>,
    /// Single claims asked for.
    pub claims: ClaimsRequest,
}

impl AuthorizationRequest {
    /// What a person is asked to consent to: the scope, that of each claim asked for by name (OpenID Connect Core §3.1.2.4),
    /// and each resource that it is for. A URI is a scope token too.
    pub fn to_consent(&self) -> Scope {
        let resources = self.resources.iter().filter_map(|uri| Scope::parse(uri));
        resources.fold(self.scope_to_consent(), |all, one| all.with(&one))
    }

    /// The same without the resources.
    pub fn scope_to_consent(&self) -> Scope {
        self.claims.scopes().filter_map(Scope::parse).fold(self.scope.clone(), |all, one| all.with(&one))
    }

    /// Checks a request whose target is known. The error goes to the target.
    pub fn check(
        parameters: &Parameters,
        client: &Client,
        target: ResponseTarget,
        resources: &[Resource],
    ) -> Result<Self, Error> {
        parameters.refuse_repeated()?;
        if parameters.value("registration").is_some() {
            return Err(Error::new(
                ErrorCode::RegistrationNotSupported,
                "the parameter 'registration' is not supported: clients register at the registration endpoint",
            ));
        }
        let response_type = check_response_type(parameters.value("response_type"), client)?;
        if parameters.value("response_mode").is_some_and(|mode| ResponseMode::parse(mode).is_none()) {
            return Err(Error::invalid_request("response_mode is unknown; it must be query, fragment or form_post"));
        }
        let code_challenge = CodeChallenge::from_request(parameters)?;
        if code_challenge.is_none() && client.must_use_pkce() {
            return Err(Error::invalid_request(
                "code_challenge is missing: this client must use PKCE (RFC 7636) with S256",
            ));
        }
        let scope = check_scope(parameters, client)?;
        if response_type == ResponseType::CodeIdToken {
            check_hybrid(parameters, &scope)?;
        }
        let prompt = parameters.value("prompt").map(Prompt::parse).transpose()?.unwrap_or_default();
        let claims = parameters.value("claims").map(ClaimsRequest::parse).transpose()?.unwrap_or_default();
        check_essential_acr(&claims)?;
        let claims = claims.within(&client.scope);
        let max_age = match parameters.value("max_age") {
            None => client.default_max_age,
            Some(seconds) => Some(
                seconds
                    .parse()
                    .map_err(|_| Error::invalid_request("max_age must be a whole number of seconds, 0 or more"))?,
            ),
        };
        let owned = |name| parameters.value(name).map(str::to_owned);
        Ok(Self {
            client_id: client.client_id.clone(),
            target,
            response_type,
            scope,
            resources: resource::requested(parameters, resources, client)?,
            nonce: owned("nonce"),
            code_challenge,
            prompt,
            max_age,
            login_hint: owned("login_hint"),
            claims,
        })
    }

    /// What a device asks for (RFC 8628 §3.1), for the sign-in of the person who approves it: `page` is where the
    /// browser comes back to.
    pub(crate) fn of_device(request: &DeviceRequest, page: &str) -> Self {
        Self {
            client_id: request.client_id.clone(),
            target: ResponseTarget::own_page(page),
            response_type: ResponseType::Code,
            scope: request.scope.clone(),
            resources: request.resources.clone(),
            nonce: None,
            code_challenge: None,
            prompt: Prompt::default(),
            max_age: None,
            login_hint: None,
            claims: ClaimsRequest::default(),
        }
    }
}

/// What the hybrid flow demands besides (OpenID Connect Core §3.3.2.1, OAuth 2.0 Multiple Response Types §5).
fn check_hybrid(parameters: &Parameters, scope: &Scope) -> Result<(), Error> {
    if !scope.contains("openid") {
        return Err(Error::invalid_request("response_type 'code id_token' needs the scope openid"));
    }
    if parameters.value("nonce").is_none() {
        return Err(Error::invalid_request(
            "nonce is missing: response_type 'code id_token' needs one (OpenID Connect Core section 3.3.2.11)",
        ));
    }
    if parameters.value("response_mode") == Some("query") {
        return Err(Error::invalid_request(
            "response_mode=query would leave an ID token in logs and histories; use fragment or form_post",
        ));
    }
    Ok(())
}

/// `code`, or `code id_token` for clients that registered it. Every type that returns an access token in the front
/// channel is refused, and every one without a code (RFC 9700 §2.1.2).
fn check_response_type(response_type: Option<&str>, client: &Client) -> Result<ResponseType, Error> {
    let asked = response_type.ok_or_else(|| Error::invalid_request("the parameter 'response_type' is missing"))?;
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
    if !client.may_use(GrantType::AuthorizationCode) {
        return Err(Error::new(ErrorCode::UnauthorizedClient, "the client may not use the authorization_code grant"));
    }
    if !client.response_types.contains(&known) {
        return Err(Error::new(
            ErrorCode::UnauthorizedClient,
            format!("the client did not register the response_type '{}'", known.as_str()),
        ));
    }
    Ok(known)
}

/// What is asked for, of what the client may ask for. Scopes that it may not ask for are ignored (RFC 6749 §3.3,
/// OpenID Connect Core §3.1.2.1), unless nothing is left; so is offline use by a client that gets no refresh tokens (§11).
pub(crate) fn check_scope(parameters: &Parameters, client: &Client) -> Result<Scope, Error> {
    let Some(requested) = parameters.scope()? else {
        return Ok(client.scope.without("openid").without("offline_access"));
    };
    let allowed = requested.within(&client.scope);
    let allowed = if client.may_use(GrantType::RefreshToken) { allowed } else { allowed.without("offline_access") };
    if allowed.is_empty() {
        return Err(Error::new(ErrorCode::InvalidScope, "the client may ask for none of these scopes"));
    }
    Ok(allowed)
}

/// An essential `acr` that no sign-in here can reach fails at once (OpenID Connect Core §5.5.1.1).
fn check_essential_acr(claims: &ClaimsRequest) -> Result<(), Error> {
    match claims.id_token("acr") {
        Some(acr)
            if acr.essential && !AuthenticationContext::CLASSES.iter().any(|class| acr.accepts(&(*class).into())) =>
        {
            Err(Error::new(
                ErrorCode::UnmetAuthenticationRequirements,
                "no sign-in of this server reaches the acr that is asked for as essential",
            ))
        }
        _ => Ok(()),
    }
}
