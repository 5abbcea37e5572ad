//! Claims about the user: those of each scope, and those requested by name (OpenID Connect Core §5.4, §5.5).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
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

/// The scopes that specifications define.
pub const STANDARD_SCOPES: &[&str] = &["openid", "profile", "email", "address", "phone", "offline_access"];

/// A claim requested by name (OpenID Connect Core §5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClaimRequest {
    /// True if the client needs the claim.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// The requested value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The accepted values, preferred values first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
}

impl ClaimRequest {
    /// True if the request accepts a value.
    pub fn accepts(&self, actual: &Value) -> bool {
        self.value.as_ref().is_none_or(|value| value == actual)
            && self.values.as_ref().is_none_or(|values| values.contains(actual))
    }
}

/// A claim about the user that a request names, and that no scope of the request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedClaim<'a> {
    /// Name of the claim.
    pub name: &'a str,
    /// True if the client needs the claim. The user may refuse every other one.
    pub is_essential: bool,
    /// The scopes that release the claim, separated by spaces.
    scopes: &'a str,
}

impl NamedClaim<'_> {
    /// Returns the scope token by which a consent remembers that the user releases the claim.
    pub(crate) fn released(&self) -> String {
        format!("urn:latchkey:claim:{}", self.name)
    }

    /// Returns the scope token by which a consent remembers that the user refuses the claim.
    pub(crate) fn refused(&self) -> String {
        format!("urn:latchkey:refused-claim:{}", self.name)
    }

    /// True if an earlier consent covers the claim: it names the claim, or it has the whole scope.
    fn is_released(&self, remembered: &Scope) -> bool {
        remembered.contains(&self.released()) || has_one(remembered, self.scopes)
    }

    /// True if the user refused the claim earlier, and the client does not need it.
    pub(crate) fn is_refused(&self, remembered: &Scope) -> bool {
        !self.is_essential && !self.is_released(remembered) && remembered.contains(&self.refused())
    }

    /// True if the user decided about the claim earlier.
    pub(crate) fn is_decided(&self, remembered: &Scope) -> bool {
        self.is_released(remembered) || self.is_refused(remembered)
    }
}

/// Returns the claim that a scope token of a consent is about, and true if the user released it; `None` for a scope.
fn decision(token: &str) -> Option<(&str, bool)> {
    let released = token.strip_prefix("urn:latchkey:claim:").map(|claim| (claim, true));
    released.or_else(|| token.strip_prefix("urn:latchkey:refused-claim:").map(|claim| (claim, false)))
}

/// Returns the claim that a scope token of a consent is about; `None` for a scope.
pub(crate) fn remembered_claim(token: &str) -> Option<&str> {
    decision(token).map(|(claim, _)| claim)
}

/// The parts of a consent that the store remembers as one scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsentParts {
    /// The scopes and resources.
    pub scope: Scope,
    /// The claims that the user released one by one.
    pub claims: Vec<String>,
    /// The claims that the user refused.
    pub refused_claims: Vec<String>,
}

impl ConsentParts {
    /// Returns the parts of a remembered scope.
    pub fn of(remembered: &Scope) -> Self {
        let claims = |wanted: bool| {
            let decisions = remembered.iter().filter_map(decision).filter(|(_, released)| *released == wanted);
            decisions.map(|(claim, _)| claim.to_owned()).collect()
        };
        Self {
            scope: remembered.filtered(|token| decision(token).is_none()),
            claims: claims(true),
            refused_claims: claims(false),
        }
    }
}

/// True if the scope has one of these scopes, which are separated by spaces.
fn has_one(scope: &Scope, scopes: &str) -> bool {
    scopes.split(' ').any(|token| scope.contains(token))
}

/// The `claims` parameter (OpenID Connect Core §5.5).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClaimsRequest {
    /// Claims for the UserInfo response.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    userinfo: Map<String, Value>,
    /// Claims for the ID token.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    id_token: Map<String, Value>,
    /// Those of the claims that the operator defined, with the scopes that release them. The server writes it, never a client.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    defined: Map<String, Value>,
}

impl ClaimsRequest {
    /// Parses the parameter. Errors: `invalid_request`.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let invalid = || {
            Error::invalid_request(
                "claims must be a JSON object with the members userinfo and id_token, objects of claim requests",
            )
        };
        let json = types::json::value(json.as_bytes()).map_err(|_| invalid())?;
        let request: Self = Some(json).filter(Value::is_object).and_then(|json| typed(&json)).ok_or_else(invalid)?;
        let well_formed =
            |value: &Value| value.is_null() || (value.is_object() && typed::<ClaimRequest>(value).is_some());
        if request.userinfo.values().chain(request.id_token.values()).all(well_formed) {
            Ok(Self { defined: Map::new(), ..request })
        } else {
            Err(invalid())
        }
    }

    /// True if no claim is requested.
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// Returns the request without claims about the user whose scope is not in `scope`.
    #[must_use]
    pub fn within(mut self, scope: &Scope) -> Self {
        let may_have = |claim: &str| scope_of(claim).is_none_or(|token| scope.contains(token));
        self.userinfo.retain(|claim, _| may_have(claim));
        self.id_token.retain(|claim, _| may_have(claim));
        self
    }

    /// Returns the claims about the user that are requested by name, without those of `scope`, sorted. The user is asked for each
    /// (OpenID Connect Core §3.1.2.4).
    pub fn beyond(&self, scope: &Scope) -> Vec<NamedClaim<'_>> {
        let is_essential = |value: &Value| typed::<ClaimRequest>(value).is_some_and(|claim| claim.essential);
        let mut claims: BTreeMap<&str, bool> = BTreeMap::new();
        for (name, value) in self.userinfo.iter().chain(&self.id_token) {
            if self.scopes_of(name).is_some_and(|scopes| !has_one(scope, scopes)) {
                *claims.entry(name).or_default() |= is_essential(value);
            }
        }
        let named = |(name, is_essential)| Some(NamedClaim { name, is_essential, scopes: self.scopes_of(name)? });
        claims.into_iter().filter_map(named).collect()
    }

    /// Returns the scopes that release a claim about the user, separated by spaces.
    fn scopes_of(&self, claim: &str) -> Option<&str> {
        scope_of(claim).or_else(|| self.defined.get(claim)?.as_str())
    }

    /// Returns the request without claims that this server does not know (OpenID Connect Core §5.5: they are ignored). `is_known` is
    /// true for claims that no operator defines. `in_id_token` and `in_userinfo` return the scopes that release a claim of the
    /// operator, if the client may have it there.
    #[must_use]
    pub(crate) fn known(
        mut self,
        is_known: impl Fn(&str) -> bool,
        in_id_token: impl Fn(&str) -> Option<String>,
        in_userinfo: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let mut defined = Map::new();
        let mut keep = |claim: &str, scopes: Option<String>| {
            let is_defined = scopes.is_some();
            defined.extend(scopes.map(|scopes| (claim.to_owned(), Value::String(scopes))));
            is_defined
        };
        self.id_token.retain(|claim, _| is_known(claim) || keep(claim, in_id_token(claim)));
        self.userinfo.retain(|claim, _| is_known(claim) || keep(claim, in_userinfo(claim)));
        Self { defined, ..self }
    }

    /// True if the request names a claim of the operator for the ID token.
    pub(crate) fn names_in_id_token(&self, claim: &str) -> bool {
        self.defined.contains_key(claim) && self.id_token.contains_key(claim)
    }

    /// True if the request names a claim of the operator for the UserInfo response.
    pub(crate) fn names_in_userinfo(&self, claim: &str) -> bool {
        self.defined.contains_key(claim) && self.userinfo.contains_key(claim)
    }

    /// Returns the claims that decide about the sign-in: `sub` and `acr` of the ID token.
    pub(crate) fn for_sign_in(&self) -> Self {
        let mut id_token = self.id_token.clone();
        id_token.retain(|claim, _| matches!(claim.as_str(), "sub" | "acr"));
        Self { id_token, ..Self::default() }
    }

    /// Returns the request without these claims.
    #[must_use]
    pub fn without(mut self, names: &[String]) -> Self {
        self.userinfo.retain(|claim, _| !names.contains(claim));
        self.id_token.retain(|claim, _| !names.contains(claim));
        self
    }

    /// Returns the request for a claim of the ID token; `None` if the claim is not requested there.
    pub fn id_token(&self, claim: &str) -> Option<ClaimRequest> {
        self.id_token.get(claim).map(|value| typed(value).unwrap_or_default())
    }

    /// Returns the value requested for `sub` of the ID token: this user must sign in (OpenID Connect Core §5.5.1).
    pub(crate) fn subject(&self) -> Option<&str> {
        self.id_token.get("sub")?.get("value")?.as_str()
    }

    /// True if an ID token with the claims of `scope` holds claims about the user.
    pub fn wants_id_token_profile(&self, scope: &Scope) -> bool {
        self.id_token.keys().any(|claim| is_profile_claim(claim))
            || SCOPE_CLAIMS.iter().any(|(token, _)| scope.contains(token))
    }

    /// Returns the claims of a profile that belong in an ID token: those requested by name and those of `scope`.
    pub fn for_id_token(&self, scope: &Scope, profile: &Map<String, Value>) -> Map<String, Value> {
        select(profile, |claim| self.id_token.contains_key(claim) || is_claim_of(claim, scope))
    }

    /// Returns the claims of a profile that belong in the UserInfo response: those requested by name and those of `scope`.
    pub fn for_userinfo(&self, scope: &Scope, profile: &Map<String, Value>) -> Map<String, Value> {
        select(profile, |claim| self.userinfo.contains_key(claim) || is_claim_of(claim, scope))
    }
}

/// True if a claim is about the user: its value comes from the profile and not from the server.
pub fn is_profile_claim(claim: &str) -> bool {
    scope_of(claim).is_some()
}

fn is_claim_of(claim: &str, scope: &Scope) -> bool {
    scope_of(claim).is_some_and(|token| scope.contains(token))
}

pub(crate) fn scope_of(claim: &str) -> Option<&'static str> {
    SCOPE_CLAIMS.iter().find(|(_, claims)| claims.contains(&claim)).map(|(token, _)| *token)
}

fn select(profile: &Map<String, Value>, wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
    let mut selected = profile.clone();
    selected.retain(|claim, value| is_profile_claim(claim) && wanted(claim) && !value.is_null());
    selected
}
