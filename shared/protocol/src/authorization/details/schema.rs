//! A subset of JSON Schema 2020-12 for authorization details (infra/decisions/authorization-details-schemas.md).
//!
//! A schema is checked when the operator applies the configuration ([`problems`]). A request is checked against the schema as it is
//! stored ([`check`]), so most programs have the second half alone.

use super::format::Format;
use super::{MAX_DETAILS_DEPTH, is_equal};
use crate::Problem;
use crate::parameters::printable;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// The types of values.
const TYPES: [&str; 6] = ["object", "array", "string", "number", "integer", "boolean"];

/// The keywords: annotations first, then those of every type, then those of some types.
pub const KEYWORDS: [&str; 22] = [
    "$schema",
    "$comment",
    "title",
    "description",
    "examples",
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minLength",
    "maxLength",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
];

/// A value that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Violation {
    /// The place of the value, such as `.amount.currency`.
    pub(super) place: String,
    /// The rule.
    pub(super) rule: Cow<'static, str>,
}

impl Violation {
    pub(super) fn new(rule: impl Into<Cow<'static, str>>) -> Self {
        Self { place: String::new(), rule: rule.into() }
    }

    /// Returns the violation with the place of the value around it.
    pub(super) fn within(self, place: impl fmt::Display) -> Self {
        Self { place: format!("{place}{}", self.place), ..self }
    }
}

/// Checks a value. Errors: the first rule that it breaks. A schema of a later version, with a keyword that this one does not know,
/// accepts nothing.
pub(super) fn check(schema: &Value, value: &Value) -> Result<(), Violation> {
    let Some(keywords) = schema.as_object() else { return Err(Violation::new("has no schema")) };
    if let Some(unknown) = keywords.keys().find(|name| !KEYWORDS.contains(&name.as_str())) {
        return Err(Violation::new(format!("has a schema with an unknown keyword: {}", printable(unknown))));
    }
    match (type_of(schema), value) {
        ("object", Value::Object(members)) => check_object(schema, members)?,
        ("array", Value::Array(items)) => check_list(schema, items)?,
        ("string", Value::String(text)) => check_text(schema, text)?,
        ("number", Value::Number(number)) => check_number(schema, number.as_f64().unwrap_or(f64::NAN))?,
        ("integer", Value::Number(number)) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => {
            check_number(schema, number.as_f64().unwrap_or(f64::NAN))?;
        }
        ("boolean", Value::Bool(_)) => {}
        (kind, _) => return Err(Violation::new(format!("must be of the type {kind}"))),
    }
    let is_const = schema.get("const").is_none_or(|only| is_equal(only, value));
    let choices = schema.get("enum").and_then(Value::as_array);
    if is_const && choices.is_none_or(|choices| choices.iter().any(|choice| is_equal(choice, value))) {
        return Ok(());
    }
    let choices = choices.into_iter().flatten().chain(schema.get("const"));
    let names: Vec<String> =
        choices.map(|choice| choice.as_str().map_or_else(|| choice.to_string(), str::to_owned)).collect();
    Err(Violation::new(format!("must be one of {}", names.join(", "))))
}

fn check_object(schema: &Value, members: &Map<String, Value>) -> Result<(), Violation> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let is_open = schema.get("additionalProperties") == Some(&Value::Bool(true));
    for (name, value) in members {
        let at = |violation: Violation| violation.within(format_args!(".{}", printable(name)));
        match properties.and_then(|properties| properties.get(name)) {
            Some(schema) => check(schema, value).map_err(at)?,
            None if is_open => {}
            None => return Err(at(Violation::new("is an unknown member"))),
        }
    }
    let missing = texts(schema, "required").find(|name| !members.contains_key(*name));
    missing.map_or(Ok(()), |name| Err(Violation::new("is missing").within(format_args!(".{name}"))))
}

fn check_list(schema: &Value, items: &[Value]) -> Result<(), Violation> {
    check_count(schema, ["minItems", "maxItems"], items.len(), "items")?;
    if let Some(of_items) = schema.get("items") {
        items.iter().enumerate().try_for_each(|(position, item)| {
            check(of_items, item).map_err(|violation| violation.within(format_args!("[{position}]")))
        })?;
    }
    let is_repeated =
        |(position, item): (usize, &Value)| items.iter().take(position).any(|before| is_equal(before, item));
    if schema.get("uniqueItems") == Some(&Value::Bool(true)) && items.iter().enumerate().any(is_repeated) {
        return Err(Violation::new("must not have an item twice"));
    }
    Ok(())
}

fn check_text(schema: &Value, text: &str) -> Result<(), Violation> {
    check_count(schema, ["minLength", "maxLength"], text.chars().count(), "characters")?;
    let Some(name) = schema.get("format").and_then(Value::as_str) else { return Ok(()) };
    match Format::parse(name) {
        Some(format) if format.accepts(text) => Ok(()),
        _ => Err(Violation::new(format!("must have the format {}", printable(name)))),
    }
}

fn check_count(schema: &Value, [least, most]: [&str; 2], count: usize, unit: &str) -> Result<(), Violation> {
    let limit = |name: &str| schema.get(name).and_then(Value::as_u64);
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    if let Some(least) = limit(least).filter(|least| count < *least) {
        return Err(Violation::new(format!("must have at least {least} {unit}")));
    }
    match limit(most).filter(|most| count > *most) {
        Some(most) => Err(Violation::new(format!("must have at most {most} {unit}"))),
        None => Ok(()),
    }
}

fn check_number(schema: &Value, number: f64) -> Result<(), Violation> {
    let limit = |name: &str| schema.get(name).and_then(Value::as_f64).map(|limit| (limit, schema.get(name)));
    let broken = [
        ("minimum", "must be at least", f64::lt as fn(&f64, &f64) -> bool),
        ("maximum", "must be at most", f64::gt),
        ("exclusiveMinimum", "must be more than", f64::le),
        ("exclusiveMaximum", "must be less than", f64::ge),
    ];
    for (name, rule, is_broken) in broken {
        if let Some((limit, Some(written))) = limit(name)
            && is_broken(&number, &limit)
        {
            return Err(Violation::new(format!("{rule} {written}")));
        }
    }
    Ok(())
}

fn type_of(schema: &Value) -> &str {
    schema.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn texts<'a>(schema: &'a Value, keyword: &str) -> impl Iterator<Item = &'a str> {
    schema.get(keyword).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Returns every problem of a schema. `place` is the place of the schema, `depth` the number of levels that values may have.
pub(super) fn problems(schema: &Value, place: &str) -> Vec<Problem> {
    let mut found = Vec::new();
    collect(schema, place, MAX_DETAILS_DEPTH, &mut found);
    found
}

fn collect(schema: &Value, place: &str, depth: usize, found: &mut Vec<Problem>) {
    let Some(keywords) = schema.as_object() else {
        found.push(Problem::new(place.to_owned(), "must be an object: a schema"));
        return;
    };
    let kind = type_of(schema);
    if !TYPES.contains(&kind) {
        found.push(Problem::new(format!("{place}.type"), format!("must be one of {}", TYPES.join(", "))));
    }
    let Some(inner) = depth.checked_sub(usize::from(matches!(kind, "object" | "array"))) else {
        let rule = format!("is nested deeper than {MAX_DETAILS_DEPTH} levels");
        found.push(Problem::new(place.to_owned(), rule));
        return;
    };
    for (name, value) in keywords {
        let at = format!("{place}.{}", printable(name));
        match rule(name, kind, value) {
            Some(rule) => found.push(Problem::new(at, rule)),
            None if name == "properties" => {
                for (member, schema) in value.as_object().into_iter().flatten() {
                    collect(schema, &format!("{at}.{}", printable(member)), inner, found);
                }
            }
            None if name == "items" => collect(value, &at, inner, found),
            None if name == "required" => {
                let has = |member: &str| schema.get("properties").is_some_and(|all| all.get(member).is_some());
                let unknown = texts(schema, name).filter(|member| !has(member));
                found.extend(
                    unknown.map(|member| {
                        Problem::new(at.clone(), "names a member that properties lacks").with_value(member)
                    }),
                );
            }
            None => {}
        }
    }
}

/// Returns the rule that a keyword breaks.
fn rule(name: &str, kind: &str, value: &Value) -> Option<String> {
    let (of, is_good, form): (&[&str], bool, &str) = match name {
        "$schema" | "$comment" | "title" | "description" => (&TYPES, value.is_string(), "must be a string"),
        "examples" => (&TYPES, value.is_array(), "must be a list"),
        "type" | "const" => (&TYPES, true, ""),
        "enum" => (&TYPES, value.as_array().is_some_and(|choices| !choices.is_empty()), "must be a list of values"),
        "properties" => (&["object"], value.is_object(), "must be an object: a schema by member"),
        "required" => {
            let is_list = value.as_array().is_some_and(|names| names.iter().all(Value::is_string));
            (&["object"], is_list, "must be a list of members")
        }
        "additionalProperties" => (&["object"], value.is_boolean(), "must be true or false"),
        "items" => (&["array"], value.is_object(), "must be an object: a schema"),
        "minItems" | "maxItems" => (&["array"], value.is_u64(), "must be a whole number"),
        "uniqueItems" => (&["array"], value.is_boolean(), "must be true or false"),
        "minLength" | "maxLength" => (&["string"], value.is_u64(), "must be a whole number"),
        "format" => {
            let is_known = value.as_str().is_some_and(|name| Format::parse(name).is_some());
            (&["string"], is_known, Format::RULE)
        }
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
            (&["number", "integer"], value.is_number(), "must be a number")
        }
        _ => return Some(format!("is no keyword that this server knows; the keywords are {}", KEYWORDS.join(", "))),
    };
    if !of.contains(&kind) && TYPES.contains(&kind) {
        return Some(format!("is a keyword for the type {}, and this schema has the type {kind}", of.join(" or ")));
    }
    (!is_good).then(|| form.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule_of(schema: &Value, value: &Value) -> Option<String> {
        check(schema, value).err().map(|violation| format!("{}: {}", violation.place, violation.rule))
    }

    #[test]
    fn each_keyword_accepts_and_rejects() {
        for (schema, good, bad) in [
            (json!({ "type": "string" }), json!(["", "a"]), json!([1, null, true, [], {}])),
            (json!({ "type": "boolean" }), json!([true, false]), json!(["true", 0])),
            (json!({ "type": "number" }), json!([1, -1.5, 0]), json!(["1", true])),
            (json!({ "type": "integer" }), json!([1, 1.0, -3]), json!([1.5, "1"])),
            (json!({ "type": "string", "enum": ["a", "b"] }), json!(["a", "b"]), json!(["c", ""])),
            (json!({ "type": "number", "const": 1 }), json!([1, 1.0]), json!([2])),
            (
                json!({ "type": "string", "minLength": 2, "maxLength": 3 }),
                json!(["\u{e9}\u{e9}", "abc"]),
                json!(["a", "abcd"]),
            ),
            (json!({ "type": "number", "minimum": 1, "maximum": 2 }), json!([1, 1.5, 2]), json!([0.9, 2.1])),
            (json!({ "type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 2 }), json!([1.5]), json!([1, 2])),
            (
                json!({ "type": "array", "minItems": 1, "maxItems": 2 }),
                json!([[1], [1, "a"]]),
                json!([[], [1, 2, 3], {}]),
            ),
            (
                json!({ "type": "array", "uniqueItems": true }),
                json!([[], [1, 2]]),
                json!([[1, 1.0], [{ "a": 1 }, { "a": 1 }]]),
            ),
            (json!({ "type": "array", "items": { "type": "string" } }), json!([[], ["a"]]), json!([[1], ["a", null]])),
            (
                json!({ "type": "object", "properties": { "a": { "type": "string" } } }),
                json!([{}, { "a": "x" }]),
                json!([{ "b": 1 }, { "a": 1 }, []]),
            ),
            (
                json!({ "type": "object", "required": ["a"], "additionalProperties": true }),
                json!([{ "a": 1, "b": 2 }]),
                json!([{}, { "b": 1 }]),
            ),
            (json!({ "type": "string", "format": "date" }), json!(["2026-02-28"]), json!(["2026-02-30", "today"])),
        ] {
            for value in good.as_array().into_iter().flatten() {
                assert_eq!(rule_of(&schema, value), None, "{schema} {value}");
            }
            for value in bad.as_array().into_iter().flatten() {
                assert!(rule_of(&schema, value).is_some(), "{schema} {value}");
            }
            assert_eq!(
                problems(&schema, "schema")
                    .iter()
                    .filter(|problem| !problem.to_string().contains("properties lacks"))
                    .count(),
                0,
                "{schema}"
            );
        }
    }

    #[test]
    fn a_violation_names_its_place() {
        let schema = json!({
            "type": "object",
            "properties": {
                "amount": { "type": "object", "properties": { "currency": { "type": "string", "enum": ["EUR"] } }, "required": ["currency"] },
                "list": { "type": "array", "items": { "type": "integer" } },
            },
        });
        for (value, rule) in [
            (json!({ "amount": { "currency": "USD" } }), ".amount.currency: must be one of EUR"),
            (json!({ "amount": {} }), ".amount.currency: is missing"),
            (json!({ "list": [1, "2"] }), ".list[1]: must be of the type integer"),
            (json!({ "other\u{7}": 1 }), ".other: is an unknown member"),
        ] {
            assert_eq!(rule_of(&schema, &value).as_deref(), Some(rule));
        }
    }

    /// A keyword that is ignored would accept what the operator forbids.
    #[test]
    fn every_problem_of_a_schema_is_reported_with_its_place() {
        let schema = json!({
            "type": "object", "pattern": "x", "minLength": 1, "required": ["b"],
            "properties": {
                "a": { "type": "text" },
                "c": { "type": "string", "format": "phone", "maxLength": -1 },
                "d": { "type": "array", "items": { "$ref": "#/x" } },
                "e": [],
            },
        });
        let found: Vec<String> = problems(&schema, "schema").iter().map(|problem| problem.field().to_owned()).collect();
        let expected = [
            "schema.minLength",
            "schema.pattern",
            "schema.properties.a.type",
            "schema.properties.c.format",
            "schema.properties.c.maxLength",
            "schema.properties.d.items.type",
            "schema.properties.d.items.$ref",
            "schema.properties.e",
            "schema.required",
        ];
        assert_eq!(found, expected);
        let deep = (0..9).fold(json!({ "type": "string" }), |inner, _| json!({ "type": "array", "items": inner }));
        assert_eq!(problems(&deep, "schema").len(), 1);
        let unknown = json!({ "type": "string", "pattern": "a" });
        assert!(rule_of(&unknown, &json!("a")).is_some(), "fails closed");
    }
}
