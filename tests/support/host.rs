//! An HTTP server of the test on 127.0.0.1. The server under test fetches documents from it and notifies it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A server with its responses and the requests that it received. It runs until the test ends.
#[derive(Clone)]
pub struct Host {
    origin: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    answers: BTreeMap<String, Answer>,
    requests: Vec<Received>,
}

/// The response at a path.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields except `Content-Length` and `Connection`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The time that the server waits before it responds.
    pub delay: Duration,
}

impl Answer {
    /// Returns a response with status 200.
    pub fn new(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status: 200, headers, body: body.into(), delay: Duration::ZERO }
    }

    /// Returns an empty response with any status.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), delay: Duration::ZERO }
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the time that the server waits before it responds.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The header fields, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// Returns a field of the form in the body.
    pub fn field(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(&self.body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

impl Host {
    /// Starts a server on a free port. It responds 404 to paths without a response.
    pub fn start() -> Self {
        Self::listen("127.0.0.1:0")
    }

    /// Starts a server at an address.
    pub fn listen(address: &str) -> Self {
        let listener = TcpListener::bind(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let host = Self { origin, shared: Arc::default() };
        let shared = host.shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                // A broken connection does not fail the test.
                thread::spawn(move || shared.exchange(&stream).ok());
            }
        });
        host
    }

    /// Returns the URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Sets the response at a path. Returns the URL.
    pub fn serve(&self, path: &str, answer: Answer) -> String {
        self.shared.state.lock().unwrap().answers.insert(path.to_owned(), answer);
        self.url(path)
    }

    /// Serves a JSON document at a path. Returns the URL.
    pub fn serve_json(&self, path: &str, document: &serde_json::Value) -> String {
        self.serve(path, Answer::new("application/json", document.to_string()))
    }

    /// Returns the requests at a path so far.
    pub fn requests(&self, path: &str) -> Vec<Received> {
        let state = self.shared.state.lock().unwrap();
        state.requests.iter().filter(|request| is_at(request, path)).cloned().collect()
    }

    /// Waits until `count` requests have arrived at a path, 15 s at most.
    #[track_caller]
    pub fn wait_for(&self, path: &str, count: usize) -> Vec<Received> {
        let deadline = Instant::now() + Duration::from_secs(15);
        let mut state = self.shared.state.lock().unwrap();
        loop {
            let found: Vec<_> = state.requests.iter().filter(|request| is_at(request, path)).cloned().collect();
            let left = deadline.saturating_duration_since(Instant::now());
            if found.len() >= count {
                return found;
            }
            assert!(!left.is_zero(), "{count} requests expected at {path}, there came {found:?}");
            state = self.shared.arrived.wait_timeout(state, left).unwrap().0;
        }
    }
}

fn is_at(request: &Received, path: &str) -> bool {
    request.target.split('?').next() == Some(path)
}

impl Shared {
    fn exchange(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(()) };
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let mut body = Vec::new();
        if let Some(length) = headers.get("content-length").and_then(|length| length.parse().ok()) {
            body.resize(length, 0);
            reader.read_exact(&mut body)?;
        } else if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
            body = chunks(&mut reader)?;
        }
        let request = Received { method, target, headers, body };
        let path = request.target.split('?').next().unwrap_or_default().to_owned();
        let answer = {
            let mut state = self.state.lock().unwrap();
            state.requests.push(request);
            state.answers.get(&path).cloned().unwrap_or_else(|| Answer::status(404))
        };
        self.arrived.notify_all();
        thread::sleep(answer.delay);
        let mut head = format!("HTTP/1.1 {} .\r\n", answer.status);
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", answer.body.len()));
        stream.write_all(head.as_bytes())?;
        stream.write_all(&answer.body)
    }
}

fn chunks(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim().split(';').next().unwrap_or_default(), 16).unwrap_or(0);
        let mut chunk = vec![0; length + 2];
        reader.read_exact(&mut chunk)?;
        if length == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunk[..length]);
    }
}
