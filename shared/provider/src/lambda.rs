//! A function on AWS Lambda, behind an API Gateway HTTP API.

use crate::{Config, ConfigError, Context, Function, Scheduled, shell};
use platform::clock;
use platform::lambda::{self, Error};
use protocol::Problem;
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;
use storage_dynamodb::DynamoRecords;

/// Serves the function's requests until Lambda ends the process. Settings are read and the store's client is built
/// while the instance starts. Invalid settings are written to standard error, all of them, and fail the process.
pub fn run(function: Function) -> ExitCode {
    lambda::run(async || serve(function, context()?).await)
}

/// As [`run`], for a function that signs its responses: the signing keys are read while the first event is on its way.
pub fn run_signing(function: Function) -> ExitCode {
    lambda::run(async || {
        let context = context()?;
        // The first request that needs the keys reports a failure.
        tokio::spawn(async { drop(context.keyring(clock::now()).await) });
        serve(function, context).await
    })
}

async fn serve(function: Function, context: &'static Context) -> Result<(), Error> {
    lambda::serve(async |request| shell::respond(&function, request, context).await).await
}

/// Runs the function on its schedule. A failure fails the run; Lambda then tries it again.
pub fn run_scheduled(function: &'static str, scheduled: Scheduled) -> ExitCode {
    lambda::run(async || {
        let context = context()?;
        lambda::serve_schedule(async |request| {
            let now = clock::now();
            let done = scheduled(now, context).await;
            let reason = done.as_ref().err().map(ToString::to_string);
            let line = json!({ "at": now.as_millis(), "request": request, "function": function, "reason": reason });
            (context.log)(&line.to_string());
            Ok(done?)
        })
        .await
    })
}

/// Makes the instance's context. It lives as long as the process.
fn context() -> Result<&'static Context, ConfigError> {
    let lookup = |name: &str| std::env::var(name).ok();
    let context = match DynamoRecords::from_env(lookup) {
        Ok(records) => Context::new(&lookup, Arc::new(records), Box::new(|line| println!("{line}"))),
        Err(more) => {
            let mut problems = Config::read(&lookup).err().map(|error| error.problems).unwrap_or_default();
            problems.extend(more.into_iter().map(|problem| Problem::new("DynamoDB", problem)));
            Err(ConfigError { problems })
        }
    };
    Ok(Box::leak(Box::new(context?)))
}
