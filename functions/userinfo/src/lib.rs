//! UserInfo (OpenID Connect Core §5.3), a protected resource (RFC 6750).

mod bearer;

use bearer::Challenge;
use http::{StatusCode, header};
use latchkey_http::{Request, Response};
use protocol::{AccessTokenClaims, ClaimDestination};
use provider::{ActiveToken, Context, Function, HandlerError};
use serde_json::{Map, Value};
use storage::users;
use types::{Error, ErrorCode, Timestamp};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::api("userinfo", |request, context| Box::pin(handle(request, context)));

/// Returns the claims that the access token allows. Round trips: 2, for the grant and the user.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let token = match bearer::token(request) {
        Ok(token) => token,
        Err(challenge) => return Ok(challenge.response(request)),
    };
    let Some(claims) = context.access_token(&token, request.received_at).await? else {
        return Ok(invalid_token(request));
    };
    request.log.client(&claims.client_id);
    let config = &context.config;
    if ![config.issuer.as_str(), config.audience.as_str()].into_iter().any(|own| claims.aud.contains(own)) {
        // RFC 9068 §4: a resource server must not use a token of its clients elsewhere.
        let error = Error::new(ErrorCode::InvalidToken, "the access token is for another resource alone");
        return Ok(Challenge::Error { error, scope: None }.response(request));
    }
    if !claims.scope.contains("openid") {
        let error = Error::new(ErrorCode::InsufficientScope, "the access token must have the scope openid");
        return Ok(Challenge::Error { error, scope: Some("openid") }.response(request));
    }
    let Some(ActiveToken::OfGrant(live)) = context.active_token(&claims, request.received_at).await? else {
        return Ok(invalid_token(request));
    };
    let user = users::find(context.records.as_ref(), &live.grant.subject).await?;
    // The mark of a revocation is in the record that is read anyway: a list that lags cannot keep this token alive.
    let Some(user) = user.filter(|user| user.admits(live.grant.authentication.auth_time)) else {
        return Ok(invalid_token(request));
    };
    // The grant has the claims that were requested by name. Omit those that were withdrawn from its client since.
    let client = context.client(&live.grant.client_id, request.received_at).await?;
    let Some(client) = client else { return Ok(invalid_token(request)) };
    let asked = live.grant.claims.within(&client.client.scope);
    let mut answer = asked.for_userinfo(&claims.scope, &user.profile());
    let definitions = &context.configuration.claims;
    let by_scope = definitions.released(ClaimDestination::Userinfo, &client.client, &claims.scope, &[]);
    let by_name = definitions.named(ClaimDestination::Userinfo, &client.client, &asked);
    answer.extend(definitions.select(by_scope.chain(by_name), &user.claims));
    answer.insert("sub".to_owned(), Value::String(claims.sub.as_str().to_owned()));
    send(context, &claims, answer, request.received_at).await
}

fn invalid_token(request: &Request) -> Response {
    let error = Error::new(ErrorCode::InvalidToken, "the access token is unknown, expired or revoked");
    Challenge::Error { error, scope: None }.response(request)
}

/// Returns the claims as JSON; signed, encrypted or both if the client is registered so (OpenID Connect Core §5.3.2).
async fn send(
    context: &Context,
    claims: &AccessTokenClaims,
    mut answer: Map<String, Value>,
    now: Timestamp,
) -> Result<Response, HandlerError> {
    let json = |answer: &Map<String, Value>| Response::json(StatusCode::OK, answer);
    let Some(stored) = context.client(&claims.client_id, now).await? else { return Ok(json(&answer)) };
    let client = &stored.client;
    let recipient = context.userinfo_recipient(client, now).await?;
    let algorithm = match (client.userinfo_signed_response_alg, &recipient) {
        (Some(algorithm), _) => algorithm,
        // An encrypted response is also signed (Core §16.14), with the algorithm of the ID token.
        (None, Some(_)) => client.id_token_signed_response_alg,
        (None, None) => return Ok(json(&answer)),
    };
    answer.insert("iss".to_owned(), Value::String(context.config.issuer.to_string()));
    answer.insert("aud".to_owned(), Value::String(claims.client_id.as_str().to_owned()));
    let jwt = context.sign(algorithm, "JWT", &answer, now).await?;
    let jwt = provider::encrypted(recipient.as_ref(), jwt).await?;
    Ok(Response::new(StatusCode::OK).with(header::CONTENT_TYPE, "application/jwt").with_body(jwt))
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
