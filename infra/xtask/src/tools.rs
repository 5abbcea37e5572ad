//! Tools that steps need, installed when missing: Python and npm packages, targets of Rust, Debian packages.

use crate::{process, workspace};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python environment with the packages of a requirements file; its directory of programs. Made anew when the file
/// has changed.
pub(crate) fn python(requirements: &Path) -> Result<PathBuf> {
    let wanted =
        std::fs::read_to_string(requirements).with_context(|| format!("reading {}", requirements.display()))?;
    let name = requirements.parent().and_then(Path::file_name).context("a requirements file in no directory")?;
    let directory = workspace::scratch("python")?.join(name);
    let programs = directory.join("bin");
    let stamp = directory.join("requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    if directory.exists() {
        std::fs::remove_dir_all(&directory)?;
    }
    let made = process::run(Command::new("python3").args(["-m", "venv"]).arg(&directory));
    if made.is_err() {
        // Debian keeps the module apart.
        debian(&["python3-venv"])?;
        process::run(Command::new("python3").args(["-m", "venv"]).arg(&directory))?;
    }
    let mut install = Command::new(programs.join("pip"));
    install.args(["install", "--quiet", "--disable-pip-version-check", "-r"]).arg(requirements);
    process::run(&mut install)?;
    std::fs::write(stamp, wanted)?;
    Ok(programs)
}

/// The npm packages of a directory's lock file.
pub(crate) fn npm(directory: &Path) -> Result<()> {
    let lock = std::fs::read(directory.join("package-lock.json"))?;
    let stamp = directory.join("node_modules/.latchkey-lock");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    process::run(
        // Not `npm ci`: it refuses a lock file that leaves out packages for other systems, which mirrors may lack.
        Command::new("npm")
            .args(["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(directory),
    )?;
    Ok(std::fs::write(stamp, lock)?)
}

/// A target of the Rust toolchain.
pub(crate) fn rust_target(target: &str) -> Result<()> {
    let libraries = process::output(Command::new("rustc").args(["--print", "target-libdir", "--target", target]))?;
    if Path::new(libraries.trim()).exists() {
        return Ok(());
    }
    process::run(Command::new("rustup").args(["target", "add", target]))
}

/// A program from crates.io, built once; where it is.
pub(crate) fn cargo(package: &str, version: &str) -> Result<PathBuf> {
    let root = workspace::scratch("cargo")?.join(format!("{package}-{version}"));
    let program = root.join("bin").join(package);
    if !program.exists() {
        let mut install = Command::new("cargo");
        install.args(["install", "--quiet", "--locked", "--version", version, package, "--root"]).arg(&root);
        // They run for seconds: what counts is how long they take to build.
        install.env("CARGO_TARGET_DIR", root.join("target")).env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
        process::run(&mut install)?;
        std::fs::remove_dir_all(root.join("target"))?;
    }
    Ok(program)
}

/// Headless Chromium, with fonts; the path of its program.
pub(crate) fn chromium() -> Result<PathBuf> {
    let found = || {
        let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
        let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
        named.into_iter().chain(usual.map(PathBuf::from)).find(|path| path.exists())
    };
    if found().is_none() {
        debian(&["chromium", "fonts-dejavu-core"])?;
    }
    found().context("Chromium is missing: install it, or set CHROMIUM to its path")
}

fn debian(packages: &[&str]) -> Result<()> {
    let user = process::output(Command::new("id").arg("-u"))?;
    if user.trim() != "0" || !process::exists("apt-get") {
        bail!("please install {} and try again", packages.join(" and "));
    }
    process::run(Command::new("apt-get").args(["update", "-qq"]))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages);
    process::run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}
