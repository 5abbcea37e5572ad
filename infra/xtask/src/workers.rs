//! The Workers on this machine: builds, serves, checks and measures them.

use crate::workspace::{self, Build};
use crate::{demo, function_keys, http, process, tools};
use anyhow::{Context, Result, bail};
use keys::Secret;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Builds these Workers: functions, or crates below `tests/` that are Workers.
pub(crate) fn build(names: &[&str], build: Build) -> Result<()> {
    prepare()?;
    let mut script = Command::new("infra/cloudflare/build.sh");
    if build == Build::Dev {
        script.arg("--dev");
    }
    process::run(script.args(names).current_dir(workspace::root()))
}

/// Builds the Worker of every function.
pub(crate) fn build_all(how: Build) -> Result<()> {
    build(&["all"], how)
}

/// Checks that wrangler would deploy every Worker as it was built last.
pub(crate) fn dry_run() -> Result<()> {
    prepare()?;
    for name in workspace::functions()? {
        let mut wrangler = Command::new(program("wrangler"));
        wrangler
            .args(["deploy", "--dry-run", "--env", &name, "--outdir"])
            .arg(workspace::scratch("wrangler")?.join(&name));
        let text = process::output(offline(&mut wrangler).env("LATCHKEY_PREBUILT", "1"))?;
        if text.contains("WARNING") {
            bail!("wrangler warns of {name}:\n{text}");
        }
    }
    Ok(())
}

/// Returns the size of the upload of each Worker, in bytes: its module and its wasm, each compressed by gzip.
pub(crate) fn sizes() -> Result<BTreeMap<String, u64>> {
    let mut sizes = BTreeMap::new();
    for name in workspace::functions()? {
        let directory = workspace::root().join("functions").join(&name).join("build");
        let mut size = 0_u64;
        for file in ["index.js", "index_bg.wasm"] {
            let mut gzip = Command::new("gzip");
            let output = gzip.args(["-9", "-c"]).arg(directory.join(file)).output().context("starting gzip")?;
            if !output.status.success() {
                bail!("{}: {}", directory.join(file).display(), String::from_utf8_lossy(&output.stderr));
            }
            size = size.saturating_add(output.stdout.len() as u64);
        }
        sizes.insert(name, size);
    }
    Ok(sizes)
}

/// The differences between one server and another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// The port of localhost; a free one by default.
    pub(crate) port: Option<u16>,
    /// `LATCHKEY_SECRET`.
    pub(crate) secret: String,
    /// Variables of every function, by name.
    pub(crate) settings: BTreeMap<String, String>,
    /// Serves the contract tests of the store in place of the functions.
    pub(crate) contract: bool,
    /// Lets tests inject faults of the store at `/faults`.
    pub(crate) faults: bool,
    /// The directory in which records are kept for the next server.
    pub(crate) keep: Option<PathBuf>,
}

/// The time that the server has to end workerd. Without it, workerd would continue to run.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// The Workers, served by workerd with an empty store. They end when this is dropped.
pub(crate) struct Workers {
    /// The base URL, which is the issuer.
    pub(crate) url: String,
    /// The log of the Workers.
    pub(crate) log: PathBuf,
    child: Child,
    /// Ends the server and workerd when it closes.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Workers {
    /// Serves the Workers as they were built last.
    pub(crate) fn start(options: &Options) -> Result<Self> {
        prepare()?;
        let log = workspace::scratch("workers")?.join("log");
        let mut node = Command::new(program("node"));
        node.arg("infra/cloudflare/miniflare.mjs");
        let keys = if options.contract { contract_keys()? } else { keys(&options.secret)? };
        node.env("LATCHKEY_KEYS_BY_FUNCTION", serde_json::to_string(&keys)?);
        let port = options.port.map_or_else(process::free_port, Ok)?;
        node.args(["--port", &port.to_string()]);
        let mut settings = demo::api_settings(&format!("http://localhost:{port}"));
        settings.extend(options.settings.clone());
        if !options.secret.is_empty() {
            settings.entry("LATCHKEY_ADMIN_KEY".to_owned()).or_insert(demo::admin_key(&options.secret)?);
        }
        for (name, value) in &settings {
            node.args(["--set", &format!("{name}={value}")]);
        }
        if options.contract {
            node.arg("--contract");
        }
        if options.faults {
            node.arg("--faults");
        }
        if let Some(directory) = &options.keep {
            node.arg("--keep").arg(directory);
        }
        offline(&mut node).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(std::fs::File::create(&log)?);
        let mut child = node.spawn().context("starting workerd")?;
        let stdin = child.stdin.take().context("no standard input")?;
        let stdout = BufReader::new(child.stdout.take().context("no standard output")?);
        let mut workers = Self { url: String::new(), log, child, stdin: Some(stdin), stdout };
        let ready = workers.line()?;
        workers.url = ready["url"].as_str().context("the server printed no URL")?.to_owned();
        Ok(workers)
    }

    /// The id of the process that started workerd.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Runs a scheduled function.
    pub(crate) fn run_schedule(&mut self, name: &str) -> Result<()> {
        writeln!(self.stdin.as_mut().context("workerd is being ended")?, "{name}")?;
        match self.line()? {
            line if line["outcome"] == "ok" => Ok(()),
            line => bail!("{name}: {line}; see {}", self.log.display()),
        }
    }

    fn line(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            bail!("workerd ended:\n{}", std::fs::read_to_string(&self.log)?);
        }
        serde_json::from_str(&line).with_context(|| format!("reading {line:?}"))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let asked_at = Instant::now();
        while asked_at.elapsed() < END_TIMEOUT && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        // The process may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the settings with the keys of each function.
fn keys(secret: &str) -> Result<BTreeMap<String, BTreeMap<&'static str, String>>> {
    let mut keys = BTreeMap::new();
    for function in manifest::FUNCTIONS {
        let own = function_keys::of(function.name, secret)?;
        keys.extend(own.map(|text| (function.name.to_owned(), BTreeMap::from([(function_keys::SETTING, text)]))));
    }
    Ok(keys)
}

/// Returns the keys for the contract tests of the store. The objects are in the middle of a change of the secret. The Worker
/// that calls them has their keys, so that it can act as any function, and that of a secret that they do not know.
fn contract_keys() -> Result<BTreeMap<String, BTreeMap<&'static str, String>>> {
    let of_owner = |byte| {
        let secret = Secret::from_bytes([byte; 32]).to_base64url();
        function_keys::of("records", &secret)?.context("the owner of the objects has no keys")
    };
    let owner = BTreeMap::from([(function_keys::SETTING, of_owner(2)?), ("LATCHKEY_KEYS_PREVIOUS", of_owner(1)?)]);
    let mut caller = owner.clone();
    caller.insert("LATCHKEY_KEYS_OF_ANOTHER_SECRET", of_owner(3)?);
    Ok(BTreeMap::from([("records".to_owned(), owner), ("contract".to_owned(), caller)]))
}

/// Runs the contract tests of the store on Durable Objects in workerd: directly, and through Workers KV.
pub(crate) fn contract() -> Result<()> {
    build(&["records", "contract-worker"], Build::Dev)?;
    let workers = Workers::start(&Options { contract: true, ..Options::default() })?;
    let mut wrong = Vec::new();
    for query in ["run=durable", "run=cached&cached"] {
        let text = http::get(&format!("{}/?{query}", workers.url), Duration::from_secs(300))?;
        let findings: Vec<Value> = serde_json::from_str(&text).with_context(|| format!("reading {text:?}"))?;
        if findings.is_empty() {
            bail!("the contract tests checked no clause");
        }
        wrong.extend(
            findings
                .iter()
                .filter(|finding| !finding["problem"].is_null())
                .map(|finding| format!("{query}: {finding}")),
        );
    }
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
}

/// Tests keys, signatures and encryption by WebCrypto, on the Node from the npm packages.
pub(crate) fn webcrypto() -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    prepare()?;
    let tools = std::env::var_os("LATCHKEY_TOOLS").map_or_else(|| workspace::target().join("tools"), PathBuf::from);
    let runner = tools.join("bin/wasm-bindgen-test-runner");
    if !runner.exists() {
        // The build script installs the tools.
        build(&["records"], Build::Dev)?;
    }
    // The runner writes CommonJS there; a package.json in a parent directory could declare ES modules.
    let scratch = workspace::scratch("webcrypto")?;
    std::fs::write(scratch.join("package.json"), "{}\n")?;
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--package", "latchkey-keys", "--target", TARGET, "--test", "web"]);
    process::run(offline(&mut cargo).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner).env("TMPDIR", scratch))
}

fn prepare() -> Result<()> {
    tools::rust_target("wasm32-unknown-unknown")?;
    tools::npm(workspace::root())
}

/// Returns the path of a program of an npm package.
pub(crate) fn program(name: &str) -> PathBuf {
    workspace::root().join("node_modules/.bin").join(name)
}

/// Configures a command to use the Node from the npm packages, and no network.
fn offline(command: &mut Command) -> &mut Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let programs = std::iter::once(workspace::root().join("node_modules/.bin")).chain(std::env::split_paths(&path));
    if let Ok(path) = std::env::join_paths(programs) {
        command.env("PATH", path);
    }
    command.env("CLOUDFLARE_CF_FETCH_ENABLED", "false").env("WRANGLER_SEND_METRICS", "false").env("CI", "1");
    command.current_dir(workspace::root())
}
