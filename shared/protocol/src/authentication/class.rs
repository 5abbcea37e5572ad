//! Authentication context classes: those that the operator configures, by the methods that satisfy them, and the built-in ones, one for
//! each method (OpenID Connect Core §2, RFC 9470 §5).

use super::{passkey, password};
use crate::shape::{Member, Shape};
use crate::{AuthenticationContext, AuthenticationMethod, ClaimRequest, ClaimsRequest, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most bytes of a name, and the most alternatives of a class.
const MAX_NAME: usize = 128;
const MAX_ALTERNATIVES: usize = 16;

/// The built-in classes that a sign-in can reach.
const BUILT_IN: [&str; 3] = [passkey::ACR, AuthenticationContext::TWO_FACTORS, password::ACR];

/// A class that the operator configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticationClass {
    /// The `acr` value.
    pub name: String,
    /// Alternatives: a sign-in with all methods of one of them satisfies the class.
    pub methods: Vec<Vec<AuthenticationMethod>>,
}

impl AuthenticationClass {
    /// The prefix of the built-in classes.
    const BUILT_IN: &str = "urn:latchkey:acr:";

    /// The members of a class.
    pub const MEMBERS: &[Member] = &[
        Member::required("name", Shape::Text),
        Member::required(
            "methods",
            Shape::Decoded(
                |value| Vec::<Vec<AuthenticationMethod>>::deserialize(value).is_ok(),
                "must be a list of alternatives, each a list of the methods that a sign-in needs together; the methods are password, passkey and totp",
            ),
        ),
    ];

    /// Returns every problem.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        if !(1..=MAX_NAME).contains(&self.name.len()) || !self.name.bytes().all(is_plain) {
            let rule = format!("must be 1 to {MAX_NAME} visible ASCII characters without quotes and backslashes");
            problems.push(Problem::new("name", rule));
        } else if self.name.starts_with(Self::BUILT_IN) {
            let rule =
                format!("begins with {}, which is for the built-in classes: choose another name", Self::BUILT_IN);
            problems.push(Problem::new("name", rule));
        }
        if !(1..=MAX_ALTERNATIVES).contains(&self.methods.len()) {
            let rule = format!("must have 1 to {MAX_ALTERNATIVES} alternatives: no sign-in could satisfy the class");
            problems.push(Problem::new("methods", rule));
        }
        for (position, together) in self.methods.iter().enumerate() {
            let is_repeated =
                (1..together.len()).any(|index| together.iter().take(index).any(|it| together.get(index) == Some(it)));
            if together.is_empty() {
                let rule = format!("[{position}] is empty: every sign-in would satisfy the class");
                problems.push(Problem::new("methods", rule));
            } else if is_repeated {
                problems.push(Problem::new("methods", format!("[{position}] has a method twice")));
            }
        }
        problems
    }

    /// True if a sign-in satisfies the class.
    fn is_satisfied(&self, authentication: &AuthenticationContext) -> bool {
        self.methods.iter().any(|together| together.iter().all(|method| authentication.used(*method)))
    }
}

/// The classes of a deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthenticationClasses(pub Vec<AuthenticationClass>);

impl AuthenticationClasses {
    /// Returns the names of all classes that a sign-in can reach: the configured ones, then the built-in ones.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|class| class.name.as_str()).chain(BUILT_IN)
    }

    /// True if a sign-in satisfies the class of this name.
    pub(crate) fn satisfies(&self, authentication: &AuthenticationContext, acr: &str) -> bool {
        acr == authentication.acr
            || acr == AuthenticationContext::TWO_FACTORS && authentication.has_two_factors()
            || self.0.iter().any(|class| class.name == acr && class.is_satisfied(authentication))
    }

    /// True if a request for the claim `acr` accepts a class that a sign-in can reach.
    pub(crate) fn can_meet(&self, claim: &ClaimRequest) -> bool {
        self.names().any(|acr| claim.accepts(&acr.into()))
    }

    /// True if a sign-in satisfies a class that a request for the claim `acr` accepts.
    pub(crate) fn meets(&self, authentication: &AuthenticationContext, claim: &ClaimRequest) -> bool {
        let two_factors = authentication.has_two_factors().then_some(AuthenticationContext::TWO_FACTORS);
        let own = std::iter::once(authentication.acr.as_str()).chain(two_factors);
        let configured =
            self.0.iter().filter(|class| class.is_satisfied(authentication)).map(|class| class.name.as_str());
        own.chain(configured).any(|acr| claim.accepts(&acr.into()))
    }

    /// Returns a sign-in as tokens describe it. `acr` is the first requested class that the sign-in satisfies, in the order of
    /// `acr_values`, then of the claim `acr`; without one it is the class of the method. A class that an essential claim does not
    /// accept is no answer to it.
    pub fn describe(
        &self,
        authentication: &AuthenticationContext,
        acr_values: &[String],
        claims: &ClaimsRequest,
    ) -> AuthenticationContext {
        let claim = claims.id_token("acr");
        let of_claim = claim.iter().flat_map(|claim| claim.value.iter().chain(claim.values.iter().flatten()));
        let requested = acr_values.iter().map(String::as_str).chain(of_claim.filter_map(Value::as_str));
        let is_accepted = |acr: &str| claim.as_ref().is_none_or(|claim| !claim.essential || claim.accepts(&acr.into()));
        let mut granted = requested.filter(|acr| is_accepted(acr) && self.satisfies(authentication, acr));
        let acr = granted.next().unwrap_or(&authentication.acr).to_owned();
        AuthenticationContext { acr, ..authentication.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use types::Timestamp;

    fn classes(list: Value) -> AuthenticationClasses {
        serde_json::from_value(list).unwrap()
    }

    fn password() -> AuthenticationContext {
        AuthenticationMethod::Password.context(Timestamp::from_secs(1))
    }

    fn claim(request: Value) -> ClaimRequest {
        serde_json::from_value(request).unwrap()
    }

    const OWN: &str = "urn:latchkey:acr:password";

    #[test]
    fn a_class_is_satisfied_by_all_methods_of_one_alternative() {
        let classes = classes(json!([{ "name": "silver", "methods": [["password"]] }]));
        assert_eq!(
            classes.names().collect::<Vec<_>>(),
            ["silver", "urn:latchkey:acr:passkey", "urn:latchkey:acr:mfa", OWN]
        );
        assert!(classes.satisfies(&password(), "silver") && classes.satisfies(&password(), OWN));
        assert!(!classes.satisfies(&password(), "gold"));
        let asserted = AuthenticationContext::assertion(Timestamp::from_secs(1));
        assert!(!classes.satisfies(&asserted, "silver"), "the user did not sign in here");
        assert!(classes.satisfies(&asserted, AuthenticationContext::ASSERTION));
    }

    #[test]
    fn tokens_name_the_first_requested_class_that_is_satisfied() {
        let classes = classes(json!([
            { "name": "silver", "methods": [["password"]] },
            { "name": "bronze", "methods": [["password"]] },
        ]));
        let none = json!(null);
        for (values, request, expected) in [
            (&[][..], &none, OWN),
            (&["silver"], &none, "silver"),
            (&["gold", "bronze", "silver"], &none, "bronze"),
            (&["gold"], &none, OWN),
            (&[], &json!({ "value": "silver" }), "silver"),
            (&[], &json!({ "values": ["gold", "bronze"] }), "bronze"),
            (&[], &json!({ "essential": true }), OWN),
            (&["bronze"], &json!({ "value": "silver" }), "bronze"),
            (&["bronze"], &json!({ "value": "silver", "essential": true }), "silver"),
            (&["bronze", "silver"], &json!({ "values": ["silver", "bronze"], "essential": true }), "bronze"),
            (&[], &json!({ "values": [7, OWN] }), OWN),
        ] {
            let values: Vec<String> = values.iter().map(|acr| (*acr).to_owned()).collect();
            let claims = if request.is_null() { json!({}) } else { json!({ "id_token": { "acr": request } }) };
            let claims = ClaimsRequest::parse(&claims.to_string()).unwrap();
            let described = classes.describe(&password(), &values, &claims);
            assert_eq!(described.acr, expected, "{values:?} {request}");
            assert_eq!(AuthenticationContext { acr: OWN.to_owned(), ..described }, password());
        }
    }

    #[test]
    fn a_claim_is_met_by_any_class_of_the_sign_in() {
        let classes = classes(json!([{ "name": "silver", "methods": [["password"]] }]));
        for (request, met) in [
            (json!({ "value": "silver" }), true),
            (json!({ "value": OWN }), true),
            (json!({ "values": ["gold", "silver"] }), true),
            (json!({ "essential": true }), true),
            (json!({ "value": "gold" }), false),
        ] {
            assert_eq!(classes.meets(&password(), &claim(request.clone())), met, "{request}");
            assert_eq!(classes.can_meet(&claim(request.clone())), met, "{request}");
        }
    }

    #[test]
    fn mistakes_have_their_members() {
        let problems = |class: Value| -> Vec<String> {
            let class: AuthenticationClass = serde_json::from_value(class).unwrap();
            class.validate().iter().map(|problem| problem.field().to_owned()).collect()
        };
        assert!(problems(json!({ "name": "urn:example:silver", "methods": [["password"]] })).is_empty());
        for (name, methods, fields) in [
            ("", json!([["password"]]), &["name"][..]),
            ("two words", json!([["password"]]), &["name"]),
            ("quo\"te", json!([["password"]]), &["name"]),
            (OWN, json!([["password"]]), &["name"]),
            ("a", json!([]), &["methods"]),
            ("a", json!([[], ["password"]]), &["methods"]),
            ("a", json!([["password", "password"]]), &["methods"]),
            (" ", json!([]), &["name", "methods"]),
        ] {
            assert_eq!(problems(json!({ "name": name, "methods": methods })), fields, "{name} {methods}");
        }
    }

    #[test]
    fn the_rule_names_every_method() {
        let unknown = json!({ "name": "a", "methods": [["pin"]] });
        let problems = Shape::Object(AuthenticationClass::MEMBERS).problems("acr", &unknown);
        assert_eq!(problems.len(), 1, "{problems:?}");
        for method in AuthenticationMethod::OF_CLASSES {
            assert!(problems[0].to_string().contains(method.as_str()), "{problems:?}");
            let class = json!({ "name": "a", "methods": [[method.as_str()]] });
            assert!(serde_json::from_value::<AuthenticationClass>(class).is_ok());
        }
    }
}
