//! Checks of the code by cargo and its tools.

use crate::{process, tools, workspace};
use anyhow::Result;
use std::process::Command;

const WASM: &str = "wasm32-unknown-unknown";

fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(arguments).current_dir(workspace::root());
    cargo
}

pub(super) fn format() -> Result<()> {
    process::run(&mut cargo(&["fmt", "--all", "--check"]))
}

pub(super) fn lint() -> Result<()> {
    process::run(&mut cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

pub(super) fn lint_wasm() -> Result<()> {
    tools::rust_target(WASM)?;
    let mut clippy = cargo(&["clippy", "--quiet", "--lib", "--target", WASM]);
    // The functions, and with them the crates that they share.
    for package in workspace::functions()? {
        clippy.args(["--package", &package]);
    }
    for package in [
        "latchkey-jose",
        "latchkey-keys",
        "latchkey-pages",
        "latchkey-protocol",
        "latchkey-provider",
        "latchkey-storage",
        "latchkey-storage-cloudflare",
    ] {
        clippy.args(["--package", package]);
    }
    process::run(clippy.args(["--", "-D", "warnings"]))
}

pub(super) fn docs() -> Result<()> {
    process::run(cargo(&["doc", "--quiet", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

pub(super) fn unit() -> Result<()> {
    process::run(&mut cargo(&["test", "--quiet", "--workspace", "--exclude", "suite"]))
}

pub(super) fn dependencies() -> Result<()> {
    let machete = tools::cargo("cargo-machete", "0.9.2")?;
    process::run(Command::new(machete).current_dir(workspace::root()))
}

/// Packages the libraries that are published, as `cargo publish` does: their manifests, their files, and their dependencies
/// in the registry. Builds nothing, because the other steps have built them.
pub(super) fn package() -> Result<()> {
    let libraries = ["-p", "latchkey-types", "-p", "latchkey-jose", "-p", "latchkey-resource-server"];
    process::run(cargo(&["package", "--quiet", "--no-verify", "--allow-dirty"]).args(libraries))
}

/// Checks licenses, sources and duplicate versions; and advisories, whose database comes from the network. The gate leaves
/// this out, because the tool takes minutes to build.
pub(crate) fn deny(with_advisories: bool) -> Result<()> {
    let deny = tools::cargo("cargo-deny", "0.20.2")?;
    let mut check = Command::new(deny);
    check.args(["--workspace", "--locked", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    if with_advisories {
        check.arg("advisories");
    }
    process::run(check.current_dir(workspace::root()))
}
