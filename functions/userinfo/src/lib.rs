//! UserInfo (OpenID Connect Core §5.3), a protected resource (RFC 6750).

mod bearer;

use bearer::Challenge;
use http::{StatusCode, header};
use protocol::{AccessTokenClaims, Error, ErrorCode, Timestamp};
use runtime::{Context, Fault, Request, Response};
use serde_json::{Map, Value};
use storage::grants::{self, Live};
use storage::users;

/// Answers with the claims that the access token allows. Two round trips: the grant and the person.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, Fault> {
    let token = match bearer::token(request) {
        Ok(token) => token,
        Err(challenge) => return Ok(challenge.response()),
    };
    let Some(claims) = context.access_token(&token, request.received_at).await? else { return Ok(invalid_token()) };
    if !claims.scope.contains("openid") {
        let error = Error::new(ErrorCode::InsufficientScope, "the access token must have the scope openid");
        return Ok(Challenge::Error { error, scope: Some("openid") }.response());
    }
    let Some(live) = live_grant(context, &claims).await? else { return Ok(invalid_token()) };
    let Some(user) = users::find(context.records.as_ref(), &claims.sub).await? else { return Ok(invalid_token()) };
    let mut answer = live.grant.claims.for_userinfo(&claims.scope, &user.claims);
    answer.insert("sub".to_owned(), Value::String(claims.sub.clone()));
    send(context, &claims, answer, request.received_at).await
}

/// The grant behind an access token, unless it is over or the token was revoked by itself.
async fn live_grant(context: &Context, claims: &AccessTokenClaims) -> Result<Option<Live>, Fault> {
    let Some(standing) = claims.standing() else { return Ok(None) };
    let live = grants::find(context.records.as_ref(), standing.grant).await?;
    Ok(live.filter(|live| {
        live.state.accepts(&claims.jti, Timestamp::from_secs(claims.iat)) && live.grant.subject == claims.sub
    }))
}

fn invalid_token() -> Response {
    let error = Error::new(ErrorCode::InvalidToken, "the access token is unknown, expired or revoked");
    Challenge::Error { error, scope: None }.response()
}

/// As JSON, or signed when the client is registered so (OpenID Connect Core §5.3.2).
async fn send(
    context: &Context,
    claims: &AccessTokenClaims,
    mut answer: Map<String, Value>,
    now: Timestamp,
) -> Result<Response, Fault> {
    let client = context.client(&claims.client_id, now).await?;
    let Some(algorithm) = client.and_then(|client| client.client.userinfo_signed_response_alg) else {
        return Ok(Response::json(StatusCode::OK, &answer).of_client(&claims.client_id));
    };
    answer.insert("iss".to_owned(), Value::String(context.config.issuer.clone()));
    answer.insert("aud".to_owned(), Value::String(claims.client_id.clone()));
    let key = context.keyring(now).await?.signing_key(algorithm, now).await.map_err(Fault::new)?;
    let jwt = jose::sign_jwt(&key, "JWT", &answer).await.map_err(Fault::new)?;
    Ok(Response::new(StatusCode::OK)
        .with(header::CONTENT_TYPE, "application/jwt")
        .with_body(jwt)
        .of_client(&claims.client_id))
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    runtime::worker::serve("userinfo", request, &env, |request, context| Box::pin(handle(request, context))).await
}
