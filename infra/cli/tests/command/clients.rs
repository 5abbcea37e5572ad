//! `latchkey client`, against a running provider.

use super::{SECRET, answer, in_memory, latchkey, run};
use serde_json::{Value, json};

/// Runs a command that must succeed. Returns its standard output and standard error.
fn printed(arguments: &[&str], url: &str) -> (String, String) {
    let mut command = latchkey(arguments);
    command.args(["--url", url]).env("LATCHKEY_SECRET", SECRET);
    let output = run(command, "");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn settings_that_a_change_does_not_name_keep_their_values() {
    let provider = in_memory(&["--quiet"]);
    let url = provider.issuer();
    let add = |more: &[&str]| answer(&[&["client", "add", "--id", "shop"], more].concat(), url, "");
    let first = add(&[
        "https://shop.example/cb",
        "--confidential",
        "--name",
        "Shop",
        "--scope",
        "openid",
        "--set",
        "logo_uri=https://shop.example/logo.png",
        "--set",
        "token_endpoint_auth_method=client_secret_post",
    ]);
    assert!(first["client_secret"].is_string());

    let mut expected = first;
    expected.as_object_mut().unwrap().remove("client_secret");
    for (more, name, value) in [
        (&["--name", "Shop 2"][..], "client_name", json!("Shop 2")),
        (&["https://shop.example/cb2"], "redirect_uris", json!(["https://shop.example/cb2"])),
        (&["--confidential", "--scope", "openid email"], "scope", json!("openid email")),
        (&["--service"], "grant_types", json!(["authorization_code", "refresh_token", "client_credentials"])),
        (&["--set", "access_token_lifetime=60"], "access_token_lifetime", json!(60)),
    ] {
        expected[name] = value;
        assert_eq!(add(more), expected, "{more:?}");
        assert_eq!(answer(&["client", "show", "shop"], url, ""), expected);
    }
}

/// An unset variable in a script must not name the collection of all clients or users.
#[test]
fn an_empty_name_is_rejected() {
    for arguments in [
        &["client", "show", ""][..],
        &["client", "remove", ""],
        &["client", "secret", ""],
        &["client", "add", "--id", "", "https://a.example/cb"],
        &["client", "create", "--for", "device", "--id", ""],
        &["user", "show", ""],
        &["user", "remove", ""],
        &["user", "add", ""],
        &["user", "set-password", ""],
        &["user", "sign-out", ""],
    ] {
        let output = run(latchkey(arguments), "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    }
}

#[test]
fn a_file_replaces_all_settings() {
    let provider = in_memory(&["--quiet"]);
    let url = provider.issuer();
    answer(&["client", "add", "--id", "app", "https://app.example/cb", "--name", "App"], url, "");
    let file =
        json!({ "client_id": "app", "redirect_uris": ["https://app.example/2"], "token_endpoint_auth_method": "none" });
    let written = answer(&["client", "add", "--file", "-", "--scope", "openid"], url, &file.to_string());
    assert_eq!((written.get("client_name"), &written["scope"]), (None, &json!("openid")));
    assert_eq!(written["redirect_uris"], json!(["https://app.example/2"]));
}

#[test]
fn a_note_says_how_long_the_previous_secret_is_valid() {
    let provider = in_memory(&["--quiet"]);
    let url = provider.issuer();
    answer(&["client", "add", "--id", "-app", "--service"], url, "");
    let (secret, note) = printed(&["client", "secret", "-app"], url);
    assert_eq!(secret.trim_end().len(), 43, "only the secret: {secret}");
    assert!(note.contains("another minute") && note.contains("--keep-old"), "{note}");
    let (_, note) = printed(&["client", "secret", "-app", "--keep-old"], url);
    assert!(note.contains("stays valid"), "{note}");
    let (removed, note) = printed(&["client", "remove", "-app"], url);
    assert!(removed.contains("is removed") && note.contains("within a minute"), "{removed}{note}");

    answer(&["client", "add", "--id", "app", "--service"], url, "");
    let mut command = latchkey(&["client", "secret", "app", "--json", "--url", url]);
    command.env("LATCHKEY_SECRET", SECRET);
    let output = run(command, "");
    assert!(serde_json::from_slice::<Value>(&output.stdout).is_ok() && output.stderr.is_empty());
}

/// An operator of an MCP server finds everything in one answer: the settings of server and deployment, and those of hosts.
#[test]
fn the_chooser_shows_what_an_mcp_server_needs() {
    let provider = in_memory(&[]);
    let url = "https://mcp.example.com/mcp";
    let arguments =
        ["client", "create", "--name", "My notes", "--resource", url, "--scope", "notes:read notes:write", "--for"];
    let text = |name: &str, more: &[&str]| {
        let mut command = latchkey(&[&arguments[..], &[name], more].concat());
        command.args(["--url", provider.issuer()]).env("LATCHKEY_SECRET", SECRET);
        let output = run(command, "");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let server = text("mcp", &[]);
    for part in [
        provider.issuer(),
        "notes:read notes:write",
        r#""registered_clients":true"#,
        r#""scopes":"notes:read notes:write""#,
        "LATCHKEY_CLIENT_DOCUMENTS      known",
        "LATCHKEY_REGISTRATION          open",
        "claude mcp add --transport http my-notes https://mcp.example.com/mcp",
        r#"{ "servers": { "my-notes": { "type": "http", "url": "https://mcp.example.com/mcp" } } }"#,
    ] {
        assert!(server.contains(part), "{part}: {server}");
    }
    let client = text("mcp-client", &["--id", "hosts"]);
    for part in [
        "client_id                      hosts",
        "redirect_uri                   http://localhost/callback",
        "resource                       https://mcp.example.com/mcp",
        "--client-id hosts --callback-port 8080",
        r#""CLIENT_ID": "hosts", "scopes": ["notes:read", "notes:write"]"#,
    ] {
        assert!(client.contains(part), "{part}: {client}");
    }
    provider.stop();
}
