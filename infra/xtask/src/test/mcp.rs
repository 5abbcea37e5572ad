//! Tests with MCP clients and servers that others wrote, in `tests/clients/mcp`.

use super::suites::{Target, with_local_on};
use crate::{process, tools, workers, workspace};
use anyhow::Result;
use lambda_emulator::{Definition, Emulator, Listener, Route};
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// A protected MCP server: its name in the tests and its program.
struct Server {
    name: &'static str,
    program: Program,
}

/// The language of a program, and its path below `tests/clients/mcp`.
enum Program {
    Node(&'static str),
    Python(&'static str),
    Rust(&'static str),
    /// A handler for Lambda, behind an HTTP API of the emulator: a path below `servers`, or the name of a function in Python.
    Lambda(&'static str),
}

const SERVERS: [Server; 9] = [
    Server { name: "express", program: Program::Node("samples/express.mjs") },
    Server { name: "fetch", program: Program::Node("servers/fetch.mjs") },
    Server { name: "sdk-v1", program: Program::Node("servers/sdk_v1.mjs") },
    Server { name: "agents", program: Program::Node("servers/agents.mjs") },
    Server { name: "fastmcp", program: Program::Python("samples/fastmcp_server.py") },
    Server { name: "lambda", program: Program::Lambda("../samples/lambda.mjs") },
    Server { name: "express-lambda", program: Program::Lambda("../samples/express_lambda.mjs") },
    Server { name: "fastapi-lambda", program: Program::Lambda("fastapi_lambda.handler") },
    Server { name: "crate", program: Program::Rust("mcp-server") },
];

/// Runs each client against each server. All of them know only the URL of the MCP server.
pub(super) fn run() -> Result<()> {
    let directory = workspace::root().join("tests/clients/mcp");
    tools::npm(workspace::root())?;
    tools::npm(&directory)?;
    let python = tools::python(&directory.join("requirements.txt"))?;
    let rust = build_rust(&directory)?;
    let mut ports = BTreeMap::new();
    for server in &SERVERS {
        ports.insert(server.name, process::free_port()?);
    }
    let urls: Map<_, _> = ports.iter().map(|(name, port)| ((*name).to_owned(), json!(url(*port)))).collect();
    let configuration = configuration(ports.values().copied())?;
    let documents = process::free_port()?;
    with_local_on(
        |_| Ok(configuration),
        |target| {
            let node = || command(&workers::program("node"), target, &directory);
            let tokio = tokio::runtime::Runtime::new()?;
            let (mut running, mut functions) = (Vec::new(), Vec::new());
            for server in &SERVERS {
                let Some(port) = ports.get(server.name) else { continue };
                let mut program = match server.program {
                    Program::Lambda(handler) => {
                        let environment = [
                            ("NODE", workers::program("node").display().to_string()),
                            ("PYTHON", python.join("python").display().to_string()),
                            ("SAMPLE", handler.to_owned()),
                            ("ISSUER", target.url.clone()),
                            ("RESOURCE", url(*port)),
                        ];
                        let environment = environment.map(|(name, value)| (name.to_owned(), value)).into();
                        let program = directory.join("servers/lambda");
                        functions.push(tokio.block_on(lambda(server.name, &program, *port, environment))?);
                        continue;
                    }
                    Program::Node(path) => {
                        let mut node = node();
                        node.arg(path);
                        node
                    }
                    Program::Rust(name) => command(&rust.join(name), target, &directory),
                    Program::Python(path) => {
                        let mut python = command(&python.join("python"), target, &directory);
                        python.args(["-B", path]);
                        python
                    }
                };
                program.env("ISSUER", &target.url).env("RESOURCE", url(*port)).env("PORT", port.to_string());
                program.stdout(Stdio::null()).stderr(Stdio::null());
                running.push(process::Server::start(&mut program, *port)?);
            }
            let mut host = node();
            running.push(process::Server::start(
                host.arg("servers/documents.mjs").env("PORT", documents.to_string()),
                documents,
            )?);
            let variables =
                [("MCP_SERVERS", json!(urls).to_string()), ("MCP_DOCUMENTS", format!("https://localhost:{documents}"))];
            let mut tests = node();
            tests.args([
                "--test",
                "--test-reporter=spec",
                "typescript.mjs",
                "lambda.mjs",
                "mcp_remote.mjs",
                "conformance.mjs",
            ]);
            process::run(tests.envs(variables.clone()))?;
            let mut unittest = command(&python.join("python"), target, &directory);
            unittest.args(["-B", "-W", "ignore", "-m", "unittest", "--quiet", "test_fastmcp"]);
            process::run(unittest.envs(variables.clone()).env("FASTMCP_LOG_LEVEL", "ERROR"))?;
            let mut client = command(&rust.join("mcp-client"), target, &directory);
            process::run(client.envs(variables).env("NODE", workers::program("node")))
        },
    )
}

/// Serves a program for the Lambda Runtime API, as the function of an HTTP API with one route and without an authorizer.
async fn lambda(name: &str, binary: &Path, port: u16, environment: BTreeMap<String, String>) -> Result<Arc<Emulator>> {
    let name = name.to_owned();
    let definition = Definition {
        name: name.clone(),
        full_name: name.clone(),
        log_group: format!("/aws/lambda/{name}"),
        binary: binary.to_owned(),
        memory: 512,
        timeout: Duration::from_secs(30),
        environment,
        stream: None,
    };
    let route = Route { method: "ANY".to_owned(), path: "/{proxy+}".to_owned(), function: name, authorizer: None };
    let log = workspace::scratch("mcp")?.join(format!("{}.log", definition.name));
    Emulator::start(Listener::bind(port).await?, vec![definition], vec![route], None, &log)
}

/// Builds the programs on rmcp, with their own lock file and target directory. Returns the directory of the programs.
fn build_rust(directory: &Path) -> Result<PathBuf> {
    let target = workspace::scratch("mcp-rust")?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--locked", "--bins"]).env("CARGO_TARGET_DIR", &target);
    process::run(cargo.current_dir(directory.join("rust")))?;
    Ok(target.join("debug"))
}

/// Runs the clients on the TypeScript SDK against the gateway Worker, in workerd, before an MCP server without any check of
/// tokens. Then tests what else passes the gateway.
pub(super) fn gateway() -> Result<()> {
    let directory = workspace::root().join("tests/clients/mcp");
    tools::npm(&directory)?;
    workers::build(&["authorizer"], workspace::Build::Dev)?;
    let (port, documents) = (process::free_port()?, process::free_port()?);
    with_local_on(
        |_| configuration(std::iter::once(port)),
        |target| {
            let node = || command(&workers::program("node"), target, &directory);
            let mut host = node();
            host.arg("servers/documents.mjs").env("PORT", documents.to_string());
            let _host = process::Server::start(&mut host, documents)?;
            let mut gateway = node();
            gateway.arg("servers/gateway.mjs").env("PORT", port.to_string());
            gateway.env("ISSUER", &target.url).env("RESOURCE", url(port));
            gateway.env("ROUTE_SCOPES", "POST /mcp notes:read; GET /mcp notes:read; ANY /mcp/* notes:read");
            let log = File::create(workspace::scratch("mcp")?.join("gateway.log"))?;
            let _gateway = process::Server::start(gateway.stdout(Stdio::null()).stderr(log), port)?;
            let mut tests = node();
            tests.args(["--test", "--test-reporter=spec", "gateway.mjs", "typescript.mjs"]);
            tests.env("MCP_SERVERS", json!({ "gateway": url(port) }).to_string());
            process::run(tests.env("MCP_DOCUMENTS", format!("https://localhost:{documents}")))
        },
    )
}

/// Returns the URL of the MCP server at a port.
fn url(port: u16) -> String {
    format!("http://localhost:{port}/mcp")
}

/// Writes a configuration with a resource for the MCP server at each port. Returns the path of the file.
fn configuration(ports: impl Iterator<Item = u16>) -> Result<PathBuf> {
    let resource = |port| json!({ "resource": url(port), "name": "Notes", "scopes": "notes:read notes:write", "registered_clients": true });
    let file = workspace::scratch("mcp")?.join("configuration.json");
    std::fs::write(&file, json!({ "resources": ports.map(resource).collect::<Vec<_>>() }).to_string())?;
    Ok(file)
}

fn command(program: &Path, target: &Target, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.envs(target.variables()).current_dir(directory);
    command
}
