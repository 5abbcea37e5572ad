//! Trusted issuers of assertions (RFC 7521 §4.1).

use super::id_jag::{ID_JAG_TYPE, MAX_ID_JAG_LIFETIME};
use super::{ClaimRules, MAX_LIFETIME, MappedSubject, SubjectMapping, Workload};
use crate::limits::{MAX_ASSERTION_NAME, MAX_ASSERTION_SECONDS};
use crate::shape::{self, Member, Shape};
use crate::{Client, Problem, STANDARD_SCOPES, StoredClient};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;
use types::remote_url::{self, EgressPolicy};
use types::{Algorithm, ClientId, Scope};

/// An issuer whose assertions are accepted as grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedIssuer {
    /// Identifier: `iss` of a JWT, `Issuer` of a SAML assertion.
    pub issuer: String,
    /// Public keys for JWTs (RFC 7517 §5); excludes `jwks_uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// URL of its public keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// X.509 certificates for SAML, PEM or the base64 of the DER. Only their keys are used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<String>,
    /// Signature algorithms of its assertions.
    #[serde(default = "all_algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// True if its assertions may have the `typ` `JWT` or none, as RFC 7523 has it. Its ID tokens look the same, so an
    /// issuer of ID tokens should not have this (RFC 8725 §3.11).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain_jwt: bool,
    /// True if its assertions are ID-JAGs (draft-ietf-oauth-identity-assertion-authz-grant), and no others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub id_jag: bool,
    /// True if public clients with a metadata document may present its ID-JAGs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public_clients: bool,
    /// The workloads that its tokens identify. With it, each token is for a workload, and no client presents it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workloads: Vec<Workload>,
    /// Mapping of its subjects; `None` for an issuer of workloads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectMapping>,
    /// Domains for whose e-mail addresses the issuer vouches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub email_domains: Vec<String>,
    /// Claims that each of its assertions must have.
    #[serde(default, skip_serializing_if = "ClaimRules::is_empty")]
    pub claims: ClaimRules,
    /// The client of an assertion that is presented without client authentication; without it, clients authenticate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientId>,
    /// True if `aud` may also be the URL of the token endpoint (RFC 7523 §3).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub token_endpoint_audience: bool,
    /// True if an assertion may be presented again until it expires.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reusable: bool,
    /// Clients that may present them; without it, every client that is registered for the grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<Vec<ClientId>>,
    /// Largest scope of tokens for its assertions; without it, the scope of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Longest lifetime of an assertion, in seconds; an hour without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lifetime: Option<u64>,
}

fn all_algorithms() -> Vec<Algorithm> {
    Algorithm::ALL.to_vec()
}

/// The `typ` of JWT assertions (draft-ietf-oauth-rfc7523bis).
const ASSERTION_TYPE: &str = "authorization-grant+jwt";

/// The kind of a JWT assertion, which its `typ` states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssertionKind {
    /// `authorization-grant+jwt` (draft-ietf-oauth-rfc7523bis): the audience is the issuer identifier alone.
    Typed,
    /// `JWT` or none (RFC 7523).
    Plain,
    /// ID-JAG.
    IdJag,
}

/// True if `typ` is `expected`, ignoring case and the prefix `application/` (RFC 7515 §4.1.9).
fn is_media_type(typ: &str, expected: &str) -> bool {
    let subtype = match typ.split_once('/') {
        Some((kind, subtype)) if kind.eq_ignore_ascii_case("application") => subtype,
        _ => typ,
    };
    subtype.eq_ignore_ascii_case(expected)
}

/// Returns the problem of a pair of `jwks` and `jwks_uri`: exactly one is given, and this server may call the URL.
pub fn key_source_problem(jwks: Option<&Value>, jwks_uri: Option<&str>, reach: EgressPolicy) -> Option<Problem> {
    match (jwks, jwks_uri) {
        (Some(_), None) => None,
        (None, Some(uri)) => {
            remote_url::parse(uri, reach).err().map(|error| Problem::new("jwks_uri", error.to_string()))
        }
        _ => Some(Problem::new("jwks", "give either jwks or jwks_uri")),
    }
}

impl TrustedIssuer {
    /// The names of the members.
    pub const NAMES: [&str; Self::MEMBERS.len()] = shape::names(Self::MEMBERS);

    /// The members of a configured issuer.
    pub const MEMBERS: &[Member] = &[
        Member::required("issuer", Shape::Text),
        Member::optional("jwks", Shape::Any("JWK Set")),
        Member::optional("jwks_uri", Shape::Url),
        Member::optional("certificates", Shape::Texts),
        Member::optional("algorithms", Shape::ListOf(|| Algorithm::ALL.iter().map(|alg| alg.as_str()).collect())),
        Member::optional("plain_jwt", Shape::Flag),
        Member::optional("id_jag", Shape::Flag),
        Member::optional("public_clients", Shape::Flag),
        Member::optional("workloads", Shape::Objects(Workload::MEMBERS)),
        Member::optional(
            "subject",
            Shape::Decoded(
                |value| types::json::typed::<SubjectMapping>(value).is_some(),
                "must be \"same\", or an object with one of claim, username, map, prefix",
            ),
        ),
        Member::optional("email_domains", Shape::Texts),
        Member::optional("claims", Shape::Decoded(Value::is_object, "must be an object of claims and their values")),
        Member::optional(
            "client",
            Shape::Decoded(|value| types::json::typed::<ClientId>(value).is_some(), "must be a client_id"),
        ),
        Member::optional("token_endpoint_audience", Shape::Flag),
        Member::optional("reusable", Shape::Flag),
        Member::optional(
            "clients",
            Shape::Decoded(|value| Vec::<ClientId>::deserialize(value).is_ok(), "must be a list of client_ids"),
        ),
        Member::optional("scope", Shape::Scopes),
        Member::optional("max_lifetime", Shape::Seconds),
    ];

    /// Returns the longest lifetime of its assertions.
    pub fn max_lifetime(&self) -> Duration {
        let usual = if self.id_jag { MAX_ID_JAG_LIFETIME } else { MAX_LIFETIME };
        self.max_lifetime.map_or(usual, Duration::from_secs)
    }

    /// Returns the kind of a JWT of this `typ`; `None` if it is no assertion of the issuer but an ID token, access token or
    /// logout token of it (RFC 8725 §3.11, draft-ietf-oauth-rfc7523bis).
    pub fn kind(&self, typ: Option<&str>) -> Option<AssertionKind> {
        let is = |expected: &str| typ.is_some_and(|typ| is_media_type(typ, expected));
        if self.id_jag {
            return is(ID_JAG_TYPE).then_some(AssertionKind::IdJag);
        }
        if is(ASSERTION_TYPE) {
            return Some(AssertionKind::Typed);
        }
        // SPIFFE JWT-SVID §2.3 has JOSE, too.
        let is_plain = typ.is_none() || is("JWT") || (self.is_for_workloads() && is("JOSE"));
        (is_plain && (self.plain_jwt || self.is_for_workloads())).then_some(AssertionKind::Plain)
    }

    /// True if its tokens identify workloads.
    pub fn is_for_workloads(&self) -> bool {
        !self.workloads.is_empty()
    }

    /// True if the client may present its assertions. ID-JAGs are for clients that authenticate; a public one must have a metadata
    /// document, and the setting of the issuer admits such clients. Another assertion is for clients with a registration.
    pub fn serves(&self, stored: &StoredClient) -> bool {
        let is_admitted = match (self.id_jag, stored.is_document()) {
            (true, true) => self.public_clients || stored.client.is_confidential(),
            (true, false) => stored.client.is_confidential(),
            (false, is_document) => !is_document && !self.is_for_workloads(),
        };
        is_admitted && self.lists(&stored.client.client_id)
    }

    /// True if the list of clients has the client, or if there is none.
    pub fn lists(&self, client_id: &ClientId) -> bool {
        self.clients.as_ref().is_none_or(|clients| clients.contains(client_id))
    }

    /// Maps the subject of an assertion with these claims; `None` if it has no counterpart.
    pub fn map_subject(&self, subject: &str, claims: &Map<String, Value>) -> Option<MappedSubject> {
        self.subject.as_ref()?.map(subject, claims, &self.email_domains)
    }

    /// Returns the largest scope that a client gets for one of its assertions. It has none of the standard scopes, which
    /// request an ID token, profile claims or a refresh token: no user signed in here (RFC 7521 §4.1).
    pub fn allowed_scope(&self, client: &Client) -> Scope {
        let allowed = self.scope.as_ref().map_or_else(|| client.scope.clone(), |scope| client.scope.within(scope));
        STANDARD_SCOPES.iter().fold(allowed, |scope, token| scope.without(token))
    }

    /// Returns the problems of an issuer of JWTs. The keys themselves are not checked.
    pub fn validate_jwt(&self, reach: EgressPolicy) -> Vec<Problem> {
        let mut problems = self.validate();
        problems.extend(self.kind_problems());
        problems.extend(key_source_problem(self.jwks.as_ref(), self.jwks_uri.as_deref(), reach));
        if !self.certificates.is_empty() {
            problems.push(Problem::new("certificates", "are for issuers of SAML assertions; give jwks or jwks_uri"));
        }
        problems
    }

    /// Returns the problems of an issuer of SAML assertions. The certificates themselves are not checked.
    pub fn validate_saml(&self) -> Vec<Problem> {
        let mut problems = self.validate();
        if self.certificates.is_empty() {
            problems.push(Problem::new("certificates", "at least one is needed, PEM or base64"));
        }
        if self.jwks.is_some() || self.jwks_uri.is_some() {
            problems.push(Problem::new("jwks", "is for issuers of JWTs; give certificates"));
        }
        for (field, is_set) in [
            ("plain_jwt", self.plain_jwt),
            ("id_jag", self.id_jag),
            ("public_clients", self.public_clients),
            ("workloads", self.is_for_workloads()),
            ("claims", !self.claims.is_empty()),
            ("client", self.client.is_some()),
            ("token_endpoint_audience", self.token_endpoint_audience),
            ("reusable", self.reusable),
        ] {
            if is_set {
                problems.push(Problem::new(field, "is for issuers of JWTs"));
            }
        }
        problems
    }

    /// Returns the settings that contradict the kind of the assertions.
    fn kind_problems(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.claims.problem().into_iter().collect();
        let mut refuse = |fields: &[(&'static str, bool)], rule: &'static str| {
            problems.extend(fields.iter().filter(|(_, is_set)| *is_set).map(|(field, _)| Problem::new(*field, rule)));
        };
        if self.is_for_workloads() {
            let others = [
                ("id_jag", self.id_jag),
                ("client", self.client.is_some()),
                ("clients", self.clients.is_some()),
                ("scope", self.scope.is_some()),
                ("subject", self.subject.is_some()),
            ];
            refuse(&others, "is not for an issuer with workloads, whose rules decide");
        }
        if self.id_jag {
            let others = [
                ("plain_jwt", self.plain_jwt),
                ("client", self.client.is_some()),
                ("token_endpoint_audience", self.token_endpoint_audience),
            ];
            refuse(&others, "is not for ID-JAGs, which have a type, a client and one audience");
        }
        refuse(&[("public_clients", self.public_clients && !self.id_jag)], "is for ID-JAGs: set id_jag");
        for (position, workload) in self.workloads.iter().enumerate() {
            let is_repeated = self.workloads.iter().take(position).any(|before| before.name == workload.name);
            let problem = workload.problem().or(is_repeated.then(|| Problem::new("name", "is there twice")));
            problems.extend(problem.map(|problem| Problem::new(format!("workloads[{position}]"), problem.to_string())));
        }
        problems
    }

    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !(1..=MAX_ASSERTION_NAME).contains(&self.issuer.len()) {
            problems.push(Problem::new("issuer", format!("must be 1 to {MAX_ASSERTION_NAME} bytes")));
        }
        if self.algorithms.is_empty() {
            problems.push(Problem::new("algorithms", "the list is empty; leave it out for all"));
        }
        if self.max_lifetime.is_some_and(|seconds| !(1..=MAX_ASSERTION_SECONDS).contains(&seconds)) {
            problems.push(Problem::new("max_lifetime", format!("must be 1 to {MAX_ASSERTION_SECONDS} seconds")));
        }
        match &self.subject {
            Some(mapping) => problems.extend(mapping.validate()),
            None if self.is_for_workloads() => {}
            None => problems.push(Problem::new("subject", "is missing")),
        }
        problems
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::ClientOrigin;
    use serde_json::json;

    fn issuer(changes: Value) -> TrustedIssuer {
        let mut issuer = json!({ "issuer": "https://idp.example", "jwks": { "keys": [] }, "subject": "same" });
        issuer.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        issuer.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        serde_json::from_value(issuer).unwrap()
    }

    /// RFC 8725 §3.11: an ID token has `typ` `JWT`, or none.
    #[test]
    fn a_plain_jwt_is_an_assertion_only_where_the_operator_says_so() {
        for (changes, accepts_plain) in [(json!({}), false), (json!({ "plain_jwt": true }), true)] {
            let issuer = issuer(changes);
            for typ in ["authorization-grant+jwt", "application/Authorization-Grant+JWT"] {
                assert_eq!(issuer.kind(Some(typ)), Some(AssertionKind::Typed), "{typ}");
            }
            for typ in [None, Some("JWT"), Some("jwt"), Some("application/jwt")] {
                assert_eq!(issuer.kind(typ), accepts_plain.then_some(AssertionKind::Plain), "{typ:?}");
            }
            for typ in ["at+jwt", "logout+jwt", "", "x/authorization-grant+jwt", ID_JAG_TYPE, "JOSE"] {
                assert_eq!(issuer.kind(Some(typ)), None, "{typ}");
            }
        }
    }

    /// draft-ietf-oauth-identity-assertion-authz-grant §4.4.1: the `typ` is the one of ID-JAGs.
    #[test]
    fn an_issuer_of_id_jags_sends_nothing_else() {
        let issuer = issuer(json!({ "id_jag": true }));
        for typ in [ID_JAG_TYPE, "application/OAuth-ID-JAG+jwt"] {
            assert_eq!(issuer.kind(Some(typ)), Some(AssertionKind::IdJag), "{typ}");
        }
        for typ in [None, Some("JWT"), Some("authorization-grant+jwt"), Some("at+jwt"), Some("id-jag+jwt")] {
            assert_eq!(issuer.kind(typ), None, "{typ:?}");
        }
        assert_eq!(issuer.max_lifetime(), MAX_ID_JAG_LIFETIME);
    }

    #[test]
    fn a_client_presents_what_is_meant_for_its_kind() {
        let client = |method: &str, origin: ClientOrigin| {
            let client = json!({ "client_id": "app", "token_endpoint_auth_method": method });
            StoredClient { origin, ..StoredClient::new(serde_json::from_value(client).unwrap(), Vec::new()) }
        };
        use ClientOrigin::{MetadataDocument, Operator};
        let workload = json!({ "name": "w", "claims": { "sub": "x" }, "scope": "read", "resources": ["https://a"] });
        let workloads = json!({ "workloads": [workload], "subject": null });
        let public = json!({ "id_jag": true, "public_clients": true });
        for (method, origin, plain, id_jag, id_jag_of_public) in [
            ("client_secret_basic", Operator, true, true, true),
            ("none", Operator, true, false, false),
            ("private_key_jwt", MetadataDocument, false, true, true),
            ("none", MetadataDocument, false, false, true),
        ] {
            let client = client(method, origin);
            assert_eq!(issuer(json!({})).serves(&client), plain, "{method} {origin:?}");
            assert_eq!(issuer(json!({ "id_jag": true })).serves(&client), id_jag, "{method} {origin:?}");
            assert_eq!(issuer(public.clone()).serves(&client), id_jag_of_public, "{method} {origin:?}");
            assert!(!issuer(workloads.clone()).serves(&client), "{method} {origin:?}");
            let of_others = issuer(json!({ "clients": ["other"], "id_jag": true, "public_clients": true }));
            assert!(!of_others.serves(&client));
        }
    }

    #[test]
    fn settings_of_another_kind_are_problems() {
        let workload = json!({ "name": "w", "claims": { "sub": "x" }, "scope": "read", "resources": ["https://a"] });
        for (changes, fields) in [
            (json!({ "id_jag": true, "public_clients": true }), &[] as &[&str]),
            (json!({ "workloads": [workload], "subject": null, "token_endpoint_audience": true }), &[]),
            (json!({ "workloads": [workload], "id_jag": true }), &["id_jag", "subject"]),
            (json!({ "workloads": [workload, workload], "subject": null }), &["workloads[1]"]),
            (
                json!({ "id_jag": true, "plain_jwt": true, "client": "app", "token_endpoint_audience": true }),
                &["plain_jwt", "client", "token_endpoint_audience"],
            ),
            (json!({ "public_clients": true }), &["public_clients"]),
            (json!({ "subject": null }), &["subject"]),
            (json!({ "subject": { "prefix": "workload:ci:" } }), &["subject"]),
            (json!({ "claims": { "tenant": "*" } }), &["claims.tenant"]),
        ] {
            let problems = issuer(changes.clone()).validate_jwt(EgressPolicy::Public);
            let named: Vec<&str> = problems.iter().map(Problem::field).collect();
            assert_eq!(named, fields, "{changes}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_said() {
        assert_eq!(issuer(json!({})).validate_jwt(EgressPolicy::Public), []);
        let wrong = issuer(json!({
            "issuer": "", "jwks_uri": "http://example.com", "certificates": ["x"], "algorithms": [],
            "max_lifetime": 0, "subject": { "prefix": "ci" },
        }));
        let members = |problems: Vec<Problem>| -> Vec<String> {
            problems.iter().map(|problem| problem.field().to_owned()).collect()
        };
        assert_eq!(
            members(wrong.validate_jwt(EgressPolicy::Public)),
            ["issuer", "algorithms", "max_lifetime", "subject", "jwks", "certificates"]
        );
        assert_eq!(
            members(issuer(json!({ "plain_jwt": true })).validate_saml()),
            ["certificates", "jwks", "plain_jwt"]
        );
    }

    #[test]
    fn keys_are_in_the_settings_or_where_they_can_be_fetched() {
        let problem = |jwks_uri, reach| key_source_problem(None, Some(jwks_uri), reach);
        for uri in ["nonsense", "http://idp.example/jwks", "https://10.0.0.1/jwks", "https://u:p@idp.example/jwks"] {
            for reach in [EgressPolicy::Public, EgressPolicy::Loopback] {
                assert!(problem(uri, reach).is_some_and(|problem| problem.field() == "jwks_uri"), "{uri}");
            }
        }
        assert_eq!(problem("https://idp.example/jwks", EgressPolicy::Public), None);
        assert_eq!(problem("http://localhost:8080/jwks", EgressPolicy::Loopback), None);
        assert!(problem("http://localhost:8080/jwks", EgressPolicy::Public).is_some());
        assert_eq!(key_source_problem(Some(&json!({})), None, EgressPolicy::Public), None);
        assert!(key_source_problem(None, None, EgressPolicy::Public).is_some());
        assert!(key_source_problem(Some(&json!({})), Some("https://idp.example/"), EgressPolicy::Public).is_some());
    }
}
