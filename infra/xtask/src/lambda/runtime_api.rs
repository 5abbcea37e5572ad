//! The Lambda Runtime API, as one instance of a function sees it:
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

const PREFIX: &str = "/2018-06-01/runtime/";

/// One event on its way through an instance.
pub(super) struct Invocation {
    /// Its id.
    pub(super) id: String,
    /// The name of the function, for its ARN.
    pub(super) function: String,
    /// When the function must have answered, in milliseconds since 1970.
    pub(super) deadline: u128,
    /// The event: JSON.
    pub(super) event: Bytes,
    /// Where the answer goes: JSON, or what the function says went wrong.
    pub(super) answer: oneshot::Sender<Result<Bytes, String>>,
}

/// The server that one instance speaks to.
pub(super) struct RuntimeApi {
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// Where events are put for the instance to fetch.
    pub(super) invocations: mpsc::Sender<Invocation>,
    task: JoinHandle<()>,
}

struct State {
    invocations: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    running: Mutex<Option<Running>>,
}

/// What the instance has fetched and not yet answered.
struct Running {
    id: String,
    answer: oneshot::Sender<Result<Bytes, String>>,
}

impl RuntimeApi {
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (sender, receiver) = mpsc::channel(1);
        let state = Arc::new(State { invocations: tokio::sync::Mutex::new(receiver), running: Mutex::new(None) });
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                let service = service_fn(move |request| answer(request, Arc::clone(&state)));
                // An instance that is ended in mid-sentence is not news.
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Ok(Self { address, invocations: sender, task })
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let words: Vec<&str> = path.strip_prefix(PREFIX).unwrap_or_default().split('/').collect();
    let response = match (request.method(), words.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => next(&state).await,
        (&Method::POST, ["invocation", id, "response"]) => {
            let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes);
            complete(&state, id, body.map_err(|error| error.to_string()))
        }
        (&Method::POST, ["invocation", id, "error"]) => {
            let said = said(request).await;
            complete(&state, id, Err(said))
        }
        (&Method::POST, ["init", "error"]) => {
            eprintln!("  init error: {}", said(request).await);
            status(StatusCode::ACCEPTED)
        }
        _ => status(StatusCode::NOT_FOUND),
    };
    Ok(response)
}

async fn said(request: Request<Incoming>) -> String {
    match request.into_body().collect().await {
        Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        Err(error) => error.to_string(),
    }
}

async fn next(state: &State) -> Response<Full<Bytes>> {
    let Some(invocation) = state.invocations.lock().await.recv().await else {
        return status(StatusCode::GONE);
    };
    let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:latchkey-{}", invocation.function);
    let response = Response::builder()
        .header("Lambda-Runtime-Aws-Request-Id", &invocation.id)
        .header("Lambda-Runtime-Deadline-Ms", invocation.deadline.to_string())
        .header("Lambda-Runtime-Invoked-Function-Arn", arn)
        .header("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0")
        .header("Content-Type", "application/json")
        .body(Full::new(invocation.event));
    *state.running.lock().unwrap_or_else(PoisonError::into_inner) =
        Some(Running { id: invocation.id, answer: invocation.answer });
    response.unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
}

fn complete(state: &State, id: &str, answer: Result<Bytes, String>) -> Response<Full<Bytes>> {
    let mut running = state.running.lock().unwrap_or_else(PoisonError::into_inner);
    match running.take() {
        Some(Running { id: expected, answer: waiting }) if expected == id => {
            // Nobody may be waiting any more.
            let _ = waiting.send(answer);
            status(StatusCode::ACCEPTED)
        }
        other => {
            *running = other;
            status(StatusCode::BAD_REQUEST)
        }
    }
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
    *response.status_mut() = status;
    response
}
