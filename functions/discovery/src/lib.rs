//! Metadata of the server (OpenID Connect Discovery §4, RFC 8414 §3), with the same members as a signed JWT.

use http::{StatusCode, header};
use latchkey_http::{Request, Response};
use protocol::metadata::{self, Capabilities};
use protocol::metadata_document::DocumentPolicy;
use provider::{Context, Function, HandlerError, responses};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::api("discovery", |request, context| Box::pin(handle(request, context)));

/// Returns the document, which is the same at both paths (RFC 8414 §5). Round trips: 0; 1 if the signing keys are not cached.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let config = &context.config;
    let document = metadata::document(&Capabilities {
        issuer: &config.issuer,
        scopes: &config.scopes,
        resources: &context.configuration.resources,
        claims: &context.configuration.claims,
        classes: &context.configuration.classes,
        personal_scopes: config.advertise_personal_scopes,
        grants: &context.configuration.grant_types().collect::<Vec<_>>(),
        registration: config.registration.is_offered(),
        client_documents: config.client_documents != DocumentPolicy::Off,
        id_jags: context.configuration.accepts_id_jags(),
        profile: config.profile,
        details_types: &context.configuration.details_types,
        mutual_tls: config.mutual_tls.as_ref(),
        require_pushed_requests: config.require_pushed_requests,
        signing: config.signing.offered(),
        receives: config.signing.receives(),
    });
    let document = context.with_signed_metadata(document, request.received_at).await?;
    Ok(Response::json(StatusCode::OK, &document).with(header::CACHE_CONTROL, responses::METADATA_CACHE).open())
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
