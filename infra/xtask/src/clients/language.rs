//! The languages of the samples: how their packages are installed, and how a sample is started.

use crate::{process, tools, workers, workspace};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub(super) enum Language {
    Javascript,
    Python,
    Rust,
    Go,
    Java,
}

/// The outcome of a preparation.
pub(super) enum Ready {
    /// The samples can be started.
    Programs(Programs),
    /// This program of the language is missing on this machine.
    Missing(&'static str),
}

/// The directory of the programs of a language: its interpreter, or the samples as built.
pub(super) struct Programs(PathBuf);

impl Language {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Javascript => "javascript",
            Self::Python => "python",
            Self::Rust => "rust",
            Self::Go => "go",
            Self::Java => "java",
        }
    }

    /// Returns the directory of the samples.
    fn directory(self) -> PathBuf {
        workspace::root().join("tests/clients").join(self.name())
    }

    /// Installs the packages and builds the samples. Go and Java are used if the machine has them.
    pub(super) fn prepare(self) -> Result<Ready> {
        let directory = self.directory();
        let built = workspace::scratch("clients")?.join(self.name());
        let programs = match self {
            Self::Javascript => {
                tools::npm(&directory)?;
                directory
            }
            Self::Python => tools::python(&directory.join("requirements.txt"))?,
            Self::Rust => {
                let mut build = Command::new("cargo");
                build.args(["build", "--quiet", "--locked", "--target-dir"]).arg(&built).current_dir(directory);
                process::run(&mut build)?;
                built.join("debug")
            }
            Self::Go if !process::exists("go") => return Ok(Ready::Missing("go")),
            Self::Go => {
                go(&directory, &built, "./...")?;
                go(&directory.join("oauth2-proxy"), &built, "github.com/oauth2-proxy/oauth2-proxy/v7")?;
                built
            }
            Self::Java if !process::exists("java") => return Ok(Ready::Missing("java")),
            Self::Java if !process::exists("mvn") => return Ok(Ready::Missing("mvn")),
            Self::Java => {
                let mut build = Command::new("mvn");
                build.args([
                    "--quiet",
                    "--batch-mode",
                    "compile",
                    "dependency:copy-dependencies",
                    "-DincludeScope=runtime",
                ]);
                build.arg(format!("-Dlatchkey.build={}", built.display())).current_dir(directory);
                process::run(build.arg(format!("-DoutputDirectory={}", built.join("dependency").display())))?;
                built
            }
        };
        Ok(Ready::Programs(Programs(programs)))
    }

    /// Returns the command that starts a sample. A sample that is a shell script finds the programs of its language by name.
    pub(super) fn command(self, programs: &Programs, program: &str) -> Result<Command> {
        let Programs(programs) = programs;
        let mut command = match self {
            _ if program.ends_with(".sh") => {
                let mut shell = Command::new("sh");
                let path = std::env::var_os("PATH").unwrap_or_default();
                let path = std::env::join_paths(std::iter::once(programs.clone()).chain(std::env::split_paths(&path)))?;
                shell.arg(program).env("PATH", path);
                shell
            }
            Self::Javascript => with_argument(workers::program("node"), program),
            Self::Python => with_argument(programs.join("python"), program),
            Self::Rust | Self::Go => Command::new(programs.join(program)),
            Self::Java => {
                let mut java = Command::new("java");
                let path =
                    format!("{}:{}/*", programs.join("classes").display(), programs.join("dependency").display());
                java.args(["-cp", &path, program]);
                java
            }
        };
        command.current_dir(self.directory());
        Ok(command)
    }

    /// Returns the version of a library, as the lock file of the language has it.
    pub(super) fn version(self, library: &str, programs: &Programs) -> Result<String> {
        let read = |name: &str| -> Result<String> {
            let file = self.directory().join(name);
            std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))
        };
        let after = |text: &str, prefix: &str| {
            let line = text.lines().find_map(|line| line.trim().strip_prefix(prefix).map(str::to_owned));
            line.map(|rest| rest.trim_matches('"').trim_end_matches(" // indirect").to_owned())
        };
        let version = match self {
            Self::Javascript => {
                let lock: serde_json::Value = serde_json::from_str(&read("package-lock.json")?)?;
                lock["packages"][format!("node_modules/{library}")]["version"].as_str().map(str::to_owned)
            }
            Self::Python => after(&read("requirements.txt")?, &format!("{library}==")),
            Self::Rust => {
                let lock: toml::Value = toml::from_str(&read("Cargo.lock")?)?;
                let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
                let mut found =
                    packages.filter(|package| package.get("name").and_then(toml::Value::as_str) == Some(library));
                found.find_map(|package| package.get("version")?.as_str().map(str::to_owned))
            }
            Self::Go => {
                let modules = [read("go.mod")?, read("oauth2-proxy/go.mod")?].join("\n").replace("require ", "");
                after(&modules, &format!("{library} "))
            }
            Self::Java => version_of_jar(&programs.0.join("dependency"), library)?,
        };
        version.with_context(|| format!("{library} is not in the lock file of {}", self.name()))
    }
}

fn with_argument(program: impl AsRef<std::ffi::OsStr>, argument: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(argument);
    command
}

/// Builds the programs of a Go module into a directory.
fn go(module: &Path, into: &Path, packages: &str) -> Result<()> {
    std::fs::create_dir_all(into)?;
    let mut build = Command::new("go");
    build.args(["build", "-mod=readonly", "-o"]).arg(format!("{}/", into.display())).arg(packages).current_dir(module);
    process::run(&mut build)
}

/// Returns the version in the file name of a library: `NAME-VERSION.jar`.
fn version_of_jar(directory: &Path, library: &str) -> Result<Option<String>> {
    for entry in std::fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let version = name.strip_prefix(library).and_then(|rest| rest.strip_prefix('-')?.strip_suffix(".jar"));
        if let Some(version) = version.filter(|version| version.starts_with(|first: char| first.is_ascii_digit())) {
            return Ok(Some(version.to_owned()));
        }
    }
    Ok(None)
}
