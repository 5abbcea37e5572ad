//! The issuers that every server under test is configured to trust, and the assertions that they make.
//!
//! `tests/support/trusted/` has their keys and the settings, `issuers.json` for `LATCHKEY_TRUSTED_ISSUERS` and
//! `saml-issuers.json` for `LATCHKEY_TRUSTED_SAML_ISSUERS`. Anybody knows these keys: they are for tests alone.

use crate::admin;
use crate::authorization::random;
use crate::client::Client;
use crate::signer::Signer;
use crate::target::{issuer, now, url};
use crate::token::TokenRequest;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// Maps its subjects to people's subjects. Signs with `people`.
pub const PEOPLE: &str = "https://people.test";
/// Maps the claim `login` to what people sign in as. Signs with `people`.
pub const NAMES: &str = "https://names.test";
/// Maps its subjects to machines, `machine:` before them; for the client `jwt-machine` alone. Signs with `machines`.
pub const MACHINES: &str = "https://machines.test";

/// The grant type of JWT assertions (RFC 7523 §2.1).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The key of `PEOPLE` and `NAMES`.
pub fn people() -> &'static Signer {
    static KEY: OnceLock<Signer> = OnceLock::new();
    KEY.get_or_init(|| Signer::from_pem("ES256", "people", include_str!("trusted/people.pem")))
}

/// The key of `MACHINES`, and of the issuers of SAML assertions.
pub fn machines() -> &'static Signer {
    static KEY: OnceLock<Signer> = OnceLock::new();
    KEY.get_or_init(|| Signer::from_pem("RS256", "machines", include_str!("trusted/machines.pem")))
}

/// The claims of a JWT assertion that is right (RFC 7523 §3).
pub fn claims(issued_by: &str, subject: &str) -> Map<String, Value> {
    let claims = json!({
        "iss": issued_by, "sub": subject, "aud": issuer(), "iat": now(), "exp": now() + 60, "jti": random(),
    });
    claims.as_object().expect("an object").clone()
}

/// A client that may present JWT assertions.
pub fn bearer() -> Client {
    let grants = format!("grant_types=[\"{JWT_BEARER}\",\"client_credentials\"]");
    admin::client("jwt-bearer", &["--service", "--scope", "read write delete openid offline_access", "--set", &grants])
}

/// A request of the JWT bearer grant (RFC 7523 §2.1).
pub fn jwt_bearer(client: &Client, assertion: &str) -> TokenRequest {
    TokenRequest::new(client, JWT_BEARER).set("assertion", assertion)
}

/// Maps the attribute `login` to what people sign in as. Signs with `machines`.
pub const SAML_NAMES: &str = "https://saml.test";
/// Maps its subjects to machines, `saml:` before them; for the client `saml-machine` alone. Signs with `machines`.
pub const SAML_MACHINES: &str = "https://saml-machines.test";

/// A SAML assertion that is right (RFC 7522 §3); a test changes what it is about. All is text, as it stands in the XML.
#[derive(Clone, Debug)]
pub struct SamlAssertion {
    /// `ID`.
    pub id: String,
    /// `Version`.
    pub version: &'static str,
    /// `IssueInstant`.
    pub issued: String,
    /// `Issuer`.
    pub issuer: String,
    /// The content of `Subject`, but the confirmation.
    pub name_id: String,
    /// The confirmation.
    pub confirmation: String,
    /// `Conditions`.
    pub conditions: String,
    /// Statements.
    pub statements: String,
    /// The algorithm of the signature, as it is named.
    pub method: &'static str,
}

impl SamlAssertion {
    /// By this issuer, about this subject, who signs in as `login`.
    pub fn new(issued_by: &str, subject: &str, login: &str) -> Self {
        Self {
            id: format!("_{}", random()),
            version: "2.0",
            issued: instant(now()),
            issuer: issued_by.to_owned(),
            name_id: format!("<saml:NameID>{subject}</saml:NameID>"),
            confirmation: Self::confirmed("bearer", &url("/token"), now() + 60),
            conditions: Self::conditioned(&Self::audience(issuer()), now() - 5, now() + 60),
            statements: format!(
                "<saml:AttributeStatement><saml:Attribute Name=\"login\"><saml:AttributeValue>{login}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>"
            ),
            method: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        }
    }

    /// A confirmation.
    pub fn confirmed(method: &str, recipient: &str, until: i64) -> String {
        format!(
            "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:{method}\"><saml:SubjectConfirmationData NotOnOrAfter=\"{}\" Recipient=\"{recipient}\"></saml:SubjectConfirmationData></saml:SubjectConfirmation>",
            instant(until)
        )
    }

    /// `Conditions` with these conditions.
    pub fn conditioned(conditions: &str, from: i64, until: i64) -> String {
        let (from, until) = (instant(from), instant(until));
        format!("<saml:Conditions NotBefore=\"{from}\" NotOnOrAfter=\"{until}\">{conditions}</saml:Conditions>")
    }

    /// A restriction to an audience.
    pub fn audience(audience: &str) -> String {
        format!("<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>")
    }

    /// The assertion without a signature, in canonical form.
    pub fn unsigned(&self) -> String {
        self.with("")
    }

    /// The assertion with what stands for its signature.
    pub fn with(&self, signature: &str) -> String {
        let Self { id, version, issued, issuer, name_id, confirmation, conditions, statements, .. } = self;
        format!(
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{id}\" IssueInstant=\"{issued}\" Version=\"{version}\"><saml:Issuer>{issuer}</saml:Issuer>{signature}<saml:Subject>{name_id}{confirmation}</saml:Subject>{conditions}{statements}</saml:Assertion>"
        )
    }

    /// The signature over it by a key.
    pub fn signature(&self, key: &Signer) -> String {
        const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
        const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
        let digest = STANDARD.encode(Sha256::digest(self.unsigned()));
        let info = format!(
            "<ds:SignedInfo xmlns:ds=\"{DSIG}\"><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"{}\"></ds:SignatureMethod><ds:Reference URI=\"#{}\"><ds:Transforms><ds:Transform Algorithm=\"{DSIG}enveloped-signature\"></ds:Transform><ds:Transform Algorithm=\"{EXCLUSIVE}\"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>",
            self.method, self.id
        );
        let value = STANDARD.encode(key.signature(info.as_bytes()));
        format!("<ds:Signature xmlns:ds=\"{DSIG}\">{info}<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>")
    }

    /// The assertion, signed by the key of the trusted issuers.
    pub fn signed(&self) -> String {
        self.with(&self.signature(machines()))
    }
}

/// A request of the SAML bearer grant (RFC 7522 §2.1).
pub fn saml_bearer(client: &Client, xml: &str) -> TokenRequest {
    let assertion = URL_SAFE_NO_PAD.encode(xml);
    TokenRequest::new(client, "urn:ietf:params:oauth:grant-type:saml2-bearer").set("assertion", &assertion)
}

/// Seconds since 1970 as `xs:dateTime` in UTC.
pub fn instant(seconds: i64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // The civil calendar, counted in years that begin in March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}
