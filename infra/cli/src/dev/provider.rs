//! All functions in one process.

use crate::config;
use crate::demo;
use crate::dev::api::Api;
use crate::dev::mail::{self, Mailbox};
use crate::dev::{mutual_tls, pages};
use crate::failure::Failure;
use crate::secret;
use functions::Server;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use keys::{AdminPrivateKey, Secret};
use latchkey_http::{Forwarded, ProxyFields, Request, RequestLog, Response};
use platform::local::Respond;
use platform::{Fetcher, entropy};
use protocol::Profile;
use protocol::administration::{AdminPublicKey, Administrator};
use provider::{Context, ScheduledFunction, ScheduledRun, shell};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use storage::Records;
use types::Timestamp;
use types::remote_url::EgressPolicy;

/// The settings by which the demo API introspects its tokens.
const INTROSPECTION: [&str; 4] = [
    "LATCHKEY_RESOURCE_CLIENT_ID",
    "LATCHKEY_RESOURCE_CLIENT_SECRET",
    "LATCHKEY_REVOCATION",
    "LATCHKEY_INTROSPECTION_AGE",
];

/// The address that mails come from, if the environment names none.
const MAIL_FROM: &str = "no-reply@latchkey.example";

/// The provider of this process.
pub(crate) struct Provider {
    port: u16,
    context: Context,
    server: Arc<Server>,
    api: Api,
    /// The mails of the page `/dev/mail`, if it is the sender.
    mailbox: Option<Arc<Mailbox>>,
    /// The admin key that is derived from the secret.
    own_key: AdminPublicKey,
}

impl Provider {
    /// Reads the settings of the environment. A setting that is missing there has the value for a provider on this port.
    /// `mtls_origin` is the origin of the port with TLS. `secret` is used if the environment has none.
    pub(crate) fn new(
        port: u16,
        mtls_origin: Option<&str>,
        secret: Option<&Secret>,
        records: Arc<dyn Records>,
        log: Box<dyn Fn(&str) + Send + Sync>,
    ) -> Result<Self, Failure> {
        let own = format!("http://localhost:{port}");
        let issuer = std::env::var("LATCHKEY_ISSUER").ok().filter(|issuer| !issuer.trim().is_empty()).unwrap_or(own);
        let (api, registration) = (demo_api::demo_settings(&issuer), demo_api::registration_settings());
        let demo: Vec<_> = api.into_iter().chain(registration).collect();
        let own_key = own_admin_key(secret)?;
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        // The client with which the demo API introspects has a secret, which every profile refuses.
        let has_profile = set("LATCHKEY_PROFILE").is_some_and(|profile| profile != "none");
        let has_mail = set("LATCHKEY_MAIL").is_none_or(|sender| sender != "none");
        let lookup = |name: &str| {
            let set = set(name);
            let is_for_demo = |name: &str| !has_profile || !INTROSPECTION.contains(&name);
            let of_demo = |name: &str| {
                let found = demo.iter().find(|(setting, _)| *setting == name && is_for_demo(name));
                found.map(|(_, value)| value.clone())
            };
            set.or_else(|| match name {
                "LATCHKEY_ISSUER" => Some(issuer.clone()),
                secret::SETTING => secret.map(Secret::to_base64url),
                "LATCHKEY_MTLS_ORIGIN" => mtls_origin.map(str::to_owned),
                "LATCHKEY_MTLS_METHODS" => {
                    mtls_origin.map(|_| "tls_client_auth self_signed_tls_client_auth".to_owned())
                }
                // Mails come to the page `/dev/mail`, unless the environment names a sender or none.
                "LATCHKEY_MAIL" => Some("mailbox".to_owned()),
                "LATCHKEY_MAIL_FROM" if has_mail => Some(MAIL_FROM.to_owned()),
                "LATCHKEY_ADMIN_KEY" => own_key.map(|key| key.to_string()),
                _ => of_demo(name),
            })
        };
        let mut context = Context::new(&lookup, records, log).map_err(Failure::new)?;
        // This process serves the demo API, whatever resources are configured.
        context.serve_resource(demo_api::resource(&issuer));
        // Clients under development are on this machine, even if a proxy gives this server an https issuer.
        context.fetch = Arc::new(Fetcher::new(EgressPolicy::Loopback));
        let (sender, mailbox) = mail::sender(&context.config, &lookup)?;
        context.local_sender = sender;
        let server = Arc::new(Server::new(&context));
        let own_key = own_key.ok_or_else(|| Failure::new(format!("{} is not set.", secret::SETTING)))?;
        let api = Api::new(&lookup, &server)?;
        Ok(Self { port, context, server, api, mailbox, own_key })
    }

    /// Returns the security profile of the deployment.
    pub(crate) fn profile(&self) -> Option<Profile> {
        self.context.config.profile
    }

    /// Returns the issuer.
    pub(crate) fn issuer(&self) -> &str {
        self.context.config.issuer.as_str()
    }

    /// Reads the signing keys of the store. Errors: they were encrypted under another secret.
    pub(crate) async fn check_secret(&self, now: Timestamp) -> Result<(), Failure> {
        self.context.keyring(now).await.map(|_| ()).map_err(|fault| {
            Failure::new(format!("The signing keys in the store cannot be used: {fault}")).remedy(
                "They were made with another LATCHKEY_SECRET: set that one, or use a new store with another --data.",
            )
        })
    }

    /// Reads the configuration of the store. Errors: it cannot be used, such as a section that is in the environment, too.
    pub(crate) async fn check_configuration(&self, now: Timestamp) -> Result<(), Failure> {
        self.context.current_configuration(now).await.map(|_| ()).map_err(Failure::new)
    }

    /// Applies sections of the configuration, whatever version is stored.
    pub(crate) async fn apply_configuration(&self, sections: Map<String, Value>) -> Result<(), Failure> {
        let call = |method, body| {
            let request = self.administration(method, "configuration", body);
            let context = self.context.guarded(configuration::FUNCTION.row);
            let administrator = Administrator::of_deployment(self.own_key.id());
            async move {
                let response =
                    configuration::handle_for(administrator, &request, &context).await.map_err(Failure::new)?;
                let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
                match response.status.is_success() {
                    true => Ok(body),
                    false => Err(config::refusal(&body)),
                }
            }
        };
        let stored = call(Method::GET, None).await?;
        let new = json!({ "version": stored.get("version"), "sections": sections });
        call(Method::PUT, Some(&new)).await.map(|_| ())
    }

    /// Writes the demo data that are missing or have changed. Their URIs depend on the issuer.
    pub(crate) async fn write_demo_data(&self) -> Result<(), Failure> {
        let with_certificate = self.context.config.mutual_tls.iter().map(|_| mutual_tls::client());
        let clients = if self.profile().is_none() { demo::clients(self.issuer()) } else { Vec::new() };
        for (path, client) in clients.into_iter().chain(with_certificate) {
            let stored = self.administer(Method::GET, &path, None).await?;
            let changed = |stored: Value| {
                let fields = ["redirect_uris", "scope", "introspects", "token_exchange"].into_iter();
                fields
                    .filter_map(|name| Some((name, client.get(name)?)))
                    .any(|(name, own)| stored.get(name) != Some(own))
            };
            if stored.is_none_or(changed) {
                self.administer(Method::PUT, &path, Some(&client)).await?;
            }
        }
        if self.administer(Method::GET, &format!("users/{}", demo::USERNAME), None).await?.is_none() {
            let (path, user) = demo::user();
            self.administer(Method::PUT, &path, Some(&user)).await?;
        }
        Ok(())
    }

    /// Runs a scheduled function. A failure is logged; the next run tries again.
    pub(crate) async fn run_scheduled(&self, function: &ScheduledFunction, now: Timestamp) {
        let run = ScheduledRun::new(entropy::name().unwrap_or_default().into(), now);
        // The log line of the run has the reason of a failure.
        let _ = shell::run_scheduled(function, run, &self.context.guarded(function.row)).await;
    }

    /// Lets the mails leave that requests wrote. The response does not wait for them.
    fn send_written_mails(&self) {
        let written = self.context.written_mails.take();
        if written.is_empty() {
            return;
        }
        let context = self.context.guarded(::mail::FUNCTION.row);
        tokio::spawn(async move {
            let run = ScheduledRun::new(entropy::name().unwrap_or_default().into(), crate::clock::now());
            // The log line of the run has the reason of a failure; the schedule tries again.
            let _ = shell::run_written(&::mail::FUNCTION, &written, run, &context).await;
        });
    }

    /// Calls the administration endpoint; `None` if there is no such document.
    async fn administer(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Option<Value>, Failure> {
        let request = self.administration(method, path, body);
        // The process writes its own data, also if the administration is switched off.
        let administrator = Administrator::of_deployment(self.own_key.id());
        let response = match path.starts_with("users") {
            true => {
                let context = self.context.guarded(admin_users::FUNCTION.row);
                admin_users::handle_for(administrator, &request, &context).await
            }
            false => {
                let context = self.context.guarded(admin::FUNCTION.row);
                admin::handle_for(administrator, &request, &context).await
            }
        };
        let response = response.map_err(Failure::new)?;
        match response.status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(serde_json::from_slice(&response.body).ok()),
            _ => Err(Failure::new(format!(
                "The demo data cannot be written: {}",
                String::from_utf8_lossy(&response.body)
            ))),
        }
    }

    /// Returns a request of this process to a path below `/admin/`.
    fn administration(&self, method: Method, path: &str, body: Option<&Value>) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Request {
            method,
            path: format!("/admin/{path}"),
            query: String::new(),
            headers,
            body: body.map(Value::to_string).unwrap_or_default().into(),
            address: None,
            place: None,
            certificate: None,
            forwarded: Forwarded::default(),
            received_at: crate::clock::now(),
            id: "demo-data".to_owned().into(),
            log: RequestLog::default(),
        }
    }
}

/// Returns the public half of the admin key that is derived from the secret: the one of the environment, or else `secret`.
/// `None` if the one of the environment is not valid, which reading the settings reports.
fn own_admin_key(secret: Option<&Secret>) -> Result<Option<AdminPublicKey>, Failure> {
    let of_environment = match secret {
        Some(_) => None,
        None => std::env::var(secret::SETTING).ok().and_then(|text| Secret::parse(&text).ok()),
    };
    let Some(secret) = secret.or(of_environment.as_ref()) else { return Ok(None) };
    Ok(Some(AdminPrivateKey::derived(secret).map_err(Failure::new)?.public()))
}

impl Respond for Provider {
    async fn respond(&self, request: Request) -> Response {
        if let Some(elsewhere) = pages::by_name(&request, self.issuer()) {
            return elsewhere;
        }
        // The page at the root is that of development.
        if request.path == "/" || manifest::find_route(&request.path).is_none() {
            if self.api.serves(&request.path) {
                return self.api.answer(&request, &self.context).await;
            }
            if let Some(page) = pages::respond(&request, self.issuer(), self.port, self.profile()) {
                return page;
            }
        }
        if let Some(mailbox) = self.mailbox.as_ref().filter(|_| request.path == mail::PATH) {
            return mailbox.respond(&request);
        }
        let response = self.server.respond(request).await;
        self.send_written_mails();
        response
    }

    fn proxy_fields(&self) -> Option<ProxyFields<'_>> {
        self.context.config.proxy_fields()
    }
}
