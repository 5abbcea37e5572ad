//! `authorization_details` (RFC 9396): the details of a request, their check, and the part of them that a token holds.

mod definition;
mod format;
mod schema;
mod words;

use crate::parameters::printable;
use crate::resource::{Targets, is_same};
use crate::{Client, Parameters};
pub use definition::{AuthorizationDetailsType, AuthorizationDetailsTypes};
pub use format::MONTHS;
pub use schema::KEYWORDS as SCHEMA_KEYWORDS;
use schema::Violation;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use types::{Error, ErrorCode};
pub use words::{DetailLine, DetailWords};

/// The most objects of `authorization_details`.
pub const MAX_DETAILS: usize = 32;

/// The longest `authorization_details`, in bytes of JSON.
pub const MAX_DETAILS_LENGTH: usize = 32 * 1024;

/// The deepest nesting of objects and lists in one of the details. The object itself is the first level.
pub const MAX_DETAILS_DEPTH: usize = 8;

/// The most items of a list, and members of an object, in details.
pub const MAX_DETAILS_ITEMS: usize = 256;

/// The greatest number in details: each program reads numbers up to here alike (RFC 7493 §2.2).
const MAX_NUMBER: f64 = 9_007_199_254_740_991.0;

/// The members that are lists of strings (RFC 9396 §2.2). A token may have a part of them.
const LISTS: [&str; 4] = ["locations", "actions", "datatypes", "privileges"];

/// `authorization_details`: objects that say what a client may do (RFC 9396 §2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorizationDetails(Vec<Map<String, Value>>);

impl AuthorizationDetails {
    /// True if there are no details.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns each object with its `type`.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
        self.0.iter().map(|detail| (type_of(detail), detail))
    }

    /// Reads the parameter; `None` if it is not sent. Errors: `invalid_authorization_details` if it is no list of objects with a
    /// `type`, or is too large or too deep. No object may have a member twice, a number that programs read differently, or a character
    /// that hides others on a page.
    pub fn of_parameters(parameters: &Parameters) -> Result<Option<Self>, Error> {
        let Some(text) = parameters.value(NAME) else { return Ok(None) };
        if text.len() > MAX_DETAILS_LENGTH {
            return Err(invalid("", format_args!("must be at most {MAX_DETAILS_LENGTH} bytes of JSON")));
        }
        let list = types::json::unambiguous(text.as_bytes());
        let Ok(Value::Array(items)) = list else {
            return Err(invalid("", "must be a JSON array of objects, none of which has a member twice"));
        };
        if !(1..=MAX_DETAILS).contains(&items.len()) {
            return Err(invalid("", format_args!("must have 1 to {MAX_DETAILS} objects")));
        }
        let details = items.into_iter().enumerate().map(|(position, item)| {
            let at = |violation: Violation| violation.within(format_args!("[{position}]")).into_error();
            check_content(&item, MAX_DETAILS_DEPTH).map_err(at)?;
            match item {
                Value::Object(detail) if detail.get("type").is_some_and(Value::is_string) => Ok(detail),
                _ => Err(at(Violation::new("must be an object with a string as type"))),
            }
        });
        details.collect::<Result<_, _>>().map(|details| Some(Self(details)))
    }

    /// Checks the details of a request: each type is known, open to the client, and its schema accepts the object (RFC 9396 §5).
    /// Errors: `invalid_authorization_details`.
    fn check(&self, types: &AuthorizationDetailsTypes, client: &Client) -> Result<(), Error> {
        self.iter().enumerate().try_for_each(|(position, (name, detail))| {
            let at = |violation: Violation| violation.within(format_args!("[{position}]")).into_error();
            let Some(known) = types.find(name).filter(|_| may_use(client, name)) else {
                let own = types.names().filter(|name| may_use(client, name)).collect::<Vec<_>>().join(", ");
                let rule = format_args!(
                    "'{}' is unknown, or this client may not use it (authorization_details_types); its types are: {own}",
                    printable(name)
                )
                .to_string();
                return Err(at(Violation::new(rule).within(".type")));
            };
            known.check(detail).map_err(at)
        })
    }

    /// Returns the details for these audiences (RFC 9396 §9.2): those with one of them in `locations`. Details without `locations`
    /// are for the resources of their type, or for every audience.
    #[must_use]
    pub fn for_audiences(&self, types: &AuthorizationDetailsTypes, audiences: &[String]) -> Self {
        self.filtered(|name, detail| is_for(audience(detail, types.find(name)).as_deref(), audiences))
    }

    /// Returns the details that a token of the client for these audiences holds (RFC 9396 §7, §9.1). A type that the deployment or the
    /// client has lost since the grant is left out.
    #[must_use]
    pub fn assigned(&self, types: &AuthorizationDetailsTypes, client: &Client, audiences: &[String]) -> Self {
        self.filtered(|name, detail| is_assigned(name, detail, types, client, audiences))
    }

    fn filtered(&self, keep: impl Fn(&str, &Map<String, Value>) -> bool) -> Self {
        Self(self.iter().filter(|(name, detail)| keep(name, detail)).map(|(_, detail)| detail.clone()).collect())
    }

    /// Returns the part of the details that a token request names, or all of them (RFC 9396 §6). Each object of the request is one of
    /// these details, or one with shorter lists: `actions`, `locations`, `datatypes` and `privileges` may lack values. Each of these
    /// details counts once: two objects of a token may be two acts. Errors: `invalid_authorization_details`.
    pub fn narrowed(&self, parameters: &Parameters) -> Result<Self, Error> {
        let Some(requested) = Self::of_parameters(parameters)? else { return Ok(self.clone()) };
        let mut left: Vec<&Map<String, Value>> = self.0.iter().collect();
        let mut take = |fits: &dyn Fn(&Map<String, Value>) -> bool| {
            let position = left.iter().position(|granted| fits(granted));
            position.map(|position| left.swap_remove(position)).is_some()
        };
        // Equal objects first, so that a shorter one does not take their place.
        let details = || requested.0.iter().enumerate();
        let others: Vec<_> =
            details().filter(|(_, detail)| !take(&|granted| is_equal_object(detail, granted))).collect();
        match others.into_iter().find(|(_, detail)| !take(&|granted| is_within(detail, granted))) {
            None => Ok(requested),
            Some((position, _)) => {
                let rule = "was not granted; request an object as the token response has it, or one with fewer actions, locations, datatypes or privileges";
                Err(invalid(&format!("[{position}]"), rule))
            }
        }
    }

    /// Checks that a token holds each of the details, which a token request names. Errors: `invalid_authorization_details`.
    pub fn check_assigned(
        &self,
        types: &AuthorizationDetailsTypes,
        client: &Client,
        audiences: &[String],
    ) -> Result<(), Error> {
        let mut others = self.iter().map(|(name, detail)| is_assigned(name, detail, types, client, audiences));
        others.position(|is_assigned| !is_assigned).map_or(Ok(()), |position| {
            let audiences = audiences.join(" ");
            let rule =
                format!("is for another resource than the token ({audiences}), or this client may not use its type");
            Err(invalid(&format!("[{position}]"), rule))
        })
    }

    /// Returns the words for users about each of the details. `languages` is the field Accept-Language.
    pub fn words<'a>(&'a self, types: &'a AuthorizationDetailsTypes, languages: Option<&str>) -> Vec<DetailWords<'a>> {
        self.iter().map(|(name, detail)| DetailWords::of(name, detail, types.find(name), languages)).collect()
    }
}

impl Targets<'_> {
    /// Returns the details of a request after their check. Errors: `invalid_authorization_details`.
    pub fn details(&self, parameters: &Parameters, client: &Client) -> Result<AuthorizationDetails, Error> {
        let details = AuthorizationDetails::of_parameters(parameters)?.unwrap_or_default();
        details.check(self.details_types, client)?;
        Ok(details)
    }

    /// Adds the resources that the details are for, where they are for none of those. The parameter `resource` does not limit the
    /// details (RFC 9396 §3.2). Errors: `invalid_authorization_details` if `locations` names no resource of the client.
    pub fn with_locations(
        &self,
        mut resources: Vec<String>,
        details: &AuthorizationDetails,
        client: &Client,
    ) -> Result<Vec<String>, Error> {
        for (position, (name, detail)) in details.iter().enumerate() {
            let Some(audience) = audience(detail, self.details_types.find(name)) else { continue };
            let audience: Vec<String> = audience.into_iter().map(str::to_owned).collect();
            let Some(known) = self.known(&audience, client) else {
                let place = if detail.contains_key("locations") { ".locations" } else { ".type" };
                let rule = "is for a resource that is unknown, or that this client may not ask for";
                return Err(invalid(&format!("[{position}]{place}"), rule));
            };
            if !known.iter().any(|known| resources.contains(known)) {
                resources.extend(known);
            }
        }
        Ok(resources)
    }
}

/// Name of the parameter, the claim and the members.
const NAME: &str = "authorization_details";

fn type_of(detail: &Map<String, Value>) -> &str {
    detail.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn may_use(client: &Client, name: &str) -> bool {
    client.authorization_details_types.iter().any(|own| own == name)
}

/// Returns the audience of an object: its `locations`, or the resources of its type; `None` for every audience.
fn audience<'a>(detail: &'a Map<String, Value>, of_type: Option<&'a AuthorizationDetailsType>) -> Option<Vec<&'a str>> {
    let locations = detail.get("locations").and_then(Value::as_array);
    let list = locations.or_else(|| of_type?.resources())?;
    Some(list.iter().filter_map(Value::as_str).collect())
}

fn is_assigned(
    name: &str,
    detail: &Map<String, Value>,
    types: &AuthorizationDetailsTypes,
    client: &Client,
    audiences: &[String],
) -> bool {
    let known = types.find(name).filter(|_| may_use(client, name));
    known.is_some() && is_for(audience(detail, known).as_deref(), audiences)
}

fn is_for(audience: Option<&[&str]>, audiences: &[String]) -> bool {
    audience.is_none_or(|own| own.iter().any(|own| audiences.iter().any(|other| is_same(own, other))))
}

/// True if an object is a granted one, or one with shorter lists.
fn is_within(detail: &Map<String, Value>, granted: &Map<String, Value>) -> bool {
    detail.len() == granted.len()
        && granted.iter().all(|(name, granted)| match (detail.get(name), granted) {
            (Some(Value::Array(part)), Value::Array(whole)) if LISTS.contains(&name.as_str()) => {
                part.is_empty() == whole.is_empty() && part.iter().all(|item| whole.contains(item))
            }
            (Some(value), granted) => is_equal(value, granted),
            (None, _) => false,
        })
}

/// True if two values are equal. A program may write 1 as 1.0, and the other way round.
fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => is_equal_object(one, other),
        _ => one == other,
    }
}

fn is_equal_object(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    one.len() == other.len()
        && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| is_equal(value, other)))
}

/// Checks what no schema may allow: nesting, numbers and characters. `depth` is the number of levels that are left.
fn check_content(value: &Value, depth: usize) -> Result<(), Violation> {
    let inner = |count: usize| match depth.checked_sub(1) {
        None => Err(Violation::new(format!("is nested deeper than {MAX_DETAILS_DEPTH} levels"))),
        Some(_) if count > MAX_DETAILS_ITEMS => {
            Err(Violation::new(format!("must have at most {MAX_DETAILS_ITEMS} items or members")))
        }
        Some(depth) => Ok(depth),
    };
    match value {
        Value::Null | Value::Bool(_) => Ok(()),
        Value::Number(number) if number.as_f64().is_some_and(|number| number.abs() <= MAX_NUMBER) => Ok(()),
        Value::Number(_) => Err(Violation::new("must be a number from -9007199254740991 to 9007199254740991")),
        Value::String(text) => check_text(text),
        Value::Array(items) => {
            let depth = inner(items.len())?;
            items.iter().enumerate().try_for_each(|(position, item)| {
                check_content(item, depth).map_err(|violation| violation.within(format_args!("[{position}]")))
            })
        }
        Value::Object(members) => {
            let depth = inner(members.len())?;
            members.iter().try_for_each(|(name, value)| {
                let checked = check_text(name).and_then(|()| check_content(value, depth));
                checked.map_err(|violation| violation.within(format_args!(".{}", printable(name))))
            })
        }
    }
}

fn check_text(text: &str) -> Result<(), Violation> {
    match text.chars().any(is_hidden) {
        true => {
            Err(Violation::new("has a control character, or one that is invisible or changes the direction of text"))
        }
        false => Ok(()),
    }
}

/// True for a character that a page does not show, or that changes the place of others (UAX #9): with it, a user would read another
/// text than the API. The joiners U+200C and U+200D are part of words in several scripts.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Returns `invalid_authorization_details` (RFC 9396 §5) with the place and the rule.
fn invalid(place: &str, rule: impl fmt::Display) -> Error {
    Error::new(ErrorCode::InvalidAuthorizationDetails, format!("{NAME}{place}: {rule}"))
}

impl Violation {
    fn into_error(self) -> Error {
        invalid(&self.place, &self.rule)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::{ClaimDefinitions, Resource};
    use serde_json::json;

    const A: &str = "https://a.example";
    const B: &str = "https://b.example";

    fn types() -> AuthorizationDetailsTypes {
        let actions = json!({ "type": "array", "items": { "type": "string" } });
        serde_json::from_value(json!([
            { "type": "account", "title": "x", "schema": { "type": "object", "properties": {
                "actions": actions, "locations": actions, "limit": { "type": "number" }, "deep": { "type": "object" } } } },
            { "type": "note", "title": "x", "resources": [B], "schema": { "type": "object" } },
            { "type": "other", "title": "x", "schema": { "type": "object" } },
        ]))
        .unwrap()
    }

    fn client() -> Client {
        serde_json::from_value(json!({ "client_id": "app", "authorization_details_types": ["account", "note"] }))
            .unwrap()
    }

    fn parameters(details: &str) -> Parameters {
        let members = json!({ "authorization_details": details });
        Parameters::from_members(members.as_object().unwrap()).unwrap()
    }

    fn requested(details: &Value) -> Result<(AuthorizationDetails, Vec<String>), Error> {
        let resources: Vec<Resource> = [A, B].map(|uri| Resource::of_any_scope(uri.to_owned())).to_vec();
        let (types, claims) = (types(), ClaimDefinitions::default());
        let targets = Targets {
            resources: &resources,
            scopes: &[],
            claim_scopes: &[],
            claims: &claims,
            details_types: &types,
            classes: &crate::AuthenticationClasses(Vec::new()),
        };
        let access = targets.of_request(&parameters(&details.to_string()), &client())?;
        assert!(access.scope.is_empty(), "details alone");
        Ok((access.authorization_details, access.resources))
    }

    fn rule(details: &Value) -> String {
        let error = requested(details).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidAuthorizationDetails);
        error.description.into_owned()
    }

    fn granted(details: &Value) -> AuthorizationDetails {
        AuthorizationDetails::of_parameters(&parameters(&details.to_string())).unwrap().unwrap()
    }

    /// RFC 9396 §5.
    #[test]
    fn an_error_names_the_place() {
        for (details, part) in [
            (json!({ "type": "account" }), "authorization_details: must be a JSON array"),
            (json!([]), "must have 1 to 32 objects"),
            (json!([1]), "authorization_details[0]: must be an object"),
            (
                json!([{ "type": "account" }, { "actions": [] }]),
                "authorization_details[1]: must be an object with a string as type",
            ),
            (json!([{ "type": 1 }]), "with a string as type"),
            (json!([{ "type": "nothing" }]), "authorization_details[0].type: 'nothing' is unknown"),
            (json!([{ "type": "other" }]), "its types are: account, note"),
            (json!([{ "type": "account", "x": 1 }]), "authorization_details[0].x: is an unknown member"),
            (
                json!([{ "type": "account", "actions": "read" }]),
                "authorization_details[0].actions: must be of the type array",
            ),
            (
                json!([{ "type": "account", "locations": ["https://c.example"] }]),
                "authorization_details[0].locations: is for a resource",
            ),
            (
                json!([{ "type": "account", "actions": ["a\u{202e}b"] }]),
                "authorization_details[0].actions[0]: has a control character",
            ),
            (json!([{ "type": "account", "a\u{200b}": 1 }]), "has a control character"),
            (json!([{ "type": "account\n" }]), "has a control character"),
            (
                json!([{ "type": "account", "limit": 9_007_199_254_740_992_u64 }]),
                "authorization_details[0].limit: must be a number from",
            ),
            (json!([{ "type": "account", "limit": 1e300 }]), "must be a number from"),
        ] {
            let rule = rule(&details);
            assert!(rule.contains(part), "{details}: {rule}");
        }
        let deep = (0..8).fold(json!(1), |inner, _| json!({ "a": inner }));
        assert!(rule(&json!([{ "type": "account", "deep": deep }])).contains("nested deeper than 8 levels"));
        assert!(rule(&json!(vec![json!({ "type": "account" }); 33])).contains("1 to 32"));
        assert!(rule(&json!([{ "type": "account", "actions": vec!["a"; 257] }])).contains("at most 256 items"));
    }

    #[test]
    fn hostile_json_is_refused() {
        let long = format!(r#"[{{"type":"account","actions":["{}"]}}]"#, "x".repeat(MAX_DETAILS_LENGTH));
        let nested = "[".repeat(20_000);
        for text in [
            "[",
            "null",
            "{}",
            r#"[{"type":"account","type":"note"}]"#,
            r#"[{"type":"account","deep":{"a":1,"a":2}}]"#,
            r#"[{"type":"account","limit":1e999}]"#,
            &long,
            &nested,
        ] {
            let error = AuthorizationDetails::of_parameters(&parameters(text)).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidAuthorizationDetails, "{}", text.get(..60).unwrap_or(text));
        }
    }

    /// RFC 9396 §3.2, §9.1.
    #[test]
    fn locations_and_types_decide_about_audiences() {
        let details = json!([
            { "type": "account", "locations": [A], "actions": ["read"] },
            { "type": "note" },
            { "type": "account" },
        ]);
        let (details, resources) = requested(&details).unwrap();
        assert_eq!(resources, [A, B], "each of the details is for a resource of the token");
        let held = |audience: &str| {
            let held = details.assigned(&types(), &client(), &[audience.to_owned()]);
            held.iter().map(|(name, detail)| (name.to_owned(), detail.contains_key("locations"))).collect::<Vec<_>>()
        };
        let (account, note) = ("account".to_owned(), "note".to_owned());
        assert_eq!(held(&format!("{A}/")), [(account.clone(), true), (account.clone(), false)]);
        assert_eq!(held(B), [(note, false), (account.clone(), false)]);
        assert_eq!(held("https://c.example"), [(account, false)]);
        let lost = Client { authorization_details_types: vec!["note".to_owned()], ..client() };
        assert_eq!(details.assigned(&types(), &lost, &[A.to_owned()]), AuthorizationDetails::default());
    }

    /// RFC 9396 §6.
    #[test]
    fn a_token_request_narrows_and_never_widens() {
        let account = |more: Value| {
            let mut detail = json!({ "type": "account", "actions": ["read", "list"], "limit": 10 });
            detail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            detail
        };
        let all = granted(
            &json!([account(json!({})), { "type": "note", "pages": [1, 2] }, { "type": "note", "pages": [1, 2] }]),
        );
        let narrowed = |details: Value| all.narrowed(&parameters(&details.to_string())).map(|details| json!(details));
        assert_eq!(all.narrowed(&Parameters::default()).unwrap(), all);
        let two = granted(&json!([account(json!({})), account(json!({ "actions": ["list"] }))]));
        let swapped = json!([account(json!({ "actions": ["list"] })), account(json!({}))]);
        assert!(two.narrowed(&parameters(&swapped.to_string())).is_ok());
        for part in [
            json!([account(json!({}))]),
            json!([account(json!({ "limit": 10.0 }))]),
            json!([account(json!({ "actions": ["list"] }))]),
            json!([{ "type": "note", "pages": [1, 2] }, { "type": "note", "pages": [1.0, 2] }]),
        ] {
            assert_eq!(narrowed(part.clone()), Ok(part));
        }
        for other in [
            json!([account(json!({ "actions": ["read", "write"] }))]),
            json!([account(json!({ "actions": [] }))]),
            json!([account(json!({ "limit": 9 }))]),
            json!([account(json!({ "locations": [A] }))]),
            json!([{ "type": "account", "limit": 10 }]),
            json!([{ "type": "note", "pages": [1] }]),
            json!([{ "type": "note", "pages": [2, 1] }]),
            json!([{ "type": "note", "pages": [1, 2] }, { "type": "note", "pages": [1, 2] }, { "type": "note", "pages": [1, 2] }]),
            json!([account(json!({})), account(json!({}))]),
            json!([account(json!({ "actions": ["list"] })), account(json!({ "actions": ["read"] }))]),
            json!([{ "type": "other" }]),
        ] {
            let code = narrowed(other.clone()).unwrap_err().code;
            assert_eq!(code, ErrorCode::InvalidAuthorizationDetails, "{other}");
        }
    }

    #[test]
    fn every_problem_of_a_type_is_reported() {
        let good: AuthorizationDetailsType = serde_json::from_value(json!({
            "type": "account", "title": "Accounts", "localized": { "title#de": "Konten" }, "resources": [A],
            "schema": { "type": "object", "properties": {
                "type": { "type": "string" }, "a": { "type": "array", "items": { "type": "object", "properties": { "b/c": { "type": "string" } } } } } },
            "display": [{ "label": "B", "pointer": "/a/0/b~1c" }],
        }))
        .unwrap();
        assert_eq!(good.validate(), []);
        let bad: AuthorizationDetailsType = serde_json::from_value(json!({
            "type": "a b", "title": "", "localized": { "title": "x", "label#de": "y", "title#fr": "" }, "resources": ["a"],
            "schema": { "type": "array", "properties": { "actions": { "type": "string" } }, "pattern": "x" },
            "display": [{ "label": "\u{202e}", "pointer": "/x", "localized": { "title#de": "x" } }],
        }))
        .unwrap();
        let problems = bad.validate();
        let mut fields: Vec<&str> = problems.iter().map(crate::Problem::field).collect();
        fields.sort_unstable();
        let expected = [
            "display[0].label",
            "display[0].localized.title#de",
            "display[0].pointer",
            "localized.label#de",
            "localized.title",
            "localized.title#fr",
            "resources",
            "schema.pattern",
            "schema.properties",
            "schema.properties.actions",
            "schema.type",
            "title",
            "type",
        ];
        assert_eq!(fields, expected);
    }
}
