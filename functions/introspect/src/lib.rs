//! Token introspection (RFC 7662), with signed and encrypted responses (RFC 9701), and the access token itself as a JWT
//! for an API behind a gateway (phantom token).
//!
//! | `Accept` | answer |
//! |---|---|
//! | `application/json`, or anything else | JSON: `{"active": false}`, or the claims of the token |
//! | `application/token-introspection+jwt` | the same as a signed JWT, encrypted if the client is registered so |
//! | `application/jwt` | the access token as a JWT (RFC 9068), also for an opaque token; 204 if it is not active |
//!
//! A resource server is a client that `introspects` audiences: it sees tokens for them, and may get the JWT. Every client
//! sees its own tokens. Any other token is reported as not active.

mod token;

use http::{StatusCode, header};
use latchkey_http::{Request, Response};
use protocol::Client;
use protocol::introspection::{INTROSPECTION_RESPONSE_TYPE, IntrospectionResponseClaims, ResponseForm, is_audience};
use provider::{ClientRequest, Context, Function, HandlerError, TokenIssuer};
use token::Found;
use types::{Algorithm, Error, ErrorCode, Timestamp};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::api("introspect", |request, context| Box::pin(handle(request, context)));

/// Answers whether a token is active, with its claims. Round trips: 1; 0 for a token that is forged, expired, or not
/// visible to the caller.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let asked = ClientRequest::open(request, context).await?;
    let (client, now) = (asked.client(), asked.now);
    if !client.is_confidential() {
        return Err(unproved().into());
    }
    let form = ResponseForm::accepted(request.header(&header::ACCEPT));
    form.check(client)?;
    let found = token::find(asked.parameters.required("token")?, &asked.stored, context, now).await?;
    let response = match form {
        ResponseForm::Json => Response::json(StatusCode::OK, &found.introspection(context)),
        ResponseForm::IntrospectionJwt => signed(&found, client, context, now).await?,
        ResponseForm::AccessToken => phantom(&found, client, context, now).await?,
    };
    Ok(response.with(header::VARY, "Accept"))
}

/// Rejects public clients: "The authorization server MUST … require … authorization to access this endpoint" (RFC
/// 7662 §2.1), and a client_id without a secret is no authorization.
fn unproved() -> Error {
    Error::new(ErrorCode::InvalidClient, "introspection is for clients that authenticate (RFC 7662 section 2.1)")
}

/// Returns the response as a signed JWT, encrypted if the client is registered so (RFC 9701 §5).
async fn signed(found: &Found, client: &Client, context: &Context, now: Timestamp) -> Result<Response, HandlerError> {
    let recipient = context.introspection_recipient(client, now).await?;
    let algorithm = client.introspection_signed_response_alg.unwrap_or(Algorithm::RS256);
    let introspection = found.introspection(context);
    let claims = IntrospectionResponseClaims::new(&context.config.issuer, client, &introspection, now);
    let jwt = context.sign(client, algorithm, INTROSPECTION_RESPONSE_TYPE, &claims, now).await?;
    let jwt = provider::encrypted(recipient.as_ref(), jwt).await?;
    Ok(Response::new(StatusCode::OK).with(header::CONTENT_TYPE, "application/token-introspection+jwt").with_body(jwt))
}

/// Returns the access token as a JWT for its resource servers, or 204 for any other caller.
async fn phantom(found: &Found, client: &Client, context: &Context, now: Timestamp) -> Result<Response, HandlerError> {
    match found {
        Found::AccessToken(claims, _, _) if is_audience(client, claims) => {
            // The client of the token may have gone since the token was found: then the resource alone decides.
            let owner = context.client(&claims.client_id, now).await?;
            let client = owner.as_ref().map_or(client, |owner| &owner.client);
            let jwt = TokenIssuer { context, client, now }.signed_access_token(claims).await?;
            Ok(Response::new(StatusCode::OK).with(header::CONTENT_TYPE, "application/jwt").with_body(jwt))
        }
        _ => Ok(Response::new(StatusCode::NO_CONTENT)),
    }
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
