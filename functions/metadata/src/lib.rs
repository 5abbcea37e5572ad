//! Discovery (OpenID Connect Discovery §4), authorization server metadata (RFC 8414 §3) and the JWK Set (RFC 7517 §5).

use http::{StatusCode, header};
use latchkey_http::{Request, Response};
use protocol::metadata;
use protocol::metadata_document::DocumentPolicy;
use provider::{Context, Function, HandlerError};

/// Cache lifetime of the documents. A new signing key is published for longer before it signs.
const CACHE: &str = "public, max-age=300";

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::api("metadata", |request, context| Box::pin(handle(request, context)));

/// Returns the document at the path.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let config = &context.config;
    let response = if request.path == "/jwks" {
        let keyring = context.keyring(request.received_at).await?;
        Response::new(StatusCode::OK)
            .with(header::CONTENT_TYPE, "application/jwk-set+json")
            .with_body(keyring.jwks_json(config.signing.offered(), request.received_at))
    } else {
        let capabilities = metadata::Capabilities {
            issuer: &config.issuer,
            scopes: &config.scopes,
            resources: &context.configuration.resources,
            claims: &context.configuration.claims,
            personal_scopes: config.advertise_personal_scopes,
            grants: &context.configuration.grant_types().collect::<Vec<_>>(),
            registration: config.registration.is_offered(),
            client_documents: config.client_documents != DocumentPolicy::Off,
            id_jags: context.configuration.accepts_id_jags(),
            require_pushed_requests: config.require_pushed_requests,
            signing: config.signing.offered(),
        };
        Response::json(StatusCode::OK, &metadata::document(&capabilities))
    };
    Ok(response.with(header::CACHE_CONTROL, CACHE))
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
