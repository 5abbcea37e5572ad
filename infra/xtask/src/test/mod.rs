//! `cargo xtask test`: the gate. Each check is a step with a name.

mod checks;
mod clients;
mod deployment;
mod mcp;
mod suites;

pub(crate) use checks::deny;
pub(crate) use deployment::template;

use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// One step.
struct Step {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<()>,
}

const fn step(name: &'static str, about: &'static str, run: fn() -> Result<()>) -> Step {
    Step { name, about, run }
}

const STEPS: &[Step] = &[
    step("format", "the code is formatted", checks::format),
    step("lint", "clippy finds nothing, for this machine", checks::lint),
    step("lint-wasm", "clippy finds nothing, for Workers", checks::lint_wasm),
    step("docs", "rustdoc finds nothing", checks::docs),
    step("style", "comments and pages keep the writing rules", crate::style::check),
    step("generate", "generated files match the manifest", crate::generate::check),
    step("readme", "the generated tables of the documentation match the code", crate::readme::check),
    step("unit", "tests beside the code, and the storage contract", checks::unit),
    step("dependencies", "no dependency is unused", checks::dependencies),
    step("package", "the published libraries can be packaged", checks::package),
    step("template", "SAM and cfn-lint accept template.yaml", deployment::template),
    step("wrangler", "wrangler accepts every Worker", deployment::wrangler),
    step("durable", "the contract of the store, on Durable Objects", crate::workers::contract),
    step("webcrypto", "keys and signatures, by WebCrypto", crate::workers::webcrypto),
    step("local", "the suite, on the local server", suites::local),
    step("lambda", "the suite, on the Lambda binaries", suites::lambda),
    step("workers", "the suite, on the Workers", suites::workers),
    step("faults", "nothing lost when the store fails, on both", suites::faults),
    step("shards", "nothing lost when the number of shards changes", suites::shards),
    step("clients", "client libraries, against the local server", clients::libraries),
    step("mcp", "MCP clients and servers, against the local server", mcp::run),
    step("gateway", "MCP, event streams and WebSockets through the gateway Worker", mcp::gateway),
    step("browser", "Chromium, against the local server", clients::browser),
];

/// Returns the name and the purpose of each step.
pub(crate) fn list() -> String {
    STEPS.iter().map(|step| format!("  {:<13} {}\n", step.name, step.about)).collect()
}

/// Runs the steps with these names, or all of them. Continues after a failure, and fails at the end.
pub(crate) fn run(only: &[String]) -> Result<()> {
    if let Some(unknown) = only.iter().find(|name| !STEPS.iter().any(|step| step.name == **name)) {
        bail!("there is no step {unknown:?}; the steps are:\n{}", list());
    }
    let chosen: Vec<&Step> =
        STEPS.iter().filter(|step| only.is_empty() || only.iter().any(|name| name == step.name)).collect();
    let mut results = Vec::new();
    for (number, step) in chosen.iter().enumerate() {
        eprintln!("\n[{}/{}] {}: {}", number.saturating_add(1), chosen.len(), step.name, step.about);
        let start = Instant::now();
        let result = (step.run)();
        let took = start.elapsed();
        match &result {
            Ok(()) => eprintln!("  ok, {}", seconds(took)),
            Err(error) => eprintln!("  FAILED after {}: {error:#}", seconds(took)),
        }
        results.push((step, took, result));
    }
    eprintln!("\n{:<14} {:<7} {:>8}", "step", "result", "time");
    for (step, took, result) in &results {
        eprintln!("{:<14} {:<7} {:>8}", step.name, if result.is_ok() { "ok" } else { "FAILED" }, seconds(*took));
    }
    let total = results.iter().fold(Duration::ZERO, |total, (_, took, _)| total.saturating_add(*took));
    let failed: Vec<&str> =
        results.iter().filter(|(_, _, result)| result.is_err()).map(|(step, _, _)| step.name).collect();
    eprintln!("{:<14} {:<7} {:>8}\n", "total", "", seconds(total));
    if failed.is_empty() { Ok(()) } else { bail!("failed: {}", failed.join(", ")) }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
