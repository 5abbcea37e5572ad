//! All functions behind one door.

use crate::demo;
use crate::dev::{pages, server::Application};
use crate::failure::Failure;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jose::Secret;
use protocol::Timestamp;
use runtime::{Context, Request, Response, routes, shell};
use serde_json::{Value, json};
use std::sync::Arc;
use storage::Records;

/// The provider of this process.
pub(crate) struct Provider {
    context: Context,
}

impl Provider {
    /// With the settings of the environment; where there are none, those of a provider on this port.
    pub(crate) fn new(
        port: u16,
        secret: &Secret,
        records: Arc<dyn Records>,
        log: Box<dyn Fn(&str) + Send + Sync>,
    ) -> Result<Self, Failure> {
        let lookup = |name: &str| {
            let set = std::env::var(name).ok().filter(|value| !value.trim().is_empty());
            set.or_else(|| match name {
                "LATCHKEY_ISSUER" => Some(format!("http://localhost:{port}")),
                "LATCHKEY_SECRET" => Some(secret.to_base64url()),
                "LATCHKEY_SCOPES" => Some("read write".to_owned()),
                "LATCHKEY_REGISTRATION" => Some("open".to_owned()),
                "LATCHKEY_REGISTRATION_SCOPES" => Some(demo::REGISTRATION_SCOPES.to_owned()),
                "LATCHKEY_REGISTRATION_GRANTS" => Some(demo::registration_grants()),
                "LATCHKEY_REGISTRATIONS_PER_ADDRESS" | "LATCHKEY_REGISTRATIONS_IN_TOTAL" => Some("100000".to_owned()),
                _ => None,
            })
        };
        Ok(Self { context: Context::new(&lookup, records, log).map_err(Failure::new)? })
    }

    /// The issuer.
    pub(crate) fn issuer(&self) -> &str {
        &self.context.config.issuer
    }

    /// Writes the demo data, as far as they are not there; the clients' redirect URIs follow the issuer.
    pub(crate) async fn write_demo_data(&self) -> Result<(), Failure> {
        for (path, client) in demo::clients(self.issuer()) {
            let wanted = client.get("redirect_uris");
            let stored = self.administer(Method::GET, &path, None).await?;
            if stored.is_none_or(|stored| wanted.is_some_and(|wanted| stored.get("redirect_uris") != Some(wanted))) {
                self.administer(Method::PUT, &path, Some(&client)).await?;
            }
        }
        if self.administer(Method::GET, &format!("users/{}", demo::USERNAME), None).await?.is_none() {
            let (path, user) = demo::user()?;
            self.administer(Method::PUT, &path, Some(&user)).await?;
        }
        Ok(())
    }

    /// Looks after the signing keys. What fails now is tried again later.
    pub(crate) async fn rotate(&self, now: Timestamp) {
        if let Err(fault) = rotate::run(now, &self.context).await {
            (self.context.log)(&json!({ "function": "rotate", "reason": fault.reason }).to_string());
        }
    }

    /// Tells clients that sessions ended, those that could not be told at once.
    pub(crate) async fn notify(&self, now: Timestamp) {
        if let Err(fault) = notify::run(now, &self.context).await {
            (self.context.log)(&json!({ "function": "notify", "reason": fault.reason }).to_string());
        }
    }

    /// What the administration endpoint answers; `None` when nothing is there.
    async fn administer(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Option<Value>, Failure> {
        let now = crate::clock::now();
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let bearer = format!("Bearer {}", admin::bearer::mint(&self.context.secrets, now));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&bearer).map_err(Failure::new)?);
        let request = Request {
            method,
            path: format!("/admin/{path}"),
            query: String::new(),
            headers,
            body: body.map(Value::to_string).unwrap_or_default().into(),
            address: None,
            received_at: now,
            id: "demo-data".to_owned(),
        };
        let response = admin::handle(&request, &self.context).await.map_err(Failure::new)?;
        match response.status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(serde_json::from_slice(&response.body).ok()),
            _ => Err(Failure::new(format!("demo data: {}", String::from_utf8_lossy(&response.body)))),
        }
    }
}

impl Application for Provider {
    async fn answer(&self, request: Request) -> Response {
        let route = routes::find(&request.path);
        match route.and_then(|route| functions::handler(route.function).map(|handler| (route.function, handler))) {
            Some((function, handler)) => shell::respond(function, handler, request, &self.context).await,
            None => pages::respond(&request, self.issuer()).unwrap_or_else(|| {
                Response::new(StatusCode::NOT_FOUND)
                    .with(header::CONTENT_TYPE, "text/plain; charset=utf-8")
                    .with(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
                    .with_body("There is nothing here.\n")
            }),
        }
    }

    fn body_limit(&self) -> usize {
        shell::MAX_BODY
    }
}
