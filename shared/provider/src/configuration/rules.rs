//! The rules for the items of lists of the configuration, beyond the forms of their members. Each rule that is broken is a text with
//! the position of the item.

use crate::StatementIssuer;
use jose::{JwkSet, PublicKey};
use protocol::{
    AuthenticationClass, AuthorizationDetailsType, ClaimDefinition, Problem, Resource, TrustedIssuer,
    key_source_problem,
};
use serde_json::Value;
use types::remote_url::EgressPolicy;

/// Returns the rules that authentication context classes break.
pub(super) fn classes(classes: &[AuthenticationClass]) -> Vec<String> {
    let mut broken = Vec::new();
    for (position, class) in classes.iter().enumerate() {
        broken.extend(class.validate().iter().map(|problem| format!("[{position}] ({}) {problem}", class.name)));
        if classes.iter().take(position).any(|before| before.name == class.name) {
            broken.push(format!("[{position}] ({}) name: is there twice", class.name));
        }
    }
    broken
}

/// Returns the rules that definitions of claims break.
pub(super) fn claims(claims: &[ClaimDefinition]) -> Vec<String> {
    let mut broken = Vec::new();
    for (position, claim) in claims.iter().enumerate() {
        broken.extend(claim.validate().iter().map(|problem| format!("[{position}] ({}) {problem}", claim.name)));
        if claims.iter().take(position).any(|before| before.name == claim.name) {
            broken.push(format!("[{position}] ({}) name: is there twice", claim.name));
        }
    }
    broken
}

/// Returns the rules that types of authorization details break.
pub(super) fn authorization_details_types(types: &[AuthorizationDetailsType]) -> Vec<String> {
    let mut broken = Vec::new();
    for (position, known) in types.iter().enumerate() {
        let name = known.name();
        broken.extend(known.validate().iter().map(|problem| format!("[{position}] ({name}) {problem}")));
        if types.iter().take(position).any(|before| before.name() == name) {
            broken.push(format!("[{position}] ({name}) type: is there twice"));
        }
    }
    broken
}

/// Returns the rules that resources break.
pub(super) fn resources(resources: &[Resource]) -> Vec<String> {
    let mut broken = Vec::new();
    for (position, resource) in resources.iter().enumerate() {
        broken.extend(resource.validate().map(|problem| format!("[{position}] {problem}")));
        if resources.iter().take(position).any(|before| before.resource == resource.resource) {
            broken.push(format!("[{position}] ({}) resource: is there twice", resource.resource));
        }
    }
    broken
}

/// Returns the rules that issuers of JWTs, and their keys, break.
pub(super) fn jwt_issuers(issuers: &[TrustedIssuer], reach: EgressPolicy) -> Vec<String> {
    trusted_issuers(issuers, |trusted| {
        let mut problems = trusted.validate_jwt(reach);
        problems.extend(key_set_problem(trusted.jwks.as_ref()));
        problems
    })
}

/// Returns the rules that issuers of SAML assertions, and their certificates, break.
pub(super) fn saml_issuers(issuers: &[TrustedIssuer]) -> Vec<String> {
    trusted_issuers(issuers, |trusted| {
        let mut problems = trusted.validate_saml();
        for (position, _) in
            trusted.certificates.iter().enumerate().filter(|(_, text)| PublicKey::from_certificate(text).is_none())
        {
            let rule = "is no X.509 certificate with an RSA or P-256 key";
            problems.push(Problem::new(format!("certificates[{position}]"), rule));
        }
        problems
    })
}

/// Returns the rules that issuers of software statements, and their keys, break.
pub(super) fn statement_issuers(issuers: &[StatementIssuer], reach: EgressPolicy) -> Vec<String> {
    let mut broken = Vec::new();
    for (position, trusted) in issuers.iter().enumerate() {
        let no_name = trusted.issuer.is_empty().then(|| Problem::new("issuer", "must not be empty"));
        let no_source = key_source_problem(trusted.jwks.as_ref(), trusted.jwks_uri.as_deref(), reach);
        let problems = no_name.into_iter().chain(no_source).chain(key_set_problem(trusted.jwks.as_ref()));
        broken.extend(problems.map(|problem| format!("[{position}] ({}) {problem}", trusted.issuer)));
    }
    broken
}

fn trusted_issuers(issuers: &[TrustedIssuer], problems: impl Fn(&TrustedIssuer) -> Vec<Problem>) -> Vec<String> {
    let mut broken = Vec::new();
    for (position, trusted) in issuers.iter().enumerate() {
        let of_issuer = |problem: &dyn std::fmt::Display| format!("[{position}] ({}) {problem}", trusted.issuer);
        broken.extend(problems(trusted).iter().map(|problem| of_issuer(problem)));
        if issuers.iter().take(position).any(|before| before.issuer == trusted.issuer) {
            broken.push(of_issuer(&"issuer: is there twice"));
        }
        let before = issuers.iter().take(position).flat_map(|before| &before.workloads);
        for workload in before.filter(|before| trusted.workloads.iter().any(|own| own.name == before.name)) {
            broken.push(of_issuer(&format_args!("workloads: another issuer has '{}'", workload.name)));
        }
    }
    broken
}

/// Returns the problem of keys that are in the configuration.
fn key_set_problem(jwks: Option<&Value>) -> Option<Problem> {
    let has_keys = JwkSet::from_value(jwks?).is_some_and(|set| !set.keys.is_empty());
    let rule = "must be a JWK Set with a public key for ES256, RS256, PS256 or EdDSA";
    (!has_keys).then(|| Problem::new("jwks", rule))
}
