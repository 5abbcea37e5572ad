//! A client of the administration endpoint, for a deployment on any platform.

use crate::args::DeploymentArgs;
use crate::clock;
use crate::failure::Failure;
use crate::output::Output;
use crate::private_key;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keys::AdminPrivateKey;
use protocol::administration::AdminRequest;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use types::Issuer;
use ureq::http::{Request, StatusCode, Uri};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

/// A deployment, and the key to administer it.
pub(crate) struct Deployment {
    origin: String,
    is_local: bool,
    issuer: Issuer,
    key: AdminPrivateKey,
    agent: ureq::Agent,
}

impl Deployment {
    /// Reads the command line and the environment.
    pub(crate) fn of(args: &DeploymentArgs) -> Result<Self, Failure> {
        let origin = args.url.trim_end_matches('/');
        let uri: Uri = origin.parse().map_err(|_| Failure::new(format!("{origin} is not a URL.")))?;
        let host = uri.host().unwrap_or_default();
        let is_local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_local => {}
            Some("http") => {
                return Err(Failure::new(format!("{origin} is not https: others could read and change the requests.")));
            }
            _ => {
                return Err(Failure::new(format!("{origin} is not the URL of a deployment."))
                    .remedy("Name its origin, such as --url https://id.example.com"));
            }
        }
        let key = private_key::find(args, host, is_local)?;
        // Another server must not be able to choose the deployment that a token is for: only the administrator names it.
        let of_local = || std::env::var("LATCHKEY_ISSUER").ok().filter(|issuer| is_local && !issuer.is_empty());
        let issuer = Issuer::new(args.issuer.clone().or_else(of_local).unwrap_or_else(|| origin.to_owned()));
        let in_environment = std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()).map(PathBuf::from);
        let roots = match args.ca.clone().or(in_environment).filter(|_| uri.scheme_str() == Some("https")) {
            Some(file) => certificates(&file)?,
            None => RootCerts::WebPki,
        };
        let agent = agent(is_local, roots);
        Ok(Self { origin: origin.to_owned(), is_local, issuer, key, agent })
    }

    /// True if it is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.is_local
    }

    /// Returns the origin, without a slash at the end.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Reads the document at a path below `/admin/`; `None` if there is none.
    pub(crate) fn get(&self, path: &str) -> Result<Option<Value>, Failure> {
        self.call("GET", path, None)
    }

    /// Writes the document at a path below `/admin/`. Returns the document as stored.
    pub(crate) fn put(&self, path: &str, value: &Value) -> Result<Value, Failure> {
        self.call("PUT", path, Some(value))?
            .ok_or_else(|| Failure::new(format!("{} has no administration endpoint.", self.origin)))
    }

    /// Does the same as [`put`](Self::put). Returns the problems of a document that the deployment rejects as a value.
    pub(crate) fn offer(&self, path: &str, value: &Value) -> Result<Result<Value, String>, Failure> {
        match self.exchange("PUT", path, Some(value))? {
            (StatusCode::BAD_REQUEST, value) => Ok(Err(problems(&value))),
            (status, value) if status.is_success() => Ok(Ok(value)),
            (status, value) => Err(self.refused(status, &value)),
        }
    }

    /// Removes the document at a path below `/admin/`. Returns the answer; `None` if there was no document.
    pub(crate) fn delete(&self, path: &str) -> Result<Option<Value>, Failure> {
        self.call("DELETE", path, None)
    }

    /// Starts the action at a path below `/admin/`; `None` if there is none.
    pub(crate) fn post(&self, path: &str) -> Result<Option<Value>, Failure> {
        self.call("POST", path, None)
    }

    /// Sends a document to a path below `/admin/`. Returns the answer.
    pub(crate) fn post_json(&self, path: &str, value: &Value) -> Result<Value, Failure> {
        self.call("POST", path, Some(value))?.ok_or_else(|| {
            Failure::new(format!("{} has no /admin/{path}.", self.origin))
                .remedy("Its functions are older than this command, or its administration is switched off.")
        })
    }

    /// Reads the provider's metadata (OpenID Connect Discovery §4).
    pub(crate) fn discovery(&self) -> Result<Value, Failure> {
        let url = format!("{}/.well-known/openid-configuration", self.origin);
        let mut response = self.agent.get(&url).call().map_err(|error| self.unreachable(&error))?;
        let text = response.body_mut().read_to_string().map_err(|error| self.unreachable(&error))?;
        serde_json::from_str(&text)
            .map_err(|_| Failure::new(format!("The document at {url} is not the metadata of an OpenID provider.")))
    }

    /// Does the same as [`list`](Self::list) for a listing that has no order, and sorts the items by the member `id`.
    pub(crate) fn list_sorted(&self, path: &str, id: &str, output: Output) -> Result<Vec<Value>, Failure> {
        let mut items = self.list(path, output)?;
        items.sort_by_cached_key(|item| item.get(id).and_then(Value::as_str).unwrap_or_default().to_owned());
        Ok(items)
    }

    /// Reads all pages of a listing at a path below `/admin/`. Returns the members `items` together.
    pub(crate) fn list(&self, path: &str, output: Output) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let page = match &next {
                Some(cursor) => format!("{path}?cursor={}", encoded(cursor)),
                None => path.to_owned(),
            };
            let mut page = self
                .get(&page)?
                .ok_or_else(|| Failure::new(format!("{} has no administration endpoint.", self.origin)))?;
            if let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            let unreadable = page.get("unreadable").and_then(Value::as_array).into_iter().flatten();
            for name in unreadable.filter_map(Value::as_str) {
                output.end_progress();
                eprintln!(
                    "{name} is stored in a form that this version cannot read. The log of the deployment has the reason."
                );
            }
            output.progress(&format!("{} {path} read", items.len()));
            match page.get("next").and_then(Value::as_str) {
                Some(cursor) => next = Some(cursor.to_owned()),
                None => {
                    output.end_progress();
                    return Ok(items);
                }
            }
        }
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Option<Value>, Failure> {
        let (status, value) = self.exchange(method, path, body)?;
        match status {
            StatusCode::NO_CONTENT => Ok(Some(Value::Null)),
            status if status.is_success() && !value.is_null() => Ok(Some(value)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.refused(status, &value)),
        }
    }

    /// Sends a request. Returns status and body; `null` for a body that is not JSON.
    fn exchange(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(StatusCode, Value), Failure> {
        let url = format!("{}/admin/{path}", self.origin);
        let body = body.map(Value::to_string);
        let token = self.token(method, path, body.as_deref().unwrap_or_default())?;
        let request = Request::builder()
            .method(method)
            .uri(&url)
            .header("authorization", format!("Bearer {token}"))
            .header("accept", "application/json");
        let sent = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(body)
                .map_err(Failure::new)
                .map(|request| self.agent.run(request))?,
            None => request.body(()).map_err(Failure::new).map(|request| self.agent.run(request))?,
        };
        let mut response = sent.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let text = response.body_mut().read_to_string().map_err(|error| self.unreachable(&error))?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// Signs a token for one request to a path below `/admin/`.
    fn token(&self, method: &str, path: &str, body: &str) -> Result<String, Failure> {
        let target = format!("/admin/{path}");
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let request = AdminRequest { method, path, query, body: body.as_bytes() };
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(Failure::new)?;
        runtime.block_on(self.key.token(&request, &self.issuer, clock::now())).map_err(Failure::new)
    }

    /// Explains why no response arrived.
    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let failure = Failure::new(format!("{} does not answer: {error}.", self.origin));
        match error {
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => failure
                .remedy("Check that it runs. `latchkey dev` starts a local provider; --url names another deployment."),
            error if is_untrusted(error) => {
                failure.remedy("This machine does not trust the certificate: name its CA with --ca FILE.")
            }
            _ => failure,
        }
    }

    /// Explains an error response.
    fn refused(&self, status: StatusCode, value: &Value) -> Failure {
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match status {
            StatusCode::UNAUTHORIZED => {
                let (kid, reason) = (self.key.public().id(), text("error_description"));
                Failure::new(format!("{} rejects the admin key {kid}: {reason}.", self.origin))
                    .remedy("Name the file of another key with --key, and check this machine's clock.")
            }
            StatusCode::FORBIDDEN => Failure::new(text("error_description"))
                .remedy("`latchkey admin-key list` shows the scopes of each key; --key names another key."),
            _ => {
                let what = problems(value);
                Failure::new(if what.is_empty() { format!("{} answered {status}.", self.origin) } else { what })
            }
        }
    }
}

/// Returns what is wrong with a document, as an error response says it.
fn problems(value: &Value) -> String {
    let list = value.get("problems").and_then(Value::as_array).into_iter().flatten();
    let problems: Vec<&str> = list.filter_map(Value::as_str).collect();
    match value.get("error_description").and_then(Value::as_str) {
        Some(description) if problems.is_empty() => description.to_owned(),
        _ => problems.join("\n"),
    }
}

/// Returns a name as one segment of a path. API Gateway decodes paths, so a name with a slash is written in base64url.
pub(crate) fn segment(name: &str) -> String {
    match name.contains('/') || name.starts_with("~~") {
        true => format!("~~{}", URL_SAFE_NO_PAD.encode(name)),
        false => encoded(name),
    }
}

/// Percent-encodes one value of a query.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

/// True if no trusted authority issued the certificate of the deployment.
fn is_untrusted(error: &ureq::Error) -> bool {
    let cause = match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref().and_then(|error| error.downcast_ref()),
        _ => None,
    };
    matches!(cause, Some(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)))
}

/// Reads the certificates of a PEM file.
pub(crate) fn certificates(file: &Path) -> Result<RootCerts, Failure> {
    let pem =
        std::fs::read(file).map_err(|error| Failure::new(format!("{} cannot be read: {error}.", file.display())))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(Failure::new(format!("{} has no certificate in PEM format.", file.display())));
    }
    Ok(certificates.into())
}

/// Returns an HTTP client: no redirects, 30 s at most for a request.
pub(crate) fn agent(is_local: bool, roots: RootCerts) -> ureq::Agent {
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .root_certs(roots)
        .build();
    let mut config = ureq::Agent::config_builder();
    if is_local {
        // For a proxy, localhost is another machine.
        config = config.proxy(None);
    }
    config
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .into()
}
