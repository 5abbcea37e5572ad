//! The languages of the samples: how their packages are installed, and how a sample is started.

use crate::{process, tools, workers, workspace};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Samples in Go with a module of their own, because it holds much: the folder, and the package of the program.
const GO_PROGRAMS: [(&str, &str); 3] = [
    ("dex", "."),
    ("oauth2-proxy", "github.com/oauth2-proxy/oauth2-proxy/v7"),
    ("step", "github.com/smallstep/cli/cmd/step"),
];

/// Samples in Java with a project of their own: the folder.
const JAVA_PROJECTS: [&str; 2] = ["pac4j", "quarkus"];

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub(super) enum Language {
    Javascript,
    Python,
    Rust,
    Go,
    Java,
    /// Modules of the Apache HTTP Server, from the packages of Debian. A sample is a configuration file.
    Apache,
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
            Self::Apache => "apache",
        }
    }

    /// Returns the directory of the samples.
    fn directory(self) -> PathBuf {
        workspace::root().join("tests/clients").join(self.name())
    }

    /// Installs the packages and builds samples, of which the programs are given. Go and Java are used if the machine has them.
    pub(super) fn prepare(self, samples: &[&str]) -> Result<Ready> {
        let directory = self.directory();
        let has = |folder: &str| samples.iter().any(|program| program.starts_with(folder));
        let built = workspace::scratch("clients")?.join(self.name());
        let programs = match self {
            Self::Javascript => {
                tools::npm(&directory)?;
                directory
            }
            Self::Python => {
                if has("jupyterhub") {
                    // Its proxy is a program in JavaScript.
                    tools::npm(&Self::Javascript.directory())?;
                }
                tools::python(&directory.join("requirements.txt"))?
            }
            Self::Rust => {
                let mut build = Command::new("cargo");
                build.args(["build", "--quiet", "--locked", "--target-dir"]).arg(&built).current_dir(directory);
                process::run(&mut build)?;
                built.join("debug")
            }
            Self::Go if !process::exists("go") => return Ok(Ready::Missing("go")),
            Self::Go => {
                go(&directory, &built, "./...")?;
                for (folder, package) in GO_PROGRAMS {
                    if has(folder) {
                        go(&directory.join(folder), &built, package)?;
                    }
                }
                built
            }
            Self::Java if !process::exists("java") => return Ok(Ready::Missing("java")),
            Self::Java if !process::exists("mvn") => return Ok(Ready::Missing("mvn")),
            Self::Java => {
                if samples.iter().any(|program| !program.contains('/')) {
                    maven(&directory, &built)?;
                }
                for folder in JAVA_PROJECTS.into_iter().filter(|folder| has(folder)) {
                    maven(&directory.join(folder), &built.join(folder))?;
                }
                built
            }
            Self::Apache => {
                tools::apache()?;
                std::fs::create_dir_all(&built)?;
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
            Self::Java if program.ends_with(".jar") => {
                let mut java = Command::new("java");
                java.arg("-jar").arg(programs.join(program));
                java
            }
            Self::Apache => {
                // One process in the foreground.
                let mut apache = Command::new(tools::APACHE);
                apache.arg("-X").arg("-d").arg(programs).arg("-f").arg(self.directory().join(program));
                apache.env("SAMPLES", self.directory());
                apache
            }
            Self::Java => {
                let (folder, class) = program.split_once('/').unwrap_or(("", program));
                let built = programs.join(folder);
                let path = format!("{}:{}/*", built.join("classes").display(), built.join("dependency").display());
                let mut java = Command::new("java");
                java.args(["-cp", &path, class]);
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
                let mut modules = read("go.mod")?;
                for (folder, _) in GO_PROGRAMS {
                    modules.push_str(&read(&format!("{folder}/go.mod"))?);
                }
                after(&modules.replace("require ", ""), &format!("{library} "))
            }
            Self::Java => {
                let folders = std::iter::once("").chain(JAVA_PROJECTS);
                let mut built = folders.map(|folder| programs.0.join(folder).join("dependency"));
                built.find_map(|directory| version_of_jar(&directory, library))
            }
            Self::Apache => {
                let mut query = Command::new("dpkg-query");
                Some(process::output(query.args(["--show", "--showformat=${Version}", library]))?)
            }
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

/// Builds a project of Maven. Its libraries are in `dependency`, below the directory.
fn maven(project: &Path, into: &Path) -> Result<()> {
    let mut build = Command::new("mvn");
    build.args(["--quiet", "--batch-mode", "package", "dependency:copy-dependencies", "-DincludeScope=runtime"]);
    build.arg(format!("-DoutputDirectory={}", into.join("dependency").display())).current_dir(project);
    process::run(build.arg(format!("-Dlatchkey.build={}", into.display())))
}

/// Returns the version in the file name of a library: `NAME-VERSION.jar`. `None` if the directory has no such file.
fn version_of_jar(directory: &Path, library: &str) -> Option<String> {
    std::fs::read_dir(directory).ok()?.find_map(|entry| {
        let name = entry.ok()?.file_name().to_string_lossy().into_owned();
        let version = name.strip_prefix(library)?.strip_prefix('-')?.strip_suffix(".jar")?;
        version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
    })
}
