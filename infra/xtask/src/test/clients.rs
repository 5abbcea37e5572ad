//! Tests with client libraries and with a browser.

use super::suites::{Target, with_local};
use crate::clients::{self as samples, Selection};
use crate::{process, tools, workspace};
use anyhow::Result;
use std::process::Command;

/// Runs the tests with client libraries, in `tests/clients`, and the samples that need no long build.
pub(super) fn libraries() -> Result<()> {
    let directory = workspace::root().join("tests/clients");
    tools::npm(workspace::root())?;
    tools::npm(&directory.join("javascript"))?;
    let python = tools::python(&directory.join("python/requirements.txt"))?;
    with_local(|target| {
        process::run(&mut node_tests(target, "tests/clients"))?;
        let mut unittest = Command::new(python.join("python"));
        unittest.args(["-B", "-m", "unittest", "--quiet", "test_authlib"]).envs(target.variables());
        process::run(unittest.current_dir(directory.join("python")))
    })?;
    samples::run(Selection::Quick)
}

/// Tests the pages in Chromium, with and without JavaScript: as the server serves them, and each page with sample data.
pub(super) fn browser() -> Result<()> {
    tools::npm(workspace::root())?;
    let chromium = tools::chromium()?;
    let gallery = workspace::scratch("gallery")?;
    workspace::build(workspace::Build::Dev)?;
    process::run(Command::new(workspace::binary("examples", workspace::Build::Dev).join("gallery")).arg(&gallery))?;
    with_local(|target| {
        process::run(node_tests(target, "tests/browser").env("CHROMIUM", &chromium).env("GALLERY", &gallery))
    })
}

/// Tests passkeys in Chromium against a server of any platform.
pub(super) fn passkeys(target: &Target) -> Result<()> {
    tools::npm(workspace::root())?;
    let chromium = tools::chromium()?;
    let mut node = node_tests(target, "tests/browser");
    process::run(node.arg("passkeys.test.mjs").env("CHROMIUM", &chromium))
}

fn node_tests(target: &Target, directory: &str) -> Command {
    let mut node = Command::new("node");
    // Node finds the tests below the directory.
    node.args(["--test", "--test-reporter=spec"])
        .envs(target.variables())
        .current_dir(workspace::root().join(directory));
    node
}
