//! The issuers that each server under test trusts, and their assertions.
//!
//! `tests/support/trusted/` has their keys, which are public: they are for tests alone. The section `issuers` of
//! `tests/support/configuration.json` has the issuers.

use crate::admin;
use crate::authorization::random;
use crate::call::Call;
use crate::client::Client;
use crate::clock::now;
use crate::signer::Signer;
use crate::target::{issuer, url};
use crate::token::TokenRequest;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// An issuer whose subjects are subjects of users. Its key is `people`. Like each issuer but `NAMES`, it signs typed
/// assertions.
pub const PEOPLE: &str = "https://people.test";
/// An issuer whose claim `login` is the username. Its key is `people`. It may sign assertions without a type.
pub const NAMES: &str = "https://names.test";
/// An issuer whose claim `email` is the username. Its key is `people`.
pub const MAILS: &str = "https://mails.test";
/// An issuer whose subjects get the prefix `machine:`, for the client `jwt-machine` alone. Its key is `machines`.
pub const MACHINES: &str = "https://machines.test";

/// An identity provider that issues ID-JAGs. Its key is `people`, its subjects are those of users.
pub const ID_JAGS: &str = "https://idp.test";
/// An identity provider that introduces public clients, too. Its key is `people`. Its tenant is `acme`, and the claim `email` of the
/// domain `people.test` is the username.
pub const ID_JAGS_OF_PUBLIC_CLIENTS: &str = "https://idp-of-public-clients.test";
/// An issuer whose assertions need no client authentication: they are for the client `jwt-robots`. Its key is `people`.
pub const ROBOTS: &str = "https://robots.test";
/// A platform of workloads. Its key is `machines`.
pub const PLATFORM: &str = "https://platform.test";
/// A platform whose tokens may be presented again. Its key is `machines`.
pub const CLUSTER: &str = "https://cluster.test";

/// The `typ` of an ID-JAG.
pub const ID_JAG: &str = "oauth-id-jag+jwt";

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

/// Signs claims as an assertion with the `typ` of draft-ietf-oauth-rfc7523bis.
pub fn typed(key: &Signer, claims: Map<String, Value>) -> String {
    key.sign_as("authorization-grant+jwt", &Value::Object(claims))
}

/// Returns the claims of a valid JWT assertion (RFC 7523 §3).
pub fn claims(issued_by: &str, subject: &str) -> Map<String, Value> {
    let claims = json!({
        "iss": issued_by, "sub": subject, "aud": issuer(), "iat": now(), "exp": now() + 60, "jti": random(),
    });
    claims.as_object().expect("an object").clone()
}

/// Returns the claims of a valid ID-JAG for the sample API (draft-ietf-oauth-identity-assertion-authz-grant §3.1).
pub fn id_jag_claims(issued_by: &str, subject: &str, client_id: &str) -> Map<String, Value> {
    let mut claims = claims(issued_by, subject);
    claims.insert("client_id".to_owned(), json!(client_id));
    claims.insert("resource".to_owned(), json!(url("/demo-api")));
    claims.insert("scope".to_owned(), json!("demo:read demo:write"));
    claims
}

/// Applies changes to claims; `null` removes a claim.
pub fn changed(mut claims: Map<String, Value>, changes: &Value) -> Value {
    for (claim, value) in changes.as_object().expect("an object") {
        claims.insert(claim.clone(), value.clone());
    }
    claims.retain(|_, value| !value.is_null());
    Value::Object(claims)
}

/// Returns a request of the JWT bearer grant that names no client.
pub fn unauthenticated(assertion: &str) -> Call {
    Call::post("/token")
        .form(&[("grant_type".to_owned(), JWT_BEARER.to_owned()), ("assertion".to_owned(), assertion.to_owned())])
}

/// Returns a client that may present JWT assertions.
pub fn bearer() -> Client {
    let grants = format!("grant_types=[\"{JWT_BEARER}\",\"client_credentials\"]");
    admin::client("jwt-bearer", &["--service", "--scope", "read write delete openid offline_access", "--set", &grants])
}

/// Returns a request of the JWT bearer grant (RFC 7523 §2.1).
pub fn jwt_bearer(client: &Client, assertion: &str) -> TokenRequest {
    TokenRequest::new(client, JWT_BEARER).set("assertion", assertion)
}

/// An issuer whose attribute `login` is the username. Its key is `machines`.
pub const SAML_NAMES: &str = "https://saml.test";
/// An issuer whose subjects get the prefix `saml:`, for the client `saml-machine` alone. Its key is `machines`.
pub const SAML_MACHINES: &str = "https://saml-machines.test";

/// A valid SAML assertion (RFC 7522 §3); a test changes one part of it. Each part is text of the XML.
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
    /// The content of `Subject` without the confirmation.
    pub name_id: String,
    /// The confirmation.
    pub confirmation: String,
    /// `Conditions`.
    pub conditions: String,
    /// Statements.
    pub statements: String,
    /// The name of the signature algorithm.
    pub method: &'static str,
}

impl SamlAssertion {
    /// Returns an assertion of this issuer about this subject, with the username `login`.
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

    /// Returns a confirmation.
    pub fn confirmed(method: &str, recipient: &str, until: i64) -> String {
        format!(
            "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:{method}\"><saml:SubjectConfirmationData NotOnOrAfter=\"{}\" Recipient=\"{recipient}\"></saml:SubjectConfirmationData></saml:SubjectConfirmation>",
            instant(until)
        )
    }

    /// Returns `Conditions` with these conditions.
    pub fn conditioned(conditions: &str, from: i64, until: i64) -> String {
        let (from, until) = (instant(from), instant(until));
        format!("<saml:Conditions NotBefore=\"{from}\" NotOnOrAfter=\"{until}\">{conditions}</saml:Conditions>")
    }

    /// Returns a restriction to an audience.
    pub fn audience(audience: &str) -> String {
        format!("<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>")
    }

    /// Returns the assertion without a signature, in canonical form.
    pub fn unsigned(&self) -> String {
        self.with("")
    }

    /// Returns the assertion with this signature element.
    pub fn with(&self, signature: &str) -> String {
        let Self { id, version, issued, issuer, name_id, confirmation, conditions, statements, .. } = self;
        format!(
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{id}\" IssueInstant=\"{issued}\" Version=\"{version}\"><saml:Issuer>{issuer}</saml:Issuer>{signature}<saml:Subject>{name_id}{confirmation}</saml:Subject>{conditions}{statements}</saml:Assertion>"
        )
    }

    /// Returns the signature element of a key.
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

    /// Returns the assertion, signed by the key of the trusted issuers.
    pub fn signed(&self) -> String {
        self.with(&self.signature(machines()))
    }
}

/// Returns a request of the SAML bearer grant (RFC 7522 §2.1).
pub fn saml_bearer(client: &Client, xml: &str) -> TokenRequest {
    let assertion = URL_SAFE_NO_PAD.encode(xml);
    TokenRequest::new(client, "urn:ietf:params:oauth:grant-type:saml2-bearer").set("assertion", &assertion)
}

/// Writes seconds since 1970 as `xs:dateTime` in UTC.
pub fn instant(seconds: i64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // The civil calendar, in years that begin in March.
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
