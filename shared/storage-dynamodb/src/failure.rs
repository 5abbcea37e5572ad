//! Failures in words for the log of the operator. Never the contents of an item.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;
use storage::Unavailable;

/// Returns the failure of the service or of the connection to it.
pub(crate) fn unavailable<E, R>(operation: &str, error: &SdkError<E, R>) -> Unavailable
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let reason = match error.as_service_error() {
        Some(refused) => {
            let code = refused.code().unwrap_or("without a code");
            format!("{operation}: {code}: {}", refused.message().unwrap_or("no message"))
        }
        None => {
            let mut reason = format!("{operation}: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                reason.push_str(": ");
                reason.push_str(&error.to_string());
                cause = error.source();
            }
            reason
        }
    };
    Unavailable { reason }
}

/// Returns the failure for an answer with content that this server never wrote.
pub(crate) fn malformed(what: &str) -> Unavailable {
    Unavailable { reason: format!("unexpected answer of DynamoDB: {what}") }
}
