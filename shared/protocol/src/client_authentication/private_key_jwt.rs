//! `private_key_jwt`: a JWT that the client signs with its own key (RFC 7523 §2.2, §3, OpenID Connect Core §9).

use super::{Evidence, Verification, invalid_client};
use crate::{Assertion, AssertionProblem, AssertionRules, Client, Parameters, Profile, assertion::MAX_LIFETIME};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use types::{Algorithm, Error, Timestamp};

/// `client_assertion_type` of a JWT (RFC 7523 §2.2).
pub const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A `client_assertion` that a request presents.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SignedAssertion(String);

impl SignedAssertion {
    /// Returns the assertion of the request, if it has one. Errors: `invalid_request` if half of the pair of parameters
    /// is missing; `invalid_client` if the type is not supported.
    pub(super) fn from_parameters(parameters: &Parameters) -> Result<Option<Self>, Error> {
        match (parameters.value("client_assertion_type"), parameters.value("client_assertion")) {
            (None, None) => Ok(None),
            (Some(CLIENT_ASSERTION_TYPE), Some(assertion)) => Ok(Some(Self(assertion.to_owned()))),
            (Some(CLIENT_ASSERTION_TYPE), None) => {
                Err(Error::invalid_request("the parameter 'client_assertion' is missing"))
            }
            (None, Some(_)) => Err(Error::invalid_request("the parameter 'client_assertion_type' is missing")),
            (Some(_), _) => Err(invalid_client(
                "client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer (RFC 7523 section 2.2)",
            )),
        }
    }

    /// Returns the client that the assertion names as `sub`, which the parameter `client_id` may repeat (RFC 7521
    /// §4.2). Errors: `invalid_client`.
    pub(super) fn subject(&self, client_id: Option<&str>) -> Result<String, Error> {
        let subject = subject(&self.0)
            .ok_or_else(|| invalid_client("client_assertion is not a JWT whose sub is the client_id"))?;
        if client_id.is_some_and(|sent| sent != subject) {
            return Err(invalid_client("client_id is not the sub of client_assertion (RFC 7521 section 4.2)"));
        }
        Ok(subject)
    }
}

/// Accepts an assertion. The signature and the claims are left to verify.
pub(super) fn accept(evidence: &Evidence) -> Option<Verification<'_>> {
    match evidence {
        Evidence::Assertion(SignedAssertion(assertion)) => Some(Verification::Assertion(assertion)),
        _ => None,
    }
}

/// Returns the claim `sub` of a JWT whose signature is not verified: it only selects the client.
fn subject(assertion: &str) -> Option<String> {
    let payload = assertion.split('.').nth(1)?;
    let claims: Map<String, Value> = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    claims.get("sub")?.as_str().map(str::to_owned)
}

/// `typ` of an assertion that follows draft-ietf-oauth-rfc7523bis: its only audience is the issuer.
const TYPED: &str = "client-authentication+jwt";
/// The same of an assertion that is a grant.
const TYPED_GRANT: &str = "authorization-grant+jwt";

/// The names that a client assertion may use for this server.
#[derive(Clone, Copy, Debug)]
pub struct AssertionAudience<'a> {
    /// The issuer identifier.
    pub issuer: &'a str,
    /// URLs of the token endpoint (OpenID Connect Core §9, RFC 7523 §3) and of the endpoint that is called (RFC 9126 §2), and their
    /// aliases (RFC 8705 §5).
    pub endpoints: &'a [&'a str],
}

/// Checks the signature algorithm of an assertion. Returns the reason of a refusal.
pub fn check_algorithm(client: &Client, algorithm: Algorithm) -> Result<(), &'static str> {
    if client.token_endpoint_auth_signing_alg.is_some_and(|registered| registered != algorithm) {
        return Err("its alg is not the token_endpoint_auth_signing_alg of the client");
    }
    if !client.may_sign_by(algorithm) {
        return Err("the profile of the client does not allow its alg; use PS256, ES256 or EdDSA");
    }
    Ok(())
}

/// Checks the claims of a client assertion. `typ` is the one of its header. The caller verifies the signature with the
/// key of this client.
///
/// `iss` and `sub` are the client (RFC 7523 §3). The audience is this server alone, by its issuer identifier. An
/// assertion without the `typ` of rfc7523bis may also name the token endpoint or the endpoint that is called, because
/// OpenID Connect Core §9 and RFC 9126 §2 ask clients for that: see
/// infra/decisions/audience-of-client-assertions.md. A client with a profile of FAPI 2.0 names the issuer as a string, and nothing
/// else. A JWT typed for another purpose, such as a request object, is rejected.
pub fn check(
    claims: Map<String, Value>,
    typ: Option<&str>,
    client: &Client,
    audience: AssertionAudience<'_>,
    now: Timestamp,
) -> Result<Assertion, AssertionProblem> {
    // OpenID Connect Core §9 requires it.
    if !claims.contains_key("jti") {
        return Err(AssertionProblem::NoName);
    }
    check_own(claims, typ, TYPED, client, audience, now)
}

/// Checks the claims of an assertion by which a client asks for an access token for itself (RFC 7523 §2.1): it is a grant, and
/// authenticates the client. The rules are those of [`check`], with the `typ` of a grant; `jti` may be missing (§3).
pub fn check_grant(
    claims: Map<String, Value>,
    typ: Option<&str>,
    client: &Client,
    audience: AssertionAudience<'_>,
    now: Timestamp,
) -> Result<Assertion, AssertionProblem> {
    check_own(claims, typ, TYPED_GRANT, client, audience, now)
}

fn check_own(
    mut claims: Map<String, Value>,
    typ: Option<&str>,
    typed: &str,
    client: &Client,
    audience: AssertionAudience<'_>,
    now: Timestamp,
) -> Result<Assertion, AssertionProblem> {
    let typ = typ.map(|typ| typ.strip_prefix("application/").unwrap_or(typ));
    let is_typed = match typ {
        None => false,
        Some(typ) if typ.eq_ignore_ascii_case("JWT") => false,
        Some(typ) if typ.eq_ignore_ascii_case(typed) => true,
        Some(_) => return Err(AssertionProblem::Type),
    };
    if client.profile.is_some_and(Profile::is_fapi2) {
        // FAPI 2.0 Security Profile §5.3.2.1 (8): a string.
        if claims.get("aud").and_then(Value::as_str) != Some(audience.issuer) {
            return Err(AssertionProblem::Audience);
        }
    } else if !is_typed && names_only_this_server(claims.get("aud"), audience) {
        claims.insert("aud".to_owned(), Value::String(audience.issuer.to_owned()));
    }
    let rules = AssertionRules {
        issuer: client.client_id.as_str(),
        audience: audience.issuer,
        token_endpoint: None,
        max_lifetime: MAX_LIFETIME,
        now,
    };
    let assertion = Assertion::check(claims, &rules)?;
    if assertion.subject == client.client_id.as_str() { Ok(assertion) } else { Err(AssertionProblem::Subject) }
}

fn names_only_this_server(aud: Option<&Value>, audience: AssertionAudience<'_>) -> bool {
    let is_this_server =
        |name: &Value| name.as_str().is_some_and(|name| name == audience.issuer || audience.endpoints.contains(&name));
    match aud {
        Some(Value::Array(names)) => !names.is_empty() && names.iter().all(is_this_server),
        Some(name) => is_this_server(name),
        None => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: u64 = 1_800_000_000;
    const AUDIENCE: AssertionAudience<'_> = AssertionAudience {
        issuer: "https://as.example",
        endpoints: &["https://as.example/token", "https://as.example/par"],
    };

    fn judge(typ: Option<&str>, changes: Value) -> Result<Assertion, AssertionProblem> {
        judge_of(json!({ "client_id": "app" }), typ, changes)
    }

    fn judge_of(client: Value, typ: Option<&str>, changes: Value) -> Result<Assertion, AssertionProblem> {
        let client: Client = serde_json::from_value(client).unwrap();
        let mut claims = json!({ "iss": "app", "sub": "app", "aud": AUDIENCE.issuer, "exp": NOW + 60, "jti": "1" });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        check(claims.as_object().unwrap().clone(), typ, &client, AUDIENCE, Timestamp::from_secs(NOW))
    }

    #[test]
    fn issuer_and_subject_are_the_client() {
        assert!(judge(None, json!({})).is_ok());
        assert_eq!(judge(None, json!({ "iss": "other" })).err(), Some(AssertionProblem::Issuer));
        assert_eq!(judge(None, json!({ "sub": "other" })).err(), Some(AssertionProblem::Subject));
        assert_eq!(judge(None, json!({ "iss": "other", "sub": "other" })).err(), Some(AssertionProblem::Issuer));
    }

    #[test]
    fn the_audience_is_this_server_alone() {
        let [token, called] = ["https://as.example/token", "https://as.example/par"];
        for aud in [
            json!(AUDIENCE.issuer),
            json!([AUDIENCE.issuer]),
            json!(token),
            json!(called),
            json!([token, AUDIENCE.issuer]),
        ] {
            for typ in [None, Some("JWT"), Some("jwt"), Some("application/jwt")] {
                assert!(judge(typ, json!({ "aud": aud })).is_ok(), "{aud}");
            }
            let is_issuer = aud == json!(AUDIENCE.issuer) || aud == json!([AUDIENCE.issuer]);
            assert_eq!(judge(Some(TYPED), json!({ "aud": aud })).is_ok(), is_issuer, "{aud}");
        }
        for aud in [
            json!([]),
            json!("https://as.example/"),
            json!("https://as.example/revoke"),
            json!([AUDIENCE.issuer, "https://other.example"]),
            json!([token, "https://other.example/token"]),
            json!([[token]]),
            json!(null),
            json!(7),
        ] {
            assert_eq!(judge(None, json!({ "aud": aud })).err(), Some(AssertionProblem::Audience), "{aud}");
        }
    }

    /// FAPI 2.0 Security Profile §5.3.2.1 (8).
    #[test]
    fn with_a_profile_the_audience_is_the_issuer_as_a_string() {
        let judge = |typ, aud| {
            judge_of(json!({ "client_id": "app", "profile": "fapi2-security" }), typ, json!({ "aud": aud })).err()
        };
        let [token, called] = ["https://as.example/token", "https://as.example/par"];
        for typ in [None, Some("JWT"), Some(TYPED)] {
            assert_eq!(judge(typ, json!(AUDIENCE.issuer)), None);
            for aud in
                [json!([AUDIENCE.issuer]), json!([AUDIENCE.issuer, token]), json!(token), json!(called), json!(null)]
            {
                assert_eq!(judge(typ, aud.clone()), Some(AssertionProblem::Audience), "{aud}");
            }
        }
    }

    #[test]
    fn a_jwt_for_another_purpose_is_rejected() {
        for typ in ["oauth-authz-req+jwt", "at+jwt", "dpop+jwt", "secevent+jwt", "logout+jwt", ""] {
            assert_eq!(judge(Some(typ), json!({})).err(), Some(AssertionProblem::Type), "{typ}");
        }
    }

    #[test]
    fn a_grant_of_the_client_itself_has_a_type_of_its_own() {
        let grant = |typ: Option<&str>, aud: &str| {
            let client: Client = serde_json::from_value(json!({ "client_id": "app" })).unwrap();
            let claims = json!({ "iss": "app", "sub": "app", "aud": aud, "exp": NOW + 60 });
            check_grant(claims.as_object().unwrap().clone(), typ, &client, AUDIENCE, Timestamp::from_secs(NOW))
        };
        let token = "https://as.example/token";
        assert!(grant(None, token).is_ok() && grant(Some("JWT"), AUDIENCE.issuer).is_ok());
        assert!(grant(Some(TYPED_GRANT), AUDIENCE.issuer).is_ok() && grant(Some(TYPED_GRANT), token).is_err());
        for typ in [TYPED, "oauth-id-jag+jwt", "oauth-authz-req+jwt", "at+jwt"] {
            assert_eq!(grant(Some(typ), AUDIENCE.issuer).err(), Some(AssertionProblem::Type), "{typ}");
        }
        assert_eq!(judge(Some(TYPED_GRANT), json!({})).err(), Some(AssertionProblem::Type));
    }

    #[test]
    fn the_subject_is_read_from_any_text() {
        let assertion = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(r#"{"sub":"app"}"#));
        assert_eq!(subject(&assertion).as_deref(), Some("app"));
        for text in ["", ".", "..", "a.b.c", "e30.e30.", "e30.bnVsbA.", "e30.eyJzdWIiOjd9."] {
            assert_eq!(subject(text), None, "{text}");
        }
    }
}
