//! A record or a counter as a DynamoDB item: the attributes and their content.

use crate::failure::malformed;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use storage::{Key, Owner, Record, Unavailable};
use types::Timestamp;

/// The names of the attributes.
pub(crate) mod name {
    /// String: the partition key.
    pub(crate) const KEY: &str = "key";
    /// String: the partition key of the index; absent if the record has no owner.
    pub(crate) const OWNER: &str = "owner";
    /// String.
    pub(crate) const BODY: &str = "body";
    /// String.
    pub(crate) const STATE: &str = "state";
    /// Number.
    pub(crate) const GENERATION: &str = "generation";
    /// Number: milliseconds since the epoch; absent if the record does not expire.
    pub(crate) const EXPIRES_AT: &str = "expires_at";
    /// Number: `expires_at` in seconds, rounded up, for the TTL of DynamoDB; absent if the record does not expire.
    pub(crate) const TTL: &str = "ttl";
    /// Number: the total of a counter. A counter has this, the key and `ttl` alone; a record does not have it.
    pub(crate) const TOTAL: &str = "total";
}

type Item = HashMap<String, AttributeValue>;

/// Returns the item of a new record, at generation 0.
pub(crate) fn from_record(record: &Record) -> Item {
    let mut item = Item::with_capacity(7);
    item.insert(name::KEY.to_owned(), AttributeValue::S(record.key.as_str().to_owned()));
    item.insert(name::BODY.to_owned(), AttributeValue::S(record.body.clone()));
    item.insert(name::STATE.to_owned(), AttributeValue::S(record.state.clone()));
    item.insert(name::GENERATION.to_owned(), AttributeValue::N("0".to_owned()));
    if let Some(owner) = &record.owner {
        item.insert(name::OWNER.to_owned(), AttributeValue::S(owner.as_str().to_owned()));
    }
    if let Some(moment) = record.expires_at {
        item.insert(name::EXPIRES_AT.to_owned(), expires_at(moment));
        item.insert(name::TTL.to_owned(), ttl(moment));
    }
    item
}

/// Returns the key of an item of the index.
pub(crate) fn key(item: &Item) -> Result<Key, Unavailable> {
    match item.get(name::KEY) {
        Some(AttributeValue::S(key)) => Ok(Key::from(key.clone())),
        _ => Err(malformed("an item of the index has no key")),
    }
}

/// Returns the record of an item.
pub(crate) fn to_record(item: &Item) -> Result<Record, Unavailable> {
    let text = |name| match item.get(name) {
        Some(AttributeValue::S(text)) => Ok(Some(text.clone())),
        Some(_) => Err(malformed(&format!("`{name}` is not a string"))),
        None => Ok(None),
    };
    let number = |name| match item.get(name) {
        Some(AttributeValue::N(digits)) => {
            digits.parse::<u64>().map(Some).map_err(|_| malformed(&format!("`{name}` is not a whole number")))
        }
        Some(_) => Err(malformed(&format!("`{name}` is not a number"))),
        None => Ok(None),
    };
    let missing = |name| move || malformed(&format!("`{name}` is missing"));
    Ok(Record {
        key: text(name::KEY)?.map(Key::from).ok_or_else(missing(name::KEY))?,
        owner: text(name::OWNER)?.map(Owner::new),
        body: text(name::BODY)?.ok_or_else(missing(name::BODY))?,
        state: text(name::STATE)?.ok_or_else(missing(name::STATE))?,
        generation: number(name::GENERATION)?.ok_or_else(missing(name::GENERATION))?,
        expires_at: number(name::EXPIRES_AT)?.map(Timestamp::from_millis),
    })
}

/// True if the item is a counter.
pub(crate) fn is_counter(item: &Item) -> bool {
    item.contains_key(name::TOTAL)
}

/// Returns the total of a counter.
pub(crate) fn to_total(item: &Item) -> Result<i64, Unavailable> {
    match item.get(name::TOTAL) {
        Some(AttributeValue::N(digits)) => {
            digits.parse().map_err(|_| malformed(&format!("`{}` is not a whole number", name::TOTAL)))
        }
        _ => Err(malformed(&format!("`{}` is not a number", name::TOTAL))),
    }
}

/// Returns the value of `expires_at`.
pub(crate) fn expires_at(moment: Timestamp) -> AttributeValue {
    AttributeValue::N(moment.as_millis().to_string())
}

/// Returns the value of `ttl`, which is never earlier than the expiry.
pub(crate) fn ttl(moment: Timestamp) -> AttributeValue {
    AttributeValue::N(moment.as_millis().div_ceil(1000).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage::{Kind, Partition};

    fn record(expires_at: Option<Timestamp>) -> Record {
        Record {
            key: Key::new(Kind::Grant, Partition::of("id"), "id"),
            owner: Some(Owner::new("somebody")),
            body: String::new(),
            state: "{}".to_owned(),
            generation: 0,
            expires_at,
        }
    }

    #[test]
    fn time_to_live_is_rounded_up() {
        for (millis, seconds) in [(0, "0"), (1, "1"), (999, "1"), (1000, "1"), (1001, "2")] {
            let record = record(Some(Timestamp::from_millis(millis)));
            let item = from_record(&record);
            assert_eq!(item[name::TTL], AttributeValue::N(seconds.to_owned()));
            assert_eq!(to_record(&item), Ok(record));
        }
    }

    #[test]
    fn what_is_absent_is_not_stored() {
        let bare = Record { owner: None, ..record(None) };
        let item = from_record(&bare);
        assert_eq!(item.len(), 4);
        assert_eq!(to_record(&item), Ok(bare));
    }

    #[test]
    fn a_counter_has_a_total_and_is_no_record() {
        let counter = |total| Item::from([(name::TOTAL.to_owned(), total)]);
        let five_less = counter(AttributeValue::N("-5".to_owned()));
        assert!(is_counter(&five_less) && !is_counter(&from_record(&record(None))));
        assert_eq!(to_total(&five_less), Ok(-5));
        for total in [AttributeValue::N("1.5".to_owned()), AttributeValue::S("1".to_owned())] {
            assert!(to_total(&counter(total)).is_err());
        }
    }

    #[test]
    fn a_strange_item_is_an_error() {
        let whole = from_record(&record(Some(Timestamp::from_secs(1))));
        for name in [name::KEY, name::BODY, name::STATE, name::GENERATION] {
            let mut item = whole.clone();
            item.remove(name);
            assert_eq!(to_record(&item), Err(malformed(&format!("`{name}` is missing"))));
        }
        for (name, value) in [
            (name::STATE, AttributeValue::Null(true)),
            (name::GENERATION, AttributeValue::S("1".to_owned())),
            (name::GENERATION, AttributeValue::N("-1".to_owned())),
            (name::EXPIRES_AT, AttributeValue::N("1.5".to_owned())),
        ] {
            let mut item = whole.clone();
            item.insert(name.to_owned(), value);
            assert!(to_record(&item).is_err());
        }
    }
}
