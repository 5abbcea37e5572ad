//! The Lambda Runtime API for one instance of a function:
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

/// One event for an instance.
pub(crate) struct Invocation {
    /// The id of the request.
    pub(crate) id: String,
    /// The name of the function, for its ARN.
    pub(crate) function: String,
    /// The time by which the function must answer, in milliseconds since 1970.
    pub(crate) deadline: u128,
    /// The event, as JSON.
    pub(crate) event: Bytes,
    /// Receives the answer as JSON, or the error that the function reports.
    pub(crate) answer: oneshot::Sender<Result<Bytes, String>>,
}

/// The server that one instance calls.
pub(crate) struct RuntimeApi {
    /// The address of the server.
    pub(crate) address: SocketAddr,
    /// Takes the events that the instance fetches.
    pub(crate) invocations: mpsc::Sender<Invocation>,
    task: JoinHandle<()>,
}

struct State {
    invocations: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    running: Mutex<Option<Running>>,
}

/// The event that the instance has fetched and not yet answered.
struct Running {
    id: String,
    answer: oneshot::Sender<Result<Bytes, String>>,
}

impl RuntimeApi {
    /// Listens on a free port.
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (sender, receiver) = mpsc::channel(1);
        let state = Arc::new(State { invocations: tokio::sync::Mutex::new(receiver), running: Mutex::new(None) });
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                let service = service_fn(move |request| answer(request, Arc::clone(&state)));
                // A connection breaks when an instance is ended.
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
            let error = text(request).await;
            complete(&state, id, Err(error))
        }
        (&Method::POST, ["init", "error"]) => {
            eprintln!("  init error: {}", text(request).await);
            status(StatusCode::ACCEPTED)
        }
        _ => status(StatusCode::NOT_FOUND),
    };
    Ok(response)
}

async fn text(request: Request<Incoming>) -> String {
    match request.into_body().collect().await {
        Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        Err(error) => error.to_string(),
    }
}

async fn next(state: &State) -> Response<Full<Bytes>> {
    let Some(invocation) = state.invocations.lock().await.recv().await else {
        return status(StatusCode::GONE);
    };
    let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{}", invocation.function);
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
            // The caller may have given up.
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

#[cfg(test)]
mod tests {
    use super::*;
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    #[tokio::test]
    async fn an_instance_fetches_an_event_and_answers_it_once() {
        let api = RuntimeApi::start().await.unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let url = |path: &str| format!("http://{}{PREFIX}{path}", api.address);
        let (sender, receiver) = oneshot::channel();
        let event = Bytes::from_static(b"{\"event\":1}");
        let (id, function) = ("id-1".to_owned(), "stack-token".to_owned());
        api.invocations.send(Invocation { id, function, deadline: 1000, event, answer: sender }).await.unwrap();

        let next = client.get(url("invocation/next").parse().unwrap()).await.unwrap();
        assert_eq!(next.headers()["lambda-runtime-aws-request-id"], "id-1");
        assert_eq!(next.headers()["lambda-runtime-deadline-ms"], "1000");
        let arn = next.headers()["lambda-runtime-invoked-function-arn"].to_str().unwrap();
        assert!(arn.ends_with(":function:stack-token"), "{arn}");
        assert_eq!(next.into_body().collect().await.unwrap().to_bytes(), "{\"event\":1}");

        for (id, status) in [("id-2", 400), ("id-1", 202), ("id-1", 400)] {
            let answer = Request::post(url(&format!("invocation/{id}/response"))).body(Full::from("{}")).unwrap();
            assert_eq!(client.request(answer).await.unwrap().status(), status, "{id}");
        }
        assert_eq!(receiver.await.unwrap(), Ok(Bytes::from_static(b"{}")));
        assert_eq!(client.get(url("unknown").parse().unwrap()).await.unwrap().status(), 404);
    }
}
