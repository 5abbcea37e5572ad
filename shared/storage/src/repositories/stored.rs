//! Typed values as the JSON of a record, so that records evolve.
//!
//! - The JSON of a record carries a schema number, [`SCHEMA`]. A rewrite never lowers it.
//! - Reading ignores members that this version does not know. A rewrite keeps them.
//! - A value that cannot be read is [`Unreadable`]: listings skip and report it, deletion does not read it.

use crate::{Cursor, Key, Record, Unavailable};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The schema number of what this version writes: the member `schema` of a record's JSON. Raise it with each change of
/// a stored form.
pub(crate) const SCHEMA: u64 = 1;

/// The name of the member with the schema number.
const MEMBER: &str = "schema";

/// A record that does not have the form that this version reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The key of the record.
    pub key: Key,
    /// The cause. For the log of the operator; never part of a response.
    pub reason: String,
}

impl From<Unreadable> for Unavailable {
    fn from(unreadable: Unreadable) -> Self {
        Self { reason: format!("the record {} cannot be read: {}", unreadable.key, unreadable.reason) }
    }
}

/// One page of a listing of typed values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<T> {
    /// The values.
    pub items: Vec<T>,
    /// The records of the page that this version cannot read.
    pub unreadable: Vec<Unreadable>,
    /// The start of the next page; `None` on the last page.
    pub next: Option<Cursor>,
}

/// Reads each record; returns the values, and apart from them the records that this version cannot read.
pub(crate) fn read_each<T>(
    records: Vec<Record>,
    read: impl Fn(Record) -> Result<T, Unreadable>,
) -> (Vec<T>, Vec<Unreadable>) {
    let (mut items, mut unreadable) = (Vec::new(), Vec::new());
    for record in records {
        match read(record) {
            Ok(item) => items.push(item),
            Err(report) => unreadable.push(report),
        }
    }
    (items, unreadable)
}

/// Returns a value as JSON with the schema number. Stored values have string keys alone, so encoding cannot fail.
pub(crate) fn encode<T: Serialize>(value: &T) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    match json.strip_prefix('{') {
        Some("}") => format!("{{\"{MEMBER}\":{SCHEMA}}}"),
        Some(members) => format!("{{\"{MEMBER}\":{SCHEMA},{members}"),
        None => json,
    }
}

/// Returns the value of JSON from the record `key`. Members that `T` does not have are ignored.
pub(crate) fn decode<T: DeserializeOwned>(key: &Key, json: &str) -> Result<T, Unreadable> {
    types::json::decode(json.as_bytes()).map_err(|error| Unreadable { key: key.clone(), reason: error.to_string() })
}

/// A stored value, together with its JSON: a rewrite keeps the members that this version does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored<T> {
    /// The value.
    pub(crate) value: T,
    json: String,
}

impl<T: Serialize + DeserializeOwned> Stored<T> {
    /// A value that was not read.
    pub(crate) fn new(value: T) -> Self {
        Self { json: encode(&value), value }
    }

    /// Reads the JSON of the record `key`.
    pub(crate) fn read(key: &Key, json: String) -> Result<Self, Unreadable> {
        Ok(Self { value: decode(key, &json)?, json })
    }

    /// Returns the JSON of `value`, which replaces this one, with the unknown members of this one.
    pub(crate) fn rewrite(&self, value: &T) -> String {
        let known = encode(&self.value);
        let new = encode(value);
        if known == self.json { new } else { keep_unknown(&self.json, &known, new) }
    }

    /// True if the JSON has members that this version does not know, or a higher schema number.
    pub(crate) fn has_unknown_members(&self) -> bool {
        let known = encode(&self.value);
        known != self.json
            && parse(&self.json).zip(parse(&known)).is_some_and(|(stored, known)| {
                stored.get(MEMBER).and_then(Value::as_u64) > Some(SCHEMA) || has_more(&stored, &known)
            })
    }
}

fn parse(json: &str) -> Option<Value> {
    types::json::value(json.as_bytes()).ok()
}

/// True if `stored` has a member, at any depth, that `known` lacks.
fn has_more(stored: &Value, known: &Value) -> bool {
    match (stored, known) {
        (Value::Object(stored), Value::Object(known)) => {
            stored.iter().any(|(name, value)| known.get(name).is_none_or(|known| has_more(value, known)))
        }
        (Value::Array(stored), Value::Array(known)) => {
            stored.iter().zip(known).any(|(stored, known)| has_more(stored, known))
        }
        _ => false,
    }
}

/// Returns `new` with the members of `stored` that `known`, the known part of `stored`, lacks.
fn keep_unknown(stored: &str, known: &str, new: String) -> String {
    let (Some(stored), Some(known), Some(parsed)) = (parse(stored), parse(known), parse(&new)) else { return new };
    let schema = stored.get(MEMBER).and_then(Value::as_u64);
    let mut merged = merge(stored, &known, parsed);
    if let Some(schema) = schema.filter(|schema| *schema > SCHEMA)
        && let Value::Object(members) = &mut merged
    {
        members.insert(MEMBER.to_owned(), schema.into());
    }
    serde_json::to_string(&merged).unwrap_or(new)
}

/// Merges objects member by member. An array element that stays as it is keeps its unknown members.
fn merge(stored: Value, known: &Value, new: Value) -> Value {
    match (stored, known, new) {
        (Value::Object(stored), Value::Object(known), Value::Object(mut new)) => {
            for (name, before) in stored {
                match (known.get(&name), new.remove(&name)) {
                    (Some(known), Some(after)) => {
                        new.insert(name, merge(before, known, after));
                    }
                    (None, after) => {
                        new.insert(name, after.unwrap_or(before));
                    }
                    (Some(_), None) => {}
                }
            }
            Value::Object(new)
        }
        (Value::Array(stored), Value::Array(known), Value::Array(new)) => {
            let unchanged = |element: &Value| known.iter().zip(&stored).find(|(known, _)| *known == element);
            let merged = new.into_iter().map(|element| match unchanged(&element) {
                Some((_, before)) => before.clone(),
                None => element,
            });
            Value::Array(merged.collect())
        }
        (_, _, new) => new,
    }
}
