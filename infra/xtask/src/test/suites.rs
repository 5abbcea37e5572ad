//! Runs the black-box suite (`tests/`) on each platform.

use super::clients;
use crate::workspace::{self, Build};
use crate::{demo, lambda, process, workers};
use anyhow::{Result, bail};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The grace window of refresh tokens in the suite, in seconds. Tests wait for its end.
const GRACE: &str = "2";
/// The window for lost answers, in seconds.
const LOST_ANSWER: &str = "5";

/// The age up to which the sample API uses an introspection response in the suite, in seconds.
const INTROSPECTION_AGE: &str = "2";

/// The secret of the trusted proxy in the suite: tests name the addresses of their clients.
const PROXY_SECRET: &str = "suite-proxy-secret-0123456789abcdef";

/// The secret of the trusted proxy from hosts that ask for certificates.
const CERTIFICATE_SECRET: &str = "suite-certificate-secret-0123456789abcdef";

/// The key of the signatures of the webhook that sends mails.
const MAIL_SECRET: &str = "suite-mail-secret-0123456789abcdef";

/// Returns the address at which the tests receive mails.
fn mail_address() -> String {
    static PORT: OnceLock<u16> = OnceLock::new();
    // A port that is taken fails the tests that receive mails.
    format!("127.0.0.1:{}", PORT.get_or_init(|| process::port_for_later().unwrap_or_default()))
}

/// The origin with certificates of an emulated platform.
const MTLS_ORIGIN: &str = "https://mtls.suite.example";

/// A server that tests run against.
pub(super) struct Target {
    /// The base URL, which is the issuer.
    pub(super) url: String,
    /// The platform's name.
    pub(super) platform: &'static str,
    /// `LATCHKEY_SECRET`.
    pub(super) secret: String,
    /// The origin at which the server asks for certificates.
    pub(super) mtls_origin: String,
    /// The directory of the server's certificates; none if a test names the certificate of a connection in a header field.
    pub(super) certificates: Option<PathBuf>,
}

impl Target {
    /// Returns a target of an emulated platform, which takes certificates from header fields of tests.
    fn emulated() -> Self {
        let (url, secret) = (String::new(), String::new());
        Self { url, platform: "", secret, mtls_origin: MTLS_ORIGIN.to_owned(), certificates: None }
    }

    /// Returns the environment variables of the tests.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let certificates = self.certificates.iter().map(|it| ("LATCHKEY_TEST_CERTIFICATES", it.display().to_string()));
        let variables = [
            ("BASE_URL", self.url.clone()),
            ("LATCHKEY_TEST_URL", self.url.clone()),
            ("LATCHKEY_TEST_PLATFORM", self.platform.to_owned()),
            ("LATCHKEY_TEST_SECRET", self.secret.clone()),
            ("LATCHKEY_TEST_CLI", workspace::binary("latchkey", Build::Dev).display().to_string()),
            ("LATCHKEY_TEST_GRACE", GRACE.to_owned()),
            ("LATCHKEY_TEST_LOST_ANSWER", LOST_ANSWER.to_owned()),
            ("LATCHKEY_TEST_INTROSPECTION_AGE", INTROSPECTION_AGE.to_owned()),
            ("LATCHKEY_TEST_PROXY_SECRET", PROXY_SECRET.to_owned()),
            ("LATCHKEY_TEST_PROXY_CERTIFICATE_SECRET", CERTIFICATE_SECRET.to_owned()),
            ("LATCHKEY_TEST_MAIL", mail_address()),
            ("LATCHKEY_TEST_MAIL_SECRET", MAIL_SECRET.to_owned()),
            ("LATCHKEY_TEST_MTLS_ORIGIN", self.mtls_origin.clone()),
        ];
        variables.into_iter().chain(certificates).collect()
    }

    fn suite(&self) -> Result<()> {
        let mut cargo = self.cargo_test("http");
        if self.platform == "local" {
            cargo.env("LATCHKEY_TEST_CLOCK", "1");
        }
        // A snapshot that differs fails; `INSTA_UPDATE=always` writes it.
        if std::env::var_os("INSTA_UPDATE").is_none() {
            cargo.env("INSTA_UPDATE", "no");
        }
        process::run(&mut cargo)
    }

    /// Runs the tests with faults, one at a time, because they share the store.
    fn with_faults(&self, control: &str) -> Result<()> {
        let mut cargo = self.cargo_test("faults");
        process::run(cargo.env("LATCHKEY_TEST_FAULTS", control).env("RUST_TEST_THREADS", "1"))
    }

    fn cargo_test(&self, name: &str) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "--quiet", "--workspace", "--test", name]).envs(self.variables());
        cargo.current_dir(workspace::root());
        if let Ok(filter) = std::env::var("LATCHKEY_TEST_FILTER") {
            eprintln!("  only the tests of LATCHKEY_TEST_FILTER: {filter}");
            cargo.arg("--").args(filter.split_whitespace());
        }
        cargo
    }
}

/// Starts the local server with an empty store, and runs `work`.
pub(super) fn with_local(work: impl FnOnce(&Target) -> Result<()>) -> Result<()> {
    with_local_on(configuration, work)
}

/// Starts the local server with an empty store and the configuration that `configuration` writes for its URL, and runs `work`.
pub(super) fn with_local_on(
    configuration: impl FnOnce(&str) -> Result<PathBuf>,
    work: impl FnOnce(&Target) -> Result<()>,
) -> Result<()> {
    workspace::build(Build::Dev)?;
    let data = empty_data("local")?;
    let log = workspace::scratch("local")?.join("log");
    let (port, mtls_port) = (process::free_port()?, process::free_port()?);
    let target = Target {
        url: format!("http://localhost:{port}"),
        platform: "local",
        secret: demo::secret()?,
        mtls_origin: format!("https://localhost:{mtls_port}"),
        certificates: Some(data.join("mtls")),
    };
    let mut dev = Command::new(workspace::binary("latchkey", Build::Dev));
    dev.args(["dev", "--test-clock", &format!("--mtls={mtls_port}"), "--port", &port.to_string(), "--data"]).arg(&data);
    dev.arg("--config").arg(configuration(&target.url)?);
    let mut settings = settings();
    settings.remove("LATCHKEY_MTLS_ORIGIN");
    dev.env("LATCHKEY_SECRET", &target.secret).envs(settings);
    dev.stdout(Stdio::null()).stderr(File::create(&log)?);
    let server = process::Server::start(&mut dev, port)?;
    let result = work(&target);
    drop(server);
    check_log(&log, Some("dev"))?;
    result.inspect_err(|_| eprintln!("  log of the server: {}", log.display()))
}

/// Fails if a function used a record in a way that its row in the manifest does not allow. Fails, too, if a start was not logged
/// with its version: that of the process with this name, or else that of each function that wrote a line.
fn check_log(log: &Path, process: Option<&str>) -> Result<()> {
    let text = std::fs::read_to_string(log)?;
    let (mut named, mut started) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line.trim()).ok()) {
        let Some(function) = line["function"].as_str() else { continue };
        if line["started"]["version"].is_string() {
            started.insert(function.to_owned());
        } else {
            named.insert(function.to_owned());
        }
    }
    let expected = process.map_or(named, |process| BTreeSet::from([process.to_owned()]));
    if let Some(silent) = expected.difference(&started).next() {
        bail!("{}: {silent} did not log its version", log.display());
    }
    // The words of `storage::guarded`.
    let violations: BTreeSet<&str> = text.lines().filter(|line| line.contains("forbidden record access")).collect();
    if violations.is_empty() {
        return Ok(());
    }
    bail!("{}:\n{}", log.display(), violations.into_iter().collect::<Vec<_>>().join("\n"))
}

/// Returns the path of a data directory that does not exist yet.
fn empty_data(name: &str) -> Result<PathBuf> {
    let data = workspace::scratch(name)?.join("data");
    if data.exists() {
        std::fs::remove_dir_all(&data)?;
    }
    Ok(data)
}

pub(super) fn local() -> Result<()> {
    with_local(Target::suite)
}

/// Runs the suite on the Lambda binaries.
pub(super) fn lambda() -> Result<()> {
    with_lambda(|target, deployment| {
        let result = target.suite().and_then(|()| clients::passkeys(target));
        deployment.print_unused_permissions();
        result
    })
}

/// Runs the suite on the Workers, all in one workerd process.
pub(super) fn workers() -> Result<()> {
    with_workers(false, |target| target.suite().and_then(|()| clients::passkeys(target)))
}

/// Runs the tests with faults of the store on Lambda and Workers, and the test that kills the local server, whose store is
/// in its own process.
pub(super) fn faults() -> Result<()> {
    workspace::build(Build::Dev)?;
    let data = empty_data("crash")?;
    let url = format!("http://localhost:{}", process::free_port()?);
    let target = Target { url, platform: "local", secret: demo::secret()?, ..Target::emulated() };
    process::run(target.cargo_test("crash").env("LATCHKEY_TEST_DATA", &data))?;
    with_lambda(|target, deployment| target.with_faults(&deployment.table.faults_url()))?;
    with_workers(true, |target| target.with_faults(&format!("{}/faults", target.url)))
}

/// Changes the number of Durable Objects from 4 to 7. The races run before and after; what was issued before is used after.
pub(super) fn shards() -> Result<()> {
    workspace::build(Build::Dev)?;
    workers::build_all(Build::Dev)?;
    let keep = empty_data("shards")?;
    let state = workspace::scratch("shards")?.join("state.json");
    let (secret, port) = (demo::secret()?, process::free_port()?);
    let url = format!("http://localhost:{port}");
    let target = Target { url, platform: "workers", secret: secret.clone(), ..Target::emulated() };
    let start = |shards: &str| {
        let mut settings = settings();
        settings.insert("LATCHKEY_SHARDS".to_owned(), shards.to_owned());
        let (port, keep, secret) = (Some(port), Some(keep.clone()), secret.clone());
        workers::Workers::start(&workers::Options { port, secret, settings, keep, ..Default::default() })
    };
    let phase = |name: &str| {
        let mut cargo = target.cargo_test("shards");
        process::run(cargo.env("LATCHKEY_TEST_PHASE", name).env("LATCHKEY_TEST_STATE", &state))
    };
    let races = || process::run(target.cargo_test("http").arg("resilience::exactly_once"));

    let server = start("4")?;
    demo::configure(&target.url, &secret, &configuration(&target.url)?)?;
    demo::seed(&target.url, &secret, Build::Dev)?;
    races()?;
    phase("before")?;
    let mut change = Command::new(workspace::binary("latchkey", Build::Dev));
    change.args(["records", "reshard", "--shards", "7", "--yes", "--url", &target.url]).env("LATCHKEY_SECRET", &secret);
    process::run(&mut change)?;
    phase("closed")?;
    drop(server);

    let server = start("7")?;
    phase("after")?;
    races()?;
    let log = server.log.clone();
    drop(server);
    check_log(&log, None)
}

/// Starts the Lambda binaries with an empty table, and runs `work`. Fails, too, if a function used the table in a way that its
/// policy forbids.
fn with_lambda(work: impl FnOnce(&Target, &lambda::Deployment) -> Result<()>) -> Result<()> {
    lambda::build(&[], Build::Dev)?;
    let options = lambda::Options { port: 0, build: Build::Dev, secret: demo::secret()?, settings: settings() };
    let tokio = tokio::runtime::Runtime::new()?;
    let deployment = tokio.block_on(lambda::Deployment::start(&options))?;
    let url = deployment.url().to_owned();
    let target = Target { url, platform: "lambda", secret: options.secret, ..Target::emulated() };
    demo::configure(&target.url, &target.secret, &configuration(&target.url)?)?;
    demo::seed(&target.url, &target.secret, Build::Dev)?;
    tokio.block_on(deployment.run_schedules())?;
    let result = work(&target, &deployment);
    deployment.check_permissions()?;
    check_log(&deployment.log, None)?;
    result.inspect_err(|_| eprintln!("  log of the functions: {}", deployment.log.display()))
}

/// Starts the Workers with an empty store, and runs `work`. With `faults`, tests can make the store fail.
fn with_workers(faults: bool, work: impl FnOnce(&Target) -> Result<()>) -> Result<()> {
    workspace::build(Build::Dev)?;
    workers::build_all(Build::Dev)?;
    let secret = demo::secret()?;
    let options = workers::Options { secret: secret.clone(), settings: settings(), faults, ..Default::default() };
    let mut server = workers::Workers::start(&options)?;
    let target = Target { url: server.url.clone(), platform: "workers", secret, ..Target::emulated() };
    demo::configure(&target.url, &target.secret, &configuration(&target.url)?)?;
    demo::seed(&target.url, &target.secret, Build::Dev)?;
    for function in crate::generate::names(|function| function.schedule().is_some()) {
        server.run_schedule(function)?;
    }
    let result = work(&target);
    let log = server.log.clone();
    drop(server);
    check_log(&log, None)?;
    result.inspect_err(|_| eprintln!("  log of the functions: {}", log.display()))
}

/// Writes the configuration that the suite expects of every server: `tests/support/configuration.json`, in which `ISSUER` is the
/// URL of the server. Returns the path.
fn configuration(url: &str) -> Result<PathBuf> {
    let text = std::fs::read_to_string(workspace::root().join("tests/support/configuration.json"))?;
    let path = workspace::scratch("configuration")?.join("configuration.json");
    std::fs::write(&path, text.replace("ISSUER", url))?;
    Ok(path)
}

/// Returns the settings that the suite expects of every server: short times.
fn settings() -> BTreeMap<String, String> {
    let mut settings = BTreeMap::from([
        ("LATCHKEY_REFRESH_GRACE".to_owned(), GRACE.to_owned()),
        ("LATCHKEY_REFRESH_LOST_ANSWER".to_owned(), LOST_ANSWER.to_owned()),
        ("LATCHKEY_INTROSPECTION_AGE".to_owned(), INTROSPECTION_AGE.to_owned()),
        ("LATCHKEY_ACCOUNT_DELETION".to_owned(), "true".to_owned()),
        ("LATCHKEY_PROXY_ADDRESS_HEADER".to_owned(), "X-Client-Address".to_owned()),
        ("LATCHKEY_PROXY_SECRET".to_owned(), PROXY_SECRET.to_owned()),
        ("LATCHKEY_PROXY_CERTIFICATE_HEADER".to_owned(), "CloudFront-Viewer-Cert-Pem".to_owned()),
        ("LATCHKEY_PROXY_CERTIFICATE_SECRET".to_owned(), CERTIFICATE_SECRET.to_owned()),
        ("LATCHKEY_MAIL".to_owned(), "webhook".to_owned()),
        ("LATCHKEY_MAIL_FROM".to_owned(), "no-reply@suite.example".to_owned()),
        ("LATCHKEY_MAIL_NAME".to_owned(), "Suite".to_owned()),
        ("LATCHKEY_MAIL_WEBHOOK".to_owned(), format!("http://{}/mail", mail_address())),
        ("LATCHKEY_MAIL_WEBHOOK_SECRET".to_owned(), MAIL_SECRET.to_owned()),
        ("LATCHKEY_MTLS_ORIGIN".to_owned(), MTLS_ORIGIN.to_owned()),
        ("LATCHKEY_MTLS_METHODS".to_owned(), "tls_client_auth self_signed_tls_client_auth".to_owned()),
    ]);
    demo::open_registration(&mut settings);
    settings
}
