//! Fetching over sockets of our own: the name is resolved here, each address is judged, and only then connected to, so
//! that no second answer of the DNS can slip in between. A connection serves one request.

mod development;

use super::{FetchError, Fetched, Outgoing, Transport};
use async_trait::async_trait;
use bytes::Bytes;
use http::header;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use types::remote_url::{self, EgressPolicy};
use url::Host;

/// How long one address may take to accept the connection, before the next one is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the head of an answer may be, in bytes.
const HEAD_LIMIT: usize = 16 * 1024;

pub(super) struct Native;

#[async_trait]
impl Transport for Native {
    async fn send(&self, request: &Outgoing) -> Result<Fetched, FetchError> {
        tokio::time::timeout(request.timeout, exchange(request)).await.unwrap_or(Err(FetchError::TimedOut))
    }
}

async fn exchange(request: &Outgoing) -> Result<Fetched, FetchError> {
    let host = request.url.host().ok_or(FetchError::Refused("must be an https URL"))?;
    let port = request.url.port_or_known_default().unwrap_or(443);
    let stream = connect(&host, port, request.reach).await?;
    if request.url.scheme() == "http" {
        return talk(stream, request).await;
    }
    let name = match host {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).map_err(failed)?,
        Host::Ipv4(address) => ServerName::from(IpAddr::from(address)),
        Host::Ipv6(address) => ServerName::from(IpAddr::from(address)),
    };
    // It was connected to at all because this is a development server.
    let is_here = stream.peer_addr().map_err(failed)?.ip().is_loopback();
    let config = if is_here { development::tls()? } else { tls()? };
    talk(TlsConnector::from(config).connect(name, stream).await.map_err(failed)?, request).await
}

/// Connects to the first address of the host that may be connected to and answers.
async fn connect(host: &Host<&str>, port: u16, reach: EgressPolicy) -> Result<TcpStream, FetchError> {
    let addresses: Vec<SocketAddr> = match host {
        Host::Domain(name) => lookup_host((*name, port)).await.map_err(failed)?.collect(),
        Host::Ipv4(address) => vec![(*address, port).into()],
        Host::Ipv6(address) => vec![(*address, port).into()],
    };
    let mut outcome = FetchError::Refused("must be at a public host");
    for address in addresses.into_iter().filter(|address| remote_url::is_reachable(address.ip(), reach)) {
        match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => outcome = failed(error),
            Err(_) => outcome = FetchError::TimedOut,
        }
    }
    Err(outcome)
}

/// Trusts the certificate authorities that browsers trust. Built once, by the first request.
fn tls() -> Result<Arc<ClientConfig>, FetchError> {
    static TLS: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = TLS.get() {
        return Ok(config.clone());
    }
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TLS.get_or_init(|| Arc::new(config)).clone())
}

async fn talk<S>(stream: S, request: &Outgoing) -> Result<Fetched, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(HEAD_LIMIT).handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // Whatever comes of the request, the connection ends with it.
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let response = sender.send_request(message(request)?).await.map_err(failed)?;
    let (head, mut incoming) = response.into_parts();
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        if let Ok(data) = frame.map_err(failed)?.into_data() {
            body.extend_from_slice(&data);
        }
        if body.len() > request.limit {
            return Err(FetchError::TooLong);
        }
    }
    Ok(Fetched { status: head.status, cache_control: text(header::CACHE_CONTROL), body })
}

fn message(request: &Outgoing) -> Result<http::Request<Full<Bytes>>, FetchError> {
    let url = &request.url;
    let host = url.host_str().unwrap_or_default();
    let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let message = http::Request::builder()
        .uri(target)
        .header(header::HOST, authority)
        .header(header::ACCEPT, "*/*")
        .header(header::USER_AGENT, "latchkey")
        .header(header::CONNECTION, "close");
    let message = match &request.form {
        None => message.method(http::Method::GET).body(Full::default()),
        Some(form) => message
            .method(http::Method::POST)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form.clone()))),
    };
    message.map_err(failed)
}

fn failed(error: impl Display) -> FetchError {
    FetchError::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::{Fetcher, LIMIT};
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    const SECOND: Duration = Duration::from_secs(1);

    /// Serves one connection with this answer, and gives back what was asked.
    async fn server(answer: &'static [u8]) -> (u16, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let length = stream.read(&mut asked).await.unwrap();
            let _ = stream.write_all(answer).await;
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        (port, task)
    }

    fn fetcher() -> Fetcher {
        Fetcher::new(EgressPolicy::Loopback)
    }

    #[tokio::test]
    async fn an_answer_comes_whole() {
        let (port, asked) = server(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: max-age=60\r\ncontent-length: 2\r\n\r\n{}",
        )
        .await;
        let url = format!("http://localhost:{port}/a/b?c=d#e");
        let fetched = fetcher().get(&url, LIMIT, SECOND).await.unwrap();
        assert_eq!((fetched.status.as_u16(), fetched.body.as_slice()), (200, b"{}".as_slice()));
        assert_eq!(fetched.cache_control.as_deref(), Some("max-age=60"));
        let asked = asked.await.unwrap().to_ascii_lowercase();
        assert!(asked.starts_with("get /a/b?c=d http/1.1\r\n"), "{asked}");
        assert!(asked.contains(&format!("\r\nhost: localhost:{port}\r\n")), "{asked}");
    }

    #[tokio::test]
    async fn a_form_is_posted() {
        let (port, asked) = server(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        let fetched =
            fetcher().post_form(&format!("http://127.0.0.1:{port}/"), &[("logout_token", "a b&c")]).await.unwrap();
        assert_eq!(fetched.status.as_u16(), 204);
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("POST / HTTP/1.1\r\n") && asked.ends_with("\r\n\r\nlogout_token=a+b%26c"), "{asked}");
    }

    #[tokio::test]
    async fn redirects_are_answers() {
        let (port, _) =
            server(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n").await;
        let fetched = fetcher().get(&format!("http://127.0.0.1:{port}/"), LIMIT, SECOND).await.unwrap();
        assert_eq!(fetched.status.as_u16(), 302);
    }

    #[tokio::test]
    async fn long_answers_break_off() {
        for answer in [
            b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n12345678901".as_slice(),
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n12345678901",
        ] {
            let (port, _) = server(answer).await;
            let fetched = fetcher().get(&format!("http://127.0.0.1:{port}/"), 10, SECOND).await;
            assert_eq!(fetched, Err(FetchError::TooLong));
        }
    }

    #[tokio::test]
    async fn slow_answers_break_off() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let fetched = fetcher().get(&url, LIMIT, Duration::from_millis(50)).await;
        assert_eq!(fetched, Err(FetchError::TimedOut));
    }

    /// A name with a public look whose address is not public: judged when connecting, whatever the URL says.
    #[tokio::test]
    async fn addresses_are_judged_when_connecting() {
        let (port, _) = server(b"HTTP/1.1 200 OK\r\n\r\n").await;
        for host in ["localhost", "127.0.0.1"] {
            let url = format!("http://{host}:{port}/").parse().unwrap();
            let request = Outgoing { url, form: None, limit: 10, timeout: SECOND, reach: EgressPolicy::Public };
            assert_eq!(Native.send(&request).await, Err(FetchError::Refused("must be at a public host")));
        }
    }

    #[tokio::test]
    async fn plain_http_serves_no_https() {
        let (port, _) = server(b"HTTP/1.1 200 OK\r\n\r\n").await;
        let fetched = fetcher().get(&format!("https://localhost:{port}/"), LIMIT, SECOND).await;
        assert!(matches!(fetched, Err(FetchError::Failed(_))), "{fetched:?}");
    }

    /// A server on this machine, with a certificate of its own making: what clients under development have.
    #[tokio::test]
    async fn certificates_of_this_machine_are_taken_and_no_others() {
        use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
        let certificate =
            CertificateDer::from_pem_slice(include_bytes!("../../tests/self-signed/certificate.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("../../tests/self-signed/key.pem")).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = tokio_rustls::rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
                }
            }
        });
        let url = format!("https://localhost:{}/", address.port());
        assert_eq!(fetcher().get(&url, LIMIT, SECOND).await.unwrap().body, b"{}");

        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let refused = TlsConnector::from(tls().unwrap()).connect(name, stream).await.unwrap_err();
        assert!(refused.to_string().contains("certificate"), "{refused}");
    }
}
