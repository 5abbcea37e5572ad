//! JWT assertions (RFC 7521 §5, RFC 7523 §3). The rules are the same for client authentication and for assertion grants.
//!
//! The only audience is the issuer identifier of this server (draft-ietf-oauth-rfc7523bis), or its token endpoint where a
//! setting allows it. Another server that is also an audience could present the assertion to this one.

mod claim_rules;
mod id_jag;
mod subject_mapping;
mod trusted_issuer;
mod workload;

use crate::limits::MAX_ASSERTION_NAME;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::time::Duration;
use types::json::numeric_date;
use types::{Jti, Timestamp};

pub use claim_rules::ClaimRules;
pub use id_jag::{ID_JAG_PROFILE, ID_JAG_TOKEN_TYPE, ID_JAG_TYPE, IdJag};
pub use subject_mapping::{MappedSubject, SubjectMapping};
pub use trusted_issuer::{AssertionKind, TrustedIssuer, key_source_problem};
pub use workload::{Workload, is_reserved};

/// The largest difference between the clock of an issuer and ours, either way (RFC 7523 §3: "some small leeway").
pub const CLOCK_SKEW: Duration = Duration::from_secs(30);

/// The longest lifetime of an assertion, unless the configuration has another.
pub const MAX_LIFETIME: Duration = Duration::from_secs(3600);

/// The rules for an assertion.
#[derive(Clone, Copy, Debug)]
pub struct AssertionRules<'a> {
    /// Issuer: a trusted issuer, or for client authentication the client itself.
    pub issuer: &'a str,
    /// Audience: the issuer identifier of this server.
    pub audience: &'a str,
    /// URL of the token endpoint, if it may be the audience, too (RFC 7523 §3).
    pub token_endpoint: Option<&'a str>,
    /// Longest lifetime: applies to `exp` and to the age by `iat`.
    pub max_lifetime: Duration,
    /// Current time.
    pub now: Timestamp,
}

/// An assertion that meets the rules. The caller has verified the signature with a key of the issuer.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// `iss`: issuer.
    pub issuer: String,
    /// `sub`: subject.
    pub subject: String,
    /// `jti`: identifier, unique for the issuer. An assertion without it (RFC 7523 §3 (7) allows that) gets a hash of its
    /// claims.
    pub jti: Jti,
    /// `exp`: expiry by the clock of the issuer.
    pub expires_at: Timestamp,
    /// `iat`: issue time.
    pub issued_at: Option<Timestamp>,
    /// All claims.
    pub claims: Map<String, Value>,
}

/// The rule that an assertion breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssertionProblem {
    /// `typ`: another purpose (RFC 8725 §3.11).
    Type,
    /// RFC 7523 §3 (1).
    Issuer,
    /// RFC 7523 §3 (2).
    Subject,
    /// RFC 7523 §3 (3), draft-ietf-oauth-rfc7523bis.
    Audience,
    /// RFC 7523 §3 (4): no expiry.
    NoExpiry,
    /// RFC 7523 §3 (4).
    Expired,
    /// RFC 7523 §3 (4): "unreasonably far in the future".
    TooLongLived,
    /// RFC 7523 §3 (5).
    NotYetValid,
    /// RFC 7523 §3 (6).
    IssuedInFuture,
    /// RFC 7523 §3 (6): "unreasonably far in the past".
    TooOld,
    /// RFC 7523 §3 (7): `jti` is invalid, or missing where it is required.
    NoName,
    /// `iat` is missing where it is required.
    NoIssueTime,
    /// `client_id` is not the client of the request.
    Client,
    /// A claim limits the assertion in a way that this server does not support.
    Unsupported,
    /// A claim is not what the settings of the issuer demand.
    Claims,
    /// `resource` or `scope` is malformed.
    Limits,
}

impl AssertionProblem {
    /// Returns the rule in words, for the client developer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Type => "its typ says that it is for another purpose",
            Self::Issuer => "its iss is not the one expected (RFC 7523 section 3)",
            Self::Subject => "it has no sub (RFC 7523 section 3)",
            Self::Audience => {
                "its aud must be this server's issuer identifier and nothing else (RFC 7523bis); the token endpoint only where the operator allows it"
            }
            Self::NoExpiry => "it has no exp (RFC 7523 section 3)",
            Self::Expired => "it has expired",
            Self::TooLongLived => "its exp is too far ahead; make assertions that live for minutes",
            Self::NotYetValid => "its nbf has not come",
            Self::IssuedInFuture => "its iat has not come",
            Self::TooOld => "its iat is too long ago",
            Self::NoName => "it has no jti of at most 512 bytes, and an assertion is accepted once",
            Self::NoIssueTime => "it has no iat",
            Self::Client => "its client_id is not the client that presents it",
            Self::Unsupported => "it has cnf or authorization_details, which this server does not support",
            Self::Claims => {
                "its claims are not those that the operator of this server demands, or its tenant is not known here"
            }
            Self::Limits => "its resource or scope is malformed",
        }
    }
}

impl Assertion {
    /// Checks claims by the rules.
    pub fn check(claims: Map<String, Value>, rules: &AssertionRules<'_>) -> Result<Self, AssertionProblem> {
        use AssertionProblem as Problem;
        let issuer = name(&claims, "iss").filter(|issuer| *issuer == rules.issuer).ok_or(Problem::Issuer)?.to_owned();
        let subject = name(&claims, "sub").ok_or(Problem::Subject)?.to_owned();
        let mut audiences = std::iter::once(rules.audience).chain(rules.token_endpoint);
        if !audiences.any(|audience| is_sole_audience(claims.get("aud"), audience)) {
            return Err(Problem::Audience);
        }
        let expires_at = numeric_date(&claims, "exp").map_err(|_| Problem::NoExpiry)?.ok_or(Problem::NoExpiry)?;
        if expires_at.after(CLOCK_SKEW).is_past(rules.now) {
            return Err(Problem::Expired);
        }
        if expires_at > rules.now.after(rules.max_lifetime).after(CLOCK_SKEW) {
            return Err(Problem::TooLongLived);
        }
        let latest_start = rules.now.after(CLOCK_SKEW);
        if numeric_date(&claims, "nbf").map_err(|_| Problem::NotYetValid)?.is_some_and(|nbf| nbf > latest_start) {
            return Err(Problem::NotYetValid);
        }
        let issued_at = numeric_date(&claims, "iat").map_err(|_| Problem::IssuedInFuture)?;
        if issued_at.is_some_and(|iat| iat > latest_start) {
            return Err(Problem::IssuedInFuture);
        }
        if issued_at.is_some_and(|iat| iat.after(rules.max_lifetime).after(CLOCK_SKEW).is_past(rules.now)) {
            return Err(Problem::TooOld);
        }
        let jti = match claims.get("jti") {
            Some(jti) => jti.as_str().and_then(Jti::parse).ok_or(Problem::NoName)?,
            None => fingerprint(&claims),
        };
        Ok(Self { issuer, subject, jti, expires_at, issued_at, claims })
    }

    /// Returns the time from which the assertion is rejected as expired. The record of its use may go then.
    pub fn forgotten_at(&self) -> Timestamp {
        self.expires_at.after(CLOCK_SKEW)
    }

    /// Returns a hash of `iss` and `jti`, which marks the assertion as used.
    pub fn digest(&self) -> [u8; 32] {
        single_use_digest(&self.issuer, self.jti.as_str())
    }

    /// Returns [`Self::digest`] as text.
    pub fn mark(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.digest())
    }
}

/// Returns a hash of the claims, for an assertion without `jti`. The signature is not part of it, because it can be
/// encoded in several ways.
fn fingerprint(claims: &Map<String, Value>) -> Jti {
    let json = serde_json::to_vec(claims).unwrap_or_default();
    Jti::from_digest(Sha256::digest(json).into())
}

/// Returns a hash of an issuer and its identifier. The length prefix keeps the two apart.
pub fn single_use_digest(issuer: &str, id: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(u64::try_from(issuer.len()).unwrap_or(u64::MAX).to_be_bytes())
        .chain_update(issuer)
        .chain_update(id)
        .finalize()
        .into()
}

/// True if `audience` is the only audience: as a string, or as the only item of a list (RFC 7519 §4.1.3).
fn is_sole_audience(aud: Option<&Value>, audience: &str) -> bool {
    match aud {
        Some(Value::String(only)) => only == audience,
        Some(Value::Array(all)) => matches!(all.as_slice(), [Value::String(only)] if only == audience),
        _ => false,
    }
}

fn name<'a>(claims: &'a Map<String, Value>, claim: &str) -> Option<&'a str> {
    claims.get(claim)?.as_str().filter(|text| !text.is_empty() && text.len() <= MAX_ASSERTION_NAME)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: u64 = 1_800_000_000;
    const HERE: &str = "https://id.example.com";

    fn rules() -> AssertionRules<'static> {
        AssertionRules {
            issuer: "https://idp.example",
            audience: HERE,
            token_endpoint: None,
            max_lifetime: Duration::from_secs(600),
            now: Timestamp::from_secs(NOW),
        }
    }

    fn check(changes: Value) -> Result<Assertion, AssertionProblem> {
        let mut claims = json!({
            "iss": "https://idp.example", "sub": "ada", "aud": HERE, "exp": NOW + 60, "iat": NOW, "jti": "a",
        });
        let members = claims.as_object_mut().unwrap();
        for (claim, value) in changes.as_object().unwrap() {
            if value.is_null() {
                members.remove(claim);
            } else {
                members.insert(claim.clone(), value.clone());
            }
        }
        Assertion::check(members.clone(), &rules())
    }

    #[test]
    fn one_that_meets_the_rules_is_read() {
        let assertion = check(json!({ "email": "ada@example.com" })).unwrap();
        assert_eq!((assertion.issuer.as_str(), assertion.subject.as_str()), ("https://idp.example", "ada"));
        assert_eq!(assertion.claims["email"], "ada@example.com");
        assert_eq!(assertion.forgotten_at(), Timestamp::from_secs(NOW + 90));
        assert!(check(json!({ "iat": null })).is_ok(), "iat is optional");
        assert!(check(json!({ "aud": [HERE] })).is_ok(), "one member is the sole value");
        assert!(check(json!({ "exp": NOW as f64 + 60.5 })).is_ok(), "a NumericDate may have a fraction");
    }

    #[test]
    fn each_rule_refuses() {
        use AssertionProblem as Problem;
        for (changes, problem) in [
            (json!({ "iss": null }), Problem::Issuer),
            (json!({ "iss": "https://idp.example/" }), Problem::Issuer),
            (json!({ "iss": ["https://idp.example"] }), Problem::Issuer),
            (json!({ "sub": null }), Problem::Subject),
            (json!({ "sub": "" }), Problem::Subject),
            (json!({ "sub": "x".repeat(513) }), Problem::Subject),
            (json!({ "aud": null }), Problem::Audience),
            (json!({ "aud": format!("{HERE}/token") }), Problem::Audience),
            (json!({ "aud": [HERE, "https://other.example"] }), Problem::Audience),
            (json!({ "aud": [HERE, HERE] }), Problem::Audience),
            (json!({ "aud": [] }), Problem::Audience),
            (json!({ "exp": null }), Problem::NoExpiry),
            (json!({ "exp": "soon" }), Problem::NoExpiry),
            (json!({ "exp": -1 }), Problem::NoExpiry),
            (json!({ "exp": 1e300 }), Problem::NoExpiry),
            (json!({ "exp": NOW - 30 }), Problem::Expired),
            (json!({ "exp": NOW + 631 }), Problem::TooLongLived),
            (json!({ "exp": u64::MAX }), Problem::TooLongLived),
            (json!({ "nbf": NOW + 31 }), Problem::NotYetValid),
            (json!({ "nbf": true }), Problem::NotYetValid),
            (json!({ "iat": NOW + 31 }), Problem::IssuedInFuture),
            (json!({ "iat": "now" }), Problem::IssuedInFuture),
            (json!({ "iat": NOW - 631 }), Problem::TooOld),
            (json!({ "jti": "" }), Problem::NoName),
            (json!({ "jti": 1 }), Problem::NoName),
        ] {
            assert_eq!(check(changes.clone()).err(), Some(problem), "{changes}");
        }
    }

    #[test]
    fn the_token_endpoint_is_an_audience_where_a_setting_allows_it() {
        let endpoint = format!("{HERE}/token");
        let rules = AssertionRules { token_endpoint: Some(&endpoint), ..rules() };
        let check = |aud: Value| {
            let claims = json!({ "iss": "https://idp.example", "sub": "ada", "aud": aud, "exp": NOW + 60, "jti": "a" });
            Assertion::check(claims.as_object().unwrap().clone(), &rules).map(|_| ())
        };
        for aud in [json!(HERE), json!(endpoint), json!([endpoint])] {
            assert_eq!(check(aud.clone()), Ok(()), "{aud}");
        }
        for aud in [json!([HERE, endpoint]), json!(format!("{endpoint}/")), json!([endpoint, "https://other.example"])]
        {
            assert_eq!(check(aud.clone()), Err(AssertionProblem::Audience), "{aud}");
        }
    }

    #[test]
    fn clocks_may_differ_by_the_skew() {
        for changes in [
            json!({ "exp": NOW - 29 }),
            json!({ "exp": NOW + 630 }),
            json!({ "nbf": NOW + 30 }),
            json!({ "iat": NOW + 30 }),
            json!({ "iat": NOW - 629 }),
        ] {
            assert!(check(changes.clone()).is_ok(), "{changes}");
        }
    }

    /// RFC 7523 §3 (7): "The JWT MAY contain a jti".
    #[test]
    fn an_assertion_without_a_name_is_known_by_what_it_says() {
        let mark = |changes: Value| check(changes).unwrap().mark();
        let unnamed = json!({ "jti": null });
        assert_eq!(mark(unnamed.clone()), mark(unnamed.clone()));
        for changes in [json!({ "jti": null, "exp": NOW + 61 }), json!({ "jti": null, "sub": "eve" }), json!({})] {
            assert_ne!(mark(unnamed.clone()), mark(changes));
        }
    }

    #[test]
    fn marks_tell_issuers_and_names_apart() {
        let mark = |issuer, id| single_use_digest(issuer, id);
        assert_eq!(mark("a", "b"), mark("a", "b"));
        assert_ne!(mark("ab", "c"), mark("a", "bc"));
        assert_ne!(mark("a", "b"), mark("b", "a"));
    }
}
