//! The JWK Set (RFC 7517 §5), the logos of clients, and the page at the root. The metadata documents are in `discovery`, which signs.

use http::{HeaderName, StatusCode, header};
use latchkey_http::{Request, Response};
use protocol::LogoName;
use provider::{Context, Function, HandlerError, responses};
use storage::logos;
use types::{Error, ErrorCode};

/// Path of the logos, before their names.
const LOGOS: &str = "/logos/";
/// Cache lifetime of a logo, which never changes: a year.
const LOGO_CACHE: &str = "public, max-age=31536000, immutable";

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::new(
    "metadata",
    |request, context| Box::pin(handle(request, context)),
    |error, request, context| match request.path.as_str() {
        ROOT => error.into_page_response(request, context),
        _ => error.into_api_response(request, context),
    },
);

/// Path of the page that says what the server is for. A route of Cloudflare cannot have a query, so a Worker that had this path
/// alone would not receive `/?x=y`. This function receives every path that no other one serves.
const ROOT: &str = "/";

/// Returns the document at the path.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    if request.path == ROOT {
        let issuer = context.config.issuer.as_str();
        let host = issuer.split_once("://").map_or(issuer, |(_, host)| host);
        return Ok(responses::page(StatusCode::OK, pages::home(&responses::frame(request, context)?, host)).open());
    }
    if let Some(name) = request.path.strip_prefix(LOGOS) {
        return logo(name, context).await;
    }
    let keyring = context.keyring(request.received_at).await?;
    let offered = context.config.signing.offered();
    // Some clients stop at a key type that they do not know, whatever its `use`.
    let encryption = context.secrets.encryption_key().filter(|_| context.config.signing.receives());
    Ok(Response::new(StatusCode::OK)
        .with(header::CONTENT_TYPE, "application/jwk-set+json")
        .with(header::CACHE_CONTROL, responses::METADATA_CACHE)
        .with_body(keyring.jwks_json(offered, encryption, request.received_at))
        .open())
}

/// Returns the logo of a client. The header lets no browser treat it as anything but a picture. Round trips: 1.
async fn logo(name: &str, context: &Context) -> Result<Response, HandlerError> {
    const SAME_ORIGIN: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
    let found = match LogoName::parse(name) {
        Some(name) => logos::find(&*context.records, &name).await?,
        None => None,
    };
    let Some(logo) = found else {
        let error = Error::new(ErrorCode::InvalidRequest, "there is no logo of this name");
        return Ok(Response::json(StatusCode::NOT_FOUND, &error.to_body()));
    };
    Ok(Response::new(StatusCode::OK)
        .with(header::CONTENT_TYPE, logo.format().media_type())
        .with(header::CACHE_CONTROL, LOGO_CACHE)
        .with(header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox; frame-ancestors 'none'")
        .with(SAME_ORIGIN, "same-origin")
        .with_body(logo.bytes()))
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
