//! `latchkey keys`: the signing keys.

use crate::args::{KeyArgs, KeysCommand, ReplaceArgs};
use crate::clock;
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::output::{Output, duration, table};
use serde_json::{Value, json};

pub(crate) fn run(command: &KeysCommand, output: Output) -> Result<(), Failure> {
    match command {
        KeysCommand::List(deployment) => {
            let keys = Deployment::of(deployment)?.list("keys", output)?;
            show(&keys, output);
            Ok(())
        }
        KeysCommand::Rotate(args) => act("rotate", args, &Deployment::of(&args.deployment)?, output),
        KeysCommand::Replace(args) => replace(args, output),
    }
}

fn replace(args: &ReplaceArgs, output: Output) -> Result<(), Failure> {
    let deployment = Deployment::of(&args.key.deployment)?;
    let which = args.key.alg.as_ref().map_or_else(|| "all signing keys".to_owned(), |alg| format!("the {alg} key"));
    let question =
        format!("Replace {which} of {}? Every token that the replaced keys signed is rejected.", deployment.origin());
    output.confirm(&question, args.confirmation.yes)?;
    act("replace", &args.key, &deployment, output)
}

fn act(action: &str, args: &KeyArgs, deployment: &Deployment, output: Output) -> Result<(), Failure> {
    let query = args.alg.as_ref().map(|alg| format!("?alg={alg}")).unwrap_or_default();
    let answer = deployment.post(&format!("keys/{action}{query}"))?;
    let answer = answer.ok_or_else(|| {
        Failure::new(format!("{} cannot rotate its keys on command.", deployment.origin()))
            .remedy("Its functions are older than this command: deploy this version.")
    })?;
    show(answer.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default(), output);
    Ok(())
}

fn show(keys: &[Value], output: Output) {
    let now = clock::now().as_secs();
    output.print(&json!(keys), || {
        let rows: Vec<Vec<String>> = keys.iter().map(|key| row(key, now)).collect();
        table(&["KEY", "ALG", "STATE"], &rows)
    });
}

fn row(key: &Value, now: u64) -> Vec<String> {
    let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let seconds = |name: &str| key.get(name).and_then(Value::as_u64);
    let state = match (key.get("signs") == Some(&json!(true)), seconds("signs_from"), seconds("verifies_until")) {
        (true, ..) => "signs".to_owned(),
        (false, Some(from), _) if from > now => format!("signs in {}", duration(from.saturating_sub(now))),
        (false, _, Some(until)) => format!("verifies for another {}", duration(until.saturating_sub(now))),
        (false, ..) => "verifies".to_owned(),
    };
    vec![text("kid"), text("alg"), state]
}
