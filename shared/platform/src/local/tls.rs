//! TLS with certificates of clients (RFC 8705), for the local machine.

use latchkey_http::{CertificateChain, ClientCertificate};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::aws_lc_rs::cipher_suite::{
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS13_AES_128_GCM_SHA256,
    TLS13_AES_256_GCM_SHA384,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme, SupportedCipherSuite,
};
use tokio_rustls::server::TlsStream;
use types::Timestamp;

/// Maximum time of a handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The cipher suites that FAPI allows: for TLS 1.2 those of RFC 9325 §4.2 (FAPI 2.0 Security Profile §5.2.2).
static CIPHER_SUITES: [SupportedCipherSuite; 6] = [
    TLS13_AES_256_GCM_SHA384,
    TLS13_AES_128_GCM_SHA256,
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

/// TLS of a listener. It asks each client for a certificate, and accepts any, also none: the application decides.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    chains: Arc<dyn ClientCertVerifier>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Returns TLS with this certificate and private key of the server. `anchor` is the CA to which verified chains of clients lead. All
    /// are DER; the key is PKCS #8. Errors: one of them cannot be used.
    pub fn new(certificate: Vec<u8>, key: Vec<u8>, anchor: Vec<u8>) -> Result<Self, String> {
        let failed = |error: &dyn fmt::Display| format!("TLS cannot be set up: {error}");
        let cipher_suites = CIPHER_SUITES.to_vec();
        let provider = Arc::new(CryptoProvider { cipher_suites, ..aws_lc_rs::default_provider() });
        let mut anchors = RootCertStore::empty();
        anchors.add(CertificateDer::from(anchor)).map_err(|error| failed(&error))?;
        let chains = WebPkiClientVerifier::builder_with_provider(Arc::new(anchors), Arc::clone(&provider)).build();
        let key = PrivateKeyDer::try_from(key).map_err(|error| failed(&error))?;
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_client_cert_verifier(Arc::new(AnyCertificate(provider)))
            .with_single_cert(vec![CertificateDer::from(certificate)], key)
            .map_err(|error| failed(&error))?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), chains: chains.map_err(|error| failed(&error))? })
    }

    /// Accepts a connection. Returns the certificate that the client proved to possess, too.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
        now: Timestamp,
    ) -> io::Result<(TlsStream<TcpStream>, Option<ClientCertificate>)> {
        let stream = tokio::time::timeout(HANDSHAKE_TIMEOUT, self.acceptor.accept(stream)).await??;
        let certificate = match stream.get_ref().1.peer_certificates() {
            Some([leaf, intermediates @ ..]) => {
                let at = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()));
                let is_verified = self.chains.verify_client_cert(leaf, intermediates, at).is_ok();
                let chain = if is_verified { CertificateChain::Verified } else { CertificateChain::Unverified };
                Some(ClientCertificate::new(leaf.to_vec(), chain))
            }
            Some([]) | None => None,
        };
        Ok((stream, certificate))
    }
}

/// Accepts every certificate whose private key the client possesses.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
