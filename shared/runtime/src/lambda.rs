//! A function on AWS Lambda, behind an API Gateway HTTP API.

mod event;

use crate::{Config, ConfigError, Context, Handler, Scheduled, shell};
use event::{Answer, Event};
use lambda_http::lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use protocol::Timestamp;
use serde::de::IgnoredAny;
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use storage_dynamodb::DynamoRecords;

/// Serves a function's requests until Lambda ends the process. Settings are read and the store's client is built
/// while the instance starts; all that is wrong with them is written to standard error, and the process fails.
pub fn run(function: &'static str, handler: Handler) -> ExitCode {
    start(async |context| serve(function, handler, context).await)
}

/// The same for a function that signs what it answers with: the signing keys are read while the first event is on its way.
pub fn run_signing(function: &'static str, handler: Handler) -> ExitCode {
    start(async |context| {
        // A fault will be met again by whoever needs the keys.
        tokio::spawn(async { drop(context.keyring(now()).await) });
        serve(function, handler, context).await
    })
}

async fn serve(function: &'static str, handler: Handler, context: &'static Context) -> Result<(), Error> {
    let answer = move |event: LambdaEvent<Event>| async move {
        let request = event.payload.into_request(now(), shell::MAX_BODY)?;
        Ok::<_, Error>(Answer::from(shell::respond(function, handler, request, context).await))
    };
    Runtime::new(service_fn(answer)).run().await
}

/// Runs a function on its schedule, likewise. A fault fails the run, which is then tried again.
pub fn run_scheduled(function: &'static str, scheduled: Scheduled) -> ExitCode {
    start(async |context| {
        let serve = move |event: LambdaEvent<IgnoredAny>| async move {
            let now = now();
            let done = scheduled(now, context).await;
            let reason = done.as_ref().err().map(|fault| &fault.reason);
            let request = event.context.request_id;
            let line = json!({ "at": now.as_millis(), "request": request, "function": function, "reason": reason });
            (context.log)(&line.to_string());
            Ok::<_, Error>(done?)
        };
        Runtime::new(service_fn(serve)).run().await
    })
}

fn start(serve: impl AsyncFnOnce(&'static Context) -> Result<(), Error>) -> ExitCode {
    let run = || -> Result<(), Error> {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        tokio.block_on(async {
            // It lives as long as the process.
            let context: &'static Context = Box::leak(Box::new(context()?));
            serve(context).await
        })
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn context() -> Result<Context, ConfigError> {
    let lookup = |name: &str| std::env::var(name).ok();
    match DynamoRecords::from_env(lookup) {
        Ok(records) => Context::new(&lookup, Arc::new(records), Box::new(|line| println!("{line}"))),
        Err(more) => {
            let mut problems = Config::read(&lookup).err().map(|error| error.problems).unwrap_or_default();
            problems.extend(more);
            Err(ConfigError { problems })
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "this is the platform's clock; Lambda has one")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
