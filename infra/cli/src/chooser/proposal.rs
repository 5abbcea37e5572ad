//! The settings to paste into an application, and command lines to try them with.

use super::hosts::{self, Snippet};
use super::{Answers, Application, Program};
use crate::client::random_id;
use crate::deployment::encoded;
use crate::failure::Failure;
use protocol::CodeChallenge;
use serde_json::{Map, Value, json};

/// A registered client with the settings that its application needs.
pub(super) struct Proposal {
    application: Application,
    program: Option<&'static Program>,
    /// Name and value, in the order in which they are shown.
    settings: Vec<(&'static str, String)>,
    /// Titles with command lines or URLs.
    lines: Vec<(&'static str, String)>,
    /// Settings that the deployment needs: name and value.
    deployment: Vec<(&'static str, String)>,
    /// Settings and command lines of the programs that call an MCP server.
    hosts: Vec<Snippet>,
    client: Value,
}

impl Proposal {
    /// Makes the proposal from the client as stored and the provider's metadata.
    pub(super) fn new(answers: &Answers, client: &Value, discovery: &Value) -> Result<Self, Failure> {
        let Answers { application, program, resource, .. } = answers;
        let (application, program, resource) = (*application, *program, resource.as_deref());
        let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let issuer = text(discovery, "issuer");
        let endpoint = |name: &str, path: &str| {
            let published = text(discovery, name);
            if published.is_empty() { format!("{issuer}{path}") } else { published }
        };
        let id = text(client, "client_id");
        let secret = client.get("client_secret").and_then(Value::as_str);
        let redirect_uri = client.pointer("/redirect_uris/0").and_then(Value::as_str).unwrap_or_default();
        let scope = text(client, "scope");
        let token = endpoint("token_endpoint", "/token");
        // Arguments of curl that authenticate the client.
        let authentication = match secret {
            Some(secret) => format!("-u '{id}:{secret}'"),
            None => format!("-d client_id={id}"),
        };

        let mut settings = vec![("issuer", issuer.clone()), ("client_id", id.clone())];
        settings.extend(secret.map(|secret| ("client_secret", secret.to_owned())));
        let mut lines = Vec::new();
        match application {
            Application::Spa | Application::Native | Application::Web | Application::McpClient => {
                let registered = client.get("redirect_uris").and_then(Value::as_array).into_iter().flatten();
                settings.extend(registered.filter_map(|uri| Some(("redirect_uri", uri.as_str()?.to_owned()))));
                settings.push(("scope", scope.clone()));
                settings.extend(resource.map(|resource| ("resource", resource.to_owned())));
                settings.push(("authorization_endpoint", endpoint("authorization_endpoint", "/authorize")));
                let verifier = [random_id()?, random_id()?, random_id()?].concat();
                let challenge =
                    CodeChallenge::of_verifier(&verifier).map_err(|error| Failure::new(error.description))?;
                lines.push((
                    "Sign in: open in a browser",
                    format!(
                        "{}?response_type=code&client_id={id}&redirect_uri={}&scope={}&state={}&code_challenge={}&code_challenge_method=S256",
                        endpoint("authorization_endpoint", "/authorize"),
                        encoded(redirect_uri),
                        scope.replace(' ', "+"),
                        random_id()?,
                        challenge.as_str(),
                    ),
                ));
                lines.push((
                    "Exchange the code in the URL that you are redirected to, within a minute",
                    format!(
                        "curl {token} {authentication} -d grant_type=authorization_code -d redirect_uri={redirect_uri} -d code_verifier={verifier} -d code=CODE"
                    ),
                ));
            }
            Application::Service => {
                settings.push(("scope", scope.clone()));
                let scope = scope.replace(' ', "+");
                lines.push((
                    "Request a token",
                    format!("curl {token} {authentication} -d grant_type=client_credentials -d scope={scope}"),
                ));
            }
            Application::Device => {
                let device = endpoint("device_authorization_endpoint", "/device_authorization");
                settings.push(("scope", scope.clone()));
                settings.push(("device_authorization_endpoint", device.clone()));
                let scope = scope.replace(' ', "+");
                lines.push(("Request a user code", format!("curl {device} -d client_id={id} -d scope={scope}")));
                lines.push((
                    "Poll every five seconds until the user has allowed it",
                    format!(
                        "curl {token} -d client_id={id} -d grant_type=urn:ietf:params:oauth:grant-type:device_code -d device_code=DEVICE_CODE"
                    ),
                ));
            }
            Application::Mcp | Application::Api => {
                let introspect = endpoint("introspection_endpoint", "/introspect");
                settings.push(("resource", resource.unwrap_or_default().to_owned()));
                settings.push(("scopes", answers.scope.clone()));
                settings.push(("jwks_uri", endpoint("jwks_uri", "/jwks")));
                settings.push(("introspection_endpoint", introspect.clone()));
                lines.push(("Introspect a token", format!("curl {introspect} {authentication} -d token=TOKEN")));
            }
        }
        if !application.is_resource() {
            settings.push(("token_endpoint", token));
        }
        settings.push(("discovery", format!("{issuer}/.well-known/openid-configuration")));
        let hosts = match (application, resource) {
            (Application::Mcp | Application::McpClient, Some(url)) => {
                let own = (application == Application::McpClient).then_some(id.as_str());
                hosts::snippets(&hosts::short_name(answers.name.as_deref(), url), url, own, &answers.scope)
            }
            _ => Vec::new(),
        };
        let deployment = deployment(answers);
        Ok(Self { application, program, settings, lines, deployment, hosts, client: client.clone() })
    }

    /// Returns the proposal as JSON.
    pub(super) fn json(&self) -> Value {
        let mut settings = Map::new();
        for (name, value) in &self.settings {
            settings.entry(*name).or_insert_with(|| json!(value));
        }
        let lines: Vec<Value> =
            self.lines.iter().map(|(title, line)| json!({ "title": title, "line": line })).collect();
        let deployment: Map<String, Value> =
            self.deployment.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let hosts: Vec<Value> =
            self.hosts.iter().map(|host| json!({ "title": host.title, "text": host.text })).collect();
        json!({
            "application": self.application.description(),
            "flow": self.application.flow(),
            "reasons": self.application.reasons(),
            "settings": settings,
            "deployment": deployment,
            "hosts": hosts,
            "library": self.program.map(|program| program.name),
            "switches": self.program.map(Program::all_switches).unwrap_or_default(),
            "commands": lines,
            "client": self.client,
        })
    }

    /// Returns the proposal as text.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\nFlow: {}\n\nWhy\n", self.application.description(), self.application.flow());
        for reason in self.application.reasons() {
            text.push_str(&format!("  - {reason}\n"));
        }
        text.push_str("\nSettings\n");
        for (name, value) in &self.settings {
            text.push_str(&format!("  {name:30} {value}\n"));
        }
        if self.settings.iter().any(|(name, _)| *name == "client_secret") {
            text.push_str("\n  The secret is shown only now; the store has a hash of it.\n");
        }
        if let Some(program) = self.program {
            text.push_str(&format!("\nSwitches of {}\n", program.title));
            for switch in program.switches {
                text.push_str(&format!("  {switch}\n"));
            }
            text.push_str(&format!("  A sample: infra/docs/clients.md#{}\n", program.name));
        }
        if !self.deployment.is_empty() {
            text.push_str("\nThe deployment must have\n");
            for (name, value) in &self.deployment {
                text.push_str(&format!("  {name:30} {value}\n"));
            }
        }
        for (title, line) in &self.lines {
            text.push_str(&format!("\n{title}\n  {line}\n"));
        }
        for host in &self.hosts {
            text.push_str(&format!("\n{}\n  {}\n", host.title, host.text));
        }
        text.trim_end().to_owned()
    }
}

/// Returns what a deployment needs for a resource server. The clients of an MCP server arrive without the operator, so it also
/// admits metadata documents and registration.
fn deployment(answers: &Answers) -> Vec<(&'static str, String)> {
    let Some(resource) = answers.resource.as_deref().filter(|_| answers.application.is_resource()) else {
        return Vec::new();
    };
    let mut entry = json!({ "resource": resource, "scopes": answers.scope });
    if let (Some(name), Value::Object(entry)) = (&answers.name, &mut entry) {
        entry.insert("name".to_owned(), json!(name));
    }
    if let Value::Object(entry) = &mut entry {
        let members = answers.program.into_iter().flat_map(Program::resource_members);
        entry.extend(members.map(|(name, value)| (name.to_owned(), value)));
    }
    if answers.application != Application::Mcp {
        return vec![("resources", json!([entry]).to_string())];
    }
    if let Value::Object(entry) = &mut entry {
        entry.insert("registered_clients".to_owned(), json!(true));
    }
    vec![
        ("resources", json!([entry]).to_string()),
        ("LATCHKEY_CLIENT_DOCUMENTS", "known".to_owned()),
        ("LATCHKEY_REGISTRATION", "open".to_owned()),
    ]
}
