//! The text that `latchkey dev` prints when it is ready.

use crate::demo;
use crate::dev::commands;
use crate::secret;
use serde_json::{Value, json};
use std::path::Path;

/// The facts to print.
pub(crate) struct Banner<'a> {
    /// The issuer.
    pub(crate) issuer: &'a str,
    /// Data directory; `None` if the store is in memory.
    pub(crate) data: Option<&'a Path>,
    /// True if other machines can reach the server.
    pub(crate) is_open: bool,
    /// Port on which the server listens.
    pub(crate) port: u16,
    /// Environment variables that look like settings but are unknown.
    pub(crate) unknown_settings: &'a [String],
}

impl Banner<'_> {
    /// Returns the facts as JSON.
    pub(crate) fn json(&self) -> Value {
        let clients: Vec<Value> = demo::CLIENTS
            .iter()
            .map(|demo| json!({ "client_id": demo.client_id, "client_secret": demo.client_secret }))
            .collect();
        let commands: Vec<Value> = commands::all(self.issuer, self.port)
            .iter()
            .map(|command| json!({ "title": command.title, "line": command.line }))
            .collect();
        json!({
            "issuer": self.issuer,
            "playground": format!("{}/playground", self.issuer),
            "discovery": format!("{}/.well-known/openid-configuration", self.issuer),
            "data": self.data,
            "secret_file": self.data.map(secret::file),
            "users": [{ "username": demo::USERNAME, "password": demo::PASSWORD }],
            "clients": clients,
            "commands": commands,
            "unknown_settings": self.unknown_settings,
        })
    }

    /// Returns the facts as text.
    pub(crate) fn text(&self) -> String {
        let issuer = self.issuer;
        let mut text = format!(
            "\
Latchkey runs at {issuer}

  Playground   {issuer}/playground
  Discovery    {issuer}/.well-known/openid-configuration
  Sign in as   {}, password {}
",
            demo::USERNAME,
            demo::PASSWORD
        );
        if !issuer.ends_with(&format!(":{}", self.port)) {
            text.push_str(&format!("  Listens on   port {}, over plain http\n", self.port));
        }
        for (index, demo) in demo::CLIENTS.iter().enumerate() {
            let label = if index == 0 { "Clients" } else { "" };
            let secret = demo.client_secret.map(|secret| format!(", secret {secret}")).unwrap_or_default();
            text.push_str(&format!("  {label:12} {}{secret}\n", demo.client_id));
        }
        text.push_str(&match self.data {
            Some(data) => format!("  Data         {}\n", data.display()),
            None => "  Data         in memory, lost when the server stops\n".to_owned(),
        });
        for command in commands::all(issuer, self.port) {
            text.push_str(&format!("\n{}\n  {}\n", command.title, command.line));
        }
        for name in self.unknown_settings {
            text.push_str(&format!(
                "\nWarning: {name} is not a setting and is ignored; infra/docs/configuration.md lists all settings.\n"
            ));
        }
        if self.is_open {
            text.push_str("\nWarning: other machines can reach this server, and the demo passwords are public.\n");
        }
        text.push_str("\nPress Ctrl-C to stop.");
        text
    }
}
