//! The claims of an access token, and their rules (RFC 9068 §4, RFC 7662 §2.2).

use crate::{AccessError, Config};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::json::numeric_date;
use types::{Audience, ClientId, Confirmation, Scope, Subject, Timestamp};

/// Name of the claim with the authorization details (RFC 9396 §9.1).
const DETAILS: &str = "authorization_details";

/// The claims of an access token (RFC 9068 §2.2, RFC 7662 §2.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Claims {
    /// `sub`: the user, or the client itself if there is no user.
    pub sub: Subject,
    /// `client_id`: the client to which the token was issued.
    pub client_id: ClientId,
    /// `aud`: the resource servers that may accept the token.
    pub aud: Audience,
    /// `exp`: the expiry, in seconds since the epoch.
    pub exp: u64,
    /// `scope`: the scope of the token.
    #[serde(default)]
    pub scope: Scope,
    /// `cnf`: the key that the sender of the token must possess (RFC 7800 §3.1). A token whose key is of an unknown kind is rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// All other claims, by name: `iss`, `iat`, `jti`, `auth_time`, `acr`, `amr`, `act`, …
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl Claims {
    /// Returns the claims of a JWT that the issuer signed, if they keep the rules.
    pub(crate) fn of_jwt(claims: &Value, config: &Config, now: Timestamp) -> Result<Self, AccessError> {
        let claims = Self::read(claims)?;
        // RFC 9068 §2.2. Their values are checked below.
        let required = ["iss", "iat", "jti"];
        if required.iter().any(|name| !claims.others.contains_key(*name)) {
            return Err(AccessError::InvalidToken("the access token lacks a claim that it must have"));
        }
        claims.checked(config, now)
    }

    /// Returns the claims of an active token that was introspected, if they keep the rules.
    pub(crate) fn of_introspection(claims: &Value, config: &Config, now: Timestamp) -> Result<Self, AccessError> {
        let claims = Self::read(claims)?;
        let expected = claims.cnf.map_or("Bearer", Confirmation::token_type);
        let fits = |kind: &Value| kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(expected));
        if claims.others.get("token_type").is_some_and(|kind| !fits(kind)) {
            return Err(AccessError::InvalidToken("the token_type of the token does not fit"));
        }
        claims.checked(config, now)
    }

    /// Returns the authorization details of a type (RFC 9396 §9), each as `T`; none if the token has none of the type. The issuer has
    /// left out those for other APIs. Errors: [`AccessError::InvalidToken`] if one of them is no `T`.
    ///
    /// ```
    /// # fn payments(access: &latchkey_resource_server::Access) -> Result<(), latchkey_resource_server::AccessError> {
    /// #[derive(serde::Deserialize)]
    /// struct Payment {
    ///     #[serde(rename = "creditorName")]
    ///     creditor_name: String,
    /// }
    /// let payments: Vec<Payment> = access.claims.authorization_details("payment_initiation")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn authorization_details<T: DeserializeOwned>(&self, kind: &str) -> Result<Vec<T>, AccessError> {
        let details = self.others.get(DETAILS).and_then(Value::as_array).into_iter().flatten();
        let of_kind = details.filter(|detail| detail.get("type").and_then(Value::as_str) == Some(kind));
        let malformed = |_| AccessError::InvalidToken("authorization_details of the access token have another form");
        of_kind.map(|detail| T::deserialize(detail).map_err(malformed)).collect()
    }

    fn read(claims: &Value) -> Result<Self, AccessError> {
        let malformed = AccessError::InvalidToken("a claim of the access token is missing or malformed");
        Self::deserialize(claims).map_err(|_| malformed)
    }

    /// Checks the rules of RFC 9068 §4.
    fn checked(self, config: &Config, now: Timestamp) -> Result<Self, AccessError> {
        let rejected = |reason| Err(AccessError::InvalidToken(reason));
        if self.others.get("iss").is_some_and(|issuer| issuer.as_str() != Some(&config.issuer)) {
            return rejected("the access token is another issuer's");
        }
        if !self.aud.contains(&config.resource) {
            return rejected("the access token is not for this API");
        }
        if Timestamp::from_secs(self.exp).after(config.skew).is_past(now) {
            return rejected("the access token has expired");
        }
        let is_detail = |detail: &Value| detail.get("type").is_some_and(Value::is_string);
        let are_details = |details: &Value| details.as_array().is_some_and(|details| details.iter().all(is_detail));
        if self.others.get(DETAILS).is_some_and(|details| !are_details(details)) {
            return rejected("authorization_details of the access token are malformed");
        }
        for name in ["nbf", "iat"] {
            let Ok(start) = numeric_date(&self.others, name) else { return rejected("the access token is malformed") };
            if start.is_some_and(|start| start > now.after(config.skew)) {
                return rejected("the access token is not yet valid");
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: u64 = 1_800_000_000;

    fn good() -> Value {
        json!({
            "iss": "https://id.example", "aud": "https://api.example/", "sub": "ada", "client_id": "app",
            "iat": NOW - 10, "exp": NOW + 60, "jti": "1", "scope": "read write", "acr": "urn:x",
        })
    }

    fn changed(name: &str, value: Value) -> Value {
        let mut claims = good();
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.to_owned(), value),
        };
        claims
    }

    fn config() -> Config {
        Config::new("https://id.example", "https://api.example/")
    }

    fn of_jwt(claims: &Value) -> Result<Claims, AccessError> {
        Claims::of_jwt(claims, &config(), Timestamp::from_secs(NOW))
    }

    #[test]
    fn the_claims_of_a_valid_token_are_read() {
        let claims = of_jwt(&good()).unwrap();
        assert_eq!((claims.sub.as_str(), claims.client_id.as_str()), ("ada", "app"));
        assert!(claims.scope.contains("write"));
        assert_eq!(claims.others["acr"], "urn:x");
        of_jwt(&changed("aud", json!(["https://other.example", "https://api.example/"]))).unwrap();
        of_jwt(&changed("scope", Value::Null)).unwrap();
    }

    /// RFC 9068 §4, RFC 8725 §3.
    #[test]
    fn invalid_claims_are_rejected() {
        for (name, value) in [
            ("iss", json!("https://id.example/")),
            ("iss", json!("https://evil.example")),
            ("iss", json!(["https://id.example"])),
            ("iss", Value::Null),
            ("aud", json!("https://api.example")),
            ("aud", json!(["https://api.example"])),
            ("aud", json!([])),
            ("aud", Value::Null),
            ("sub", Value::Null),
            ("client_id", Value::Null),
            ("jti", Value::Null),
            ("iat", Value::Null),
            ("iat", json!("now")),
            ("iat", json!(NOW + 31)),
            ("nbf", json!(NOW + 31)),
            ("nbf", json!(true)),
            ("exp", json!(NOW - 31)),
            ("exp", json!("never")),
            ("exp", json!(-1)),
            ("exp", Value::Null),
            ("scope", json!(["read"])),
            ("cnf", json!({ "jkt": "x" })),
            ("cnf", json!({})),
            ("cnf", json!({ "x5t#S256": "x" })),
            ("cnf", json!({ "jwk": {} })),
            ("authorization_details", json!({ "type": "x" })),
            ("authorization_details", json!([{ "type": 1 }])),
            ("authorization_details", json!(["x"])),
        ] {
            let outcome = of_jwt(&changed(name, value.clone()));
            assert!(matches!(outcome, Err(AccessError::InvalidToken(_))), "{name} {value}: {outcome:?}");
        }
    }

    /// RFC 9396 §9.
    #[test]
    fn details_of_a_type_are_read_as_a_type_of_the_api() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Payment {
            amount: u32,
        }
        let details = json!([{ "type": "pay", "amount": 1 }, { "type": "see" }, { "type": "pay", "amount": 2 }]);
        let claims = of_jwt(&changed("authorization_details", details)).unwrap();
        let payments: Vec<Payment> = claims.authorization_details("pay").unwrap();
        assert_eq!(payments, [Payment { amount: 1 }, Payment { amount: 2 }]);
        assert_eq!(claims.authorization_details::<Value>("other").unwrap(), Vec::<Value>::new());
        assert!(matches!(claims.authorization_details::<Payment>("see"), Err(AccessError::InvalidToken(_))));
        assert!(of_jwt(&good()).unwrap().authorization_details::<Payment>("pay").unwrap().is_empty());
    }

    #[test]
    fn clocks_may_differ_by_the_skew() {
        for (name, value) in
            [("exp", json!(NOW - 29)), ("nbf", json!(NOW + 29)), ("iat", json!(NOW + 29)), ("nbf", json!(0.5))]
        {
            assert!(of_jwt(&changed(name, value.clone())).is_ok(), "{name} {value}");
        }
    }

    #[test]
    fn introspection_keeps_the_same_rules() {
        let of_introspection = |claims| Claims::of_introspection(&claims, &config(), Timestamp::from_secs(NOW));
        of_introspection(changed("jti", Value::Null)).unwrap();
        of_introspection(changed("token_type", json!("bearer"))).unwrap();
        for (name, value) in [
            ("token_type", json!("refresh_token")),
            ("token_type", json!("DPoP")),
            ("token_type", json!(1)),
            ("iss", json!("https://evil.example")),
            ("aud", json!("https://other.example")),
            ("aud", Value::Null),
            ("exp", json!(NOW - 31)),
            ("cnf", json!({ "jkt": "x" })),
        ] {
            assert!(of_introspection(changed(name, value.clone())).is_err(), "{name} {value}");
        }
    }
}
