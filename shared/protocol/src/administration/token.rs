//! Admin tokens: a JWT that an admin key signs for one request. It binds the deployment, the method, the path, the query and
//! the body, so it allows this request alone.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;
use subtle::ConstantTimeEq;
use types::{Issuer, Timestamp};

/// The `typ` of an admin token.
pub const ADMIN_TOKEN_TYPE: &str = "admin-request+jwt";

/// The longest lifetime of an admin token.
pub const ADMIN_TOKEN_LIFETIME: Duration = Duration::from_secs(60);

/// The accepted difference between the clocks of the administrator and of the server, in each direction.
pub const ADMIN_TOKEN_CLOCK_DIFFERENCE: Duration = Duration::from_secs(60);

/// The time after its receipt at which an admin token has expired by the clock of any instance.
pub const ADMIN_TOKEN_MOST_AGE: Duration = Duration::from_secs(180);

/// A request to the admin API, as its token binds it.
#[derive(Clone, Copy, Debug)]
pub struct AdminRequest<'a> {
    /// Method.
    pub method: &'a str,
    /// Path, as sent.
    pub path: &'a str,
    /// Query without `?`, as sent; empty if there is none.
    pub query: &'a str,
    /// Body; empty if there is none.
    pub body: &'a [u8],
}

/// The claims of an admin token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdminTokenClaims<'a> {
    /// `aud`: the issuer identifier of the deployment.
    pub aud: &'a Issuer,
    /// `iat`: the time of signing.
    pub iat: u64,
    /// `exp`: the expiry.
    pub exp: u64,
    /// `jti`: tells the tokens of equal requests apart, of which each is accepted once.
    pub jti: String,
    /// `htm`: the method (as in RFC 9449 §4.2).
    pub htm: &'a str,
    /// `target`: path and query, as sent (RFC 9112 §3.2.1).
    pub target: String,
    /// `body_sha256`: the SHA-256 of the body in base64url.
    pub body_sha256: String,
}

/// The first rule that the claims of an admin token break. `Display` tells the administrator what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminTokenProblem {
    /// A claim is missing or of the wrong type.
    Incomplete,
    /// The token is for another deployment.
    Audience,
    /// The token is for another method.
    Method,
    /// The token is for another path or query.
    Target,
    /// The token is for another body.
    Body,
    /// The token is valid for longer than [`ADMIN_TOKEN_LIFETIME`].
    Lifetime,
    /// The token has expired.
    Expired,
    /// The token was signed in the future.
    Future,
}

impl fmt::Display for AdminTokenProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Incomplete => "the token needs the claims aud, iat, exp, htm, target and body_sha256",
            Self::Audience => "the token is for another deployment: aud must be the issuer identifier of this one",
            Self::Method => "the token is for another method",
            Self::Target => "the token is for another path or query",
            Self::Body => "the token is for another body",
            Self::Lifetime => "the token is valid for more than 60 seconds",
            Self::Expired => "the token has expired: check the clock",
            Self::Future => "the token was signed in the future: check the clock",
        })
    }
}

impl<'a> AdminRequest<'a> {
    /// Returns the claims of a token for this request to the deployment `issuer`. `jti` is fresh randomness.
    pub fn claims(&self, issuer: &'a Issuer, jti: String, now: Timestamp) -> AdminTokenClaims<'a> {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        AdminTokenClaims {
            aud: issuer,
            iat: now.as_secs(),
            exp: now.after(ADMIN_TOKEN_LIFETIME).as_secs(),
            jti,
            htm: self.method,
            target: format!("{}{query}", self.path),
            body_sha256: digest(self.body),
        }
    }

    /// Checks the claims of a token that was sent with this request. Errors: the first rule that they break.
    pub fn check(&self, claims: &Value, issuer: &Issuer, now: Timestamp) -> Result<(), AdminTokenProblem> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).ok_or(AdminTokenProblem::Incomplete);
        let seconds = |name: &str| claims.get(name).and_then(Value::as_u64).ok_or(AdminTokenProblem::Incomplete);
        let (aud, htm, target, body) = (text("aud")?, text("htm")?, text("target")?, text("body_sha256")?);
        let (signed_at, expires_at) = (Timestamp::from_secs(seconds("iat")?), Timestamp::from_secs(seconds("exp")?));
        let is_same_body: bool = body.as_bytes().ct_eq(digest(self.body).as_bytes()).into();
        let rules = [
            (aud == issuer.as_str(), AdminTokenProblem::Audience),
            (htm == self.method, AdminTokenProblem::Method),
            (self.has_target(target), AdminTokenProblem::Target),
            (is_same_body, AdminTokenProblem::Body),
            (expires_at <= signed_at.after(ADMIN_TOKEN_LIFETIME), AdminTokenProblem::Lifetime),
            (!expires_at.after(ADMIN_TOKEN_CLOCK_DIFFERENCE).is_past(now), AdminTokenProblem::Expired),
            (signed_at <= now.after(ADMIN_TOKEN_CLOCK_DIFFERENCE), AdminTokenProblem::Future),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, problem)| Err(problem))
    }

    /// True if `target` is the path and the query of this request. Compares segments and parameters after decoding, which is
    /// what the functions act on: a gateway may write the same target with other escapes.
    fn has_target(&self, target: &str) -> bool {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let segment = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
        let parameters = |query: &str| -> Vec<(String, String)> {
            form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into(), value.into())).collect()
        };
        path.split('/').map(segment).eq(self.path.split('/').map(segment))
            && parameters(query) == parameters(self.query)
    }
}

/// Returns the name of a token, by the part of it that is signed.
pub fn token_digest(signed: &str) -> String {
    digest(signed.as_bytes())
}

fn digest(body: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const PUT: AdminRequest<'_> =
        AdminRequest { method: "PUT", path: "/admin/users/zo%C3%AB", query: "a=b%20c&d", body: b"{}" };

    fn issuer() -> Issuer {
        Issuer::new("https://id.example")
    }

    fn claims() -> Value {
        serde_json::to_value(PUT.claims(&issuer(), "n".to_owned(), NOW)).unwrap()
    }

    fn checked(request: AdminRequest<'_>, claims: &Value, now: Timestamp) -> Result<(), AdminTokenProblem> {
        request.check(claims, &issuer(), now)
    }

    /// The digest was computed by another implementation.
    #[test]
    fn claims_bind_the_whole_request() {
        let expected = json!({
            "aud": "https://id.example", "iat": 1_800_000_000_u64, "exp": 1_800_000_060_u64, "jti": "n", "htm": "PUT",
            "target": "/admin/users/zo%C3%AB?a=b%20c&d",
            "body_sha256": "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o",
        });
        assert_eq!(claims(), expected);
        assert_eq!(checked(PUT, &claims(), NOW), Ok(()));
    }

    #[test]
    fn another_request_is_refused() {
        use AdminTokenProblem::{Body, Method, Target};
        for (request, problem) in [
            (AdminRequest { method: "DELETE", ..PUT }, Method),
            (AdminRequest { method: "put", ..PUT }, Method),
            (AdminRequest { path: "/admin/users/zoe", ..PUT }, Target),
            (AdminRequest { path: "/admin/users/zo%C3%AB/", ..PUT }, Target),
            (AdminRequest { path: "/admin/users%2Fzo%C3%AB", ..PUT }, Target),
            (AdminRequest { path: "/admin//users/zo%C3%AB", ..PUT }, Target),
            (AdminRequest { path: "/admin/users/zo%25C3%25AB", ..PUT }, Target),
            (AdminRequest { query: "", ..PUT }, Target),
            (AdminRequest { query: "a=b%20c&d&e", ..PUT }, Target),
            (AdminRequest { query: "d&a=b%20c", ..PUT }, Target),
            (AdminRequest { query: "a=b%20c%26d", ..PUT }, Target),
            (AdminRequest { body: b"", ..PUT }, Body),
            (AdminRequest { body: b"{} ", ..PUT }, Body),
        ] {
            assert_eq!(checked(request, &claims(), NOW), Err(problem), "{request:?}");
        }
        // A gateway writes the target in another way.
        let rewritten = AdminRequest { path: "/admin/%75sers/zo%c3%ab", query: "a=b+c&d=", ..PUT };
        assert_eq!(checked(rewritten, &claims(), NOW), Ok(()));
    }

    #[test]
    fn a_token_is_valid_for_a_minute_and_the_clock_difference() {
        use AdminTokenProblem::{Expired, Future, Lifetime};
        let at = |seconds: u64| checked(PUT, &claims(), Timestamp::from_secs(1_800_000_000 - 1000 + seconds));
        assert_eq!(at(1000 - 61), Err(Future));
        assert_eq!(at(1000 - 60), Ok(()));
        assert_eq!(at(1000 + 119), Ok(()));
        assert_eq!(at(1000 + 120), Err(Expired));
        let mut long = claims();
        long["exp"] = json!(1_800_000_061_u64);
        assert_eq!(checked(PUT, &long, NOW), Err(Lifetime));
        long["iat"] = json!(0);
        assert_eq!(checked(PUT, &long, NOW), Err(Lifetime));
    }

    #[test]
    fn every_claim_is_needed() {
        for name in ["aud", "iat", "exp", "htm", "target", "body_sha256"] {
            for value in [json!(null), json!([]), json!({}), json!(-1), json!(true), json!(["https://id.example"])] {
                let mut claims = claims();
                claims[name] = value;
                assert_eq!(checked(PUT, &claims, NOW), Err(AdminTokenProblem::Incomplete), "{name}");
            }
        }
        for (name, value) in [("aud", "https://id.example/"), ("aud", "https://other.example"), ("aud", "")] {
            let mut claims = claims();
            claims[name] = json!(value);
            assert_eq!(checked(PUT, &claims, NOW), Err(AdminTokenProblem::Audience), "{value}");
        }
        let latest = json!({
            "aud": "https://id.example", "iat": u64::MAX, "exp": u64::MAX, "htm": "PUT",
            "target": "/admin/users/zo%C3%AB?a=b%20c&d", "body_sha256": claims()["body_sha256"],
        });
        assert_eq!(checked(PUT, &latest, NOW), Err(AdminTokenProblem::Future));
    }
}
