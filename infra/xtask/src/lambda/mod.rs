//! AWS on this machine: the real binaries of the functions behind the Lambda Runtime API, API Gateway in front of
//! them, and the table with each function's permissions behind them, all as template.yaml describes them.

mod cold_start;
mod faults;
mod function;
mod gateway;
mod runtime_api;
mod table;

use crate::process::{self, Server};
use crate::template::Template;
use crate::workspace::{self, Build};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
pub(crate) use function::Function;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use table::{TABLE, Table};
use tokio::net::TcpListener;

pub(crate) use cold_start::{ColdStart, cold_start, warm};
pub(crate) use gateway::form_event;

/// Builds functions, and the `latchkey` command that serves their table.
pub(crate) fn build(functions: &[&str], build: Build) -> Result<()> {
    workspace::build(build)?;
    if build == Build::Release {
        let mut script = Command::new("infra/aws/build.sh");
        process::run(script.arg("--here").args(functions).current_dir(workspace::root()))?;
    }
    Ok(())
}

/// Where the binary of a function is.
pub(crate) fn binary(function: &str, build: Build) -> PathBuf {
    match build {
        Build::Dev => workspace::binary(function, build),
        Build::Release => workspace::root().join("target/lambda-here").join(function).join("bootstrap"),
    }
}

/// What may differ from one emulator to another.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The port of the API; 0 takes a free one.
    pub(crate) port: u16,
    /// How the functions were built.
    pub(crate) build: Build,
    /// The deployment's secret.
    pub(crate) secret: String,
    /// Further settings (`LATCHKEY_…`) of the functions.
    pub(crate) settings: BTreeMap<String, String>,
}

/// A running emulator. It ends when this is dropped.
pub(crate) struct Emulator {
    /// The issuer.
    pub(crate) url: String,
    /// Where the functions write their log lines.
    pub(crate) log: PathBuf,
    /// The table.
    pub(crate) table: Arc<Table>,
    /// Where the table's faults are planned.
    pub(crate) faults: String,
    functions: BTreeMap<String, Arc<Function>>,
    scheduled: Vec<Arc<Function>>,
    routes: Vec<crate::template::Route>,
    _store: Server,
}

/// The route that a request takes.
struct Taken {
    key: String,
    function: Arc<Function>,
    /// Who is asked first.
    authorizer: Option<Arc<Function>>,
}

impl Emulator {
    /// Starts the emulated DynamoDB, the table, and the API. The functions and `latchkey` must have been built.
    pub(crate) async fn start(options: &Options) -> Result<Arc<Self>> {
        let mut template = Template::read(&workspace::root().join("template.yaml"))?;
        let store_port = process::free_port()?;
        let latchkey = workspace::binary("latchkey", options.build);
        let mut command = Command::new(&latchkey);
        command.args(["dynamodb", "--port", &store_port.to_string()]).stdout(std::process::Stdio::null());
        let store = tokio::task::spawn_blocking(move || Server::start(&mut command, store_port)).await??;
        let (table, table_address) =
            Table::start(&mut template, SocketAddr::from(([127, 0, 0, 1], store_port))).await?;

        let listener = TcpListener::bind(("127.0.0.1", options.port)).await;
        let listener = listener.with_context(|| format!("listening on port {}", options.port))?;
        let url = format!("http://localhost:{}", listener.local_addr()?.port());
        let log = workspace::scratch("lambda")?.join("functions.log");
        let file = std::fs::File::create(&log)?;
        let mut functions = BTreeMap::new();
        let mut scheduled = Vec::new();
        for function in &template.functions {
            let binary = binary(&function.name, options.build);
            let (name, has_schedule) = (function.name.clone(), function.scheduled);
            let mut settings = settings(&template, options, &url, table_address)?;
            settings.retain(|name, _| !function.withheld.contains(name));
            let function = Function::new(function, binary, settings, file.try_clone()?);
            let function = Arc::new(function);
            if has_schedule {
                scheduled.push(Arc::clone(&function));
            }
            functions.insert(name, function);
        }
        // Nobody else sets them.
        let _ = table.functions.set(functions.clone());
        let (routes, faults) = (template.routes, format!("http://{table_address}/faults"));
        let emulator = Arc::new(Self { url, log, table, faults, functions, scheduled, routes, _store: store });
        tokio::spawn(serve(listener, Arc::clone(&emulator)));
        Ok(emulator)
    }

    /// A function by its name.
    pub(crate) fn function(&self, name: &str) -> Result<Arc<Function>> {
        self.functions.get(name).map(Arc::clone).with_context(|| format!("there is no function {name}"))
    }

    /// Runs the functions that have a schedule, once.
    pub(crate) async fn run_schedules(&self) -> Result<()> {
        for function in &self.scheduled {
            function.invoke(Bytes::from_static(b"{}")).await?;
        }
        Ok(())
    }

    /// The route that a request takes: the exact path before a greedy one, its method before any.
    fn route(&self, method: &str, path: &str) -> Option<Taken> {
        let takes = |route: &&crate::template::Route| {
            let greedy = route.path.strip_suffix("{proxy+}");
            let path =
                greedy.map_or(route.path == path, |prefix| path.len() > prefix.len() && path.starts_with(prefix));
            path && (route.method == "ANY" || route.method == method)
        };
        let mut routes: Vec<_> = self.routes.iter().filter(takes).collect();
        routes.sort_by_key(|route| (route.path.ends_with('}'), route.method == "ANY"));
        let route = routes.first()?;
        let authorizer = match &route.authorizer {
            None => None,
            Some(name) => Some(Arc::clone(self.functions.get(name)?)),
        };
        Some(Taken {
            key: format!("{} {}", route.method, route.path),
            function: Arc::clone(self.functions.get(&route.function)?),
            authorizer,
        })
    }
}

/// The variables that the template names, with what CloudFormation would put there; and where the table is.
fn settings(template: &Template, options: &Options, url: &str, table: SocketAddr) -> Result<BTreeMap<String, String>> {
    let mut settings = crate::demo::api_settings(url);
    settings.extend(options.settings.clone());
    for name in &template.settings {
        let value = match name.as_str() {
            "LATCHKEY_ISSUER" => url,
            "LATCHKEY_SECRET" => &options.secret,
            "LATCHKEY_TABLE" => TABLE,
            // Left out of the environment unless a parameter asks for it.
            "LATCHKEY_AUDIENCE"
            | "LATCHKEY_REGISTRATION"
            | "LATCHKEY_RESOURCES"
            | "LATCHKEY_SECRET_PREVIOUS"
            | "LATCHKEY_TRUSTED_ISSUERS"
            | "LATCHKEY_TRUSTED_SAML_ISSUERS"
            | "SECRET_VERSION" => continue,
            other => bail!("template.yaml sets {other}, and the emulator does not know to what"),
        };
        settings.entry(name.clone()).or_insert_with(|| value.to_owned());
    }
    settings.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), format!("http://{table}"));
    Ok(settings)
}

/// Serves until the process is told to end; then says how the functions' permissions fared.
pub(crate) fn serve_until_stopped(options: &Options) -> Result<()> {
    let tokio = tokio::runtime::Runtime::new()?;
    let emulator = tokio.block_on(Emulator::start(options))?;
    crate::demo::seed(&emulator.url, &options.secret, options.build)?;
    tokio.block_on(emulator.run_schedules())?;
    eprintln!("  log of the functions: {}", emulator.log.display());
    println!("serving {} with LATCHKEY_SECRET={}", emulator.url, options.secret);
    tokio.block_on(async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
        }
        anyhow::Ok(())
    })?;
    emulator.table.unused().iter().for_each(|unused| eprintln!("  note: {unused}"));
    let refusals = emulator.table.refusals();
    if refusals.is_empty() { Ok(()) } else { bail!("template.yaml forbids what functions do: {}", refusals.join("; ")) }
}

async fn serve(listener: TcpListener, emulator: Arc<Emulator>) {
    while let Ok((stream, peer)) = listener.accept().await {
        let emulator = Arc::clone(&emulator);
        let service = service_fn(move |request| gateway::serve(request, peer, Arc::clone(&emulator)));
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// A random id, in hexadecimal.
fn random_id() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
