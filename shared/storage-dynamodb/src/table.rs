//! The table as the deployment template declares it, for emulators and tests.

use crate::failure::unavailable;
use crate::item::name;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TimeToLiveSpecification,
};
use storage::Unavailable;

/// The index for `list`: `owner`, then `key`, and no other attribute. A write of a record writes the index only if it creates
/// or deletes the record (infra/decisions/index-of-keys.md).
pub const OWNER_INDEX: &str = "owner-index";

/// Creates the table if it does not exist.
///
/// # Errors
/// The service is out of reach or rejects the request.
pub async fn create(client: &Client, table: &str) -> Result<(), Unavailable> {
    let request = request(client, table).map_err(|error| Unavailable { reason: format!("CreateTable: {error}") })?;
    match request.send().await {
        Ok(_) => {}
        Err(error) => {
            return match error.as_service_error() {
                Some(CreateTableError::ResourceInUseException(_)) => Ok(()),
                _ => Err(unavailable("CreateTable", &error)),
            };
        }
    }
    let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name(name::TTL).build();
    let ttl = ttl.map_err(|error| Unavailable { reason: format!("UpdateTimeToLive: {error}") })?;
    client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(ttl)
        .send()
        .await
        .map(|_| ())
        .map_err(|error| unavailable("UpdateTimeToLive", &error))
}

type CreateTable = aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;

fn request(client: &Client, table: &str) -> Result<CreateTable, BuildError> {
    let string =
        |name| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
    let part = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let index = GlobalSecondaryIndex::builder()
        .index_name(OWNER_INDEX)
        .key_schema(part(name::OWNER, KeyType::Hash)?)
        .key_schema(part(name::KEY, KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()?;
    Ok(client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(string(name::KEY)?)
        .attribute_definitions(string(name::OWNER)?)
        .key_schema(part(name::KEY, KeyType::Hash)?)
        .global_secondary_indexes(index))
}
