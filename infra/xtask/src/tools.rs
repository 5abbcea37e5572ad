//! Installs the tools of the steps when they are missing: Python and npm packages, Rust targets, Debian packages.

use crate::{process, workspace};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Installs the packages of a requirements file into a virtual environment. Returns its directory of programs.
/// Rebuilds the environment when the file has changed.
pub(crate) fn python(requirements: &Path) -> Result<PathBuf> {
    let wanted =
        std::fs::read_to_string(requirements).with_context(|| format!("reading {}", requirements.display()))?;
    let name = requirements
        .parent()
        .and_then(Path::file_name)
        .with_context(|| format!("{} has no parent directory", requirements.display()))?;
    let directory = workspace::scratch("python")?.join(name);
    let programs = directory.join("bin");
    let stamp = directory.join("requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    if directory.exists() {
        std::fs::remove_dir_all(&directory)?;
    }
    let created = process::run(Command::new("python3").args(["-m", "venv"]).arg(&directory));
    if created.is_err() {
        // Debian ships the `venv` module in a package of its own.
        debian(&["python3-venv"])?;
        process::run(Command::new("python3").args(["-m", "venv"]).arg(&directory))?;
    }
    let mut install = Command::new(programs.join("pip"));
    install.args(["install", "--quiet", "--disable-pip-version-check", "-r"]).arg(requirements);
    process::run(&mut install)?;
    std::fs::write(stamp, wanted)?;
    Ok(programs)
}

/// The copy of the lock file that was installed last. `infra/cloudflare/build.sh` compares the same file.
const NPM_STAMP: &str = "node_modules/.latchkey-lock";

/// Installs the npm packages of a directory, exactly as its lock file lists them.
pub(crate) fn npm(directory: &Path) -> Result<()> {
    let lock = std::fs::read(directory.join("package-lock.json"))?;
    let stamp = directory.join(NPM_STAMP);
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    process::run(
        Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(directory),
    )?;
    Ok(std::fs::write(stamp, lock)?)
}

/// Installs a target of the Rust toolchain.
pub(crate) fn rust_target(target: &str) -> Result<()> {
    let libraries = process::output(Command::new("rustc").args(["--print", "target-libdir", "--target", target]))?;
    if Path::new(libraries.trim()).exists() {
        return Ok(());
    }
    process::run(Command::new("rustup").args(["target", "add", target]))
}

/// Builds a program from crates.io, unless this version was built before. Returns its path.
pub(crate) fn cargo(package: &str, version: &str) -> Result<PathBuf> {
    let root = workspace::scratch("cargo")?.join(format!("{package}-{version}"));
    let program = root.join("bin").join(package);
    if !program.exists() {
        let mut install = Command::new("cargo");
        install.args(["install", "--quiet", "--locked", "--version", version, package, "--root"]).arg(&root);
        // The program runs for seconds, so a short build saves more time than optimized code does.
        install.env("CARGO_TARGET_DIR", root.join("target")).env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
        process::run(&mut install)?;
        std::fs::remove_dir_all(root.join("target"))?;
    }
    Ok(program)
}

/// Installs headless Chromium with fonts. Returns the path of its program.
pub(crate) fn chromium() -> Result<PathBuf> {
    let found = || {
        let configured = std::env::var_os("CHROMIUM").map(PathBuf::from);
        let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
        configured.into_iter().chain(usual.map(PathBuf::from)).find(|path| path.exists())
    };
    if found().is_none() {
        debian(&["chromium", "fonts-dejavu-core"])?;
    }
    found().context("Chromium is missing: install it, or set CHROMIUM to the path of its program")
}

/// The Apache HTTP Server.
pub(crate) const APACHE: &str = "/usr/sbin/apache2";

/// Installs the Apache HTTP Server with mod_auth_openidc, but no service of it.
pub(crate) fn apache() -> Result<()> {
    if Path::new("/usr/lib/apache2/modules/mod_auth_openidc.so").exists() {
        return Ok(());
    }
    debian(&["apache2-bin", "libapache2-mod-auth-openidc"])
}

fn debian(packages: &[&str]) -> Result<()> {
    let user = process::output(Command::new("id").arg("-u"))?;
    if user.trim() != "0" || !process::exists("apt-get") {
        bail!("install {} and run the command again", packages.join(" and "));
    }
    process::run(Command::new("apt-get").args(["update", "-qq"]))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages);
    process::run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}
