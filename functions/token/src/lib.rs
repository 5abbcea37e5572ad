//! The token endpoint (RFC 6749 §3.2): one file for each grant type.

mod assertion_grant;
mod authorization_code;
mod client_credentials;
mod device_code;
mod issue;
mod jwt_bearer;
mod refresh_token;
mod saml_bearer;
mod token_exchange;

use http::header;
use latchkey_http::{Request, Response};
use protocol::{GrantType, Parameters, StoredClient};
use provider::{Context, Function, HandlerError, RequestParameters};
use types::{Error, ErrorCode};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::api("token", |request, context| Box::pin(handle(request, context)));

/// Answers a token request.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let parameters = request.form()?;
    parameters.refuse_repeated()?;
    let grant_type = grant_type(&parameters, context.config.grant_types())?;
    let client = context.authenticate(request, &parameters).await?;
    let request = TokenRequest { parameters: &parameters, client: &client, context, now: request.received_at };
    request.begin(grant_type).await?;
    let tokens = match grant_type {
        GrantType::AuthorizationCode => authorization_code::redeem(&request).await?,
        GrantType::RefreshToken => refresh_token::refresh(&request).await?,
        GrantType::ClientCredentials => client_credentials::issue(&request).await?,
        GrantType::DeviceCode => device_code::poll(&request).await?,
        GrantType::JwtBearer => jwt_bearer::issue(&request).await?,
        GrantType::Saml2Bearer => saml_bearer::issue(&request).await?,
        GrantType::TokenExchange => token_exchange::exchange(&request).await?,
    };
    // A fault here must not lose tokens that are issued: the client's next token request repeats the note.
    drop(context.note_use(&client).await);
    Ok(Response::json(http::StatusCode::OK, &tokens).with(header::PRAGMA, "no-cache"))
}

fn unsupported(description: &'static str) -> Error {
    Error::new(ErrorCode::UnsupportedGrantType, description)
}

/// A token request of an authenticated client.
struct TokenRequest<'a> {
    parameters: &'a Parameters,
    client: &'a StoredClient,
    context: &'a Context,
    now: types::Timestamp,
}

impl TokenRequest<'_> {
    /// Checks that the client may use the grant (RFC 6749 §5.2). If the grant can yield an ID token, also checks that
    /// it can be encrypted for the client, before anything is redeemed.
    async fn begin(&self, grant_type: GrantType) -> Result<(), HandlerError> {
        let client = &self.client.client;
        if !client.may_use(grant_type) {
            let description = format!("the client may not use the {} grant", grant_type.as_str());
            return Err(Error::new(ErrorCode::UnauthorizedClient, description).into());
        }
        if matches!(grant_type, GrantType::AuthorizationCode | GrantType::RefreshToken | GrantType::DeviceCode) {
            self.context.id_token_recipient(client, self.now).await?;
        }
        Ok(())
    }
}

fn grant_type(parameters: &Parameters, mut offered: impl Iterator<Item = GrantType>) -> Result<GrantType, Error> {
    let requested = parameters.required("grant_type")?;
    match offered.find(|grant| grant.as_str() == requested) {
        Some(grant) => Ok(grant),
        None if requested == "password" => {
            Err(unsupported("the password grant is refused (RFC 9700 section 2.4); use authorization_code"))
        }
        None if requested == "implicit" => {
            Err(unsupported("the implicit grant is refused (RFC 9700 section 2.1.2); use authorization_code"))
        }
        None => Err(unsupported(
            "grant_type is unknown; grant_types_supported of the metadata document lists those that this server has",
        )),
    }
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
