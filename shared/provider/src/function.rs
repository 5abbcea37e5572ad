//! A function as every platform calls it.

use crate::{Context, HandlerError, ListCheck, list_problems, responses};
use http::StatusCode;
use latchkey_http::{Request, RequestId, RequestLog, Response};
use pages::Refusal;
use std::future::Future;
use std::pin::Pin;
use types::Timestamp;

/// A handler: answers one request.
pub type Handler =
    for<'a> fn(&'a Request, &'a Context) -> Pin<Box<dyn Future<Output = Result<Response, HandlerError>> + Send + 'a>>;

/// The response of a function to a request that its handler rejects.
pub type ErrorResponse = fn(HandlerError, &Request, &Context) -> Response;

/// The page of a function for requests that no function handles, with a hint for developers; `None` if the function has none, or
/// it cannot be made.
pub type RefusalPage = fn(&Request, &Context, Refusal, StatusCode, &str) -> Option<Response>;

/// The work of a function on its schedule.
pub type Scheduled =
    for<'a> fn(&'a ScheduledRun, &'a Context) -> Pin<Box<dyn Future<Output = Result<(), HandlerError>> + Send + 'a>>;

/// The work of a function on records that were just written, by their keys.
pub type OnWritten = for<'a> fn(
    &'a [String],
    &'a ScheduledRun,
    &'a Context,
) -> Pin<Box<dyn Future<Output = Result<(), HandlerError>> + Send + 'a>>;

/// One run of a function on its schedule.
#[derive(Clone, Debug)]
pub struct ScheduledRun {
    /// The identifier of the run, as the platform names it where it does.
    pub id: RequestId,
    /// The start of the run.
    pub now: Timestamp,
    /// The members of the run's log line.
    pub log: RequestLog,
}

impl ScheduledRun {
    /// Returns a run with an empty log.
    pub fn new(id: RequestId, now: Timestamp) -> Self {
        Self { id, now, log: RequestLog::default() }
    }
}

/// A function with routes.
#[derive(Clone, Copy)]
pub struct Function {
    /// The row of the manifest.
    pub row: manifest::Function,
    /// Answers a request.
    pub handler: Handler,
    /// Turns an error of the handler into a response.
    pub error_response: ErrorResponse,
    /// Returns the page for requests that no function handles.
    pub refusal_page: RefusalPage,
    /// Checks the lists among the settings, in a Worker.
    pub list_check: ListCheck,
}

impl Function {
    /// Returns a function. A name that the manifest lacks does not compile.
    pub const fn new(name: &'static str, handler: Handler, error_response: ErrorResponse) -> Self {
        Self {
            row: manifest::function(name),
            handler,
            error_response,
            refusal_page: responses::refused,
            list_check: |_, _, _| Vec::new(),
        }
    }

    /// Returns the function with the full check of the lists among the settings. The Workers of the others have only the rules for the
    /// lists that they use (infra/decisions/worker-bundle-weight.md).
    #[must_use]
    pub const fn with_list_check(self) -> Self {
        Self { list_check: list_problems, ..self }
    }

    /// Returns a function that answers errors with JSON.
    pub const fn api(name: &'static str, handler: Handler) -> Self {
        Self::new(name, handler, HandlerError::into_api_response)
    }

    /// Returns a function that answers errors with a page.
    pub const fn page(name: &'static str, handler: Handler) -> Self {
        Self::new(name, handler, HandlerError::into_page_response)
    }
}

/// A function with a schedule.
#[derive(Clone, Copy)]
pub struct ScheduledFunction {
    /// The row of the manifest.
    pub row: manifest::Function,
    /// Does the work that is due.
    pub run: Scheduled,
    /// Does the work on records that were just written, where the function has such work.
    pub on_written: Option<OnWritten>,
}

impl ScheduledFunction {
    /// Returns a function with a schedule. A name that the manifest lacks does not compile.
    pub const fn new(name: &'static str, run: Scheduled) -> Self {
        Self { row: manifest::function(name), run, on_written: None }
    }

    /// Returns the function, which the platform also runs when records were written.
    #[must_use]
    pub const fn on_written(self, work: OnWritten) -> Self {
        Self { on_written: Some(work), ..self }
    }
}
