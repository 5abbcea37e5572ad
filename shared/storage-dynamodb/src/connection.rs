//! Where the table is and who we are there; the client that follows from it.

use crate::DynamoRecords;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Config, Credentials, IdentityCache, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, HttpClientError};
use std::fmt;
use std::time::Duration;

/// The roots that the certificates of AWS services lead to (<https://www.amazontrust.com/repository/>): Amazon Root
/// CA 1 to 4 and Starfield Services Root CA - G2. Nobody else can vouch for a server that we send records to.
const AMAZON_ROOTS: &str = include_str!("amazon_roots.pem");

/// Where the table is, and the credentials to use there.
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    /// The table's name: `LATCHKEY_TABLE`.
    pub table: String,
    /// `AWS_REGION`.
    pub region: String,
    /// `AWS_ENDPOINT_URL_DYNAMODB`: another endpoint than the region's, such as an emulator's.
    pub endpoint: Option<String>,
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: Option<String>,
}

impl Connection {
    /// As the environment says; `lookup` reads one variable. An empty variable counts as none.
    ///
    /// # Errors
    /// A line for each variable that is missing or wrong.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        let optional = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let mut required = |name: &str| {
            optional(name).unwrap_or_else(|| {
                wrong.push(format!("{name} is not set"));
                String::new()
            })
        };
        let connection = Self {
            table: required("LATCHKEY_TABLE"),
            region: required("AWS_REGION"),
            endpoint: optional("AWS_ENDPOINT_URL_DYNAMODB"),
            access_key_id: required("AWS_ACCESS_KEY_ID"),
            secret_access_key: required("AWS_SECRET_ACCESS_KEY"),
            session_token: optional("AWS_SESSION_TOKEN"),
        };
        if connection.endpoint.as_ref().is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            wrong.push("AWS_ENDPOINT_URL_DYNAMODB is not the URL of an endpoint".to_owned());
        }
        if wrong.is_empty() { Ok(connection) } else { Err(wrong) }
    }

    /// To an emulator, which takes any credentials.
    pub fn to_emulator(endpoint: &str, table: &str) -> Self {
        Self {
            table: table.to_owned(),
            region: "us-east-1".to_owned(),
            endpoint: Some(endpoint.to_owned()),
            access_key_id: "local".to_owned(),
            secret_access_key: "local".to_owned(),
            session_token: None,
        }
    }

    /// The records of the table. Sends nothing; the first call opens the connection.
    pub fn records(&self) -> DynamoRecords {
        DynamoRecords::new(self.client(), &self.table)
    }

    /// A client. Sends nothing; the first call opens the connection.
    pub fn client(&self) -> Client {
        let credentials = Credentials::new(
            &self.access_key_id,
            &self.secret_access_key,
            self.session_token.clone(),
            None,
            "environment",
        );
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(5))
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(Duration::from_millis(50))
            .with_max_backoff(Duration::from_millis(500));
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region.clone()))
            .credentials_provider(credentials)
            .identity_cache(IdentityCache::no_cache())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(timeouts)
            .retry_config(retries)
            .http_client(self.http_client());
        config.set_endpoint_url(self.endpoint.clone());
        Client::from_conf(config.build())
    }

    /// Plain for an emulator on this machine; otherwise TLS, and only with AWS.
    fn http_client(&self) -> SharedHttpClient {
        if self.endpoint.as_ref().is_some_and(|url| url.starts_with("http://")) {
            return Builder::new().build_http();
        }
        let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        match amazon_only() {
            Ok(context) => https.tls_context(context).build_https(),
            Err(_) => https.build_https(),
        }
    }
}

fn amazon_only() -> Result<TlsContext, HttpClientError> {
    TlsContext::builder().with_trust_store(TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)).build()
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("table", &self.table)
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
