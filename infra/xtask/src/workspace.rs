//! The paths of the checkout and of builds.

use crate::process;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the root of the checkout.
pub(crate) fn root() -> &'static Path {
    // This crate is two levels below.
    static ROOT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    ROOT.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.ancestors().nth(2).unwrap_or(here).to_owned()
    })
}

/// Returns cargo's target directory.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |directory| root().join(directory))
}

/// Returns a directory of xtask below the target directory. Creates it if it is missing.
pub(crate) fn scratch(name: &str) -> Result<PathBuf> {
    let directory = target().join("xtask").join(name);
    std::fs::create_dir_all(&directory).with_context(|| format!("creating {}", directory.display()))?;
    Ok(directory)
}

/// The kind of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Build {
    /// A fast build, for tests.
    Dev,
    /// A build as for a deployment.
    Release,
}

/// Returns the path of a program of the workspace that cargo built for this machine.
pub(crate) fn binary(name: &str, build: Build) -> PathBuf {
    let profile = match build {
        Build::Dev => "debug",
        Build::Release => "release",
    };
    target().join(profile).join(name)
}

/// Builds the `latchkey` command and the DynamoDB emulation. `Dev` builds the whole workspace with tests and examples: the
/// selection of packages decides the features and so the artifacts, and one selection serves every step.
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

/// True if `LATCHKEY_PREBUILT=1` is set: the steps then use what was built before.
pub(crate) fn is_prebuilt() -> bool {
    std::env::var_os("LATCHKEY_PREBUILT").is_some_and(|set| set == "1")
}

/// Returns the names of the crates below `functions/`.
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
