//! The functions on the Lambda emulator, as template.yaml describes them, with the table of the DynamoDB emulation.

mod cold_start;

use crate::process::{self, Server};
use crate::template::Template;
use crate::workspace::{self, Build};
use crate::{demo, function_keys};
use anyhow::{Context, Result, bail};
use lambda_emulator::{Definition, Emulator, Listener, Table};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

pub(crate) use cold_start::{ColdStart, cold_start, warm};
pub(crate) use lambda_emulator::{Function, form_event};

/// The name of the stack.
const STACK: &str = "latchkey";
/// The name of the table.
const TABLE: &str = "latchkey";

/// Builds functions, and the emulation of their table.
pub(crate) fn build(functions: &[&str], build: Build) -> Result<()> {
    workspace::build(build)?;
    if build == Build::Release {
        let mut script = Command::new("infra/aws/build.sh");
        process::run(script.arg("--here").args(functions).current_dir(workspace::root()))?;
    }
    Ok(())
}

/// Returns the path of the binary of a function.
fn binary(function: &str, build: Build) -> PathBuf {
    match build {
        Build::Dev => workspace::binary(function, build),
        Build::Release => workspace::root().join("target/lambda-here").join(function).join("bootstrap"),
    }
}

/// The differences between one deployment and another.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The port of the API; 0 takes a free one.
    pub(crate) port: u16,
    /// The build of the functions.
    pub(crate) build: Build,
    /// `LATCHKEY_SECRET`.
    pub(crate) secret: String,
    /// Further settings (`LATCHKEY_…`) of the functions.
    pub(crate) settings: BTreeMap<String, String>,
}

/// A running deployment. It ends when this is dropped.
pub(crate) struct Deployment {
    /// The log of the functions.
    pub(crate) log: PathBuf,
    /// The table.
    pub(crate) table: Arc<Table>,
    emulator: Arc<Emulator>,
    scheduled: Vec<String>,
    _store: Server,
}

impl Deployment {
    /// Starts the emulated DynamoDB, the table and the API. The functions and the emulation must have been built.
    pub(crate) async fn start(options: &Options) -> Result<Self> {
        let template = Template::read(&workspace::root().join("template.yaml"))?;
        let store_port = process::free_port()?;
        let mut command = Command::new(workspace::binary("dynamodb-emulator", options.build));
        command.args(["--port", &store_port.to_string()]).stdout(Stdio::null());
        let store = tokio::task::spawn_blocking(move || Server::start(&mut command, store_port)).await??;
        let mut creation = template.table.clone();
        creation["TableName"] = json!(TABLE);
        let permissions = template.functions.iter().map(|it| (it.name.clone(), it.permissions.clone())).collect();
        let table = Table::start(SocketAddr::from(([127, 0, 0, 1], store_port)), &creation, permissions).await?;

        let listener = Listener::bind(options.port).await?;
        let mut definitions = Vec::new();
        for function in &template.functions {
            let mut environment = environment(&template, options, listener.url(), &table)?;
            environment.retain(|name, _| !function.withheld.contains(name));
            let keys = function_keys::of(&function.name, &options.secret)?;
            environment.extend(keys.map(|keys| (function_keys::SETTING.to_owned(), keys)));
            environment.extend(own_environment(&function.own, options)?);
            definitions.push(Definition {
                name: function.name.clone(),
                full_name: format!("{STACK}-{}", function.name),
                log_group: format!("/aws/lambda/{STACK}"),
                binary: binary(&function.name, options.build),
                memory: function.memory,
                timeout: Duration::from_secs(function.timeout),
                environment,
                stream: function.stream.clone(),
            });
        }
        let scheduled = template.functions.iter().filter(|it| it.scheduled).map(|it| it.name.clone()).collect();
        let log = workspace::scratch("lambda")?.join("functions.log");
        let emulator = Emulator::start(listener, definitions, template.routes, Some(&table), &log)?;
        Ok(Self { log, table, emulator, scheduled, _store: store })
    }

    /// The issuer.
    pub(crate) fn url(&self) -> &str {
        self.emulator.url()
    }

    /// Returns the function with this name.
    pub(crate) fn function(&self, name: &str) -> Result<Arc<Function>> {
        self.emulator.function(name)
    }

    /// Runs each scheduled function once.
    pub(crate) async fn run_schedules(&self) -> Result<()> {
        for name in &self.scheduled {
            self.emulator.run_scheduled(name).await?;
        }
        Ok(())
    }

    /// Fails if a function used the table in a way that its policy forbids.
    pub(crate) fn check_permissions(&self) -> Result<()> {
        let refusals = self.table.refusals();
        if refusals.is_empty() {
            return Ok(());
        }
        bail!("add the record access to shared/manifest, or remove the call: {}", refusals.join("; "))
    }

    /// Prints the permissions that no call has used.
    pub(crate) fn print_unused_permissions(&self) {
        self.table.unused().iter().for_each(|unused| eprintln!("  note: {unused}"));
    }
}

/// Returns the variables that the template gives to one function alone, with the values that CloudFormation would give them.
fn own_environment(names: &[String], options: &Options) -> Result<BTreeMap<String, String>> {
    let mut environment = BTreeMap::new();
    for name in names.iter().filter(|name| !options.settings.contains_key(*name)) {
        match name.as_str() {
            "LATCHKEY_ADMIN" => continue,
            "LATCHKEY_ADMIN_KEY" => environment.insert(name.clone(), demo::admin_key(&options.secret)?),
            // Only functions of an API have others, which the settings name.
            _ => continue,
        };
    }
    Ok(environment)
}

/// Returns the variables that the template names, with the values that CloudFormation would give them, and the further
/// settings.
fn environment(template: &Template, options: &Options, url: &str, table: &Table) -> Result<BTreeMap<String, String>> {
    let mut environment = demo::api_settings(url);
    environment.extend(options.settings.clone());
    for name in &template.settings {
        let value = match name.as_str() {
            "LATCHKEY_ISSUER" => url,
            "LATCHKEY_TABLE" => TABLE,
            // Only parameters of the stack set these.
            "LATCHKEY_AUDIENCE"
            | "LATCHKEY_BREACHED_PASSWORDS"
            | "LATCHKEY_CLIENT_DOCUMENTS"
            | "LATCHKEY_EPOCH"
            | "LATCHKEY_MAIL"
            | "LATCHKEY_MAIL_FROM"
            | "LATCHKEY_MAIL_NAME"
            | "LATCHKEY_MIN_PASSWORD"
            | "LATCHKEY_MTLS_METHODS"
            | "LATCHKEY_MTLS_ORIGIN"
            | "LATCHKEY_PASSWORD_HASH_WORK"
            | "LATCHKEY_PROXY_ADDRESS_HEADER"
            | "LATCHKEY_PROXY_CERTIFICATE_CHAIN"
            | "LATCHKEY_PROXY_CERTIFICATE_HEADER"
            | "LATCHKEY_PROXY_CERTIFICATE_SECRET"
            | "LATCHKEY_PROXY_ONLY"
            | "LATCHKEY_PROXY_SECRET"
            | "LATCHKEY_REGISTRATION" => continue,
            other => bail!("template.yaml sets {other}: add its value to infra/xtask/src/lambda/mod.rs"),
        };
        environment.entry(name.clone()).or_insert_with(|| value.to_owned());
    }
    environment.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), table.url());
    Ok(environment)
}

/// Serves until the process receives a signal to end. Then fails if a function used the table in a way that its policy forbids.
pub(crate) fn serve_until_stopped(options: &Options) -> Result<()> {
    let tokio = tokio::runtime::Runtime::new()?;
    let deployment = tokio.block_on(Deployment::start(options))?;
    demo::seed(deployment.url(), &options.secret, options.build)?;
    tokio.block_on(deployment.run_schedules())?;
    eprintln!("  log of the functions: {}", deployment.log.display());
    println!("serving {} with LATCHKEY_SECRET={}", deployment.url(), options.secret);
    tokio.block_on(async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .context("waiting for the signal to end")?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
        }
        anyhow::Ok(())
    })?;
    deployment.print_unused_permissions();
    deployment.check_permissions()
}
