//! Connections to allowed addresses alone, with TLS where the URL says https.

use super::{FetchError, NOT_PUBLIC, development, failed};
use http::Uri;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use tower_service::Service;
use types::remote_url::{self, EgressPolicy};
use url::Host;

/// Time limit of connecting, shared evenly among the addresses of a name.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// True if the policy allows the host as far as the URL tells: each name, and an address that is in reach.
pub(super) fn reachable(host: Option<Host<&str>>, reach: EgressPolicy) -> bool {
    match host {
        Some(Host::Domain(_)) => true,
        Some(Host::Ipv4(address)) => remote_url::is_reachable(address.into(), reach),
        Some(Host::Ipv6(address)) => remote_url::is_reachable(address.into(), reach),
        None => false,
    }
}

/// A resolver of names that leaves out each address that the policy forbids.
#[derive(Clone)]
pub(super) struct Resolver(EgressPolicy);

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, FetchError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), FetchError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let reach = self.0;
        Box::pin(async move {
            let addresses = lookup_host((name.as_str(), 0)).await.map_err(failed)?;
            let allowed: Vec<SocketAddr> =
                addresses.filter(|address| remote_url::is_reachable(address.ip(), reach)).collect();
            if allowed.is_empty() { Err(NOT_PUBLIC) } else { Ok(allowed.into_iter()) }
        })
    }
}

/// A connector that applies the policy and speaks TLS.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector<Resolver>,
    reach: EgressPolicy,
    tls: Arc<ClientConfig>,
}

impl Connector {
    pub(super) fn new(reach: EgressPolicy) -> Result<Self, FetchError> {
        let mut tcp = HttpConnector::new_with_resolver(Resolver(reach));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        Ok(Self { tcp, reach, tls: tls()? })
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connection, reach, tls) = (self.tcp.call(uri.clone()), self.reach, self.tls.clone());
        Box::pin(async move {
            let stream = connection.await?;
            if uri.scheme_str() != Some("https") {
                return Ok(MaybeHttpsStream::Http(stream));
            }
            let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
            let name = ServerName::try_from(host.to_owned())?;
            let is_development = reach == EgressPolicy::Loopback && stream.inner().peer_addr()?.ip().is_loopback();
            let tls = TlsConnector::from(if is_development { development::tls()? } else { tls });
            Ok(MaybeHttpsStream::Https(TokioIo::new(tls.connect(name, TokioIo::new(stream)).await?)))
        })
    }
}

/// Returns a TLS configuration that trusts the certificate authorities that browsers trust.
pub(super) fn tls() -> Result<Arc<ClientConfig>, FetchError> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
