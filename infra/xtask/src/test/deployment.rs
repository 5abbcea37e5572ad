//! Whether the tools of AWS and Cloudflare accept the deployment.

use crate::workspace::{self, Build};
use crate::{process, tools, workers};
use anyhow::Result;
use std::process::Command;

/// SAM's own check, then cfn-lint on what SAM makes of the template: each finds what the other does not.
pub(crate) fn template() -> Result<()> {
    let root = workspace::root();
    let programs = tools::python(&root.join("infra/aws/requirements.txt"))?;
    let translated = workspace::scratch("template")?.join("translated.json");
    let mut sam = Command::new(programs.join("sam"));
    sam.args(["validate", "--lint", "--region", "us-east-1", "--template", "template.yaml"]);
    process::run(sam.env("SAM_CLI_TELEMETRY", "0").current_dir(root))?;
    let mut translate = Command::new(programs.join("python"));
    translate.args(["infra/aws/translate.py", "template.yaml"]).arg(&translated);
    process::run(translate.env("AWS_DEFAULT_REGION", "us-east-1").current_dir(root))?;
    let mut lint = Command::new(programs.join("cfn-lint"));
    process::run(lint.args(["--regions", "us-east-1", "--template"]).arg(&translated))
}

/// Wrangler's own check of what it would upload, for each Worker.
pub(super) fn wrangler() -> Result<()> {
    workers::build_all(Build::Dev)?;
    workers::dry_run()
}
