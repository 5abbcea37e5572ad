//! An API on axum that requires an access token of a local Latchkey for each request:
//!
//!     cargo run &
//!     cargo run -p latchkey-resource-server --example axum

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use latchkey_resource_server::{Access, Config, Http, RequestHead, ResourceMetadata, ResourceServer, Scope, Timestamp};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Any HTTP client can be used.
struct Client(reqwest::Client);

#[async_trait::async_trait]
impl Http for Client {
    async fn send(&self, request: http::Request<String>) -> Result<http::Response<Vec<u8>>, String> {
        let request = reqwest::Request::try_from(request).map_err(|error| error.to_string())?;
        let response = self.0.execute(request).await.map_err(|error| error.to_string())?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(|error| error.to_string())?;
        let mut answer = http::Response::new(body.to_vec());
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

/// Returns the API's guard, which is made once.
pub(crate) fn guard(config: Config) -> Result<Arc<ResourceServer>, reqwest::Error> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(3))
        .build()?;
    Ok(Arc::new(ResourceServer::new(config, Arc::new(Client(client)))))
}

/// Accepts a GET whose token has the scope `read`, and other requests with `write`. Handlers find an [`Access`].
pub(crate) async fn protect(State(guard): State<Arc<ResourceServer>>, mut request: Request, next: Next) -> Response {
    let needed = if request.method() == http::Method::GET { "read" } else { "write" };
    let needed = Scope::parse(needed).unwrap_or_default();
    let url = request.uri().to_string();
    let head = RequestHead { method: request.method(), url: &url, headers: request.headers(), certificate: None };
    match guard.check(&head, &needed, now()).await {
        Ok(access) => {
            request.extensions_mut().insert(access);
            next.run(request).await
        }
        Err(error) => guard.respond_to(&error, &needed).into_response(),
    }
}

/// Returns the API and its metadata (RFC 9728).
pub(crate) fn router(guard: &Arc<ResourceServer>) -> Router {
    let config = guard.config();
    let metadata = ResourceMetadata::new(&config.resource, &config.issuer).to_json();
    let metadata = move || async move { ([(http::header::CONTENT_TYPE, "application/json")], metadata) };
    let path = latchkey_resource_server::metadata::path(&config.resource).unwrap_or_default();
    let hello = |Extension(access): Extension<Access>| async move { format!("hello {}", access.claims.sub.as_str()) };
    Router::new()
        .route("/", get(hello).post(hello))
        .layer(from_fn_with_state(guard.clone(), protect))
        .route(&path, get(metadata))
}

#[allow(clippy::disallowed_methods, reason = "an example of an API on a machine that has a clock")]
fn now() -> Timestamp {
    Timestamp::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

#[tokio::main(flavor = "current_thread")]
#[allow(dead_code, reason = "a test takes the rest of this file")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The audience of tokens that name no resource is the issuer.
    let guard = guard(Config::new("http://localhost:8787", "http://localhost:8787"))?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8788").await?;
    println!("curl -i http://127.0.0.1:8788/ -H \"Authorization: Bearer $ACCESS_TOKEN\"");
    Ok(axum::serve(listener, router(&guard)).await?)
}
