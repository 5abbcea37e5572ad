//! Load on an HTTP server: persistent connections, each with one request after the other.

use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The requests of one connection.
pub(crate) enum Script {
    /// The same request again and again.
    Same(Vec<u8>),
    /// A refresh with the token of the previous response.
    Refresh {
        /// The form without `refresh_token`.
        form: String,
        /// The first refresh token.
        token: String,
    },
}

/// Returns the bytes of a request that posts a form.
pub(crate) fn post(path: &str, form: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    )
    .into_bytes()
}

/// Returns the bytes of a GET request.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

/// Loads a server with a connection for each script, and samples a counter of cost meanwhile. Returns the cost of one
/// request in each of `samples` stretches. The first stretch is not counted.
pub(crate) fn cost_of_a_request(
    server: SocketAddr,
    scripts: Vec<Script>,
    expected: u16,
    samples: usize,
    stretch: Duration,
    cost: impl Fn() -> Result<Duration>,
) -> Result<Vec<Duration>> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio.block_on(async {
        let answers = Arc::new(AtomicU64::new(0));
        let mut connections = tokio::task::JoinSet::new();
        for script in scripts {
            connections.spawn(converse(server, script, expected, Arc::clone(&answers)));
        }
        let sample = async {
            tokio::time::sleep(stretch).await;
            let mut costs = Vec::new();
            for _ in 0..samples {
                let (cost_before, answers_before) = (cost()?, answers.load(Ordering::Relaxed));
                let start = Instant::now();
                tokio::time::sleep(stretch).await;
                let requests = answers.load(Ordering::Relaxed).saturating_sub(answers_before);
                let spent = cost()?.saturating_sub(cost_before);
                let requests = u32::try_from(requests)?;
                costs.push(
                    spent
                        .checked_div(requests)
                        .with_context(|| format!("the server answered nothing in {:?}", start.elapsed()))?,
                );
            }
            anyhow::Ok(costs)
        };
        tokio::select! {
            costs = sample => costs,
            Some(ended) = connections.join_next() => match ended? {
                Ok(()) => bail!("a connection ended"),
                Err(error) => Err(error),
            },
        }
    })
}

async fn converse(server: SocketAddr, mut script: Script, expected: u16, answers: Arc<AtomicU64>) -> Result<()> {
    let mut stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let request = match &script {
            Script::Same(request) => request,
            Script::Refresh { form, token } => &post("/token", &format!("{form}&refresh_token={token}")),
        };
        stream.write_all(request).await?;
        let (status, body) = answer(&mut stream, &mut buffer).await?;
        if status != expected {
            bail!("status {status}: {body}");
        }
        if let Script::Refresh { token, .. } = &mut script {
            let parsed: serde_json::Value = serde_json::from_str(&body)?;
            *token = parsed["refresh_token"].as_str().context("no refresh_token in the answer")?.to_owned();
        }
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

/// Returns the status and the body of the next response.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<(u16, String)> {
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        let Some(head_length) = buffer.windows(4).position(|part| part == b"\r\n\r\n") else { continue };
        let (head, rest) = buffer.split_at_checked(head_length.saturating_add(4)).context("a head")?;
        let head = std::str::from_utf8(head)?;
        let status = head.split(' ').nth(1).context("a response without a status")?.parse()?;
        let body = match field(head, "content-length") {
            Some(length) => rest.get(..length.parse::<usize>()?),
            // These servers send other bodies in one chunk.
            None => rest.strip_suffix(b"0\r\n\r\n".as_slice()).map(first_chunk),
        };
        if let Some(body) = body {
            return Ok((status, std::str::from_utf8(body)?.to_owned()));
        }
    }
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// Returns the content of the first chunk of a body.
fn first_chunk(body: &[u8]) -> &[u8] {
    let text = body.splitn(2, |byte| *byte == b'\n').nth(1).unwrap_or_default();
    text.strip_suffix(b"\r\n".as_slice()).unwrap_or(text)
}
