//! HTTP requests of the steps themselves.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::time::Duration;

/// Returns the body of a successful response.
pub(crate) fn get(url: &str, timeout: Duration) -> Result<String> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let exchange = async {
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        let response = client.get(url.parse()?).await?;
        let status = response.status();
        let body = String::from_utf8(response.into_body().collect().await?.to_bytes().into())?;
        if !status.is_success() {
            bail!("{status}: {body}");
        }
        Ok(body)
    };
    let response = tokio.block_on(async { tokio::time::timeout(timeout, exchange).await });
    response.with_context(|| format!("no response within {timeout:?}")).flatten().with_context(|| format!("GET {url}"))
}
