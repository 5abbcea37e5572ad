//! A function on AWS Lambda, behind an API Gateway HTTP API.

mod event;

use crate::{Context, Fault, Handler, clock, shell};
use event::{Answer, Event};
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use protocol::Timestamp;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;

/// What a scheduled function does, at the moment given.
pub type Scheduled =
    for<'a> fn(Timestamp, &'a Context) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'a>>;

/// Serves a function's requests until Lambda ends the process. Settings are read and the store's client is built
/// during initialisation; what is wrong with them is written to standard error, all of it, and the process fails.
pub fn run(function: &'static str, handler: Handler) -> ExitCode {
    start(async |context: &'static Context| {
        let respond = async move |event: LambdaEvent<Event>| -> Result<Answer, lambda_runtime::Error> {
            let request = event.payload.into_request(clock::now(), shell::BODY_LIMIT)?;
            Ok(Answer::from(shell::respond(function, handler, request, context).await))
        };
        Runtime::new(service_fn(respond)).run().await
    })
}

/// The same for a function that EventBridge Scheduler starts. A fault fails the invocation, which Lambda tries again.
pub fn run_scheduled(function: &'static str, scheduled: Scheduled) -> ExitCode {
    start(async |context: &'static Context| {
        let run = async move |_: LambdaEvent<serde::de::IgnoredAny>| -> Result<(), lambda_runtime::Error> {
            Ok(shell::run_scheduled(function, scheduled, clock::now(), context).await?)
        };
        Runtime::new(service_fn(run)).run().await
    })
}

fn start(serve: impl AsyncFnOnce(&'static Context) -> Result<(), lambda_runtime::Error>) -> ExitCode {
    let served = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Into::into).and_then(|tokio| {
        tokio.block_on(async {
            // It lives as long as the process.
            let context = Box::leak(Box::new(Context::from_env().await?));
            serve(context).await
        })
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
