//! An MCP client on rmcp. It knows the URL of the MCP server and nothing else. The variables are those of `typescript.mjs`.

use anyhow::{Context, Result, ensure};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, AuthorizationManager, AuthorizationRequest, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Map, Value, json};

const REDIRECT_URI: &str = "http://127.0.0.1:41236/callback";
/// Servers whose tools name scopes of their own.
const WITH_TOOL_SCOPES: [&str; 6] = ["express", "fetch", "agents", "lambda", "express-lambda", "crate"];

#[tokio::main]
async fn main() -> Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let servers: Map<String, Value> = serde_json::from_str(&std::env::var("MCP_SERVERS")?)?;
    let documents = std::env::var("MCP_DOCUMENTS")?;
    for (name, url) in &servers {
        let url = url.as_str().context("a URL")?;
        for document in [None, Some(format!("{documents}/rmcp/{name}.json"))] {
            let way = if document.is_some() { "document" } else { "registration" };
            session(name, url, document).await.with_context(|| format!("rmcp, {name}, by {way}"))?;
            eprintln!("✔ rmcp, {name}, by {way}: challenge, metadata, token, tool call, refresh, step-up");
        }
    }
    Ok(())
}

async fn session(name: &str, url: &str, document: Option<String>) -> Result<()> {
    let user = User;
    let mut state = OAuthState::new(url, None).await?;
    let mut request = AuthorizationRequest::new(REDIRECT_URI).with_client_name("Suite").with_initial_scope_selection();
    if let Some(document) = &document {
        request = request.with_client_metadata_url(document);
    }
    let challenge = reqwest::Client::new().post(url).send().await?;
    ensure!(challenge.status() == 401);
    let challenge = challenge.headers().get("www-authenticate").context("no challenge")?.to_str()?.to_owned();
    state.start_authorization(request.with_challenge(challenge)).await?;
    let page = state.get_authorization_url().await?;
    let asked = url::Url::parse(&page)?;
    let parameter = |name: &str| asked.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    ensure!(parameter("resource").as_deref() == Some(url), "{page}");
    if document.is_some() {
        ensure!(parameter("client_id") == document, "{page}");
    }
    state.handle_callback_url(&user.answer(&page).await?).await?;
    let manager = state.into_authorization_manager().context("not authorized")?;
    let first = manager.get_access_token().await?;
    let claims = claims(&first)?;
    ensure!(claims["aud"] == *url && claims["scope"] == "notes:read", "{claims}");
    manager.refresh_token().await?;
    ensure!(manager.get_access_token().await? != first, "not refreshed");

    let (manager, result) = call(manager, url, "whoami", Map::new()).await?;
    ensure!(claims["sub"] == *result.unwrap_or_default(), "another user");
    if !WITH_TOOL_SCOPES.contains(&name) {
        return Ok(());
    }
    let note = Map::from_iter([("note".to_owned(), json!("x"))]);
    let (manager, result) = call(manager, url, "write_note", note.clone()).await?;
    let refused = result.err().context("the scope is missing")?;
    ensure!(refused.contains("nsufficient"), "{refused}");
    let page = manager.request_scope_upgrade("notes:write").await?;
    let callback = rmcp::transport::auth::AuthorizationCallback::from_redirect_url(&user.answer(&page).await?)?;
    manager
        .exchange_code_for_token_with_issuer(&callback.code, &callback.csrf_token, callback.issuer.as_deref())
        .await?;
    let (_, result) = call(manager, url, "write_note", note).await?;
    ensure!(result.as_deref() == Ok("written: x"), "{result:?}");
    Ok(())
}

/// Connects, calls one tool and disconnects. Returns the text of the result, or the text of the error.
async fn call(
    manager: AuthorizationManager,
    url: &str,
    tool: &'static str,
    arguments: Map<String, Value>,
) -> Result<(AuthorizationManager, Result<String, String>)> {
    let client = AuthClient::new(reqwest::Client::new(), manager);
    let held = client.auth_manager.clone();
    let config = StreamableHttpClientTransportConfig::with_uri(url.to_owned());
    let service = ().serve(StreamableHttpClientTransport::with_client(client, config)).await?;
    let result = service.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await;
    let result = match result {
        Ok(result) => Ok(result.content.iter().find_map(|part| Some(part.as_text()?.text.clone())).unwrap_or_default()),
        Err(error) => Err(format!("{error:?}")),
    };
    service.cancel().await?;
    for _ in 0..100 {
        if std::sync::Arc::strong_count(&held) == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let manager = std::sync::Arc::into_inner(held).context("the connection is still open")?.into_inner();
    Ok((manager, result))
}

fn claims(token: &str) -> Result<Value> {
    let body = token.split('.').nth(1).context("not a JWT")?;
    Ok(serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(body)?)?)
}

/// The demo user: `tests/support/user.mjs` answers the pages.
struct User;

impl User {
    async fn answer(&self, page: &str) -> Result<String> {
        let script = "import { User } from '../../support/user.mjs'; \
            console.log((await new User().answer(process.argv[1], process.argv[2])).href)";
        let output = tokio::process::Command::new(std::env::var("NODE")?)
            .args(["--input-type=module", "-e", script, page, REDIRECT_URI])
            .output()
            .await?;
        let callback = String::from_utf8(output.stdout)?.trim().to_owned();
        ensure!(!callback.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(callback)
    }
}
