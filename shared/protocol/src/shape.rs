//! Shapes of JSON members. A table of members is checked and documented from the same rows.

use crate::Problem;
use crate::parameters::printable;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::borrow::Cow;
use types::Scope;

/// The shape of a JSON value.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// String.
    Text,
    /// String: URL that a browser or this server opens.
    Url,
    /// `true` or `false`.
    Flag,
    /// Whole number of seconds.
    Seconds,
    /// List of strings.
    Texts,
    /// List of strings: URIs.
    Uris,
    /// String: scopes separated by spaces (RFC 6749 §3.3).
    Scopes,
    /// Any JSON value, which later validation describes.
    Any(&'static str),
    /// String: one of these.
    OneOf(fn() -> Vec<&'static str>),
    /// List of strings, each one of these.
    ListOf(fn() -> Vec<&'static str>),
    /// Object whose values are strings.
    TextMap(&'static str),
    /// Object with these members.
    Object(&'static [Member]),
    /// List of objects with these members.
    Objects(&'static [Member]),
    /// Value that a type decodes, with the rule in words.
    Decoded(fn(&Value) -> bool, &'static str),
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Name.
    pub name: &'static str,
    /// Shape of the value.
    pub shape: Shape,
    /// True if the object is wrong without the member.
    pub is_required: bool,
}

impl Member {
    /// Returns a member that may be left out.
    pub const fn optional(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, is_required: false }
    }

    /// Returns a member that the object must have.
    pub const fn required(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, is_required: true }
    }
}

impl Shape {
    /// Returns the problems of a value; none if it has this shape.
    pub fn problems(self, field: &str, value: &Value) -> Vec<Problem> {
        if let (Self::Object(members), Value::Object(object)) = (self, value) {
            return problems_of_object(members, object, &format!("{field}."));
        }
        if let (Self::Objects(members), Value::Array(items)) = (self, value) {
            let of_item = |(position, item)| Self::Object(members).problems(&format!("{field}[{position}]"), item);
            return items.iter().enumerate().flat_map(of_item).collect();
        }
        if self.is_shape_of(value) { Vec::new() } else { vec![Problem::new(field.to_owned(), self.rule())] }
    }

    fn is_shape_of(self, value: &Value) -> bool {
        let is_list =
            |is_item: &dyn Fn(&Value) -> bool| value.as_array().is_some_and(|items| items.iter().all(is_item));
        let is_among = |names: fn() -> Vec<&'static str>, value: &Value| {
            value.as_str().is_some_and(|text| names().contains(&text))
        };
        match self {
            Self::Text | Self::Url => value.is_string(),
            Self::Flag => value.is_boolean(),
            Self::Seconds => value.is_u64(),
            Self::Texts | Self::Uris => is_list(&Value::is_string),
            Self::Scopes => value.as_str().is_some_and(|text| Scope::parse(text).is_some()),
            Self::Any(_) => true,
            Self::OneOf(names) => is_among(names, value),
            Self::ListOf(names) => is_list(&|item| is_among(names, item)),
            Self::TextMap(_) => value.as_object().is_some_and(|object| object.values().all(Value::is_string)),
            Self::Object(_) | Self::Objects(_) => false,
            Self::Decoded(is_decoded, _) => is_decoded(value),
        }
    }

    /// Returns the rule in words, for an error message.
    fn rule(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Text | Self::Url | Self::Any(_) => "must be a string",
            Self::Flag => "must be true or false",
            Self::Seconds => "must be a whole number of seconds",
            Self::Texts | Self::Uris => "must be a list of strings",
            Self::Scopes => "must be a string of scopes separated by spaces (RFC 6749 section 3.3)",
            Self::OneOf(names) => return Cow::Owned(format!("must be one of {}", names().join(", "))),
            Self::ListOf(names) => {
                return Cow::Owned(format!("must be a list, each item one of {}", names().join(", ")));
            }
            Self::TextMap(_) => "must be an object whose values are strings",
            Self::Object(_) => "must be an object",
            Self::Objects(_) => "must be a list of objects",
            Self::Decoded(_, rule) => rule,
        })
    }

    /// Returns the values in words, for the documentation (Markdown).
    pub fn values(self) -> String {
        let code = |names: Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match self {
            Self::Text => "text".to_owned(),
            Self::Url => "https URL".to_owned(),
            Self::Flag => "`true`, `false`".to_owned(),
            Self::Seconds => "seconds".to_owned(),
            Self::Texts => "list of texts".to_owned(),
            Self::Uris => "list of URIs".to_owned(),
            Self::Scopes => "scopes, separated by spaces".to_owned(),
            Self::Any(words) | Self::TextMap(words) | Self::Decoded(_, words) => words.to_owned(),
            Self::OneOf(names) => code(names()),
            Self::ListOf(names) => format!("list of {}", code(names())),
            Self::Object(members) => format!("object: {}", code(members.iter().map(|member| member.name).collect())),
            Self::Objects(members) => {
                format!("list of objects: {}", code(members.iter().map(|member| member.name).collect()))
            }
        }
    }
}

/// Decodes an object by its table. Returns what the members without problems describe, if they suffice, and all
/// problems: unknown members, missing members, wrong shapes. A member that is `null` counts as left out.
pub fn decode<T: DeserializeOwned>(members: &[Member], mut object: Map<String, Value>) -> (Option<T>, Vec<Problem>) {
    object.retain(|_, value| !value.is_null());
    let mut problems = problems_of_object(members, &object, "");
    let is_good = |(name, value): (&String, &mut Value)| {
        members.iter().any(|member| member.name == name && member.shape.problems(name, value).is_empty())
    };
    object.retain(|name, value| is_good((name, value)));
    let decoded = types::json::typed(&Value::Object(object));
    if decoded.is_none() && problems.is_empty() {
        problems.push(Problem::new("settings", "cannot be read"));
    }
    (decoded, problems)
}

/// Returns the names of a table, for a constant: a program that reads only the names does not have the rest of the table.
#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler")]
pub const fn names<const N: usize>(members: &[Member]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut position = 0;
    while position < N {
        names[position] = members[position].name;
        position += 1;
    }
    names
}

/// Returns the problem of an object with a member that is none of these.
pub fn unknown(names: &[&str], object: &Value) -> Option<Problem> {
    let unknown = object.as_object()?.keys().find(|name| !names.contains(&name.as_str()))?;
    Some(Problem::new(printable(unknown), UNKNOWN))
}

fn problems_of_object(members: &[Member], object: &Map<String, Value>, prefix: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, value) in object {
        match members.iter().find(|member| member.name == name) {
            Some(member) => problems.extend(member.shape.problems(&format!("{prefix}{name}"), value)),
            None => problems.push(Problem::new(format!("{prefix}{}", printable(name)), UNKNOWN)),
        }
    }
    let missing = members.iter().filter(|member| member.is_required && !object.contains_key(member.name));
    problems.extend(missing.map(|member| Problem::new(format!("{prefix}{}", member.name), "is missing")));
    problems
}

/// The rule that a member without a row breaks.
const UNKNOWN: &str = "there is no such setting";
