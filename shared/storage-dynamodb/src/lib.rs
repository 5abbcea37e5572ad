//! Records in DynamoDB: one table, one request for each verb; for `list` two: the index holds the keys alone.

mod connection;
mod date;
mod failure;
mod item;
pub mod table;

pub use connection::Connection;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure};
use failure::unavailable;
use item::name;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use storage::{
    Advance, ClockReading, Created, Cursor, Key, Owner, Page, Record, Records, StoreClock, Unavailable,
    idempotent_write,
};
use types::Timestamp;

/// Records in one table. [`table::create`] creates such a table.
#[derive(Clone, Debug)]
pub struct DynamoRecords {
    client: Client,
    table: String,
    clock: Arc<StoreClock>,
}

impl DynamoRecords {
    /// Returns the records in `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), clock: Arc::default() }
    }

    /// Returns the records in the table of the environment, with its credentials; `lookup` reads one variable, and `now`
    /// the clock of this instance. See [`Connection::from_env`].
    ///
    /// # Errors
    /// A line for each variable that is missing or wrong, or the reason why TLS is not available.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>, now: fn() -> Timestamp) -> Result<Self, Vec<String>> {
        Connection::from_env(lookup)?.records_with_clock(now).map_err(|problem| vec![problem])
    }
}

/// Most items of one BatchGetItem.
const BATCH: usize = 100;

/// Pauses before the items that DynamoDB did not read are asked for again.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(20), Duration::from_millis(80), Duration::from_millis(250), Duration::from_millis(500)];

impl DynamoRecords {
    /// Returns the keys of one page of the index, and the start of the next page.
    async fn listed_keys(
        &self,
        owner: &Owner,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<(Vec<Key>, Option<Cursor>), Unavailable> {
        let limit = i32::try_from(limit).unwrap_or(i32::MAX).max(1);
        // One item more than the page has: its presence says that there is a next page.
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(table::OWNER_INDEX)
            .limit(limit.saturating_add(1))
            .expression_attribute_names("#owner", name::OWNER)
            .expression_attribute_values(":owner", AttributeValue::S(owner.as_str().to_owned()));
        let query = match cursor {
            None => query.key_condition_expression("#owner = :owner"),
            Some(Cursor(after)) => query
                .key_condition_expression("#owner = :owner AND #key > :after")
                .expression_attribute_names("#key", name::KEY)
                .expression_attribute_values(":after", AttributeValue::S(after.clone())),
        };
        let answer = query.send().await.map_err(|error| unavailable("Query", &error))?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        // A page of the service also ends at 1 MB.
        let more = answer.items().len() > limit || answer.last_evaluated_key().is_some();
        let keys = answer.items().iter().take(limit).map(item::key).collect::<Result<Vec<_>, _>>()?;
        let last = keys.last().map(|key: &Key| Cursor(key.as_str().to_owned()));
        Ok((keys, last.filter(|_| more)))
    }

    /// Returns the records with these keys that exist, in the order of the keys, as the last write left them.
    async fn read(&self, keys: &[Key]) -> Result<Vec<Record>, Unavailable> {
        let mut found = HashMap::with_capacity(keys.len());
        for some in keys.chunks(BATCH) {
            let keys = some
                .iter()
                .map(|key| HashMap::from([(name::KEY.to_owned(), AttributeValue::S(key.as_str().to_owned()))]));
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys.collect())).consistent_read(true).build();
            let mut wanted = Some(wanted.map_err(|error| failure::malformed(&error.to_string()))?);
            let mut pauses = PAUSES.into_iter();
            while let Some(some) = wanted.take() {
                let read = self.client.batch_get_item().request_items(&self.table, some).send().await;
                let mut read = read.map_err(|error| unavailable("BatchGetItem", &error))?;
                for item in read.responses.iter().flat_map(HashMap::values).flatten() {
                    let record = item::to_record(item)?;
                    found.insert(record.key.clone(), record);
                }
                wanted = read.unprocessed_keys.take().and_then(|mut left| left.remove(&self.table));
                if wanted.is_some() {
                    let Some(pause) = pauses.next() else {
                        return Err(failure::malformed("BatchGetItem leaves items unread"));
                    };
                    tokio::time::sleep(pause).await;
                }
            }
        }
        Ok(keys.iter().filter_map(|key| found.remove(key)).collect())
    }
}

#[async_trait]
impl Records for DynamoRecords {
    async fn create(&self, record: &Record) -> Result<Created, Unavailable> {
        let written = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item::from_record(record)))
            .condition_expression("attribute_not_exists(#key)")
            .expression_attribute_names("#key", name::KEY)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let found = match written {
            Ok(_) => Created::Created,
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => match &failed.item {
                    Some(existing) => Created::Exists(item::to_record(existing)?),
                    None => return Err(failure::malformed("the existing item was not returned")),
                },
                _ => return Err(unavailable("PutItem", &error)),
            },
        };
        Ok(idempotent_write::created(found, record))
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        let read = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(name::KEY, AttributeValue::S(key.as_str().to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| unavailable("GetItem", &error))?;
        read.item.as_ref().filter(|item| !item::is_counter(item)).map(item::to_record).transpose()
    }

    async fn advance(
        &self,
        key: &Key,
        from: u64,
        state: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<Advance, Unavailable> {
        // No record reaches the last generation, so the condition fails, as it must.
        let next = from.saturating_add(1);
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(name::KEY, AttributeValue::S(key.as_str().to_owned()))
            .condition_expression("#generation = :from")
            .expression_attribute_names("#generation", name::GENERATION)
            .expression_attribute_names("#state", name::STATE)
            .expression_attribute_names("#expires_at", name::EXPIRES_AT)
            .expression_attribute_names("#ttl", name::TTL)
            .expression_attribute_values(":from", AttributeValue::N(from.to_string()))
            .expression_attribute_values(":next", AttributeValue::N(next.to_string()))
            .expression_attribute_values(":state", AttributeValue::S(state.to_owned()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = match expires_at {
            Some(moment) => update
                .update_expression("SET #state = :state, #generation = :next, #expires_at = :expires_at, #ttl = :ttl")
                .expression_attribute_values(":expires_at", item::expires_at(moment))
                .expression_attribute_values(":ttl", item::ttl(moment)),
            None => update.update_expression("SET #state = :state, #generation = :next REMOVE #expires_at, #ttl"),
        };
        let found = match update.send().await {
            Ok(updated) => match &updated.attributes {
                Some(attributes) => Advance::Advanced(item::to_record(attributes)?),
                None => return Err(failure::malformed("the updated item was not returned")),
            },
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => match &failed.item {
                    Some(current) => Advance::Stale(item::to_record(current)?),
                    None => Advance::Missing,
                },
                _ => return Err(unavailable("UpdateItem", &error)),
            },
        };
        Ok(idempotent_write::advanced(found, from, state, expires_at))
    }

    async fn delete(&self, key: &Key) -> Result<(), Unavailable> {
        self.client
            .delete_item()
            .table_name(&self.table)
            .key(name::KEY, AttributeValue::S(key.as_str().to_owned()))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| unavailable("DeleteItem", &error))
    }

    async fn list(&self, owner: &Owner, cursor: Option<&Cursor>, limit: u32) -> Result<Page, Unavailable> {
        let mut after = cursor.cloned();
        loop {
            let (keys, next) = self.listed_keys(owner, after.as_ref(), limit).await?;
            let records = self.read(&keys).await?;
            // The index may lag: it can name a page of records that were deleted since.
            if !records.is_empty() || next.is_none() {
                return Ok(Page { records, next });
            }
            after = next;
        }
    }

    async fn count(&self, key: &Key, by: i64, expires_at: Timestamp) -> Result<i64, Unavailable> {
        let updated = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(name::KEY, AttributeValue::S(key.as_str().to_owned()))
            .update_expression("SET #ttl = if_not_exists(#ttl, :ttl) ADD #total :by")
            .expression_attribute_names("#ttl", name::TTL)
            .expression_attribute_names("#total", name::TOTAL)
            .expression_attribute_values(":ttl", item::ttl(expires_at))
            .expression_attribute_values(":by", AttributeValue::N(by.to_string()))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| unavailable("UpdateItem", &error))?;
        let attributes = updated.attributes.ok_or_else(|| failure::malformed("the total was not returned"))?;
        item::to_total(&attributes)
    }

    fn clock(&self) -> Option<ClockReading> {
        self.clock.reading()
    }
}
