//! The local machine: an HTTP/1.1 server that runs every function in one process.

mod body;
mod tls;

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
use latchkey_http::{ClientCertificate, Forwarded, ProxyFields, Request, RequestId, RequestLog, Response};
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use types::Timestamp;

pub use tls::Tls;

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

/// A listener, and the TLS of its connections; plain HTTP without it.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    tls: Option<Tls>,
}

impl Listener {
    /// Returns a listener of plain HTTP.
    pub const fn plain(tcp: TcpListener) -> Self {
        Self { tcp, tls: None }
    }

    /// Returns a listener of TLS, which asks clients for certificates.
    pub const fn with_tls(tcp: TcpListener, tls: Tls) -> Self {
        Self { tcp, tls: Some(tls) }
    }
}

/// Serves until `stop` is ready, then waits for open requests to end. `now` is the clock that dates requests.
pub async fn serve(
    listeners: Vec<Listener>,
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
    async fn accept(&self, listener: &Listener, graceful: &GracefulShutdown) {
        while let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await {
            match listener.tcp.accept().await {
                Ok((stream, peer)) => self.connect(stream, listener.tls.clone(), peer, slot, graceful.watcher()),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    /// Serves one connection in a task of its own.
    fn connect(
        &self,
        stream: TcpStream,
        tls: Option<Tls>,
        peer: SocketAddr,
        slot: OwnedSemaphorePermit,
        watcher: Watcher,
    ) {
        // Otherwise the kernel holds a small response back until the client acknowledges the one before.
        let _ = stream.set_nodelay(true);
        let (application, now) = (Arc::clone(&self.application), self.now);
        tokio::spawn(async move {
            match tls {
                None => speak(stream, Connection { application, peer, certificate: None, now }, watcher).await,
                Some(tls) => {
                    // A handshake that fails concerns the client alone.
                    if let Ok((stream, certificate)) = tls.accept(stream, now()).await {
                        speak(stream, Connection { application, peer, certificate, now }, watcher).await;
                    }
                }
            }
            drop(slot);
        });
    }
}

/// A connection of a client.
struct Connection<A> {
    application: Arc<A>,
    peer: SocketAddr,
    certificate: Option<ClientCertificate>,
    now: fn() -> Timestamp,
}

/// Speaks HTTP on a connection until it ends.
async fn speak<A: Respond>(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    connection: Connection<A>,
    watcher: Watcher,
) {
    let connection = &connection;
    let service = service_fn(|request| async move { Ok::<_, Infallible>(exchange(connection, request).await) });
    let spoken = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service);
    // A connection that breaks concerns the client alone.
    let _ = watcher.watch(spoken).await;
}

async fn exchange<A: Respond>(
    Connection { application, peer, certificate, now }: &Connection<A>,
    request: http::Request<Incoming>,
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
                certificate: certificate.clone(),
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
fn request_id(now: Timestamp) -> RequestId {
    static START: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let start = START.get_or_init(|| now.as_millis() & 0xffff_ffff);
    format!("{start:08x}-{}", COUNT.fetch_add(1, Ordering::Relaxed)).into()
}

#[cfg(test)]
mod tests;
