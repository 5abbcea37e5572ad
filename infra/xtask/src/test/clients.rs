//! Clients that others wrote, and a browser.

use super::suites::{Target, with_local};
use crate::{process, tools, workspace};
use anyhow::Result;
use std::process::Command;

/// The client libraries of `tests/clients`.
pub(super) fn libraries() -> Result<()> {
    let directory = workspace::root().join("tests/clients");
    if directory.join("package-lock.json").exists() {
        tools::npm(&directory)?;
    } else {
        tools::npm(workspace::root())?;
    }
    let requirements = directory.join("requirements.txt");
    let python = if requirements.exists() { Some(tools::python(&requirements)?) } else { None };
    with_local(|target| {
        process::run(&mut node_tests(target, "tests/clients"))?;
        let Some(python) = &python else { return Ok(()) };
        let mut pytest = Command::new(python.join("python"));
        pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/clients"]);
        process::run(pytest.envs(target.variables()).current_dir(workspace::root()))
    })
}

/// The pages in Chromium, with and without JavaScript: those that the server serves, and each of them with sample data.
pub(super) fn browser() -> Result<()> {
    tools::npm(workspace::root())?;
    let chromium = tools::chromium()?;
    let gallery = workspace::scratch("gallery")?;
    let mut render = Command::new("cargo");
    render.args(["run", "--quiet", "--package", "pages", "--example", "gallery", "--"]).arg(&gallery);
    process::run(render.current_dir(workspace::root()))?;
    with_local(|target| {
        process::run(node_tests(target, "tests/browser").env("CHROMIUM", &chromium).env("GALLERY", &gallery))
    })
}

fn node_tests(target: &Target, directory: &str) -> Command {
    let mut node = Command::new("node");
    // A shell is not needed: node finds the tests below the directory itself.
    node.args(["--test", "--test-reporter=spec"])
        .envs(target.variables())
        .current_dir(workspace::root().join(directory));
    node
}
