//! The local machine: an HTTP/1.1 server that runs every function in one process.

mod body;

use crate::compression;
use bytes::Bytes;
use futures::future::join_all;
use http::{HeaderMap, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use latchkey_http::{Forwarded, ProxyFields, Request, RequestLog, Response};
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use types::Timestamp;

/// Maximum time that a connection waits for the head of a request, the first or the next. Clients often pause for a
/// round number of seconds. With such a number here, they would write to a connection that is being closed.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// Maximum time in which a client sends a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum length of the head of a request, in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// Maximum number of open connections. Others wait to be accepted. Processes often have a limit of 1,024 open files.
const MAX_CONNECTIONS: usize = 900;
/// Maximum time in which open requests end after the server is asked to stop.
const GRACE: Duration = Duration::from_secs(3);
/// Pause after a connection could not be accepted, most likely for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Answers one request. Errors are responses too.
pub trait Respond: Send + Sync + 'static {
    /// Returns the response.
    fn respond(&self, request: Request) -> impl Future<Output = Response> + Send;

    /// Returns the header fields of a trusted proxy, if one is configured.
    fn proxy_fields(&self) -> Option<ProxyFields<'_>> {
        None
    }
}

/// Listens on an address. With 127.0.0.1 it also listens on ::1 if the machine has it, because `localhost` may mean
/// either.
pub async fn listen(host: IpAddr, port: u16) -> io::Result<Vec<TcpListener>> {
    let first = TcpListener::bind((host, port)).await?;
    let bound = first.local_addr()?;
    let mut listeners = vec![first];
    if host == Ipv4Addr::LOCALHOST {
        match TcpListener::bind((Ipv6Addr::LOCALHOST, bound.port())).await {
            Ok(second) => listeners.push(second),
            Err(error) if port != 0 && error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(_) => {}
        }
    }
    Ok(listeners)
}

/// Serves until `stop` is ready, then waits for open requests to end. `now` is the clock that dates requests.
pub async fn serve(
    listeners: Vec<TcpListener>,
    application: Arc<impl Respond>,
    now: fn() -> Timestamp,
    stop: impl Future<Output = ()>,
) {
    let server = Server { application, now, slots: Arc::new(Semaphore::new(MAX_CONNECTIONS)) };
    let graceful = GracefulShutdown::new();
    tokio::select! {
        _ = join_all(listeners.iter().map(|listener| server.accept(listener, &graceful))) => {}
        () = stop => {}
    }
    drop(listeners);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

struct Server<A> {
    application: Arc<A>,
    now: fn() -> Timestamp,
    slots: Arc<Semaphore>,
}

impl<A: Respond> Server<A> {
    /// Accepts connections for ever.
    async fn accept(&self, listener: &TcpListener, graceful: &GracefulShutdown) {
        while let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, peer)) => self.connect(stream, peer, slot, graceful.watcher()),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    /// Serves one connection in a task of its own.
    fn connect(&self, stream: TcpStream, peer: SocketAddr, slot: OwnedSemaphorePermit, watcher: Watcher) {
        // Otherwise the kernel holds a small response back until the client acknowledges the one before.
        let _ = stream.set_nodelay(true);
        let (application, now) = (Arc::clone(&self.application), self.now);
        let service = service_fn(move |request| {
            let application = Arc::clone(&application);
            async move { Ok::<_, Infallible>(exchange(&*application, request, peer, now).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_HEAD)
            .pipeline_flush(true)
            .serve_connection(TokioIo::new(stream), service);
        let connection = watcher.watch(connection);
        tokio::spawn(async move {
            // A connection that breaks concerns the client alone.
            let _ = connection.await;
            drop(slot);
        });
    }
}

async fn exchange(
    application: &impl Respond,
    request: http::Request<Incoming>,
    peer: SocketAddr,
    now: fn() -> Timestamp,
) -> http::Response<Full<Bytes>> {
    let received_at = now();
    let (head, incoming) = request.into_parts();
    let response = match tokio::time::timeout(BODY_TIMEOUT, body::read(incoming)).await {
        Ok(Some(body)) => {
            let field = |name: &str| last_value(&head.headers, name);
            let request = Request {
                forwarded: Forwarded::read(application.proxy_fields(), field),
                method: head.method,
                path: head.uri.path().to_owned(),
                query: head.uri.query().unwrap_or_default().to_owned(),
                headers: head.headers,
                body,
                place: None,
                certificate: None,
                address: Some(peer.ip().to_canonical()),
                received_at,
                id: request_id(received_at),
                log: RequestLog::default(),
            };
            let allows_gzip = request.allows_gzip();
            compression::compress(application.respond(request).await, allows_gzip)
        }
        Ok(None) | Err(_) => Response::new(StatusCode::REQUEST_TIMEOUT),
    };
    let mut answer = http::Response::new(Full::from(response.body));
    *answer.status_mut() = response.status;
    *answer.headers_mut() = response.headers;
    answer
}

/// Returns the last value of a header field: a proxy appends.
fn last_value(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get_all(name).iter().next_back().and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Returns a name for a request: the time of the process's first request, and a number.
fn request_id(now: Timestamp) -> String {
    static START: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let start = START.get_or_init(|| now.as_millis() & 0xffff_ffff);
    format!("{start:08x}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests;
