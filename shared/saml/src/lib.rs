//! SAML 2.0 assertions that are presented as grants (RFC 7522 §3).
//!
//! An assertion is read in three steps, and each can only be reached through the one before it:
//!
//! 1. [`Presented::parse`]: one document, its root the assertion, one signature, which covers the root and nothing else
//!    (SAML Core §5.4). The document is canonicalized, and its digest held against the signature's.
//! 2. [`Presented::verify`]: the issuer's key has signed that signature.
//! 3. [`Genuine::check`]: issuer, audience, recipient and time.
//!
//! From the second step on nothing is left of the document that came but the very bytes that were digested. They are
//! parsed anew, and all that is believed is read from them: what is not signed cannot be reached, so there is nothing
//! that a wrapped, repeated or moved element could stand in for. Elements are never looked up by their ID.

mod genuine;
mod instant;
mod presented;
mod xml;

pub use genuine::{Assertion, Genuine, Rules};
pub use presented::Presented;

/// What is wrong with an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// RFC 7522 §2.1: not base64url, or longer than is read.
    Encoding,
    /// Not well-formed XML, or with a DTD, a processing instruction, or elements nested too deep.
    Xml,
    /// Not one assertion of SAML 2.0: SAML Core §2.3.3.
    NotAnAssertion,
    /// It has no signature, or more than one, or in another place: SAML Core §5.4.
    Signature,
    /// The signature covers something else, or uses what is not allowed here: SAML Core §5.4.
    SignedInfo,
    /// It was changed after it was signed.
    Digest,
    /// RFC 7522 §3 (1).
    Issuer,
    /// RFC 7522 §3 (3).
    Subject,
    /// RFC 7522 §3 (2).
    Audience,
    /// A condition that is not understood: SAML Core §2.5.1.1.
    Condition,
    /// RFC 7522 §3 (5).
    Confirmation,
    /// RFC 7522 §3 (4): it says nowhere when it expires.
    NoExpiry,
    /// RFC 7522 §3 (4).
    Expired,
    /// RFC 7522 §3 (6): "unreasonably far in the future".
    TooLongLived,
    /// SAML Core §2.5.1.2.
    NotYetValid,
    /// It was issued too long ago, or not yet.
    IssueInstant,
}

impl Problem {
    /// What is wrong, for the client's developer.
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
