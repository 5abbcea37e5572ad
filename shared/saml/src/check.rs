//! The whole check of an assertion, as one message and its answer.
//!
//! On Workers, the Worker `saml` answers the message: the token endpoint holds keys, so it does not parse XML itself. On
//! the other platforms the token endpoint calls [`CheckRequest::run`].

use crate::{Assertion, ParsedAssertion, Problem, Rules, VerifiedAssertion};
use jose::PublicKey;
use protocol::TrustedIssuer;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;
use types::{Algorithm, Timestamp};

/// Greatest length of a message and of its answer, in bytes of JSON. The settings of a Worker and the body of a token
/// request are both shorter.
pub const MAX_MESSAGE: usize = 256 * 1024;

/// An assertion, and all that its check needs. The message has no secret besides the assertion itself.
///
/// The Worker that reads it is deployed before the Worker that writes it: it must accept what the previous version wrote.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRequest<'a> {
    /// The `assertion` parameter (RFC 7522 §2.1).
    pub assertion: Cow<'a, str>,
    /// The issuers whose assertions the client may present.
    pub issuers: Vec<IssuerRules<'a>>,
    /// The required audience: the issuer identifier of this server.
    pub audience: Cow<'a, str>,
    /// The required recipient: the URL of the token endpoint.
    pub recipient: Cow<'a, str>,
    /// The current time.
    pub now: Timestamp,
}

/// The part of a trusted issuer that the check needs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerRules<'a> {
    issuer: Cow<'a, str>,
    certificates: Cow<'a, [String]>,
    algorithms: Cow<'a, [Algorithm]>,
    max_lifetime: Duration,
}

/// The answer to a [`CheckRequest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResponse {
    /// The assertion is verified and meets the rules.
    Accepted(Assertion),
    /// The assertion is rejected.
    Rejected(Problem),
}

impl CheckRequest<'_> {
    /// Checks the assertion: its form, its issuer, its signature, then the rules of RFC 7522 §3.
    pub async fn run(&self) -> CheckResponse {
        match self.checked().await {
            Ok(assertion) => CheckResponse::Accepted(assertion),
            Err(problem) => CheckResponse::Rejected(problem),
        }
    }

    async fn checked(&self) -> Result<Assertion, Problem> {
        let parsed = ParsedAssertion::parse(&self.assertion)?;
        let named = parsed.issuer();
        let is_named = |issuer: &&IssuerRules<'_>| named.as_deref() == Some(&*issuer.issuer);
        let issuer = self.issuers.iter().find(is_named).ok_or(Problem::UntrustedIssuer)?;
        if !issuer.algorithms.contains(&parsed.algorithm()) {
            return Err(Problem::Algorithm);
        }
        let verified = issuer.verify(parsed).await.ok_or(Problem::Key)?;
        verified.check(&Rules {
            issuer: &issuer.issuer,
            audience: &self.audience,
            recipient: &self.recipient,
            max_lifetime: issuer.max_lifetime,
            now: self.now,
        })
    }

    /// Returns the message as JSON. The error is for the log.
    pub fn to_json(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|error| format!("a message to the Worker saml: {error}"))
    }

    /// Reads a message. The error says what is wrong with it.
    pub fn from_json(json: &[u8]) -> Result<CheckRequest<'static>, String> {
        types::json::decode(json).map_err(|error| error.to_string())
    }
}

impl<'a> From<&'a TrustedIssuer> for IssuerRules<'a> {
    fn from(trusted: &'a TrustedIssuer) -> Self {
        Self {
            issuer: Cow::Borrowed(&trusted.issuer),
            certificates: Cow::Borrowed(&trusted.certificates),
            algorithms: Cow::Borrowed(&trusted.algorithms),
            max_lifetime: trusted.max_lifetime(),
        }
    }
}

impl IssuerRules<'_> {
    /// Returns the verified part of the assertion, if the key of one of the issuer's certificates signed it. Keys of
    /// another type than the signature's are skipped.
    async fn verify(&self, mut parsed: ParsedAssertion) -> Option<VerifiedAssertion> {
        for key in self.certificates.iter().filter_map(|certificate| PublicKey::from_certificate(certificate)) {
            let Ok(verifier) = jose::platform().verifier(parsed.algorithm(), &key).await else { continue };
            match parsed.verify(verifier.as_ref()).await {
                Ok(verified) => return Some(verified),
                Err(unverified) => parsed = unverified,
            }
        }
        None
    }
}

impl CheckResponse {
    /// Reads an answer. The error is for the log, and holds nothing of the answer.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        types::json::decode(json).map_err(|error| format!("the answer of the Worker saml: {error}"))
    }
}
