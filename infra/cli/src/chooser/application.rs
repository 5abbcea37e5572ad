//! What can be built, the flow for each, and why.

use clap::ValueEnum;
use serde_json::{Map, Value, json};

/// What somebody builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Application {
    /// A single-page app: JavaScript in a browser, no server of its own.
    Spa,
    /// A mobile or desktop app.
    Native,
    /// A web application with a back end.
    Web,
    /// A service, a job, a script: nobody signs in.
    Service,
    /// A device or a command line without a browser: a TV, a tool on a server.
    Device,
    /// An MCP server, which language models call for people.
    Mcp,
    /// An API that takes access tokens.
    Api,
}

/// What an application is sent back to after sign-in.
pub(crate) struct Redirect {
    /// What it looks like.
    pub(crate) hint: &'static str,
    /// While it is being built.
    pub(crate) default: &'static str,
}

const PEOPLE: &str = "openid profile email offline_access";

impl Application {
    /// What it is, in words.
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::Spa => "Single-page app: JavaScript in a browser, no server of its own",
            Self::Native => "Mobile or desktop app",
            Self::Web => "Web application with a back end",
            Self::Service => "Service, job or script: nobody signs in",
            Self::Device => "Device or command line without a browser",
            Self::Mcp => "MCP server",
            Self::Api => "API that takes access tokens",
        }
    }

    /// The flow for it.
    pub(crate) const fn flow(self) -> &'static str {
        match self {
            Self::Spa | Self::Native => "authorization code with PKCE, public client, rotating refresh tokens",
            Self::Web => "authorization code with PKCE, client secret, rotating refresh tokens",
            Self::Service => "client credentials, client secret",
            Self::Device => "device authorization, public client, rotating refresh tokens",
            Self::Mcp => "none of its own: it takes tokens, which its clients get by authorization code with PKCE",
            Self::Api => "none of its own: it takes tokens, which other clients get",
        }
    }

    /// Why this flow.
    pub(crate) const fn reasons(self) -> &'static [&'static str] {
        match self {
            Self::Spa => &[
                "Whoever opens the page can read it: a secret in it would be none (RFC 6749 §2.1).",
                "PKCE binds the code to the page that asked for it (RFC 9700 §2.1.1).",
                "A stolen refresh token is found when it is used a second time, and the family ends (RFC 9700 §4.14).",
                "The implicit flow leaks tokens through URLs, and is refused.",
            ],
            Self::Native => &[
                "An app can be taken apart: a secret in it would be none (RFC 8252 §8.5).",
                "The system's browser shows the sign-in, never a view inside the app, which could read the password (RFC 8252 §8.12).",
                "PKCE keeps another app that claims the same redirect from using the code (RFC 8252 §8.1).",
                "A redirect to 127.0.0.1 or [::1], not to localhost, may use any port, which a desktop app takes when it starts (RFC 8252 §7.3).",
            ],
            Self::Web => &[
                "The back end can keep a secret, so a stolen code or refresh token is of no use without it.",
                "PKCE all the same: it keeps a code from being injected into another session (RFC 9700 §2.1.1).",
                "Tokens stay on the server; the browser has a cookie.",
            ],
            Self::Service => &[
                "Nobody is there to sign in: the client acts for itself (RFC 6749 §4.4).",
                "No refresh token: it asks again, which costs the server no storage.",
            ],
            Self::Device => &[
                "Where typing is hard or no browser is, a person signs in on a phone or a laptop, with a short code (RFC 8628).",
                "Passwords are never typed into the device.",
                "Where a browser can be opened on the same machine, take `native` instead: it is safer against phishing.",
            ],
            Self::Mcp => &[
                "An MCP server is a resource server: it checks tokens, and its clients get them (MCP, authorization).",
                "Tokens name this server as their audience, so that no other server's tokens work here (RFC 8707).",
                "Its clients find the way by its protected resource metadata (RFC 9728).",
                "This entry is what it asks the introspection endpoint with, for opaque tokens and for revocation at once.",
            ],
            Self::Api => &[
                "An API gets no tokens, it checks them: signature, issuer, audience, expiry, scope (RFC 9068 §4).",
                "Tokens name this API as their audience, so that no other API's tokens work here (RFC 8707).",
                "This entry is what it asks the introspection endpoint with, for opaque tokens and for revocation at once.",
            ],
        }
    }

    /// Where it is sent back to; `None` when nobody is sent anywhere.
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
            Self::Service | Self::Device | Self::Mcp | Self::Api => None,
        }
    }

    /// Whether it is a resource server, which tokens are for.
    pub(crate) const fn is_resource(self) -> bool {
        matches!(self, Self::Mcp | Self::Api)
    }

    /// What it may ask for, unless somebody says otherwise.
    pub(crate) const fn scope(self) -> &'static str {
        match self {
            Self::Spa | Self::Native | Self::Web | Self::Device => PEOPLE,
            Self::Service | Self::Mcp | Self::Api => "read",
        }
    }

    /// The client, in the words of the registration metadata. `resource` is the identifier of a resource server.
    pub(crate) fn client(self, scope: &str, redirect_uris: &[String], resource: Option<&str>) -> Map<String, Value> {
        let mut client = Map::new();
        let mut set = |name: &str, value: Value| client.insert(name.to_owned(), value);
        let (grants, method): (&[&str], _) = match self {
            Self::Spa | Self::Native => (&["authorization_code", "refresh_token"], "none"),
            Self::Web => (&["authorization_code", "refresh_token"], "client_secret_basic"),
            Self::Service => (&["client_credentials"], "client_secret_basic"),
            Self::Device => (&["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"], "none"),
            Self::Mcp | Self::Api => (&[], "client_secret_basic"),
        };
        set("grant_types", json!(grants));
        set("response_types", if self.redirect().is_some() { json!(["code"]) } else { json!([]) });
        set("token_endpoint_auth_method", json!(method));
        set("application_type", if self == Self::Native { json!("native") } else { json!("web") });
        match resource {
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
