//! The text that `latchkey dev` prints when it is ready.

use crate::demo;
use crate::dev::{commands, mutual_tls};
use crate::secret;
use protocol::Profile;
use serde_json::{Value, json};
use std::path::Path;

/// The facts to print.
pub(crate) struct Banner<'a> {
    /// The issuer.
    pub(crate) issuer: &'a str,
    /// Data directory; `None` if the store is in memory.
    pub(crate) data: Option<&'a Path>,
    /// Directory of the certificates and origin of the port with TLS, if there is one.
    pub(crate) mutual_tls: Option<(&'a Path, &'a str)>,
    /// Security profile of the deployment.
    pub(crate) profile: Option<Profile>,
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
        let clients: Vec<Value> = demo::admitted(self.profile)
            .iter()
            .map(|demo| json!({ "client_id": demo.client_id, "client_secret": demo.client_secret }))
            .collect();
        let commands: Vec<Value> =
            self.commands().into_iter().map(|(title, line)| json!({ "title": title, "line": line })).collect();
        json!({
            "issuer": self.issuer,
            "playground": format!("{}/playground", self.issuer),
            "discovery": format!("{}/.well-known/openid-configuration", self.issuer),
            "mtls_origin": self.mutual_tls.map(|(_, origin)| origin),
            "certificates": self.mutual_tls.map(|(directory, _)| directory),
            "data": self.data,
            "secret_file": self.data.map(secret::file),
            "users": [{ "username": demo::USERNAME, "password": demo::PASSWORD }],
            "clients": clients,
            "commands": commands,
            "unknown_settings": self.unknown_settings,
        })
    }

    /// Returns the command lines to try: a title, and the text to paste.
    fn commands(&self) -> Vec<(&'static str, String)> {
        let plain = commands::all(self.issuer, self.port, self.profile);
        let plain = plain.into_iter().map(|command| (command.title, command.line));
        let with_certificate = self.mutual_tls.into_iter();
        plain
            .chain(
                with_certificate.flat_map(|(directory, origin)| mutual_tls::commands(self.issuer, origin, directory)),
            )
            .collect()
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
        for (index, demo) in demo::admitted(self.profile).iter().enumerate() {
            let label = if index == 0 { "Clients" } else { "" };
            let secret = demo.client_secret.map(|secret| format!(", secret {secret}")).unwrap_or_default();
            text.push_str(&format!("  {label:12} {}{secret}\n", demo.client_id));
        }
        if let Some(profile) = self.profile {
            text.push_str(&format!(
                "  Profile      {profile}: it refuses the demo clients of the playground; add your own with latchkey client add\n"
            ));
        }
        text.push_str(&match self.data {
            Some(data) => format!("  Data         {}\n", data.display()),
            None => "  Data         in memory, lost when the server stops\n".to_owned(),
        });
        if let Some((directory, origin)) = self.mutual_tls {
            text.push_str(&format!("  Mutual TLS   {origin}, certificates in {}\n", directory.display()));
        }
        for (title, line) in self.commands() {
            text.push_str(&format!("\n{title}\n  {line}\n"));
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
