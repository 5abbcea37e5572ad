//! Tests with MCP clients and servers that others wrote, in `tests/clients/mcp`.

use super::suites::{Target, with_local_and};
use crate::{process, tools, workers, workspace};
use anyhow::Result;
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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
}

const SERVERS: [Server; 5] = [
    Server { name: "express", program: Program::Node("samples/express.mjs") },
    Server { name: "fetch", program: Program::Node("servers/fetch.mjs") },
    Server { name: "sdk-v1", program: Program::Node("servers/sdk_v1.mjs") },
    Server { name: "fastmcp", program: Program::Python("samples/fastmcp_server.py") },
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
    let url = |port: &u16| format!("http://localhost:{port}/mcp");
    let urls: Map<_, _> = ports.iter().map(|(name, port)| ((*name).to_owned(), json!(url(port)))).collect();
    let resource = |port: &u16| json!({ "resource": url(port), "name": "Notes", "scopes": "notes:read notes:write", "registered_clients": true });
    let resources: Vec<_> = ports.values().map(resource).collect();
    let settings = BTreeMap::from([("LATCHKEY_RESOURCES".to_owned(), json!(resources).to_string())]);
    let documents = process::free_port()?;
    with_local_and(settings, |target| {
        let node = || command(&workers::program("node"), target, &directory);
        let mut running = Vec::new();
        for server in &SERVERS {
            let Some(port) = ports.get(server.name) else { continue };
            let mut program = match server.program {
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
            program.env("ISSUER", &target.url).env("RESOURCE", url(port)).env("PORT", port.to_string());
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
        tests.args(["--test", "--test-reporter=spec", "typescript.mjs", "mcp_remote.mjs", "conformance.mjs"]);
        process::run(tests.envs(variables.clone()))?;
        let mut unittest = command(&python.join("python"), target, &directory);
        unittest.args(["-B", "-W", "ignore", "-m", "unittest", "--quiet", "test_fastmcp"]);
        process::run(unittest.envs(variables.clone()).env("FASTMCP_LOG_LEVEL", "ERROR"))?;
        let mut client = command(&rust.join("mcp-client"), target, &directory);
        process::run(client.envs(variables).env("NODE", workers::program("node")))
    })
}

/// Builds the programs on rmcp, with their own lock file and target directory. Returns the directory of the programs.
fn build_rust(directory: &Path) -> Result<PathBuf> {
    let target = workspace::scratch("mcp-rust")?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--locked", "--bins"]).env("CARGO_TARGET_DIR", &target);
    process::run(cargo.current_dir(directory.join("rust")))?;
    Ok(target.join("debug"))
}

fn command(program: &Path, target: &Target, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.envs(target.variables()).current_dir(directory);
    command
}
