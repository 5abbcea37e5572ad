//! An assertion whose signature is verified, and the rules that apply to it (RFC 7522 §3).

use crate::xml::{self, Element, SAML};
use crate::{Problem, instant};
use protocol::limits::MAX_ASSERTION_NAME;
use protocol::{CLOCK_SKEW, single_use_digest};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;
use types::Timestamp;

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
const ENTITY: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";

/// The rules for an assertion.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The required `Issuer`.
    pub issuer: &'a str,
    /// The required audience: the issuer identifier of this server.
    pub audience: &'a str,
    /// The required recipient: the URL of the token endpoint.
    pub recipient: &'a str,
    /// Greatest time until its expiry, and greatest age.
    pub max_lifetime: Duration,
    /// The current time.
    pub now: Timestamp,
}

/// A verified assertion that meets the rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assertion {
    /// The `Issuer`.
    pub issuer: String,
    /// The subject: the `NameID`.
    pub subject: String,
    /// The `ID`, unique among the assertions of the issuer.
    pub id: String,
    /// The expiry.
    pub expires_at: Timestamp,
    /// `AuthnInstant`: time of the subject's sign-in, if the assertion has it.
    pub authenticated_at: Option<Timestamp>,
    /// The attributes that have one value, by name.
    pub claims: Map<String, Value>,
}

impl Assertion {
    /// Returns the time from which the assertion is rejected as expired, so that no record of it is needed.
    pub fn forgotten_at(&self) -> Timestamp {
        self.expires_at.after(CLOCK_SKEW)
    }

    /// Returns the digest of issuer and `ID`, 32 bytes, which marks the assertion as used.
    pub fn digest(&self) -> [u8; 32] {
        single_use_digest(&self.issuer, &self.id)
    }
}

/// The signed content of an assertion: the verifying key signed every byte of it.
pub struct VerifiedAssertion {
    content: String,
}

impl VerifiedAssertion {
    pub(crate) const fn new(content: String) -> Self {
        Self { content }
    }

    /// Checks the assertion against the rules.
    pub fn check(&self, rules: &Rules<'_>) -> Result<Assertion, Problem> {
        let document = xml::parse(&self.content)?;
        let root = Element::root(&document).ok_or(Problem::NotAnAssertion)?;
        let inner = ["Assertion", "EncryptedAssertion"];
        if !root.is(SAML, "Assertion")
            || root.attribute("Version") != Some("2.0")
            || inner.iter().any(|name| root.count_below(SAML, name) > 0)
        {
            return Err(Problem::NotAnAssertion);
        }
        let id = root.attribute("ID").filter(|id| is_name(id)).ok_or(Problem::NotAnAssertion)?.to_owned();
        let issuer = issuer(&root).filter(|issuer| issuer == rules.issuer).ok_or(Problem::Issuer)?;
        let subject = root.only(SAML, "Subject").ok_or(Problem::Subject)?;
        let until = [conditions(&root, rules)?, confirmation(&subject, rules)?];
        let expires_at = until.into_iter().flatten().min().ok_or(Problem::NoExpiry)?;
        if expires_at.after(CLOCK_SKEW).is_past(rules.now) {
            return Err(Problem::Expired);
        }
        if expires_at > rules.now.after(rules.max_lifetime).after(CLOCK_SKEW) {
            return Err(Problem::TooLongLived);
        }
        let issued_at = root.attribute("IssueInstant").and_then(instant::parse).ok_or(Problem::IssueInstant)?;
        if issued_at > rules.now.after(CLOCK_SKEW)
            || issued_at.after(rules.max_lifetime).after(CLOCK_SKEW).is_past(rules.now)
        {
            return Err(Problem::IssueInstant);
        }
        let authenticated_at = authenticated_at(&root, rules)?;
        let claims = attributes(&root);
        Ok(Assertion { issuer, subject: name_id(&subject)?, id, expires_at, authenticated_at, claims })
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ASSERTION_NAME
}

fn issuer(root: &Element<'_, '_>) -> Option<String> {
    let issuer = root.only(SAML, "Issuer")?;
    if issuer.attribute("Format").is_some_and(|format| format != ENTITY) {
        return None;
    }
    issuer.text().map(|text| text.trim().to_owned()).filter(|text| is_name(text))
}

/// Returns the `NameID` (RFC 7522 §3 (3)). An encrypted one is an error.
fn name_id(subject: &Element<'_, '_>) -> Result<String, Problem> {
    let hidden = ["BaseID", "EncryptedID"];
    if hidden.iter().any(|name| !subject.named(SAML, name).is_empty()) {
        return Err(Problem::Subject);
    }
    let name = subject.only(SAML, "NameID").and_then(|name| name.text()).ok_or(Problem::Subject)?;
    if is_name(&name) && name.trim() == name { Ok(name) } else { Err(Problem::Subject) }
}

/// Returns the time in an attribute, if it exists; an invalid one is an error.
fn moment(element: &Element<'_, '_>, name: &str, problem: Problem) -> Result<Option<Timestamp>, Problem> {
    element.attribute(name).map(|text| instant::parse(text).ok_or(problem)).transpose()
}

fn not_before(element: &Element<'_, '_>, rules: &Rules<'_>) -> Result<(), Problem> {
    match moment(element, "NotBefore", Problem::NotYetValid)? {
        Some(from) if from > rules.now.after(CLOCK_SKEW) => Err(Problem::NotYetValid),
        _ => Ok(()),
    }
}

/// Checks the conditions (SAML Core §2.5.1), each of which must be understood and met. Returns their end.
fn conditions(root: &Element<'_, '_>, rules: &Rules<'_>) -> Result<Option<Timestamp>, Problem> {
    let conditions = root.only(SAML, "Conditions").ok_or(Problem::Audience)?;
    not_before(&conditions, rules)?;
    let mut is_for_us = false;
    for condition in conditions.children() {
        if condition.is(SAML, "AudienceRestriction") {
            // Every restriction must be met, and each may name only this server.
            let audiences = condition.named(SAML, "Audience");
            let named: Vec<String> = audiences.iter().filter_map(Element::text).collect();
            if !matches!(named.as_slice(), [only] if only.trim() == rules.audience)
                || condition.children().len() != audiences.len()
            {
                return Err(Problem::Audience);
            }
            is_for_us = true;
        } else if !condition.is(SAML, "OneTimeUse") && !condition.is(SAML, "ProxyRestriction") {
            return Err(Problem::Condition);
        }
    }
    if !is_for_us {
        return Err(Problem::Audience);
    }
    moment(&conditions, "NotOnOrAfter", Problem::NoExpiry)
}

/// Finds a bearer confirmation that is met (RFC 7522 §3 (5)). Returns its end, if it has one.
fn confirmation(subject: &Element<'_, '_>, rules: &Rules<'_>) -> Result<Option<Timestamp>, Problem> {
    let mut found = Err(Problem::Confirmation);
    for confirmation in subject.named(SAML, "SubjectConfirmation") {
        if confirmation.attribute("Method") != Some(BEARER) {
            continue;
        }
        found = confirmed_until(&confirmation, rules);
        if found.is_ok() {
            break;
        }
    }
    found
}

fn confirmed_until(confirmation: &Element<'_, '_>, rules: &Rules<'_>) -> Result<Option<Timestamp>, Problem> {
    let data = match confirmation.named(SAML, "SubjectConfirmationData").as_slice() {
        [] => return Ok(None),
        [data] => *data,
        _ => return Err(Problem::Confirmation),
    };
    not_before(&data, rules)?;
    let recipient = data.attribute("Recipient").ok_or(Problem::Confirmation)?;
    if recipient != rules.recipient && recipient != rules.audience {
        return Err(Problem::Confirmation);
    }
    let until = moment(&data, "NotOnOrAfter", Problem::NoExpiry)?.ok_or(Problem::Confirmation)?;
    if until.after(CLOCK_SKEW).is_past(rules.now) { Err(Problem::Expired) } else { Ok(Some(until)) }
}

/// Returns the time of the sign-in (RFC 7522 §3 (7)), the latest if there are several. A session that has ended is an
/// error (SAML Core §2.7.2).
fn authenticated_at(root: &Element<'_, '_>, rules: &Rules<'_>) -> Result<Option<Timestamp>, Problem> {
    let mut latest = None;
    for statement in root.named(SAML, "AuthnStatement") {
        let until = moment(&statement, "SessionNotOnOrAfter", Problem::Expired)?;
        if until.is_some_and(|until| until.after(CLOCK_SKEW).is_past(rules.now)) {
            return Err(Problem::Expired);
        }
        latest = latest.max(moment(&statement, "AuthnInstant", Problem::IssueInstant)?);
    }
    Ok(latest)
}

/// Returns the attributes that have one value. An attribute that occurs twice is ignored. An attribute such as
/// `email_verified` is a Boolean, as the claim of that name (OpenID Connect Core §5.1); every other one is text.
fn attributes(root: &Element<'_, '_>) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut repeated = Vec::new();
    let statements = root.named(SAML, "AttributeStatement");
    for attribute in statements.iter().flat_map(|statement| statement.named(SAML, "Attribute")) {
        let Some(name) = attribute.attribute("Name") else { continue };
        let value = attribute.only(SAML, "AttributeValue").and_then(|value| value.text());
        let value = match value {
            Some(text) if name.ends_with("_verified") => Value::Bool(matches!(text.as_str(), "true" | "1")),
            Some(text) => Value::String(text),
            None => Value::Null,
        };
        if claims.insert(name.to_owned(), value).is_some() {
            repeated.push(name.to_owned());
        }
    }
    repeated.iter().for_each(|name| drop(claims.remove(name)));
    claims.retain(|_, value| !value.is_null());
    claims
}
