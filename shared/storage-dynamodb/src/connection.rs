//! The table, its endpoint and the credentials for it; the client for them.

use crate::DynamoRecords;
use crate::date::DateReader;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Builder, Config, Credentials, IdentityCache, Region, SharedHttpClient,
    StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder as HttpBuilder, HttpClientError};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use storage::StoreClock;
use types::Timestamp;

/// The root certificates of AWS services (<https://www.amazontrust.com/repository/>): Amazon Root CA 1 to 4 and Starfield
/// Services Root CA - G2. Records are sent to no server that another authority vouches for.
const AMAZON_ROOTS: &str = include_str!("amazon_roots.pem");

/// A table, its endpoint and the credentials for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    /// `LATCHKEY_TABLE`: the name of the table.
    pub table: String,
    /// `AWS_REGION`.
    pub region: String,
    /// `AWS_ENDPOINT_URL_DYNAMODB`: an endpoint in place of that of the region, such as an emulator.
    pub endpoint: Option<String>,
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: Option<String>,
}

impl Connection {
    /// Reads the connection from the environment; `lookup` reads one variable. An empty variable counts as not set.
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

    /// Returns the connection to an emulator, which accepts any credentials.
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

    /// Returns the records of the table. Sends nothing: the first call opens the connection.
    ///
    /// # Errors
    /// A line with the reason why TLS is not available, and the remedy.
    pub fn records(&self) -> Result<DynamoRecords, String> {
        Ok(DynamoRecords::new(self.client()?, &self.table))
    }

    /// Returns the records of the table, as [`Self::records`], with readings of the clock of DynamoDB. `now` is the clock of
    /// this instance.
    ///
    /// # Errors
    /// See [`Self::records`].
    pub fn records_with_clock(&self, now: fn() -> Timestamp) -> Result<DynamoRecords, String> {
        let clock = Arc::new(StoreClock::default());
        let reader = DateReader { clock: Arc::clone(&clock), now };
        let client = Client::from_conf(self.config()?.interceptor(reader).build());
        Ok(DynamoRecords { clock, ..DynamoRecords::new(client, &self.table) })
    }

    /// Returns a client. Sends nothing: the first call opens the connection.
    ///
    /// # Errors
    /// See [`Self::records`].
    pub fn client(&self) -> Result<Client, String> {
        Ok(Client::from_conf(self.config()?.build()))
    }

    fn config(&self) -> Result<Builder, String> {
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
            .http_client(self.http_client()?);
        config.set_endpoint_url(self.endpoint.clone());
        Ok(config)
    }

    /// Returns an HTTP client whose TLS trusts the roots of AWS alone. For another endpoint, the URL decides: no TLS, or TLS
    /// that trusts the roots of the system.
    ///
    /// # Errors
    /// See [`Self::records`].
    pub fn http_client(&self) -> Result<SharedHttpClient, String> {
        let tls = || HttpBuilder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        Ok(match &self.endpoint {
            Some(url) if url.starts_with("http://") => HttpBuilder::new().build_http(),
            Some(_) => tls().build_https(),
            None => {
                let context = amazon_only().map_err(|error| {
                    format!("the AWS root certificates of this build cannot be used: {error}; build it anew")
                })?;
                tls().tls_context(context).build_https()
            }
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use storage::{Key, Kind, Partition, Records};

    fn lookup(name: &str) -> Option<String> {
        let value = match name {
            "LATCHKEY_TABLE" => "latchkey",
            "AWS_REGION" => "eu-central-1",
            "AWS_ACCESS_KEY_ID" => "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY" => "hush",
            "AWS_ENDPOINT_URL_DYNAMODB" => "",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn the_environment_says_it_all() {
        let connection = Connection::from_env(lookup).unwrap();
        assert_eq!(connection.table, "latchkey");
        assert_eq!(connection.endpoint, None);
        assert_eq!(connection.session_token, None);
        let shown = format!("{connection:?}");
        assert!(shown.contains("eu-central-1") && !shown.contains("hush"), "{shown}");
    }

    #[test]
    fn everything_missing_or_wrong_is_named() {
        let wrong = Connection::from_env(|name| match name {
            "AWS_REGION" => Some(String::new()),
            "AWS_SECRET_ACCESS_KEY" => lookup(name),
            "AWS_ENDPOINT_URL_DYNAMODB" => Some("localhost:8000".to_owned()),
            _ => None,
        });
        let wanted = [
            "LATCHKEY_TABLE is not set",
            "AWS_REGION is not set",
            "AWS_ACCESS_KEY_ID is not set",
            "AWS_ENDPOINT_URL_DYNAMODB is not the URL of an endpoint",
        ];
        assert_eq!(wrong, Err(wanted.map(str::to_owned).to_vec()));
    }

    #[test]
    fn the_embedded_roots_are_whole() {
        assert_eq!(AMAZON_ROOTS.matches("-----BEGIN CERTIFICATE-----").count(), 5);
        assert_eq!(AMAZON_ROOTS.matches("-----END CERTIFICATE-----").count(), 5);
    }

    #[tokio::test]
    async fn a_client_with_the_embedded_roots_starts() {
        // This region does not exist: the roots are read, then the host name is not found.
        let nowhere = Connection { region: "nowhere-1".to_owned(), ..Connection::from_env(lookup).unwrap() };
        let key = Key::new(Kind::Grant, Partition::of("id"), "id");
        let unavailable = nowhere.records().unwrap().get(&key).await.unwrap_err();
        assert!(unavailable.reason.starts_with("GetItem: "), "{unavailable}");
    }
}
