//! The response target: redirect URI, response mode and `state`.

use super::{AuthorizationResponse, PlainResponse, ResponseMode, ResponseParameters, UnsignedResponse};
use crate::{Client, Parameters, RedirectUri};
use serde::{Deserialize, Serialize};
use types::{ClientId, Error, Issuer};

/// A validated redirect URI, the response mode and `state`. Only [`ResponseTarget::check`] and
/// [`UncheckedTarget::check`] create one, and both need the client that registered the redirect URI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResponseTarget {
    #[serde(skip)]
    client_id: ClientId,
    redirect_uri: RedirectUri,
    response_mode: ResponseMode,
    state: Option<String>,
    /// True if the client takes an error with `iss` for something else. The client decides anew when a stored target is checked.
    #[serde(skip)]
    omits_iss_in_errors: bool,
}

impl ResponseTarget {
    /// Checks the redirect URI of a request. Errors: `invalid_request`, for the user at the browser; the server MUST NOT
    /// redirect (RFC 6749 §3.1.2.4).
    pub fn check(parameters: &Parameters, client: &Client) -> Result<Self, Error> {
        for name in ["client_id", "redirect_uri"] {
            if parameters.is_repeated(name) {
                return Err(Error::invalid_request(format!("the parameter '{name}' is repeated")));
            }
        }
        let requested = match (parameters.value("redirect_uri"), client.redirect_uris.as_slice()) {
            // RFC 6749 §3.1.2.3. OpenID Connect Core §3.1.2.1 demands the parameter.
            (None, [only])
                if parameters.scope().is_ok_and(|scope| !scope.is_some_and(|scope| scope.contains("openid"))) =>
            {
                only.as_str()
            }
            _ => parameters.required("redirect_uri")?,
        };
        check_redirect_uri(requested, client)?;
        let response_mode = response_mode(parameters, client);
        let state = if parameters.is_repeated("state") { None } else { parameters.value("state").map(str::to_owned) };
        Ok(Self::of(client, RedirectUri::new(requested), response_mode, state))
    }

    fn of(client: &Client, redirect_uri: RedirectUri, response_mode: ResponseMode, state: Option<String>) -> Self {
        let (client_id, omits_iss_in_errors) = (client.client_id.clone(), client.omit_iss_in_errors);
        Self { client_id, redirect_uri, response_mode, state, omits_iss_in_errors }
    }

    /// Returns the client that receives the response.
    pub const fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Returns the redirect URI as the request sent it.
    pub const fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// Returns the response mode.
    pub const fn response_mode(&self) -> ResponseMode {
        self.response_mode
    }

    /// Returns the response with `code` and `iss` (RFC 6749 §4.1.2, RFC 9207 §2); in the hybrid flow with `id_token`, which
    /// binds the code (OpenID Connect Core §3.3.2.5).
    pub fn code_response(&self, code: &str, id_token: Option<String>, issuer: &Issuer) -> AuthorizationResponse<'_> {
        let id_token = id_token.map(|id_token| ("id_token", id_token));
        self.response([("code", code.to_owned())].into_iter().chain(id_token).collect(), Some(issuer))
    }

    /// Returns the response with `error` and `iss` (RFC 6749 §4.1.2.1, RFC 9207 §2); without `iss` if the client's setting says so.
    pub fn error_response(&self, error: &Error, issuer: &Issuer) -> AuthorizationResponse<'_> {
        self.response(
            vec![("error", error.code.as_str().to_owned()), ("error_description", error.wire_description())],
            (!self.omits_iss_in_errors).then_some(issuer),
        )
    }

    fn response(
        &self,
        mut parameters: Vec<(&'static str, String)>,
        issuer: Option<&Issuer>,
    ) -> AuthorizationResponse<'_> {
        parameters.extend(self.state.iter().map(|state| ("state", state.clone())));
        parameters.extend(issuer.map(|issuer| ("iss", issuer.to_string())));
        let parameters = ResponseParameters(parameters);
        match self.response_mode.is_jwt() {
            true => AuthorizationResponse::Jwt(UnsignedResponse { parameters, target: self }),
            false => AuthorizationResponse::Plain(PlainResponse { parameters, target: self }),
        }
    }
}

/// A response target that was sealed or stored. It cannot be used before it is checked again; see
/// `infra/decisions/redirect-uris-are-checked-again.md`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct UncheckedTarget {
    redirect_uri: RedirectUri,
    response_mode: ResponseMode,
    state: Option<String>,
}

impl UncheckedTarget {
    /// Checks the redirect URI again. Errors: `invalid_request` if the client does not have it any more.
    pub fn check(self, client: &Client) -> Result<ResponseTarget, Error> {
        let Self { redirect_uri, response_mode, state } = self;
        check_redirect_uri(redirect_uri.as_str(), client)?;
        Ok(ResponseTarget::of(client, redirect_uri, response_mode, state))
    }
}

fn check_redirect_uri(requested: &str, client: &Client) -> Result<(), Error> {
    if client.redirect_uris.iter().any(|registered| registered.matches(requested)) {
        return Ok(());
    }
    Err(Error::invalid_request("the redirect_uri is not registered for this client; it must match to the character"))
}

/// Returns the response mode of a request. A request for a token never uses the query, even if the request is wrong
/// otherwise (OAuth 2.0 Multiple Response Types §3, §5).
fn response_mode(parameters: &Parameters, client: &Client) -> ResponseMode {
    let asks_for_token = parameters
        .value("response_type")
        .is_some_and(|types| types.split(' ').any(|word| matches!(word, "id_token" | "token")));
    let default = if asks_for_token { ResponseMode::Fragment } else { ResponseMode::Query };
    let asked = parameters.value("response_mode");
    match asked.and_then(ResponseMode::parse) {
        Some(ResponseMode::Query) => default,
        // JARM §2.3.1: a token in the query must be encrypted.
        Some(ResponseMode::QueryJwt) if client.authorization_encrypted_response_alg.is_none() => default.in_jwt(),
        None if asked == Some(ResponseMode::JWT) => default.in_jwt(),
        known => known.unwrap_or(default),
    }
}
