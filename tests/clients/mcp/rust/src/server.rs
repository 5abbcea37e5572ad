//! An MCP server on rmcp and axum. The crate `latchkey-resource-server` checks the access token of each request.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use latchkey_resource_server::{
    Access, Config, Http, RequestHead, ResourceMetadata, ResourceServer, Scope, Timestamp, metadata,
};
use rmcp::handler::server::{tool::Extension, wrapper::Parameters};
use rmcp::model::{ServerCapabilities, ServerConfig};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ServerHandler, schemars, serde, tool, tool_handler, tool_router};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Clone)]
struct Notes;

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(crate = "rmcp::serde")]
struct Note {
    note: String,
}

#[tool_router]
impl Notes {
    #[tool(description = "Returns the user")]
    fn whoami(&self, Extension(request): Extension<http::request::Parts>) -> String {
        request.extensions.get::<Access>().map(|access| access.claims.sub.as_str().to_owned()).unwrap_or_default()
    }

    #[tool(description = "Writes a note")]
    fn write_note(&self, Parameters(Note { note }): Parameters<Note>) -> String {
        format!("written: {note}")
    }
}

#[tool_handler]
impl ServerHandler for Notes {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

/// Returns the scope that a message needs: every scope of the call, also those that the client has already.
fn needed(message: &[u8]) -> Scope {
    let message: serde_json::Value = serde_json::from_slice(message).unwrap_or_default();
    let writes = message["method"] == "tools/call" && message["params"]["name"] == "write_note";
    Scope::parse(if writes { "notes:read notes:write" } else { "notes:read" }).unwrap_or_default()
}

/// Maximum length of a message, in bytes.
const LIMIT: usize = 1 << 20;

/// Lets requests with a valid token through; tools find an [`Access`]. The token is checked before the body is read.
async fn protect(State(guard): State<Arc<ResourceServer>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let url = parts.uri.to_string();
    let head = RequestHead { method: &parts.method, url: &url, headers: &parts.headers, certificate: None };
    let least = needed(b"");
    if let Err(error) = guard.check(&head, &least, now()).await {
        return guard.respond_to(&error, &least).into_response();
    }
    let Ok(body) = to_bytes(body, LIMIT).await else { return http::StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let needed = needed(&body);
    match guard.check(&head, &needed, now()).await {
        Ok(access) => parts.extensions.insert(access),
        Err(error) => return guard.respond_to(&error, &needed).into_response(),
    };
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// The client for requests to the authorization server.
struct Client(reqwest::Client);

#[async_trait::async_trait]
impl Http for Client {
    async fn send(&self, request: http::Request<String>) -> Result<http::Response<Vec<u8>>, String> {
        let request = reqwest::Request::try_from(request).map_err(|error| error.to_string())?;
        let response = self.0.execute(request).await.map_err(|error| error.to_string())?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut answer = http::Response::new(response.bytes().await.map_err(|error| error.to_string())?.to_vec());
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

fn now() -> Timestamp {
    Timestamp::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (issuer, resource) = (std::env::var("ISSUER")?, std::env::var("RESOURCE")?);
    let port: u16 = std::env::var("PORT")?.parse()?;

    let client = reqwest::Client::builder().timeout(Duration::from_secs(3)).build()?;
    let guard = Arc::new(ResourceServer::new(Config::new(&issuer, &resource), Arc::new(Client(client))));
    let mut document = ResourceMetadata::new(&resource, &issuer);
    document.scopes_supported = vec!["notes:read".to_owned(), "notes:write".to_owned()];
    let document = document.to_json();

    let service = StreamableHttpService::new(
        || Ok(Notes),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    let app = Router::new().route_service("/mcp", service).layer(from_fn_with_state(guard, protect)).route(
        &metadata::path(&resource).unwrap_or_default(),
        get(move || async move { ([(http::header::CONTENT_TYPE, "application/json")], document) }),
    );
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    Ok(axum::serve(listener, app).await?)
}
