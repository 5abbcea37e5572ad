//! Copies of the documents of well-known clients. Hosts of such documents refuse requests from some networks of cloud providers,
//! and a client chooses its kind of registration once: a document that cannot be read would keep its users out. A copy is used
//! only if the document was never read and cannot be read now.

use crate::Client;
use crate::client::metadata_document;
use crate::client::registration::Limits;
use serde_json::{Value, json};
use types::ClientId;

/// The part of a document that decides where responses go, and how the client authenticates.
struct Published {
    url: &'static str,
    name: &'static str,
    redirect_uris: &'static [&'static str],
    /// `jwks_uri` of a client that authenticates by `private_key_jwt`.
    jwks_uri: Option<&'static str>,
    /// True if the client also uses the device grant.
    device: bool,
}

const fn public(url: &'static str, name: &'static str, redirect_uris: &'static [&'static str]) -> Published {
    Published { url, name, redirect_uris, jwks_uri: None, device: false }
}

/// Documents as their owners publish them.
const PUBLISHED: &[Published] = &[
    public("https://claude.ai/oauth/mcp-oauth-client-metadata", "Claude", &["https://claude.ai/api/mcp/auth_callback"]),
    public(
        "https://claude.ai/oauth/claude-code-client-metadata",
        "Claude Code",
        &["http://localhost/callback", "http://127.0.0.1/callback"],
    ),
    Published {
        jwks_uri: Some("https://chatgpt.com/oauth/jwks.json"),
        ..public(
            "https://chatgpt.com/oauth/client.json",
            "ChatGPT",
            &["https://chatgpt.com/connector_platform_oauth_redirect"],
        )
    },
    public(
        "https://chatgpt.com/oauth/codex/client.json",
        "Codex",
        &["http://127.0.0.1/callback", "http://localhost/callback"],
    ),
    Published {
        device: true,
        ..public(
            "https://vscode.dev/oauth/client-metadata.json",
            "Visual Studio Code",
            &["http://127.0.0.1:33418/", "https://vscode.dev/redirect"],
        )
    },
    Published {
        device: true,
        ..public(
            "https://insiders.vscode.dev/oauth/client-metadata.json",
            "Visual Studio Code - Insiders",
            &["http://127.0.0.1:33418/", "https://insiders.vscode.dev/redirect"],
        )
    },
    public("https://zed.dev/oauth/client-metadata.json", "Zed", &["http://127.0.0.1/callback"]),
    public(
        "https://opencode.ai/oauth/opencode/client.json",
        "OpenCode",
        &["http://127.0.0.1/callback", "http://localhost/callback"],
    ),
];

/// True if the URL is the document of a well-known client.
pub(super) fn is_published(url: &str) -> bool {
    PUBLISHED.iter().any(|published| published.url == url)
}

/// Returns the client of the copy of a document; `None` if the server has none.
pub fn published_copy(client_id: &ClientId, limits: &Limits<'_>) -> Option<Client> {
    metadata_document::read(client_id, document(client_id)?.to_string().as_bytes(), limits).ok()
}

/// As [`published_copy`], with the members alone that [`metadata_document::read_identity`] reads.
pub fn published_identity(client_id: &ClientId) -> Option<Client> {
    metadata_document::read_identity(client_id, document(client_id)?).ok()
}

fn document(client_id: &ClientId) -> Option<Value> {
    let published = PUBLISHED.iter().find(|published| published.url == client_id.as_str())?;
    let mut grants = vec!["authorization_code", "refresh_token"];
    grants.extend(published.device.then_some("urn:ietf:params:oauth:grant-type:device_code"));
    let mut document = json!({
        "client_id": published.url,
        "client_name": published.name,
        "redirect_uris": published.redirect_uris,
        "grant_types": grants,
        "token_endpoint_auth_method": "none",
    });
    if let (Some(jwks_uri), Some(members)) = (published.jwks_uri, document.as_object_mut()) {
        members.insert("jwks_uri".to_owned(), json!(jwks_uri));
        members.insert("token_endpoint_auth_method".to_owned(), json!("private_key_jwt"));
    }
    Some(document)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::GrantType;
    use types::remote_url::EgressPolicy;
    use types::{Algorithm, Scope};

    #[test]
    fn every_copy_is_a_client() {
        let scopes = Scope::parse("openid").unwrap();
        let limits = Limits {
            scopes: &scopes,
            grants: GrantType::ALL,
            details_types: &crate::AuthorizationDetailsTypes::default(),
            schemes: &[],
            public: false,
            profile: None,
            signing: &Algorithm::ALL,
            mutual_tls: None,
            reach: EgressPolicy::Public,
        };
        for published in PUBLISHED {
            let client_id = ClientId::parse(published.url).unwrap();
            assert!(metadata_document::is_document_url(&client_id, EgressPolicy::Public), "{}", published.url);
            let client = published_copy(&client_id, &limits).unwrap();
            assert_eq!(client.redirect_uris.len(), published.redirect_uris.len(), "{}", published.url);
            assert_eq!(client.is_confidential(), published.jwks_uri.is_some());
            assert_eq!(client.may_use(GrantType::DeviceCode), published.device);
        }
    }
}
