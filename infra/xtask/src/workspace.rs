//! Where things are.

use crate::process;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    // infra/xtask, two levels down.
    static ROOT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    ROOT.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.ancestors().nth(2).unwrap_or(here).to_owned()
    })
}

/// Cargo's target directory.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |directory| root().join(directory))
}

/// A directory of ours below the target directory, made when missing.
pub(crate) fn scratch(name: &str) -> Result<PathBuf> {
    let directory = target().join("xtask").join(name);
    std::fs::create_dir_all(&directory).with_context(|| format!("making {}", directory.display()))?;
    Ok(directory)
}

/// How to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Build {
    /// Fast, for tests.
    Dev,
    /// As deployed.
    Release,
}

/// Where a program of ours is that cargo built for this machine.
pub(crate) fn binary(name: &str, build: Build) -> PathBuf {
    let profile = match build {
        Build::Dev => "debug",
        Build::Release => "release",
    };
    target().join(profile).join(name)
}

/// Builds the `latchkey` command and the DynamoDB emulation. `Dev` is all of the workspace, tests and examples too: features differ with what is
/// selected, and with them what is compiled; one selection serves every step.
pub(crate) fn build(build: Build) -> Result<()> {
    let selection: &[&str] = match build {
        Build::Dev => &["--workspace", "--all-targets"],
        Build::Release => &["--release", "--package", "latchkey", "--package", "dynamodb-emulator", "--bins"],
    };
    if is_prebuilt() {
        return Ok(());
    }
    process::run(Command::new("cargo").args(["build", "--quiet"]).args(selection).current_dir(root()))
}

/// Whether what was built before is to be taken: `LATCHKEY_PREBUILT=1`.
pub(crate) fn is_prebuilt() -> bool {
    std::env::var_os("LATCHKEY_PREBUILT").is_some_and(|set| set == "1")
}

/// The crates under `functions/`, by name.
pub(crate) fn functions() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root().join("functions"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
