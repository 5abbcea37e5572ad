//! The server, called over sockets.

use super::*;
use http::header;
use latchkey_http::MAX_BODY;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Answers with what was sent. `/slow` takes 300 ms.
struct Echo;

impl Respond for Echo {
    async fn respond(&self, request: Request) -> Response {
        if request.path == "/slow" {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let length = request.body.len();
        Response::new(StatusCode::OK)
            .with(header::SERVER, &request.path)
            .with_body(format!("{}?{} {length}", request.method, request.query))
    }
}

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    async fn start() -> Self {
        let listeners = listen(Ipv4Addr::LOCALHOST.into(), 0).await.unwrap();
        let address = listeners[0].local_addr().unwrap();
        let listeners = listeners.into_iter().map(Listener::plain).collect();
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let task = tokio::spawn(serve(listeners, Arc::new(Echo), crate::clock::now, stopped));
        Self { address, stop, task }
    }

    /// Sends bytes and returns all that is answered until the connection ends.
    async fn send(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(2), self.task).await.unwrap().unwrap();
        assert!(TcpStream::connect(self.address).await.is_err());
    }
}

#[tokio::test]
async fn requests_are_served_until_the_server_is_asked_to_stop() {
    let server = Running::start().await;
    for _ in 0..6 {
        let answer = server.send(b"GET /a?b=c HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("GET?b=c 0"), "{answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn of_a_long_body_one_byte_over_the_limit_is_handed_over() {
    let server = Running::start().await;
    for length in [MAX_BODY, MAX_BODY + 1, 5 * MAX_BODY] {
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
        let mut request = head.into_bytes();
        request.resize(request.len() + length, b'a');
        let answer = server.send(&request).await;
        assert!(answer.ends_with(&format!("POST? {}", length.min(MAX_BODY + 1))), "{answer}");
    }
}

#[tokio::test]
async fn a_body_in_chunks_is_joined() {
    let server = Running::start().await;
    let chunks = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let answer = server.send(chunks).await;
    assert!(answer.ends_with("POST? 5"), "{answer}");
}

#[tokio::test]
async fn a_long_head_ends_the_connection() {
    let server = Running::start().await;
    // The head does not end: the server has read all of it when it reaches the limit.
    let mut request = b"GET / HTTP/1.1\r\nhost: x\r\nx-long: ".to_vec();
    request.resize(MAX_HEAD, b'a');
    let answer = server.send(&request).await;
    assert!(!answer.contains(" 200 "), "{answer}");
}

#[tokio::test]
async fn open_requests_end_before_the_server_does_and_idle_connections_do_not_hold_it_up() {
    let server = Running::start().await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut open = TcpStream::connect(server.address).await.unwrap();
    open.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop().await;
    for mut stream in [idle, open] {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("GET? 0"), "{answer}");
    }
}
