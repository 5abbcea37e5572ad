//! A function on AWS Lambda, behind an API Gateway HTTP API.

use crate::{Config, ConfigError, Context, Function, ScheduledFunction, ScheduledRun, list_problems, shell};
use manifest::Keys;
use platform::clock;
use platform::lambda::{self, Error};
use protocol::Problem;
use std::process::ExitCode;
use std::sync::Arc;
use storage_dynamodb::DynamoRecords;

/// Serves the function's requests until Lambda ends the process. Settings are read and the store's client is built while the
/// instance starts. Invalid settings are written to standard error, all of them, and fail the process. A function that signs
/// nearly every response reads the signing keys while the first event is on its way.
pub fn run(function: Function) -> ExitCode {
    lambda::run(function.row.name, async || {
        let context = context(function.row)?;
        if function.row.keys == Keys::SignAlways {
            // The first request that needs the keys reports a failure.
            tokio::spawn(async { drop(context.keyring(clock::now()).await) });
        }
        serve(function, context).await
    })
}

async fn serve(function: Function, context: &'static Context) -> Result<(), Error> {
    let proxy_fields = context.config.proxy_fields();
    lambda::serve(proxy_fields, async |request| shell::respond(&function, request, context).await).await
}

/// Runs the function on its schedule, and on the stream of the table where it has one. A failure fails the run; Lambda then tries it again.
pub fn run_scheduled(function: ScheduledFunction) -> ExitCode {
    lambda::run(function.row.name, async || {
        let context = context(function.row)?;
        lambda::serve_work(async |id, written| {
            let run = ScheduledRun::new(id.into(), clock::now());
            let done = match written.is_empty() {
                true => shell::run_scheduled(&function, run, context).await,
                false => shell::run_written(&function, &written, run, context).await,
            };
            Ok(done?)
        })
        .await
    })
}

/// Creates the instance's context, with the record access of the function. It lives as long as the process.
fn context(row: manifest::Function) -> Result<&'static Context, ConfigError> {
    let lookup = |name: &str| std::env::var(name).ok();
    let context = match DynamoRecords::from_env(lookup, clock::now) {
        Ok(records) => {
            let log = Box::new(|line: &str| println!("{line}"));
            Context::of_function(row, &lookup, Arc::new(records), log, list_problems)
        }
        Err(more) => {
            let mut problems = Config::read(&lookup).err().map(|error| error.problems).unwrap_or_default();
            problems.extend(more.into_iter().map(|problem| Problem::new("DynamoDB", problem)));
            Err(ConfigError { problems })
        }
    };
    Ok(Box::leak(Box::new(context?)))
}
