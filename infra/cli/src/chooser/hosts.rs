//! Programs that host MCP clients, and how a user adds a server to each.

/// A setting or a command line for one program.
pub(super) struct Snippet {
    /// The program, and where its user puts the text.
    pub(super) title: &'static str,
    pub(super) text: String,
}

/// Returns the snippets for the MCP server at `url`. With `client_id` the programs use this client; without it they register
/// themselves, or have a client ID metadata document.
pub(super) fn snippets(name: &str, url: &str, client_id: Option<&str>, scope: &str) -> Vec<Snippet> {
    let snippet = |title, text| Snippet { title, text };
    let scopes: Vec<String> = scope.split_whitespace().map(|scope| format!("{scope:?}")).collect();
    let (claude_code, claude, codex, remote, cursor) = match client_id {
        None => (
            format!("claude mcp add --transport http {name} {url}"),
            url.to_owned(),
            format!("codex mcp add {name} --url {url} && codex mcp login {name}"),
            format!("npx mcp-remote {url}"),
            format!("{{ \"mcpServers\": {{ \"{name}\": {{ \"url\": \"{url}\" }} }} }}"),
        ),
        Some(id) => (
            format!("claude mcp add --transport http --client-id {id} --callback-port 8080 {name} {url}"),
            format!("{url}, with the OAuth client ID {id} under \"Advanced settings\""),
            format!("codex mcp add {name} --url {url} --oauth-client-id {id} && codex mcp login {name}"),
            format!(
                "npx mcp-remote {url} --callback-path /callback --static-oauth-client-info '{{\"client_id\":\"{id}\"}}'"
            ),
            format!(
                "{{ \"mcpServers\": {{ \"{name}\": {{ \"url\": \"{url}\", \"auth\": {{ \"CLIENT_ID\": \"{id}\", \"scopes\": [{}] }} }} }} }}",
                scopes.join(", ")
            ),
        ),
    };
    vec![
        snippet("Claude Code", claude_code),
        snippet("Claude, Claude Desktop: Settings, Connectors, Add custom connector", claude),
        snippet("ChatGPT: Settings, Apps and Connectors, Developer mode, Create", url.to_owned()),
        snippet(
            "Visual Studio Code: .vscode/mcp.json",
            format!("{{ \"servers\": {{ \"{name}\": {{ \"type\": \"http\", \"url\": \"{url}\" }} }} }}"),
        ),
        snippet("Cursor: .cursor/mcp.json", cursor),
        snippet("Codex", codex),
        snippet("Any host of local servers, by mcp-remote", remote),
    ]
}

/// Returns a name for the server in the settings of a host: of letters, digits and hyphens.
pub(super) fn short_name(name: Option<&str>, url: &str) -> String {
    let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', ':', '?']).next()).unwrap_or_default();
    let source = name.unwrap_or(host).to_ascii_lowercase();
    let words: Vec<&str> = source.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "server".to_owned() } else { words.join("-") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_safe_in_a_shell() {
        assert_eq!(short_name(Some("My Notes; rm -rf"), "x"), "my-notes-rm-rf");
        assert_eq!(short_name(None, "https://mcp.example.com:8443/mcp"), "mcp-example-com");
        assert_eq!(short_name(Some("'"), "x"), "server");
    }

    #[test]
    fn json_snippets_are_json() {
        for id in [None, Some("abc")] {
            for snippet in snippets("notes", "https://mcp.example/mcp", id, "a b") {
                if snippet.text.starts_with('{') {
                    assert!(serde_json::from_str::<serde_json::Value>(&snippet.text).is_ok(), "{}", snippet.text);
                }
            }
        }
    }
}
