//! UserInfo (OpenID Connect Core §5.3), a protected resource (RFC 6750).

mod bearer;
mod interaction;

use bearer::Challenge;
use http::{StatusCode, header};
use latchkey_http::{Request, Response};
use protocol::{AccessTokenClaims, ClaimDestination};
use provider::{
    ActiveToken, Context, Function, HandlerError, NonceRole, ProofReplay, SentProof, TokenScheme, proven_keys,
};
use serde_json::{Map, Value};
use storage::users;
use types::{Confirmation, Error, ErrorCode, Timestamp};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::api("userinfo", |request, context| Box::pin(handle(request, context)));

/// Returns the claims that the access token allows. Round trips: 2, for the grant and the user; 1 more to mark a DPoP proof, if the
/// deployment accepts each once.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let proof = SentProof::of(request);
    let response = context.with_dpop_nonce(&proof, NonceRole::ResourceServer, answer(request, context, &proof)).await?;
    interaction::identified(request, response)
}

async fn answer(request: &Request, context: &Context, proof: &SentProof<'_>) -> Result<Response, HandlerError> {
    let (scheme, token) = match bearer::token(request) {
        Ok(token) => token,
        Err(challenge) => return Ok(challenge.response(request)),
    };
    let reject = |error, scope| Ok(Challenge::Error { error, scope, scheme }.response(request));
    let invalid_token = || reject(Error::new(ErrorCode::InvalidToken, UNKNOWN), None);
    let Some(claims) = context.access_token(&token, request.received_at).await? else { return invalid_token() };
    request.log.client(&claims.client_id);
    if let Err(error) = check_sender(request, context, proof, (scheme, &token), claims.cnf).await {
        return match error {
            HandlerError::Request(error) => reject(error, None),
            fault => Err(fault),
        };
    }
    let config = &context.config;
    if ![config.issuer.as_str(), config.audience.as_str()].into_iter().any(|own| claims.aud.contains(own)) {
        // RFC 9068 §4: a resource server must not use a token of its clients elsewhere.
        let error = Error::new(ErrorCode::InvalidToken, "the access token is for another resource alone");
        return reject(error, None);
    }
    if !claims.scope.contains("openid") {
        let error = Error::new(ErrorCode::InsufficientScope, "the access token must have the scope openid");
        return reject(error, Some("openid"));
    }
    let Some(ActiveToken::OfGrant(live)) = context.active_token(&claims, request.received_at).await? else {
        return invalid_token();
    };
    let user = users::find(context.records.as_ref(), &live.grant.subject).await?;
    // The mark of a revocation is in the record that is read anyway: a list that lags cannot keep this token alive.
    let Some(user) = user.filter(|user| user.admits(live.grant.authentication.auth_time)) else {
        return invalid_token();
    };
    // The grant has the claims that were requested by name. Omit those that were withdrawn from its client since.
    let client = context.client(&live.grant.client_id, request.received_at).await?;
    let Some(client) = client else { return invalid_token() };
    let asked = live.grant.claims.within(&client.client.scope);
    let mut answer = asked.for_userinfo(&claims.scope, &user.profile());
    let definitions = &context.configuration.claims;
    let by_scope = definitions.released(ClaimDestination::Userinfo, &client.client, &claims.scope, &[]);
    let by_name = definitions.named(ClaimDestination::Userinfo, &client.client, &asked);
    answer.extend(definitions.select(by_scope.chain(by_name), &user.claims));
    answer.insert("sub".to_owned(), Value::String(claims.sub.as_str().to_owned()));
    send(context, &claims, answer, request.received_at).await
}

const UNKNOWN: &str = "the access token is unknown, expired or revoked";

/// Checks that the sender possesses the key of the token, and that a token without a key comes as a bearer token (RFC 9449 §7.1, §7.2,
/// RFC 8705 §3). Round trips: 0; 1 if each proof is accepted once. Errors: `invalid_token`, `invalid_dpop_proof`, `use_dpop_nonce`.
async fn check_sender(
    request: &Request,
    context: &Context,
    proof: &SentProof<'_>,
    (scheme, token): (TokenScheme, &str),
    cnf: Option<Confirmation>,
) -> Result<(), HandlerError> {
    let wrong = |description| Err(Error::new(ErrorCode::InvalidToken, description).into());
    let key = match scheme.key_of(cnf) {
        Ok(None) => return Ok(()),
        Ok(Some(Confirmation::Dpop(key))) => key,
        Ok(Some(certificate @ Confirmation::Certificate(_))) => {
            let is_its = proven_keys(request, None).include(certificate);
            return if is_its {
                Ok(())
            } else {
                wrong(
                    "the access token is bound to a client certificate, and the connection has none, or another one: send it in the TLS handshake (RFC 8705)",
                )
            };
        }
        Err(problem) => return wrong(problem.as_str()),
    };
    let Some(sender) = context.check_proof(proof, Some(token))?.verify().await? else {
        return Err(Error::new(ErrorCode::InvalidDpopProof, "the header field DPoP with a proof is missing").into());
    };
    if sender.key != key {
        return wrong("the access token is bound to another key than that of the DPoP proof");
    }
    if context.config.dpop_replay == ProofReplay::All {
        context.spend_proof(&sender, request.received_at).await?;
    }
    Ok(())
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
    let jwt = context.sign(client, algorithm, "JWT", &answer, now).await?;
    let jwt = provider::encrypted(recipient.as_ref(), jwt).await?;
    Ok(Response::new(StatusCode::OK).with(header::CONTENT_TYPE, "application/jwt").with_body(jwt))
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
