//! SAML 2.0 assertions as authorization grants (RFC 7522 §3).
//!
//! An assertion is read in three steps. Each step needs the result of the previous one:
//!
//! 1. [`ParsedAssertion::parse`] accepts one document whose root is the assertion, with one signature that covers the root
//!    and nothing else (SAML Core §5.4). It canonicalizes the document and compares its digest with the one in the
//!    signature.
//! 2. [`ParsedAssertion::verify`] checks that the issuer's key made that signature.
//! 3. [`VerifiedAssertion::check`] checks issuer, audience, recipient and time.
//!
//! After the second step, only the digested bytes remain of the document. They are parsed again, and every value is
//! read from them. Unsigned content cannot be reached, so a wrapped, repeated or moved element cannot replace a
//! signed one. Elements are never looked up by their ID.
//!
//! [`CheckRequest`] takes the three steps at once: the token endpoint needs nothing else.

mod check;
mod instant;
mod parsed;
mod verified;
mod xml;

pub use check::{CheckRequest, CheckResponse, IssuerRules, MAX_MESSAGE};
pub use parsed::ParsedAssertion;
pub use verified::{Assertion, Rules, VerifiedAssertion};

use serde::{Deserialize, Serialize};

/// The reason for which an assertion is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// Not base64url, or too long (RFC 7522 §2.1).
    Encoding,
    /// Not well-formed XML, or with a DTD, a processing instruction, or elements nested too deep.
    Xml,
    /// Not one assertion of SAML 2.0: SAML Core §2.3.3.
    NotAnAssertion,
    /// No signature, more than one, or one in another place (SAML Core §5.4).
    Signature,
    /// A signature that covers something else, or uses an algorithm or transform that is not allowed (SAML Core
    /// §5.4).
    SignedInfo,
    /// Changed after it was signed.
    Digest,
    /// An issuer that is not trusted, or not with this client.
    UntrustedIssuer,
    /// A signature algorithm that the issuer does not use.
    Algorithm,
    /// Not signed with a key of the issuer (RFC 7522 §3 (9)).
    Key,
    /// RFC 7522 §3 (1).
    Issuer,
    /// RFC 7522 §3 (3).
    Subject,
    /// RFC 7522 §3 (2).
    Audience,
    /// An unknown condition (SAML Core §2.5.1.1).
    Condition,
    /// RFC 7522 §3 (5).
    Confirmation,
    /// No expiry (RFC 7522 §3 (4)).
    NoExpiry,
    /// RFC 7522 §3 (4).
    Expired,
    /// RFC 7522 §3 (6): "unreasonably far in the future".
    TooLongLived,
    /// SAML Core §2.5.1.2.
    NotYetValid,
    /// Issued too long ago, or in the future.
    IssueInstant,
}

impl Problem {
    /// Returns the description for the client developer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Encoding => "it must be base64url (RFC 7522 section 2.1), of at most 32 KiB of XML",
            Self::Xml => "it is not well-formed XML, or has a DTD or a processing instruction",
            Self::NotAnAssertion => "it must be one SAML 2.0 Assertion, unencrypted, and nothing else",
            Self::Signature => "it must have one signature, enveloped in the assertion (SAML Core section 5.4)",
            Self::SignedInfo => {
                "its signature must cover the assertion by its ID, with exclusive canonicalization, SHA-256, and RSA or P-256 keys"
            }
            Self::Digest => "it was changed after it was signed",
            Self::UntrustedIssuer => "its issuer is not trusted here, or not with this client",
            Self::Algorithm => "it is signed with an algorithm that its issuer does not use",
            Self::Key => "it is not signed with a key of its issuer",
            Self::Issuer => "its Issuer is not the one expected",
            Self::Subject => "it must have one Subject with one NameID",
            Self::Audience => "its only Audience must be this server's issuer identifier",
            Self::Condition => "it has a condition that is not understood",
            Self::Confirmation => {
                "it must have a bearer SubjectConfirmation whose Recipient is the token endpoint, in its time"
            }
            Self::NoExpiry => "it must say NotOnOrAfter in Conditions or in SubjectConfirmationData",
            Self::Expired => "it has expired",
            Self::TooLongLived => "its NotOnOrAfter is too far ahead; make assertions that live for minutes",
            Self::NotYetValid => "its NotBefore has not come",
            Self::IssueInstant => "its IssueInstant is too long ago, or has not come",
        }
    }
}
