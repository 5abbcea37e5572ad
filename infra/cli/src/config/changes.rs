//! The difference of two configurations, item by item.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The members that name an item of a list.
const NAMES: [&str; 3] = ["resource", "issuer", "name"];

/// The change of one item, such as one resource.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    list: String,
    item: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Change {
    /// True if something is there before that is not there after.
    pub(crate) fn removes(&self) -> bool {
        match (&self.before, &self.after) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(before), Some(after)) => loses(before, after),
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "list": self.list, "item": self.item, "before": self.before, "after": self.after })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (list, item) = (&self.list, &self.item);
        match (&self.before, &self.after) {
            (None, _) => write!(f, "+ {list}: {item}"),
            (Some(_), None) => write!(f, "- {list}: {item}"),
            (Some(before), Some(after)) => {
                write!(f, "~ {list}: {item}")?;
                let (before, after) = (members(before), members(after));
                let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
                for name in names.into_iter().filter(|name| before.get(*name) != after.get(*name)) {
                    match (before.get(name), after.get(name)) {
                        (Some(old), Some(new)) => write!(f, "\n    {name}: {old} -> {new}")?,
                        (Some(old), None) => write!(f, "\n    - {name}: {old}")?,
                        (None, new) => write!(f, "\n    + {name}: {}", new.unwrap_or(&Value::Null))?,
                    }
                }
                Ok(())
            }
        }
    }
}

/// Returns the changes of the stored sections that applying `sections` makes.
pub(crate) fn of(stored: &Value, sections: &Map<String, Value>) -> Vec<Change> {
    let mut changes = Vec::new();
    for (section, after) in sections {
        let before = items(section, stored.get(section).unwrap_or(&Value::Null));
        let after = items(section, after);
        let names: BTreeSet<&(String, String)> = before.keys().chain(after.keys()).collect();
        for name in names {
            let (old, new) = (before.get(name).cloned(), after.get(name).cloned());
            if old != new {
                changes.push(Change { list: name.0.clone(), item: name.1.clone(), before: old, after: new });
            }
        }
    }
    changes
}

/// Returns the items of a section by list and name.
fn items(section: &str, value: &Value) -> BTreeMap<(String, String), Value> {
    let mut items = BTreeMap::new();
    match value {
        Value::Null => {}
        Value::Array(list) => {
            for (position, item) in list.iter().enumerate() {
                let name = NAMES.iter().find_map(|name| item.get(name)?.as_str());
                let name = name.map_or_else(|| format!("[{position}]"), str::to_owned);
                items.insert((section.to_owned(), name), item.clone());
            }
        }
        Value::Object(lists) => {
            for (name, list) in lists {
                items.extend(self::items(&format!("{section}.{name}"), list));
            }
        }
        other => {
            items.insert((section.to_owned(), String::new()), other.clone());
        }
    }
    items
}

fn members(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// True if a part of `before` is not in `after`. The words of a text are its parts: scopes.
fn loses(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            before.iter().any(|(name, value)| after.get(name).is_none_or(|after| loses(value, after)))
        }
        (Value::Array(before), Value::Array(after)) => before.iter().any(|item| !after.contains(item)),
        (Value::String(before), Value::String(after)) => {
            let after: Vec<&str> = after.split(' ').collect();
            before.split(' ').any(|word| !after.contains(&word))
        }
        (before, after) => before != after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(before: &Value, after: &Value) -> Vec<(String, bool)> {
        let sections = after.as_object().cloned().unwrap_or_default();
        of(before, &sections).iter().map(|change| (change.to_string(), change.removes())).collect()
    }

    #[test]
    fn an_addition_removes_nothing() {
        let before = json!({ "resources": [{ "resource": "https://a.example", "scopes": "read" }] });
        let after = json!({ "resources": [
            { "resource": "https://a.example", "scopes": "read write", "name": "A" },
            { "resource": "https://b.example" },
        ] });
        let expected = [
            (
                "~ resources: https://a.example\n    + name: \"A\"\n    scopes: \"read\" -> \"read write\"".to_owned(),
                false,
            ),
            ("+ resources: https://b.example".to_owned(), false),
        ];
        assert_eq!(changes(&before, &after), expected);
        assert_eq!(changes(&after, &after), []);
    }

    #[test]
    fn what_is_lost_is_found() {
        let before = json!({
            "resources": [{ "resource": "https://a.example", "scopes": "read write", "name": "A" }],
            "issuers": { "jwt": [{ "issuer": "https://i.example", "clients": ["a", "b"] }] },
        });
        for after in [
            json!({ "resources": null }),
            json!({ "resources": [] }),
            json!({ "resources": [{ "resource": "https://a.example", "scopes": "write", "name": "A" }] }),
            json!({ "resources": [{ "resource": "https://a.example", "scopes": "read write" }] }),
            json!({ "resources": [{ "resource": "https://a.example", "scopes": "read write", "name": "B" }] }),
            json!({ "issuers": {} }),
            json!({ "issuers": { "jwt": [{ "issuer": "https://i.example", "clients": ["b"] }] } }),
        ] {
            assert!(matches!(&changes(&before, &after)[..], [(_, true)]), "{after}");
        }
        assert_eq!(changes(&before, &json!({})), [], "a section that is not named stays");
    }
}
