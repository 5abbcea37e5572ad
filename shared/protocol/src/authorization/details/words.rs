//! Words for users about authorization details: what a page shows is what is granted, so each value of an object has a line.

use super::check_text;
use super::definition::AuthorizationDetailsType;
use super::format::{date_in_words, is_decimal};
use crate::localized;
use crate::shape::{Member, Shape};
use crate::{Problem, parameters::printable};
use serde_json::{Map, Value};

/// The formats of lines.
const FORMATS: [&str; 4] = ["text", "money", "date", "list"];

/// The members of an item of `display`.
pub(super) const DISPLAY: &[Member] = &[
    Member::required("label", Shape::Text),
    Member::required("pointer", Shape::Text),
    Member::optional("format", Shape::OneOf(|| FORMATS.to_vec())),
    Member::optional("localized", Shape::TextMap("object: `{\"label#de\": \"words\"}`")),
];

/// One of the details in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailWords<'a> {
    /// Words of the operator about the type; empty if it has none.
    pub title: &'a str,
    /// `type` on the wire.
    pub name: &'a str,
    /// Each value of the object.
    pub lines: Vec<DetailLine<'a>>,
}

/// A value in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailLine<'a> {
    /// Words of the operator about the value; empty if it has none.
    pub label: &'a str,
    /// The place of the value in the object, such as `amount.currency`.
    pub place: String,
    /// The value; several if it is a list.
    pub values: Vec<String>,
}

impl<'a> DetailWords<'a> {
    /// Returns the words about an object: first the values that have a label, then every other one.
    pub(super) fn of(
        name: &'a str,
        detail: &Map<String, Value>,
        of_type: Option<&'a AuthorizationDetailsType>,
        languages: Option<&str>,
    ) -> Self {
        let object = Value::Object(detail.clone());
        let mut shown = vec!["/type".to_owned()];
        let mut lines = Vec::new();
        for item in of_type.into_iter().flat_map(AuthorizationDetailsType::display) {
            let pointer = text(item, "pointer");
            let value = object.pointer(pointer).filter(|_| !shown.iter().any(|known| known == pointer));
            if let Some(values) = value.and_then(|value| formatted(text(item, "format"), value)) {
                let label = item.as_object().map_or("", |item| localized::chosen(item, "label", languages));
                lines.push(DetailLine { label, place: place_of(pointer), values });
                shown.push(pointer.to_owned());
            }
        }
        rest(&object, "", &shown, &mut lines);
        let title = of_type.map_or("", |known| localized::chosen(known.members(), "title", languages));
        Self { title, name, lines }
    }
}

fn text<'a>(item: &'a Value, member: &str) -> &'a str {
    item.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// Returns a value in a format; `None` if the format does not show all of it.
fn formatted(format: &str, value: &Value) -> Option<Vec<String>> {
    match (format, value) {
        ("money", Value::Object(money)) if money.len() == 2 => {
            let amount = scalar(money.get("amount")?).filter(|amount| is_decimal(amount))?;
            Some(vec![format!("{amount} {}", money.get("currency")?.as_str()?)])
        }
        ("list", Value::Array(items)) if !items.is_empty() => items.iter().map(scalar).collect(),
        ("date", Value::String(date)) => Some(vec![date_in_words(date)?]),
        ("text" | "", value) => Some(vec![scalar(value)?]),
        _ => None,
    }
}

/// Returns a value that is no object and no list.
fn scalar(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null => "nothing".to_owned(),
        Value::Array(items) if items.is_empty() => "nothing".to_owned(),
        Value::Object(members) if members.is_empty() => "nothing".to_owned(),
        Value::Array(_) | Value::Object(_) => return None,
    })
}

/// Adds a line for each value without one.
fn rest(value: &Value, pointer: &str, shown: &[String], lines: &mut Vec<DetailLine<'_>>) {
    if shown.iter().any(|known| known == pointer) {
        return;
    }
    let is_shown_within =
        || shown.iter().any(|known| known.strip_prefix(pointer).is_some_and(|rest| rest.starts_with('/')));
    let whole = match value {
        Value::Array(_) if !is_shown_within() => formatted("list", value),
        _ => None,
    };
    if let Some(values) = whole.or_else(|| scalar(value).map(|value| vec![value])) {
        lines.push(DetailLine { label: "", place: place_of(pointer), values });
        return;
    }
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(position, item)| {
            rest(item, &format!("{pointer}/{position}"), shown, lines);
        }),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            rest(value, &format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), shown, lines);
        }),
        _ => {}
    }
}

/// Returns a JSON pointer (RFC 6901) as users read a place.
fn place_of(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~")
}

/// Returns every problem of `display` and of the words in other languages.
pub(super) fn display_problems(of_type: &AuthorizationDetailsType, schema: &Value) -> Vec<Problem> {
    let mut problems = localized_problems(of_type.members(), "title", "localized");
    for (position, item) in of_type.display().enumerate() {
        let at = format!("display[{position}]");
        let pointer = text(item, "pointer");
        if !pointer.starts_with('/') || resolve(schema, pointer).is_none() {
            let rule = "must be a JSON Pointer (RFC 6901) to a member that the schema has";
            problems.push(Problem::new(format!("{at}.pointer"), rule).with_value(pointer));
        }
        if text(item, "label").is_empty() || check_text(text(item, "label")).is_err() {
            problems.push(Problem::new(format!("{at}.label"), "must be words without control characters"));
        }
        if let Some(item) = item.as_object() {
            problems.extend(localized_problems(item, "label", &format!("{at}.localized")));
        }
    }
    problems
}

/// Returns the problems of the words of a member in other languages.
fn localized_problems(object: &Map<String, Value>, member: &str, place: &str) -> Vec<Problem> {
    let words = object.get("localized").and_then(Value::as_object).into_iter().flatten();
    let problem = |(name, words): (&String, &Value)| {
        let is_name = name.split_once('#').is_some_and(|(base, tag)| base == member && localized::is_tag(tag));
        let is_text = words.as_str().is_some_and(|words| !words.is_empty() && check_text(words).is_ok());
        let rule = match (is_name, is_text) {
            (true, true) => return None,
            (false, _) => format!("must be {member}#LANGUAGE, such as {member}#de"),
            (true, false) => "must be words without control characters".to_owned(),
        };
        Some(Problem::new(format!("{place}.{}", printable(name)), rule))
    };
    words.filter_map(problem).collect()
}

/// Returns the schema of the value that a pointer names.
fn resolve<'a>(schema: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer.split('/').skip(1).try_fold(schema, |schema, part| {
        let name = part.replace("~1", "/").replace("~0", "~");
        match schema.get("properties") {
            Some(properties) => properties.get(&name),
            None => schema.get("items").filter(|_| name.bytes().all(|byte| byte.is_ascii_digit())),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn payment() -> AuthorizationDetailsType {
        serde_json::from_value(json!({
            "type": "payment", "title": "Pay", "localized": { "title#de": "Zahlen" },
            "schema": { "type": "object", "properties": {} },
            "display": [
                { "label": "Amount", "pointer": "/amount", "format": "money", "localized": { "label#de": "Betrag" } },
                { "label": "On", "pointer": "/on", "format": "date" },
                { "label": "To", "pointer": "/to/name" },
                { "label": "For", "pointer": "/for", "format": "list" },
            ],
        }))
        .unwrap()
    }

    fn lines(detail: &Value, languages: Option<&str>) -> Vec<String> {
        let known = payment();
        let words = DetailWords::of("payment", detail.as_object().unwrap(), Some(&known), languages);
        let line = |line: &DetailLine<'_>| {
            let name = if line.label.is_empty() { &line.place } else { line.label };
            format!("{name}: {}", line.values.join(" | "))
        };
        std::iter::once(words.title.to_owned()).chain(words.lines.iter().map(line)).collect()
    }

    #[test]
    fn labels_and_formats_show_values() {
        let detail = json!({
            "type": "payment", "amount": { "amount": "12.50", "currency": "EUR" }, "on": "2026-11-30",
            "to": { "name": "Ann", "iban": "X" }, "for": ["a", "b"],
        });
        let expected = ["Pay", "Amount: 12.50 EUR", "On: 30 November 2026", "To: Ann", "For: a | b", "to.iban: X"];
        assert_eq!(lines(&detail, None), expected);
        let german = lines(&detail, Some("de-CH, en;q=0.5"));
        assert_eq!((german[0].as_str(), german[1].as_str()), ("Zahlen", "Betrag: 12.50 EUR"));
    }

    /// The page shows all that is granted.
    #[test]
    fn no_value_is_hidden_by_its_label() {
        let detail = json!({
            "type": "payment", "amount": { "amount": "12.50", "currency": "EUR", "fee": 7 }, "on": "soon",
            "to": { "name": { "first": "Ann" } }, "for": [["x"], { "y": false }], "a/b": {}, "list": [1, null],
        });
        let expected = [
            "Pay",
            "a/b: nothing",
            "amount.amount: 12.50",
            "amount.currency: EUR",
            "amount.fee: 7",
            "for.0: x",
            "for.1.y: no",
            "list: 1 | nothing",
            "on: soon",
            "to.name.first: Ann",
        ];
        assert_eq!(lines(&detail, None), expected);
    }

    #[test]
    fn a_type_that_is_gone_shows_all_values() {
        let detail = json!({ "type": "old", "x": 1 });
        let words = DetailWords::of("old", detail.as_object().unwrap(), None, None);
        assert_eq!((words.title, words.name, words.lines.len()), ("", "old", 1));
    }
}
