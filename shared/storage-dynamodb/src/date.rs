//! The clock of DynamoDB: the field `Date` of its answers (RFC 9110 §6.6.1).

use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use std::fmt;
use std::sync::Arc;
use storage::{ClockReading, StoreClock};
use types::Timestamp;

/// Notes the date of each answer, also of a failure: DynamoDB rejects the signature of an instance whose clock is far off.
pub(crate) struct DateReader {
    /// The readings.
    pub(crate) clock: Arc<StoreClock>,
    /// The clock of this instance.
    pub(crate) now: fn() -> Timestamp,
}

impl fmt::Debug for DateReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DateReader")
    }
}

impl Intercept for DateReader {
    fn name(&self) -> &'static str {
        "DateReader"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        if let Some(seconds) = date.and_then(|date| u64::try_from(date.secs()).ok()) {
            self.clock.note(ClockReading { store: Timestamp::from_secs(seconds), own: (self.now)() });
        }
        Ok(())
    }
}
