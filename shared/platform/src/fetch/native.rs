//! Fetching over hyper. The resolver judges each address of a name and hands on only those that the egress policy allows, so
//! that no second answer of the DNS can slip in between judging and connecting.

mod connector;
mod development;

use super::{FetchError, Fetched, Outgoing, Transport};
use async_trait::async_trait;
use bytes::Bytes;
use connector::{Connector, reachable};
use http::{HeaderName, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use std::error::Error;
use std::fmt::Display;
use std::io;
use std::sync::OnceLock;
use std::time::Duration;
use types::remote_url::EgressPolicy;

/// Maximum length of an answer's head, in bytes.
const HEAD_LIMIT: usize = 16 * 1024;
/// Time after which an idle connection to the operator's server is closed. Lambda freezes instances, and their connections
/// end without notice.
const IDLE: Duration = Duration::from_secs(20);

/// A transport over the machine's network.
pub(super) struct Native {
    reach: EgressPolicy,
    client: OnceLock<legacy::Client<Connector, Full<Bytes>>>,
}

impl Native {
    pub(super) const fn new(reach: EgressPolicy) -> Self {
        Self { reach, client: OnceLock::new() }
    }

    /// True if connections stay open for the next request: to the one server that the operator configured.
    fn keeps_connections(&self) -> bool {
        self.reach == EgressPolicy::Any
    }

    fn client(&self) -> Result<&legacy::Client<Connector, Full<Bytes>>, FetchError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.http1_max_buf_size(HEAD_LIMIT).pool_idle_timeout(IDLE);
        if !self.keeps_connections() {
            builder.pool_max_idle_per_host(0);
        }
        let client = builder.build(Connector::new(self.reach)?);
        Ok(self.client.get_or_init(|| client))
    }

    async fn exchange(&self, request: &Outgoing) -> Result<Fetched, FetchError> {
        // The connector resolves names alone.
        if !reachable(request.url.host(), self.reach) {
            return Err(NOT_PUBLIC);
        }
        let response = self.client()?.request(self.message(request)?).await.map_err(no_answer)?;
        let (head, mut incoming) = response.into_parts();
        let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(frame) = incoming.frame().await {
            if let Ok(data) = frame.map_err(failed)?.into_data() {
                body.extend_from_slice(&data);
            }
            if body.len() > request.limit {
                return Err(FetchError::TooLong);
            }
        }
        let (cache_control, content_type) = (text(header::CACHE_CONTROL), text(header::CONTENT_TYPE));
        let etag = text(header::ETAG);
        Ok(Fetched { status: head.status, cache_control, content_type, etag, body })
    }

    fn message(&self, request: &Outgoing) -> Result<http::Request<Full<Bytes>>, FetchError> {
        let mut message = http::Request::builder()
            .uri(request.url.as_str())
            .header(header::ACCEPT, &request.accept)
            .header(header::USER_AGENT, "latchkey");
        if let Some(authorization) = &request.authorization {
            message = message.header(header::AUTHORIZATION, authorization);
        }
        if let Some((name, value)) = &request.field {
            message = message.header(*name, value);
        }
        if !self.keeps_connections() {
            message = message.header(header::CONNECTION, "close");
        }
        let message = match &request.body {
            None => message.method(http::Method::GET).body(Full::default()),
            Some((media_type, body)) => message
                .method(http::Method::POST)
                .header(header::CONTENT_TYPE, *media_type)
                .body(Full::new(Bytes::from(body.clone()))),
        };
        message.map_err(failed)
    }
}

#[async_trait]
impl Transport for Native {
    async fn send(&self, request: &Outgoing) -> Result<Fetched, FetchError> {
        tokio::time::timeout(request.timeout, self.exchange(request)).await.unwrap_or(Err(FetchError::TimedOut))
    }
}

/// The error of a host that has no allowed address.
const NOT_PUBLIC: FetchError = FetchError::Refused("must be at a public host");

/// Finds the reason in the chain of an error's sources: the connector's own, a timeout, or the innermost message.
fn no_answer(error: legacy::Error) -> FetchError {
    let mut cause: &(dyn Error + 'static) = &error;
    loop {
        if let Some(error) = cause.downcast_ref::<FetchError>() {
            return error.clone();
        }
        if cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return FetchError::TimedOut;
        }
        match cause.source() {
            Some(source) => cause = source,
            None => return failed(cause),
        }
    }
}

fn failed(error: impl Display) -> FetchError {
    FetchError::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::{Fetcher, LIMIT};
    use super::*;
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    const SECOND: Duration = Duration::from_secs(1);

    /// Serves one connection with this answer, and returns the request.
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

    /// The address of a name is judged when connecting, whatever the URL says.
    #[tokio::test]
    async fn addresses_are_judged_when_connecting() {
        let (port, _) = server(b"HTTP/1.1 200 OK\r\n\r\n").await;
        for host in ["localhost", "127.0.0.1"] {
            let url = format!("http://{host}:{port}/").parse().unwrap();
            let accept = "*/*".to_owned();
            let request =
                Outgoing { url, body: None, accept, authorization: None, field: None, limit: 10, timeout: SECOND };
            assert_eq!(
                Native::new(EgressPolicy::Public).send(&request).await,
                Err(FetchError::Refused("must be at a public host"))
            );
        }
    }

    #[tokio::test]
    async fn plain_http_serves_no_https() {
        let (port, _) = server(b"HTTP/1.1 200 OK\r\n\r\n").await;
        let fetched = fetcher().get(&format!("https://localhost:{port}/"), LIMIT, SECOND).await;
        assert!(matches!(fetched, Err(FetchError::Failed(_))), "{fetched:?}");
    }

    /// Clients under development have such servers.
    #[tokio::test]
    async fn a_self_signed_certificate_is_accepted_on_loopback_in_development_alone() {
        use tokio_rustls::rustls::crypto::aws_lc_rs;
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

        for reach in [EgressPolicy::Any, EgressPolicy::Public] {
            let fetched = Fetcher::over(Box::new(Native::new(reach)), EgressPolicy::Any).get(&url, LIMIT, SECOND).await;
            let expected = if reach == EgressPolicy::Any { "certificate" } else { "public host" };
            assert!(fetched.as_ref().is_err_and(|error| error.to_string().contains(expected)), "{fetched:?}");
        }
    }

    /// The operator's server: at any address, over one connection.
    #[tokio::test]
    async fn connections_to_the_operators_server_stay_open() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/introspect", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let mut length = 0;
            for _ in 0..2 {
                length = stream.read(&mut asked).await.unwrap();
                let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/jwt\r\ncontent-length: 0\r\n\r\n";
                stream.write_all(answer).await.unwrap();
            }
            String::from_utf8_lossy(&asked[..length]).to_ascii_lowercase()
        });
        let fetcher = Fetcher::new(EgressPolicy::Any);
        for _ in 0..2 {
            let request = http::Request::post(&url).header(header::AUTHORIZATION, "Basic YTpi");
            let request = request.header(header::ACCEPT, "application/jwt").body("token=a".to_owned()).unwrap();
            let fetched = fetcher.send(request).await.unwrap();
            assert_eq!(fetched.content_type.as_deref(), Some("application/jwt"));
        }
        let asked = server.await.unwrap();
        assert!(asked.starts_with("post /introspect http/1.1\r\n") && asked.ends_with("\r\n\r\ntoken=a"), "{asked}");
        assert!(asked.contains("authorization: basic ytpi") && asked.contains("accept: application/jwt"), "{asked}");
    }
}
