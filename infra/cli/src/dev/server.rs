//! An HTTP/1.1 server for one application: accepts, reads a request whole, has it answered, writes the response.

use crate::clock;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use latchkey_http::{Request, RequestLog, Response};
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

/// What answers the requests.
pub(crate) trait Application: Send + Sync + 'static {
    /// Answers one request; whatever goes wrong is a response too.
    fn answer(&self, request: Request) -> impl Future<Output = Response> + Send;

    /// How many bytes of a body are read at most, before the request is answered without the rest.
    fn body_limit(&self) -> usize;
}

/// How long a connection may wait for the head of a request, the first one or the next. No round number of seconds for which
/// a client may pause: it would send into a connection that is just being closed.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// How long a client may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How large the head of a request may be.
const HEAD_LIMIT: usize = 64 * 1024;
/// How much of a body over the limit is read for the client's sake.
const DRAINED: usize = 2 * 1024 * 1024;
/// How long requests that are being answered may take once the server is told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Listens on an address; and where that is 127.0.0.1, on ::1 too if it can, since `localhost` may mean either.
pub(crate) async fn listen(host: IpAddr, port: u16) -> io::Result<Vec<TcpListener>> {
    let first = TcpListener::bind((host, port)).await?;
    let mut listeners = vec![first];
    if host == IpAddr::from([127, 0, 0, 1])
        && let Some(address) = listeners.first().and_then(|listener| listener.local_addr().ok())
    {
        match TcpListener::bind((IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), address.port())).await {
            Ok(second) => listeners.push(second),
            Err(error) if port != 0 && error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(_) => {}
        }
    }
    Ok(listeners)
}

/// Serves until `stop` says true, on this thread and on `threads - 1` more; then lets open requests end.
pub(crate) async fn serve<A: Application>(
    listeners: Vec<TcpListener>,
    application: Arc<A>,
    threads: u16,
    mut stop: watch::Receiver<bool>,
) {
    let workers: Vec<Worker> =
        (1..threads).filter_map(|_| Worker::start(Arc::clone(&application), stop.clone()).ok()).collect();
    let graceful = GracefulShutdown::new();
    let mut turn = 0_usize;
    loop {
        let (stream, peer) = tokio::select! {
            accepted = accept(&listeners) => match accepted {
                Ok(accepted) => accepted,
                // Out of file descriptors, most likely: let some connections end.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = told(&mut stop) => break,
        };
        turn = turn.wrapping_add(1);
        match turn.checked_rem(workers.len().saturating_add(1)).and_then(|index| workers.get(index)) {
            Some(worker) => worker.take_over(stream, peer),
            None => connection(stream, peer, Arc::clone(&application), graceful.watcher()),
        }
    }
    drop(listeners);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    for worker in workers {
        worker.join();
    }
}

/// Comes back when `stop` says true, or nobody can say so any more.
async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The next connection of any listener.
async fn accept(listeners: &[TcpListener]) -> io::Result<(TcpStream, SocketAddr)> {
    std::future::poll_fn(|context| {
        for listener in listeners {
            if let std::task::Poll::Ready(accepted) = listener.poll_accept(context) {
                return std::task::Poll::Ready(accepted);
            }
        }
        std::task::Poll::Pending
    })
    .await
}

/// A thread of its own, with its own event loop, that serves the connections handed to it.
struct Worker {
    connections: mpsc::UnboundedSender<(std::net::TcpStream, SocketAddr)>,
    thread: std::thread::JoinHandle<()>,
}

impl Worker {
    fn start<A: Application>(application: Arc<A>, mut stop: watch::Receiver<bool>) -> io::Result<Self> {
        let (connections, mut arriving) = mpsc::unbounded_channel::<(std::net::TcpStream, SocketAddr)>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("latchkey-http".to_owned()).spawn(move || {
            runtime.block_on(async {
                let graceful = GracefulShutdown::new();
                loop {
                    tokio::select! {
                        arrived = arriving.recv() => match arrived {
                            Some((stream, peer)) => {
                                if let Ok(stream) = TcpStream::from_std(stream) {
                                    connection(stream, peer, Arc::clone(&application), graceful.watcher());
                                }
                            }
                            None => break,
                        },
                        () = told(&mut stop) => break,
                    }
                }
                let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
            });
        })?;
        Ok(Self { connections, thread })
    }

    fn take_over(&self, stream: TcpStream, peer: SocketAddr) {
        if let Ok(stream) = stream.into_std() {
            let _ = self.connections.send((stream, peer));
        }
    }

    fn join(self) {
        drop(self.connections);
        let _ = self.thread.join();
    }
}

/// Serves one connection, in a task of its own.
fn connection<A: Application>(stream: TcpStream, peer: SocketAddr, application: Arc<A>, watcher: Watcher) {
    // Else the kernel holds a small response back until the client acknowledges the one before.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let application = Arc::clone(&application);
        async move { Ok::<_, Infallible>(exchange(&*application, request, peer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_LIMIT)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service);
    let watched = watcher.watch(connection);
    tokio::spawn(async move {
        // A connection that breaks is the client's affair.
        let _ = watched.await;
    });
}

async fn exchange<A: Application>(
    application: &A,
    request: http::Request<Incoming>,
    peer: SocketAddr,
) -> http::Response<Full<Bytes>> {
    let received_at = clock::now();
    let (head, incoming) = request.into_parts();
    let limit = application.body_limit();
    let body = match tokio::time::timeout(BODY_TIMEOUT, whole(incoming, limit)).await {
        Ok(Some(body)) => body,
        // The client stopped in the middle: nobody waits for the answer.
        Ok(None) | Err(_) => {
            let mut response = http::Response::new(Full::default());
            *response.status_mut() = http::StatusCode::REQUEST_TIMEOUT;
            return response;
        }
    };
    let response = application
        .answer(Request {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body,
            address: Some(peer.ip().to_canonical()),
            received_at,
            id: request_id(),
            log: RequestLog::default(),
        })
        .await;
    let mut answer = http::Response::new(Full::new(Bytes::from(response.body)));
    *answer.status_mut() = response.status;
    *answer.headers_mut() = response.headers;
    answer
}

/// The body, or its beginning: one byte over the limit shows that it is too large. `None` when it breaks off.
async fn whole(mut incoming: Incoming, limit: usize) -> Option<Bytes> {
    use hyper::body::Body;
    if incoming.is_end_stream() {
        return Some(Bytes::new());
    }
    let mut gathered = BytesMut::new();
    let mut first = Bytes::new();
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        if first.is_empty() && gathered.is_empty() {
            // Most bodies come in one piece, which needs no copy.
            first = data;
        } else {
            if gathered.is_empty() {
                gathered.extend_from_slice(&first);
            }
            gathered.extend_from_slice(&data);
        }
        if incoming.is_end_stream() {
            break;
        }
        if first.len().max(gathered.len()) > limit {
            drain(&mut incoming).await;
            break;
        }
    }
    let mut body = if gathered.is_empty() { first } else { gathered.freeze() };
    body.truncate(limit.saturating_add(1));
    Some(body)
}

/// Reads what is left and drops it, within reason: a client that is still writing would not see the answer.
async fn drain(incoming: &mut Incoming) {
    let mut left = DRAINED;
    while let Some(Ok(frame)) = incoming.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            return;
        }
    }
}

/// Names a request: this process's start, and a number.
fn request_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:08x}-{count}", *START)
}

static START: std::sync::LazyLock<u32> =
    std::sync::LazyLock::new(|| u32::try_from(clock::now().as_millis() & 0xffff_ffff).unwrap_or_default());

#[cfg(test)]
mod tests {
    use super::*;
    use http::{StatusCode, header};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    struct Echo;

    impl Application for Echo {
        async fn answer(&self, request: Request) -> Response {
            let length = request.body.len();
            Response::new(StatusCode::OK)
                .with(header::SERVER, &request.path)
                .with_body(format!("{}?{} {length}", request.method, request.query))
        }

        fn body_limit(&self) -> usize {
            1000
        }
    }

    async fn say(address: SocketAddr, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn serves_on_every_thread_and_stops_when_told() {
        let listeners = listen(IpAddr::from([127, 0, 0, 1]), 0).await.unwrap();
        let address = listeners[0].local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(serve(listeners, Arc::new(Echo), 3, stopped));
        for _ in 0..6 {
            let answer = say(address, b"GET /a?b=c HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("GET?b=c 0"), "{answer}");
        }
        let mut request = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\nconnection: close\r\n\r\n".to_vec();
        request.resize(request.len() + 5000, b'a');
        let answer = say(address, &request).await;
        assert!(answer.ends_with("POST? 1001"), "{answer}");
        let chunks = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let answer = say(address, chunks).await;
        assert!(answer.ends_with("POST? 5"), "{answer}");
        stop.send(true).unwrap();
        tokio::time::timeout(Duration::from_secs(2), server).await.unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
