//! Claims about a person: which a scope asks for, which a request asks for by name (OpenID Connect Core §5.4, §5.5).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::json::typed;
use types::{Error, Scope};

/// The claims of each scope (OpenID Connect Core §5.4).
pub const SCOPE_CLAIMS: &[(&str, &[&str])] = &[
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// The scopes that this server gives a meaning of its own.
pub const STANDARD_SCOPES: &[&str] = &["openid", "profile", "email", "address", "phone", "offline_access"];

/// A claim asked for by name (OpenID Connect Core §5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClaimRequest {
    /// Whether the client says that it cannot do without.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// The value asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The values asked for, by preference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
}

impl ClaimRequest {
    /// Whether a value is one that was asked for.
    pub fn accepts(&self, actual: &Value) -> bool {
        self.value.as_ref().is_none_or(|value| value == actual)
            && self.values.as_ref().is_none_or(|values| values.contains(actual))
    }
}

/// The `claims` parameter (OpenID Connect Core §5.5).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClaimsRequest {
    /// For the UserInfo response.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    userinfo: Map<String, Value>,
    /// For the ID token.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    id_token: Map<String, Value>,
}

impl ClaimsRequest {
    /// Parses the parameter.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let invalid = || {
            Error::invalid_request(
                "claims must be a JSON object with the members userinfo and id_token, objects of claim requests",
            )
        };
        let json: Value = serde_json::from_slice(json.as_bytes()).map_err(|_| invalid())?;
        let request: Self = Some(json).filter(Value::is_object).and_then(|json| typed(&json)).ok_or_else(invalid)?;
        let well_formed =
            |value: &Value| value.is_null() || (value.is_object() && typed::<ClaimRequest>(value).is_some());
        if request.userinfo.values().chain(request.id_token.values()).all(well_formed) {
            Ok(request)
        } else {
            Err(invalid())
        }
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// The request without claims about the person whose scope is not in `scope`.
    #[must_use]
    pub fn within(mut self, scope: &Scope) -> Self {
        let may_have = |claim: &str| scope_of(claim).is_none_or(|token| scope.contains(token));
        self.userinfo.retain(|claim, _| may_have(claim));
        self.id_token.retain(|claim, _| may_have(claim));
        self
    }

    /// The scopes that the claims about the person belong to.
    pub fn scopes(&self) -> impl Iterator<Item = &'static str> {
        self.userinfo.keys().chain(self.id_token.keys()).filter_map(|claim| scope_of(claim))
    }

    /// How the ID token is asked to hold a claim; `None` when it is not.
    pub fn id_token(&self, claim: &str) -> Option<ClaimRequest> {
        self.id_token.get(claim).map(|value| typed(value).unwrap_or_default())
    }

    /// Whether the ID token shall hold claims of the profile.
    pub fn wants_id_token_profile(&self) -> bool {
        self.id_token.keys().any(|claim| is_profile_claim(claim))
    }

    /// The claims of a profile that the ID token shall hold.
    pub fn for_id_token(&self, profile: &Map<String, Value>) -> Map<String, Value> {
        select(profile, |claim| self.id_token.contains_key(claim))
    }

    /// The claims of a profile that a UserInfo response shall hold.
    pub fn for_userinfo(&self, scope: &Scope, profile: &Map<String, Value>) -> Map<String, Value> {
        select(profile, |claim| {
            self.userinfo.contains_key(claim) || scope_of(claim).is_some_and(|token| scope.contains(token))
        })
    }
}

/// Whether a claim is about the person, and so a profile's to say, not the server's.
pub fn is_profile_claim(claim: &str) -> bool {
    scope_of(claim).is_some()
}

fn scope_of(claim: &str) -> Option<&'static str> {
    SCOPE_CLAIMS.iter().find(|(_, claims)| claims.contains(&claim)).map(|(token, _)| *token)
}

fn select(profile: &Map<String, Value>, wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
    let mut selected = profile.clone();
    selected.retain(|claim, value| is_profile_claim(claim) && wanted(claim) && !value.is_null());
    selected
}
