//! Kinds of applications, and the flow for each with its reasons.

use clap::ValueEnum;
use serde_json::{Map, Value, json};

/// A kind of application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Application {
    /// Single-page app: JavaScript in a browser, without a back end.
    Spa,
    /// Mobile or desktop app.
    Native,
    /// Web application with a back end.
    Web,
    /// Service, job or script: no user signs in.
    Service,
    /// Device or command line without a browser, such as a TV or a tool on a server.
    Device,
    /// MCP server, which language models call for users.
    Mcp,
    /// API that accepts access tokens.
    Api,
    /// MCP client, for hosts that neither register themselves nor have a metadata document.
    McpClient,
}

/// An example of a redirect URI.
pub(crate) struct Redirect {
    /// Example for production.
    pub(crate) hint: &'static str,
    /// Default during development.
    pub(crate) default: &'static str,
}

/// Redirect URIs of hosts of MCP clients, separated by spaces.
const REDIRECTS_OF_HOSTS: &str = "http://localhost/callback http://127.0.0.1/callback https://claude.ai/api/mcp/auth_callback https://vscode.dev/redirect";

/// Default scopes of an application in which users sign in.
const USER_SCOPE: &str = "openid profile email offline_access";

impl Application {
    /// Returns a description.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::Spa => "Single-page app: JavaScript in a browser, without a back end",
            Self::Native => "Mobile or desktop app",
            Self::Web => "Web application with a back end",
            Self::Service => "Service, job or script: no user signs in",
            Self::Device => "Device or command line without a browser",
            Self::Mcp => "MCP server",
            Self::Api => "API that accepts access tokens",
            Self::McpClient => "MCP client, for hosts that do not register themselves",
        }
    }

    /// Returns the flow.
    pub(crate) const fn flow(self) -> &'static str {
        match self {
            Self::Spa | Self::Native | Self::McpClient => {
                "authorization code with PKCE, public client, rotating refresh tokens"
            }
            Self::Web => "authorization code with PKCE, client secret, rotating refresh tokens",
            Self::Service => "client credentials, client secret",
            Self::Device => "device authorization, public client, rotating refresh tokens",
            Self::Mcp => "none: it accepts access tokens, which its clients request by authorization code with PKCE",
            Self::Api => "none: it accepts access tokens, which other clients request",
        }
    }

    /// Returns the reasons for the flow.
    pub(crate) const fn reasons(self) -> &'static [&'static str] {
        match self {
            Self::Spa => &[
                "Everyone can read the page, so it cannot keep a secret (RFC 6749 §2.1).",
                "PKCE binds the code to the page that requested it (RFC 9700 §2.1.1).",
                "Refresh tokens rotate: a replay of a stolen one revokes the grant (RFC 9700 §4.14).",
                "The implicit flow leaks tokens through URLs, and is rejected.",
            ],
            Self::Native => &[
                "Users can extract every secret from an app (RFC 8252 §8.5).",
                "Sign-in uses the system's browser: a web view inside the app could read the password (RFC 8252 §8.12).",
                "PKCE prevents another app that claims the same redirect URI from using the code (RFC 8252 §8.1).",
                "A redirect URI at 127.0.0.1 or [::1] may have any port, because a desktop app takes one when it starts (RFC 8252 §7.3).",
            ],
            Self::Web => &[
                "The back end can keep a secret. Without it, a stolen code or refresh token is useless.",
                "PKCE prevents the injection of a code into another session (RFC 9700 §2.1.1).",
                "Tokens stay in the back end; the browser has a cookie.",
            ],
            Self::Service => &[
                "No user signs in: the client acts for itself (RFC 6749 §4.4).",
                "It has no refresh token: it requests a new access token, which costs the server no storage.",
            ],
            Self::Device => &[
                "The user signs in on a phone or a laptop, with a short code (RFC 8628).",
                "Users never type passwords into the device.",
                "If the machine can open a browser, use `native`: it is safer against phishing.",
            ],
            Self::Mcp => &[
                "An MCP server is a resource server: it verifies access tokens, and its clients request them (MCP, Authorization).",
                "Access tokens name this server as their audience: those of other servers are rejected (RFC 8707).",
                "Its clients find the authorization server by its protected resource metadata (RFC 9728).",
                "It uses this client at the introspection endpoint, for opaque tokens and immediate revocation.",
            ],
            Self::McpClient => &[
                "Most hosts need no such client: they register themselves (RFC 7591), or have a client ID metadata document.",
                "A host program runs on the user's machine, so it cannot keep a secret (RFC 8252 §8.5).",
                "Loopback redirect URIs may have any port, because a program takes one when it starts (RFC 8252 §7.3).",
            ],
            Self::Api => &[
                "An API requests no tokens. It verifies signature, issuer, audience, expiry and scope (RFC 9068 §4).",
                "Access tokens name this API as their audience: those of other APIs are rejected (RFC 8707).",
                "It uses this client at the introspection endpoint, for opaque tokens and immediate revocation.",
            ],
        }
    }

    /// Returns examples of its redirect URI; `None` if it has none.
    pub(crate) const fn redirect(self) -> Option<Redirect> {
        match self {
            Self::Spa => {
                Some(Redirect { hint: "https://app.example.com/callback", default: "http://localhost:5173/callback" })
            }
            Self::Native => Some(Redirect {
                hint: "com.example.app:/callback, or http://127.0.0.1/callback with any port",
                default: "http://127.0.0.1/callback",
            }),
            Self::Web => {
                Some(Redirect { hint: "https://app.example.com/callback", default: "http://localhost:3000/callback" })
            }
            Self::McpClient => Some(Redirect {
                hint: "the host's, such as http://localhost/callback with any port",
                default: REDIRECTS_OF_HOSTS,
            }),
            Self::Service | Self::Device | Self::Mcp | Self::Api => None,
        }
    }

    /// True if it needs the identifier of a resource: its own, or that of the server that it calls.
    pub(crate) const fn names_resource(self) -> bool {
        matches!(self, Self::Mcp | Self::Api | Self::McpClient)
    }

    /// True if it is a resource server.
    pub(crate) const fn is_resource(self) -> bool {
        matches!(self, Self::Mcp | Self::Api)
    }

    /// Returns the default scopes.
    pub(crate) const fn scope(self) -> &'static str {
        match self {
            Self::Spa | Self::Native | Self::Web | Self::Device => USER_SCOPE,
            Self::Service | Self::Mcp | Self::Api | Self::McpClient => "read",
        }
    }

    /// Returns the registration metadata of the client. `resource` is the identifier of a resource server.
    pub(crate) fn client(self, scope: &str, redirect_uris: &[String], resource: Option<&str>) -> Map<String, Value> {
        let mut client = Map::new();
        let mut set = |name: &str, value: Value| client.insert(name.to_owned(), value);
        let (grants, method): (&[&str], _) = match self {
            Self::Spa | Self::Native | Self::McpClient => (&["authorization_code", "refresh_token"], "none"),
            Self::Web => (&["authorization_code", "refresh_token"], "client_secret_basic"),
            Self::Service => (&["client_credentials"], "client_secret_basic"),
            Self::Device => (&["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"], "none"),
            Self::Mcp | Self::Api => (&[], "client_secret_basic"),
        };
        set("grant_types", json!(grants));
        set("response_types", if self.redirect().is_some() { json!(["code"]) } else { json!([]) });
        set("token_endpoint_auth_method", json!(method));
        set(
            "application_type",
            if matches!(self, Self::Native | Self::McpClient) { json!("native") } else { json!("web") },
        );
        match resource.filter(|_| self.is_resource()) {
            Some(resource) => {
                set("introspects", json!([resource]));
                set("scope", json!(""));
            }
            None => {
                set("scope", json!(scope));
            }
        }
        if !redirect_uris.is_empty() {
            set("redirect_uris", json!(redirect_uris));
        }
        client
    }
}
