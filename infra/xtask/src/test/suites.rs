//! The black-box suite (`tests/`), on each platform.

use crate::workspace::{self, Build};
use crate::{demo, lambda, process, workers};
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// The grace window of refresh tokens while the suite runs: short enough to wait for, in seconds.
const GRACE: &str = "2";

/// How late the sample API may notice a revocation while the suite runs, in seconds.
const INTROSPECTION_AGE: &str = "2";

/// A running server for tests.
pub(super) struct Target {
    /// Its base URL, which is its issuer.
    pub(super) url: String,
    /// Its platform's name.
    pub(super) platform: &'static str,
    /// Its secret.
    pub(super) secret: String,
}

impl Target {
    /// The variables that tell tests where the server is.
    pub(super) fn variables(&self) -> [(&'static str, String); 7] {
        [
            ("BASE_URL", self.url.clone()),
            ("LATCHKEY_TEST_URL", self.url.clone()),
            ("LATCHKEY_TEST_PLATFORM", self.platform.to_owned()),
            ("LATCHKEY_TEST_SECRET", self.secret.clone()),
            ("LATCHKEY_TEST_CLI", workspace::binary("latchkey", Build::Dev).display().to_string()),
            ("LATCHKEY_TEST_GRACE", GRACE.to_owned()),
            ("LATCHKEY_TEST_INTROSPECTION_AGE", INTROSPECTION_AGE.to_owned()),
        ]
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

    /// One test at a time: the store is one for all.
    fn with_faults(&self, control: &str) -> Result<()> {
        let mut cargo = self.cargo_test("faults");
        process::run(cargo.env("LATCHKEY_TEST_FAULTS", control).env("RUST_TEST_THREADS", "1"))
    }

    fn cargo_test(&self, name: &str) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "--quiet", "--workspace", "--test", name]).envs(self.variables());
        cargo.current_dir(workspace::root());
        cargo
    }
}

/// Starts the local server with an empty store, does something with it, and ends it.
pub(super) fn with_local(work: impl FnOnce(&Target) -> Result<()>) -> Result<()> {
    workspace::build(Build::Dev)?;
    let data = no_data("local")?;
    let port = process::free_port()?;
    let target = Target { url: format!("http://localhost:{port}"), platform: "local", secret: demo::secret()? };
    let mut dev = Command::new(workspace::binary("latchkey", Build::Dev));
    dev.args(["dev", "--quiet", "--test-clock", "--port", &port.to_string(), "--data"]).arg(&data);
    dev.env("LATCHKEY_SECRET", &target.secret).envs(settings()?);
    let _server = process::Server::start(dev.stdout(std::process::Stdio::null()), port)?;
    work(&target)
}

/// Where a server may keep its data; there are none.
fn no_data(name: &str) -> Result<PathBuf> {
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
        let result = target.suite();
        deployment.print_unused_permissions();
        result
    })
}

/// The suite on the Workers, all in one workerd.
pub(super) fn workers() -> Result<()> {
    with_workers(false, Target::suite)
}

/// What happens when the store fails, on the platforms whose store is far away; and when the local server, which has its
/// store in itself, is killed.
pub(super) fn faults() -> Result<()> {
    workspace::build(Build::Dev)?;
    let data = no_data("crash")?;
    let url = format!("http://localhost:{}", process::free_port()?);
    let target = Target { url, platform: "local", secret: demo::secret()? };
    process::run(target.cargo_test("crash").env("LATCHKEY_TEST_DATA", &data))?;
    with_lambda(|target, deployment| target.with_faults(&deployment.table.faults_url()))?;
    with_workers(true, |target| target.with_faults(&format!("{}/faults", target.url)))
}

/// Starts the Lambda binaries with an empty table, and runs `work`. Fails, too, if a function used the table in a way that its
/// policy forbids.
fn with_lambda(work: impl FnOnce(&Target, &lambda::Deployment) -> Result<()>) -> Result<()> {
    lambda::build(&[], Build::Dev)?;
    let options = lambda::Options { port: 0, build: Build::Dev, secret: demo::secret()?, settings: settings()? };
    let tokio = tokio::runtime::Runtime::new()?;
    let deployment = tokio.block_on(lambda::Deployment::start(&options))?;
    let target = Target { url: deployment.url().to_owned(), platform: "lambda", secret: options.secret };
    demo::seed(&target.url, &target.secret, Build::Dev)?;
    tokio.block_on(deployment.run_schedules())?;
    let result = work(&target, &deployment);
    deployment.check_permissions()?;
    result.inspect_err(|_| eprintln!("  log of the functions: {}", deployment.log.display()))
}

/// Starts the Workers with an empty store, which may be one that can be made to fail.
fn with_workers(faults: bool, work: impl FnOnce(&Target) -> Result<()>) -> Result<()> {
    workspace::build(Build::Dev)?;
    workers::build_all(Build::Dev)?;
    let secret = demo::secret()?;
    let options = workers::Options { secret: secret.clone(), settings: settings()?, faults, ..Default::default() };
    let mut server = workers::Workers::start(&options)?;
    let target = Target { url: server.url.clone(), platform: "workers", secret };
    demo::seed(&target.url, &target.secret, Build::Dev)?;
    for function in crate::generate::names(|function| function.schedule().is_some()) {
        server.run_schedule(function)?;
    }
    work(&target).inspect_err(|_| eprintln!("  log of the functions: {}", server.log.display()))
}

/// What the suite expects of every server's configuration: short times, and trust in the issuers of `tests/support/trusted/`.
fn settings() -> Result<BTreeMap<String, String>> {
    let trusted = workspace::root().join("tests/support/trusted");
    let read = |name: &str| std::fs::read_to_string(trusted.join(name));
    let mut settings = BTreeMap::from([
        ("LATCHKEY_REFRESH_GRACE".to_owned(), GRACE.to_owned()),
        ("LATCHKEY_INTROSPECTION_AGE".to_owned(), INTROSPECTION_AGE.to_owned()),
        ("LATCHKEY_TRUSTED_ISSUERS".to_owned(), read("issuers.json")?),
        ("LATCHKEY_TRUSTED_SAML_ISSUERS".to_owned(), read("saml-issuers.json")?),
        ("LATCHKEY_SOFTWARE_STATEMENT_ISSUERS".to_owned(), read("software-issuers.json")?),
    ]);
    demo::open_registration(&mut settings);
    Ok(settings)
}
