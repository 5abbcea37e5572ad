//! Types of authorization details that an operator declares (RFC 9396 §2.1).

use super::schema::{self, Violation};
use super::words::{DISPLAY, display_problems};
use super::{LISTS, check_text};
use crate::Problem;
use crate::resource::identifier_problem;
use crate::shape::{Member, Shape};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest name of a type, in bytes.
const MAX_NAME: usize = 256;

/// A type of authorization details, as the operator declared it. The members are read where they are needed: a program that checks no
/// request has no code for schemas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorizationDetailsType(Map<String, Value>);

impl AuthorizationDetailsType {
    /// The members of a type.
    pub const MEMBERS: &[Member] = &[
        Member::required("type", Shape::Text),
        Member::required("title", Shape::Text),
        Member::optional("localized", Shape::TextMap("object: `{\"title#de\": \"words\"}`")),
        Member::required("schema", Shape::Decoded(Value::is_object, "must be an object: a JSON Schema")),
        Member::optional("display", Shape::Objects(DISPLAY)),
        Member::optional("resources", Shape::Uris),
        Member::optional("registered_clients", Shape::Flag),
    ];

    /// Returns the name: `type` of the objects.
    pub fn name(&self) -> &str {
        self.text("type")
    }

    /// Returns `title`: words for users about the type.
    pub(super) fn title(&self) -> &str {
        self.text("title")
    }

    pub(super) const fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Returns the resources that objects without `locations` are for; `None` for every resource.
    pub(super) fn resources(&self) -> Option<&Vec<Value>> {
        self.0.get("resources")?.as_array()
    }

    /// True if clients that the operator did not register may use the type.
    pub fn is_for_registered_clients(&self) -> bool {
        self.0.get("registered_clients") == Some(&Value::Bool(true))
    }

    /// Returns the items of `display`.
    pub(super) fn display(&self) -> impl Iterator<Item = &Value> {
        self.0.get("display").and_then(Value::as_array).into_iter().flatten()
    }

    fn text(&self, member: &str) -> &str {
        self.0.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    fn schema(&self) -> &Value {
        self.0.get("schema").unwrap_or(&Value::Null)
    }

    /// Checks an object of this type against the schema. `type` needs no property.
    pub(super) fn check(&self, detail: &Map<String, Value>) -> Result<(), Violation> {
        let names_type = self.schema().get("properties").is_some_and(|properties| properties.get("type").is_some());
        let mut checked = detail.clone();
        if !names_type {
            checked.remove("type");
        }
        schema::check(self.schema(), &Value::Object(checked))
    }

    /// Returns every problem.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let name = self.name();
        if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            problems.push(Problem::new("type", format!("must be 1 to {MAX_NAME} visible ASCII characters")));
        }
        if self.title().is_empty() || check_text(self.title()).is_err() {
            problems.push(Problem::new("title", "must be words without control characters"));
        }
        let schema = self.schema();
        problems.extend(schema::problems(schema, "schema"));
        if schema.get("type").is_some_and(|kind| kind != "object") {
            problems.push(Problem::new("schema.type", "must be object"));
        }
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            problems.extend(common_problem(name, property));
        }
        for uri in self.resources().into_iter().flatten().filter_map(Value::as_str) {
            problems.extend(identifier_problem(uri).map(|rule| Problem::new("resources", rule).with_value(uri)));
        }
        problems.extend(display_problems(self, schema));
        problems
    }
}

/// Returns the problem of a member that RFC 9396 §2.2 defines, if the schema gives it another form.
fn common_problem(name: &str, schema: &Value) -> Option<Problem> {
    let is_of = |schema: &Value, kind: &str| schema.get("type").is_some_and(|own| own == kind);
    let is_list = || is_of(schema, "array") && schema.get("items").is_some_and(|items| is_of(items, "string"));
    let (is_good, rule) = match name {
        "type" | "identifier" => (is_of(schema, "string"), "must have the type string (RFC 9396 section 2.2)"),
        _ if LISTS.contains(&name) => {
            (is_list(), "must have the type array, with items of the type string (RFC 9396 section 2.2)")
        }
        _ => return None,
    };
    (!is_good).then(|| Problem::new(format!("schema.properties.{name}"), rule))
}

/// The types of authorization details of a deployment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorizationDetailsTypes(pub Vec<AuthorizationDetailsType>);

impl AuthorizationDetailsTypes {
    /// Returns the type of this name.
    pub fn find(&self, name: &str) -> Option<&AuthorizationDetailsType> {
        self.0.iter().find(|known| known.name() == name)
    }

    /// Returns the names of the types.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AuthorizationDetailsType::name)
    }

    /// Returns the resources that the types name.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(AuthorizationDetailsType::resources).flatten().filter_map(Value::as_str)
    }

    /// Returns the types that clients which the operator did not register may use.
    #[must_use]
    pub fn for_registered_clients(&self) -> Self {
        Self(self.0.iter().filter(|known| known.is_for_registered_clients()).cloned().collect())
    }
}
