//! Clients that prove who they are with a JWT of their own key: `private_key_jwt` (RFC 7523 §2.2, §3, OpenID Connect
//! Core §9).

use crate::{Assertion, AssertionProblem, AssertionRules, Client, assertion::MAX_LIFETIME};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use types::Timestamp;

/// `client_assertion_type` of a JWT (RFC 7523 §2.2).
pub const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The `typ` of an assertion that keeps to draft-ietf-oauth-rfc7523bis: its audience is the issuer, nothing else.
const TYPED: &str = "client-authentication+jwt";

/// This server, as assertions may name it.
#[derive(Clone, Copy, Debug)]
pub struct AssertionAudience<'a> {
    /// The issuer identifier.
    pub issuer: &'a str,
    /// The URLs of the token endpoint, by which OpenID Connect Core §9 and RFC 7523 §3 named it, and of the endpoint
    /// that is called (RFC 9126 §2).
    pub endpoints: [&'a str; 2],
}

/// Whom an assertion says that it is from; proved by nothing. For finding the client when a request does not name it
/// otherwise (RFC 7521 §4.2).
pub fn claimed_client(assertion: &str) -> Option<String> {
    let payload = assertion.split('.').nth(1)?;
    let claims: Map<String, Value> = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    claims.get("sub")?.as_str().map(str::to_owned)
}

/// Holds the claims of a client's assertion against the rules. Its signature is the caller's to verify, with the key
/// of this client; its `typ` is the one of its header.
///
/// Both `iss` and `sub` are the client (RFC 7523 §3). The audience is this server alone: by its issuer identifier, or,
/// in an assertion that is not typed as one of rfc7523bis, also by its token endpoint or the endpoint called, since that
/// is what OpenID Connect Core §9 and RFC 9126 §2 told clients to write (see
/// infra/decisions/audience-of-client-assertions.md). A JWT that is typed
/// for another purpose, such as a request object, proves nobody.
pub fn check(
    mut claims: Map<String, Value>,
    typ: Option<&str>,
    client: &Client,
    audience: AssertionAudience<'_>,
    now: Timestamp,
) -> Result<Assertion, AssertionProblem> {
    let typ = typ.map(|typ| typ.strip_prefix("application/").unwrap_or(typ));
    let is_typed = match typ {
        None => false,
        Some(typ) if typ.eq_ignore_ascii_case("JWT") => false,
        Some(typ) if typ.eq_ignore_ascii_case(TYPED) => true,
        Some(_) => return Err(AssertionProblem::Type),
    };
    // OpenID Connect Core §9 demands it of clients.
    if !claims.contains_key("jti") {
        return Err(AssertionProblem::NoName);
    }
    if !is_typed && names_only_us(claims.get("aud"), audience) {
        claims.insert("aud".to_owned(), Value::String(audience.issuer.to_owned()));
    }
    let rules =
        AssertionRules { issuer: &client.client_id, audience: audience.issuer, max_lifetime: MAX_LIFETIME, now };
    let assertion = Assertion::check(claims, &rules)?;
    if assertion.subject == client.client_id { Ok(assertion) } else { Err(AssertionProblem::Subject) }
}

fn names_only_us(aud: Option<&Value>, audience: AssertionAudience<'_>) -> bool {
    let is_us =
        |name: &Value| name.as_str().is_some_and(|name| name == audience.issuer || audience.endpoints.contains(&name));
    match aud {
        Some(Value::Array(names)) => !names.is_empty() && names.iter().all(is_us),
        Some(name) => is_us(name),
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
        endpoints: ["https://as.example/token", "https://as.example/par"],
    };

    fn judge(typ: Option<&str>, changes: Value) -> Result<Assertion, AssertionProblem> {
        let client: Client = serde_json::from_value(json!({ "client_id": "app" })).unwrap();
        let mut claims = json!({ "iss": "app", "sub": "app", "aud": AUDIENCE.issuer, "exp": NOW + 60, "jti": "1" });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        check(claims.as_object().unwrap().clone(), typ, &client, AUDIENCE, Timestamp::from_secs(NOW))
    }

    #[test]
    fn the_client_vouches_for_itself_alone() {
        assert!(judge(None, json!({})).is_ok());
        assert_eq!(judge(None, json!({ "iss": "other" })).err(), Some(AssertionProblem::Issuer));
        assert_eq!(judge(None, json!({ "sub": "other" })).err(), Some(AssertionProblem::Subject));
        assert_eq!(judge(None, json!({ "iss": "other", "sub": "other" })).err(), Some(AssertionProblem::Issuer));
    }

    #[test]
    fn the_audience_is_this_server_and_nobody_else() {
        let [token, called] = AUDIENCE.endpoints;
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

    #[test]
    fn a_jwt_for_another_purpose_proves_nobody() {
        for typ in ["oauth-authz-req+jwt", "at+jwt", "dpop+jwt", "secevent+jwt", "logout+jwt", ""] {
            assert_eq!(judge(Some(typ), json!({})).err(), Some(AssertionProblem::Type), "{typ}");
        }
    }

    #[test]
    fn whom_it_is_from_is_read_from_any_text() {
        let assertion = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(r#"{"sub":"app"}"#));
        assert_eq!(claimed_client(&assertion).as_deref(), Some("app"));
        for text in ["", ".", "..", "a.b.c", "e30.e30.", "e30.bnVsbA.", "e30.eyJzdWIiOjd9."] {
            assert_eq!(claimed_client(text), None, "{text}");
        }
    }
}
