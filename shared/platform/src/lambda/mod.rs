//! AWS Lambda behind an API Gateway HTTP API.

mod event;

use crate::{PlatformError, clock, compression, version};
use event::{Answer, Event};
use lambda_http::lambda_runtime::{LambdaEvent, Runtime, service_fn};
use latchkey_http::{MAX_BODY, ProxyFields, Request, Response};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::process::ExitCode;
use types::Timestamp;

pub use event::AuthorizerEvent;
pub use lambda_http::lambda_runtime::Error;

/// Logs the version of the function, and runs `serve` on a single-threaded executor until Lambda ends the process. An error
/// is written to standard error and fails the process.
pub fn run(function: &str, serve: impl AsyncFnOnce() -> Result<(), Error>) -> ExitCode {
    println!("{}", version::start_line(function, clock::now()));
    let run = || -> Result<(), Error> {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve())
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves HTTP API events with `respond`. `proxy` names the header fields of a trusted proxy.
pub async fn serve(proxy: Option<ProxyFields<'_>>, respond: impl AsyncFn(Request) -> Response) -> Result<(), Error> {
    let answer = async |event: LambdaEvent<Event>| {
        let request = event.payload.into_request(clock::now(), MAX_BODY, proxy)?;
        let allows_gzip = request.allows_gzip();
        Ok::<_, Error>(Answer::from(compression::compress(respond(request).await, allows_gzip)))
    };
    Runtime::new(service_fn(answer)).run().await
}

/// Reads an event as `serve` does. Errors: the bytes are no HTTP API event.
pub fn read_event(event: &[u8], now: Timestamp) -> Result<Request, PlatformError> {
    let event: Event =
        serde_json::from_slice(event).map_err(|_| PlatformError::new("the event is no HTTP API event"))?;
    event.into_request(now, MAX_BODY, None)
}

/// Serves HTTP API events of routes behind a Lambda authorizer with `respond`, which also gets the context that the
/// authorizer returned.
pub async fn serve_authorized(respond: impl AsyncFn(Request, Map<String, Value>) -> Response) -> Result<(), Error> {
    let answer = async |event: LambdaEvent<Event>| {
        let mut event = event.payload;
        let context = event.take_authorizer_context();
        let request = event.into_request(clock::now(), MAX_BODY, None)?;
        Ok::<_, Error>(Answer::from(respond(request, context).await))
    };
    Runtime::new(service_fn(answer)).run().await
}

/// Serves the events of a Lambda authorizer with `authorize`, which gets the request and the ARN of its route. On an error
/// API Gateway answers 500.
pub async fn serve_authorizer(authorize: impl AsyncFn(Request, String) -> Result<Value, Error>) -> Result<(), Error> {
    let answer = async |event: LambdaEvent<AuthorizerEvent>| {
        let (request, route) = event.payload.into_request(clock::now())?;
        authorize(request, route).await
    };
    Runtime::new(service_fn(answer)).run().await
}

/// An event of a schedule, or of the stream of a DynamoDB table.
#[derive(Default, Deserialize)]
#[serde(default)]
struct WorkEvent {
    #[serde(rename = "Records")]
    records: Vec<StreamRecord>,
}

/// A record of a stream.
#[derive(Deserialize)]
struct StreamRecord {
    dynamodb: StreamItem,
}

#[derive(Deserialize)]
struct StreamItem {
    #[serde(rename = "Keys")]
    keys: StreamKeys,
}

#[derive(Deserialize)]
struct StreamKeys {
    key: StreamText,
}

#[derive(Deserialize)]
struct StreamText {
    #[serde(rename = "S")]
    text: String,
}

/// Serves the events of a schedule and of a stream with `work`, which gets the identifier of the invocation and the keys of the items that
/// were written: none on the schedule. An error fails the invocation; Lambda then tries it again as the event source says.
pub async fn serve_work(work: impl AsyncFn(String, Vec<String>) -> Result<(), Error>) -> Result<(), Error> {
    let answer = async |event: LambdaEvent<WorkEvent>| {
        let keys = event.payload.records.into_iter().map(|record| record.dynamodb.keys.key.text).collect();
        work(event.context.request_id, keys).await
    };
    Runtime::new(service_fn(answer)).run().await
}
