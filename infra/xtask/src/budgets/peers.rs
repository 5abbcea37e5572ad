//! The programs that Latchkey is compared with: they run on Node, and their sources are in `infra/xtask/peers`.

use super::server::REFRESHER;
use crate::process::{self, Server};
use crate::{tools, workspace};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A running provider, with refresh tokens of different grants.
pub(super) struct Provider {
    pub(super) server: Server,
    pub(super) address: SocketAddr,
    pub(super) refresh_tokens: Vec<String>,
}

impl Provider {
    pub(super) fn process(&self) -> u32 {
        self.server.process()
    }
}

/// Installs the packages of the programs.
pub(super) fn install() -> Result<()> {
    tools::npm(workspace::root())?;
    tools::npm(&directory())
}

fn directory() -> PathBuf {
    workspace::root().join("infra/xtask/peers")
}

/// Returns the path of the Node from the npm packages.
fn node() -> PathBuf {
    workspace::root().join("node_modules/.bin/node")
}

/// Starts node-oidc-provider with its store in memory.
pub(super) fn provider() -> Result<Provider> {
    let port = process::free_port()?;
    let grants = workspace::scratch("budgets")?.join("grants.json");
    let mut command = Command::new(node());
    command.arg("provider.mjs").arg(port.to_string()).arg(REFRESHER).arg(&grants).env("NODE_ENV", "production");
    let server = Server::start(command.current_dir(directory()).stdout(Stdio::null()), port)?;
    let refresh_tokens = serde_json::from_slice(&std::fs::read(grants)?)?;
    Ok(Provider { server, address: SocketAddr::from(([127, 0, 0, 1], port)), refresh_tokens })
}

/// Signs the demo user in at a server, and obtains `count` grants for the client of the refreshes.
pub(super) fn sign_in(url: &str, redirect_uri: &str, count: usize) -> Result<Vec<String>> {
    let mut script = Command::new(node());
    script.args(["sign-in.mjs", url, REFRESHER, redirect_uri, &count.to_string()]).current_dir(directory());
    Ok(serde_json::from_str(&process::output(&mut script)?)?)
}

/// Builds a Node function that does the work of the token function. Returns the path of a program that Lambda could start.
pub(super) fn token_function() -> Result<PathBuf> {
    install()?;
    let made = workspace::scratch("budgets")?;
    let bundle = made.join("token-function.mjs");
    let mut esbuild = Command::new(workspace::root().join("node_modules/.bin/esbuild"));
    esbuild.args([
        "token-function.mjs",
        "--bundle",
        "--minify",
        "--platform=node",
        "--format=esm",
        "--log-level=error",
    ]);
    // Some packages are CommonJS.
    esbuild.arg("--banner:js=import{createRequire}from'node:module';const require=createRequire(import.meta.url);");
    process::run(esbuild.arg(format!("--outfile={}", bundle.display())).current_dir(directory()))?;
    let bootstrap = made.join("token-function");
    let node = node().canonicalize().context("the Node of the npm packages")?;
    std::fs::write(&bootstrap, format!("#!/bin/sh\nexec '{}' '{}'\n", node.display(), bundle.display()))?;
    std::fs::set_permissions(&bootstrap, std::fs::Permissions::from_mode(0o755))?;
    Ok(bootstrap)
}
