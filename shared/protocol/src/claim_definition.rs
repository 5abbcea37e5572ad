//! Claims that an operator defines, such as `groups`, `roles` and `entitlements` (RFC 9068 §2.2.3.1) or namespaced names.

use crate::shape::{Member, Shape};
use crate::{ClaimsRequest, Client, Problem, STANDARD_SCOPES, is_profile_claim};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::{ClientId, Scope};

/// The most bytes of a name, of a text and of a value as JSON, and the most items of a list.
const MAX_NAME: usize = 128;
const MAX_TEXT: usize = 1024;
const MAX_VALUE: usize = 8192;
const MAX_ITEMS: usize = 256;

/// The claims that the server sets, in tokens and responses. They are those of RFC 7519 §4.1, OpenID Connect Core §2, RFC 9068 §2.2 and
/// RFC 7662 §2.2. RFC 8693 §4, RFC 7800 §3, RFC 8417 §2 and this server add some.
const ENVELOPE_CLAIMS: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "nonce",
    "acr",
    "amr",
    "azp",
    "auth_time",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
    "act",
    "may_act",
    "cnf",
    "client_id",
    "scope",
    "active",
    "token_type",
    "username",
    "typ",
    "events",
    "txn",
    "toe",
    "sub_id",
    "sub_jwk",
    "authorization_details",
    "token_introspection",
    "_claim_names",
    "_claim_sources",
    "grant",
    "parent_jtis",
    "introspection_claims",
];

/// `type`: the type of a claim's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimType {
    /// String.
    String,
    /// Number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// List of strings.
    Strings,
}

impl ClaimType {
    const ALL: [Self; 4] = [Self::String, Self::Number, Self::Boolean, Self::Strings];

    const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Strings => "strings",
        }
    }

    /// Returns the value as this type: a text from a command line is read as one. Errors: the rule that it breaks.
    fn read(self, value: Value) -> Result<Value, &'static str> {
        let is_text = |value: &Value| value.as_str().is_some_and(|text| (1..=MAX_TEXT).contains(&text.len()));
        let read = match (self, value) {
            (Self::Number | Self::Boolean, Value::String(text)) => {
                types::json::value(text.as_bytes()).unwrap_or_default()
            }
            (Self::Strings, text @ Value::String(_)) => Value::Array(vec![text]),
            (_, value) => value,
        };
        let (is_right, rule) = match self {
            Self::String => (is_text(&read), "must be a string of 1 to 1024 bytes"),
            Self::Number => (read.is_number(), "must be a number"),
            Self::Boolean => (read.is_boolean(), "must be true or false"),
            Self::Strings => {
                let is_list = |list: &Vec<Value>| list.len() <= MAX_ITEMS && list.iter().all(is_text);
                let rule = "must be a list of at most 256 strings of 1 to 1024 bytes";
                (read.as_array().is_some_and(is_list), rule)
            }
        };
        let is_short = serde_json::to_string(&read).is_ok_and(|json| json.len() <= MAX_VALUE);
        match (is_right, is_short) {
            (true, true) => Ok(read),
            (true, false) => Err("must be at most 8192 bytes of JSON"),
            (false, _) => Err(rule),
        }
    }
}

/// `destinations`: the place where a claim is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimDestination {
    /// ID tokens of clients that get the claims of their scopes there (`scope_claims_in_id_token`).
    IdToken,
    /// The UserInfo response.
    Userinfo,
    /// Access tokens.
    AccessToken,
    /// Introspection responses for resource servers.
    Introspection,
}

impl ClaimDestination {
    const ALL: [&str; 4] = ["id_token", "userinfo", "access_token", "introspection"];
}

/// The definition of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimDefinition {
    /// Name of the claim.
    pub name: String,
    /// Type of its value.
    #[serde(rename = "type")]
    pub kind: ClaimType,
    /// Scopes that release it: one of them suffices.
    pub scopes: Scope,
    /// Places where it is released.
    #[serde(default = "identity")]
    pub destinations: Vec<ClaimDestination>,
    /// Words for users about its scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Clients that get it; every client without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<Vec<ClientId>>,
    /// Resources whose access tokens and introspection responses have it; every resource without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<String>>,
}

fn identity() -> Vec<ClaimDestination> {
    vec![ClaimDestination::IdToken, ClaimDestination::Userinfo]
}

impl ClaimDefinition {
    /// The members of a definition.
    pub const MEMBERS: &[Member] = &[
        Member::required("name", Shape::Text),
        Member::required("type", Shape::OneOf(|| ClaimType::ALL.map(ClaimType::as_str).to_vec())),
        Member::required("scopes", Shape::Scopes),
        Member::optional("destinations", Shape::ListOf(|| ClaimDestination::ALL.to_vec())),
        Member::optional("description", Shape::Text),
        Member::optional(
            "clients",
            Shape::Decoded(|value| Vec::<ClientId>::deserialize(value).is_ok(), "must be a list of client_ids"),
        ),
        Member::optional("resources", Shape::Uris),
    ];

    /// Returns every problem.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let is_name =
            (1..=MAX_NAME).contains(&self.name.len()) && self.name.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_name {
            problems.push(Problem::new("name", format!("must be 1 to {MAX_NAME} visible ASCII characters")));
        } else if is_profile_claim(&self.name) {
            problems.push(Problem::new(
                "name",
                "is a standard claim of OpenID Connect Core section 5.1, and needs no definition",
            ));
        } else if ENVELOPE_CLAIMS.contains(&self.name.as_str()) {
            problems.push(Problem::new("name", "is a claim that the server sets: choose another name"));
        }
        if self.scopes.is_empty() || ["openid", "offline_access"].iter().any(|scope| self.scopes.contains(scope)) {
            let rule = "must name the scopes that release the claim; openid and offline_access, which no consent page shows as data, cannot";
            problems.push(Problem::new("scopes", rule));
        }
        if self.destinations.is_empty() {
            problems.push(Problem::new("destinations", "is empty; leave it out for id_token and userinfo"));
        }
        problems
    }

    fn is_released(&self, destination: ClaimDestination, client: &Client, scope: &Scope, resources: &[String]) -> bool {
        let is_for_apis = matches!(destination, ClaimDestination::AccessToken | ClaimDestination::Introspection);
        let for_resource = !is_for_apis
            || self.resources.as_ref().is_none_or(|own| own.iter().any(|resource| resources.contains(resource)));
        self.destinations.contains(&destination)
            && self.is_for(client)
            && for_resource
            && self.scopes.iter().any(|token| scope.contains(token))
    }

    fn is_for(&self, client: &Client) -> bool {
        self.clients.as_ref().is_none_or(|clients| clients.contains(&client.client_id))
    }

    /// True if the client may request the claim by its name (OpenID Connect Core §5.5): it may have a scope that releases the claim.
    fn may_be_named(&self, client: &Client) -> bool {
        self.is_for(client) && self.scopes.iter().any(|token| client.scope.contains(token))
    }
}

/// The claims of a deployment beside the standard ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimDefinitions(pub Vec<ClaimDefinition>);

impl ClaimDefinitions {
    /// Returns the definition of a claim.
    pub fn find(&self, name: &str) -> Option<&ClaimDefinition> {
        self.0.iter().find(|definition| definition.name == name)
    }

    /// Returns the names of the claims.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|definition| definition.name.as_str())
    }

    /// Returns the releasing scopes that no specification defines.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|definition| definition.scopes.iter()).filter(|scope| !STANDARD_SCOPES.contains(scope))
    }

    /// True if the claim is defined as a text or a list of texts.
    pub fn is_text(&self, name: &str) -> bool {
        self.find(name).is_some_and(|definition| matches!(definition.kind, ClaimType::String | ClaimType::Strings))
    }

    /// Returns the words for users of a scope.
    pub fn description(&self, scope: &str) -> Option<&str> {
        self.0.iter().filter(|definition| definition.scopes.contains(scope)).find_map(|it| it.description.as_deref())
    }

    /// Returns a value as the type of the claim. Errors: the claim is not defined, or the rule that the value breaks.
    pub fn read(&self, name: &str, value: Value) -> Result<Value, &'static str> {
        let undefined = "is neither a claim of OpenID Connect Core section 5.1 nor defined in the section claims of the configuration";
        self.find(name).ok_or(undefined)?.kind.read(value)
    }

    /// Returns the names of the claims that a token of the client with this scope, for these resources, releases there.
    pub fn released<'a>(
        &'a self,
        destination: ClaimDestination,
        client: &Client,
        scope: &Scope,
        resources: &[String],
    ) -> impl Iterator<Item = &'a str> {
        let is_released =
            move |definition: &&ClaimDefinition| definition.is_released(destination, client, scope, resources);
        self.0.iter().filter(is_released).map(|definition| definition.name.as_str())
    }

    /// Returns the names of the claims that a request of the client names for the ID token or for the UserInfo response (OpenID
    /// Connect Core §5.5). The definition may have changed since the request.
    pub fn named<'a>(
        &'a self,
        destination: ClaimDestination,
        client: &Client,
        claims: &ClaimsRequest,
    ) -> impl Iterator<Item = &'a str> {
        let is_named = move |definition: &&ClaimDefinition| {
            let is_named = match destination {
                ClaimDestination::IdToken => claims.names_in_id_token(&definition.name),
                ClaimDestination::Userinfo => claims.names_in_userinfo(&definition.name),
                ClaimDestination::AccessToken | ClaimDestination::Introspection => false,
            };
            is_named && definition.destinations.contains(&destination) && definition.may_be_named(client)
        };
        self.0.iter().filter(is_named).map(|definition| definition.name.as_str())
    }

    /// Returns a request without the claims that this server does not know, and without claims of the operator that the client may
    /// not have.
    pub(crate) fn known(&self, claims: ClaimsRequest, client: &Client) -> ClaimsRequest {
        let scopes = |name: &str, destination| {
            let definition = self.find(name).filter(|it| it.destinations.contains(&destination))?;
            definition.may_be_named(client).then(|| definition.scopes.to_string())
        };
        claims.known(
            |name| is_profile_claim(name) || ENVELOPE_CLAIMS.contains(&name),
            |name| scopes(name, ClaimDestination::IdToken),
            |name| scopes(name, ClaimDestination::Userinfo),
        )
    }

    /// True if the client may request this claim of the operator by its name.
    pub(crate) fn may_be_named(&self, name: &str, client: &Client) -> bool {
        self.find(name).is_some_and(|definition| definition.may_be_named(client))
    }

    /// Returns the claims of a user with these names. A value that is not of the defined type is left out.
    pub fn select<'a>(&self, names: impl Iterator<Item = &'a str>, user: &Map<String, Value>) -> Map<String, Value> {
        let value = |name: &str| {
            let value = user.get(name)?;
            let read = self.read(name, value.clone()).ok().filter(|read| read == value)?;
            Some((name.to_owned(), read))
        };
        // Filled one by one: `collect` would add a sort to every Worker.
        let mut selected = Map::new();
        names.filter_map(value).for_each(|(name, value)| drop(selected.insert(name, value)));
        selected
    }

    /// Returns the claims of a user that this version knows: what a grant keeps.
    pub fn of_user(&self, user: &Map<String, Value>) -> Map<String, Value> {
        self.select(self.names(), user)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use serde_json::json;

    fn definition(changes: Value) -> ClaimDefinition {
        let mut definition = json!({ "name": "groups", "type": "strings", "scopes": "groups" });
        definition.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(definition).unwrap()
    }

    #[test]
    fn names_of_the_server_and_of_openid_connect_are_taken() {
        for name in ["groups", "roles", "entitlements", "https://example.com/claims/tenant"] {
            assert_eq!(definition(json!({ "name": name })).validate(), [], "{name}");
        }
        for name in ENVELOPE_CLAIMS.iter().chain(&["email", "name", "updated_at", "", "a b", "gr\u{fc}n"]) {
            let problems = definition(json!({ "name": name })).validate();
            assert!(matches!(&problems[..], [one] if one.field() == "name"), "{name}: {problems:?}");
        }
        for scopes in ["", "openid", "groups offline_access"] {
            let problems = definition(json!({ "scopes": scopes })).validate();
            assert!(matches!(&problems[..], [one] if one.field() == "scopes"), "{scopes}: {problems:?}");
        }
        assert_eq!(definition(json!({ "destinations": [] })).validate().len(), 1);
    }

    #[test]
    fn a_text_is_read_as_the_type() {
        for (kind, value, expected) in [
            ("string", json!("a"), Some(json!("a"))),
            ("string", json!(""), None),
            ("string", json!(1), None),
            ("number", json!("7"), Some(json!(7))),
            ("number", json!(1.5), Some(json!(1.5))),
            ("number", json!("seven"), None),
            ("boolean", json!("true"), Some(json!(true))),
            ("boolean", json!("yes"), None),
            ("strings", json!("a"), Some(json!(["a"]))),
            ("strings", json!(["a", "b"]), Some(json!(["a", "b"]))),
            ("strings", json!([]), Some(json!([]))),
            ("strings", json!(["a", 1]), None),
            ("strings", json!({ "a": 1 }), None),
            ("strings", json!(vec!["x"; MAX_ITEMS + 1]), None),
            ("strings", json!(vec!["x".repeat(MAX_TEXT); 9]), None),
        ] {
            let definitions = ClaimDefinitions(vec![definition(json!({ "type": kind }))]);
            assert_eq!(definitions.read("groups", value.clone()).ok(), expected, "{kind} {value}");
            assert!(definitions.read("other", value).is_err());
        }
    }

    #[test]
    fn a_claim_goes_where_its_definition_says() {
        let client: Client = serde_json::from_value(json!({ "client_id": "app", "grant_types": [] })).unwrap();
        let (api, other) = ("https://api.example".to_owned(), "https://other.example".to_owned());
        let definitions = ClaimDefinitions(vec![
            definition(json!({})),
            definition(json!({ "name": "roles", "destinations": ["access_token"], "resources": [api] })),
            definition(json!({ "name": "plan", "type": "string", "scopes": "profile", "clients": ["other"] })),
            definition(
                json!({ "name": "level", "type": "number", "scopes": "profile groups", "destinations": ["userinfo"] }),
            ),
        ]);
        let released = |destination, scope: &str, resources: &[String]| {
            let scope = Scope::parse(scope).unwrap();
            definitions.released(destination, &client, &scope, resources).map(str::to_owned).collect::<Vec<_>>()
        };
        use ClaimDestination::{AccessToken, IdToken, Introspection, Userinfo};
        assert_eq!(released(IdToken, "openid groups", &[]), ["groups"]);
        assert_eq!(released(IdToken, "openid profile", &[]), [""; 0]);
        assert_eq!(released(Userinfo, "openid profile", &[]), ["level"]);
        assert_eq!(released(Userinfo, "openid groups", &[]), ["groups", "level"]);
        assert_eq!(released(AccessToken, "groups", std::slice::from_ref(&api)), ["roles"]);
        assert_eq!(released(AccessToken, "groups", &[other]), [""; 0]);
        assert_eq!(released(AccessToken, "groups", &[]), [""; 0]);
        assert_eq!(released(AccessToken, "openid", &[api]), [""; 0]);
        assert_eq!(released(Introspection, "groups", &[]), [""; 0]);
        let user = json!({ "groups": ["a"], "roles": "admin", "level": 3, "unknown": 1 });
        let of_user = definitions.of_user(user.as_object().unwrap());
        assert_eq!(
            Value::Object(of_user),
            json!({ "groups": ["a"], "level": 3 }),
            "a value of another type is left out"
        );
    }
}
