//! `latchkey records`: maintenance of the records on Cloudflare.

use crate::args::{RecordsCommand, ReshardArgs, RestoreArgs};
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::output::Output;
use serde_json::{Value, json};

pub(crate) fn run(command: &RecordsCommand, output: Output) -> Result<(), Failure> {
    match command {
        RecordsCommand::Restore(args) => restore(args, output),
        RecordsCommand::Reshard(args) => reshard(args, output),
    }
}

fn restore(args: &RestoreArgs, output: Output) -> Result<(), Failure> {
    let deployment = Deployment::of(&args.deployment)?;
    let question = format!(
        "Let all records of {} go back to {}? What was written since is lost, and every user must sign in again.",
        deployment.origin(),
        args.at
    );
    output.confirm(&question, args.confirmation.yes)?;
    let state = repeat(&deployment, "records/restore", &json!({ "at": args.at }), "restoring", output)?;
    output.print(&state, || match text(&state, "state") {
        "planned" => format!(
            "The restore to {} is planned, and nothing has changed yet.\nDeploy every function with LATCHKEY_EPOCH={}, then \
             run the same command again.",
            args.at, number(&state, "epoch")
        ),
        _ => format!(
            "{} of {} objects went back to {}; the others were never used.\nA restore to {} undoes it, with another epoch; \
             --json prints the bookmarks that undo it, too.",
            number(&state, "restored"), number(&state, "shards"), args.at, number(&state, "began_at")
        ),
    });
    Ok(())
}

fn reshard(args: &ReshardArgs, output: Output) -> Result<(), Failure> {
    let deployment = Deployment::of(&args.deployment)?;
    let question = format!(
        "Change {} to {} shards? Every request is answered with 503 until all functions are deployed with LATCHKEY_SHARDS={}.",
        deployment.origin(),
        args.shards,
        args.shards
    );
    output.confirm(&question, args.confirmation.yes)?;
    let state = repeat(&deployment, "records/reshard", &json!({ "shards": args.shards }), "", output)?;
    output.print(&state, || {
        format!(
            "The records are in {} shards, {} of them moved.\nDeploy every function with LATCHKEY_SHARDS={} now.",
            number(&state, "to"),
            number(&state, "moved"),
            number(&state, "to")
        )
    });
    Ok(())
}

/// Sends a request until the work is done, or waits for the operator. `busy` is the state in which it goes on; a change of the number
/// of shards names its step.
fn repeat(deployment: &Deployment, path: &str, body: &Value, busy: &str, output: Output) -> Result<Value, Failure> {
    loop {
        let state = deployment.post_json(path, body)?;
        if let Some(problem) = state.get("problem").and_then(Value::as_str) {
            output.end_progress();
            return Err(Failure::new(problem).remedy("Run the same command again: it continues where it stopped."));
        }
        let step = text(&state, "state");
        if step != busy && !matches!(step, "close" | "move" | "open") {
            output.end_progress();
            return Ok(state);
        }
        output.progress(&format!("{step}: {} objects done", number(&state, "done")));
    }
}

/// Returns a number as text; 0 if the member is missing.
fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
