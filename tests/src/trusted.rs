//! The issuers that every server under test is configured to trust, and the assertions that they make.
//!
//! `tests/trusted/` has their keys and the settings, `issuers.json` for `LATCHKEY_TRUSTED_ISSUERS` and
//! `saml-issuers.json` for `LATCHKEY_TRUSTED_SAML_ISSUERS`. Anybody knows these keys: they are for tests alone.

use crate::authorization::random;
use crate::client::Client;
use crate::signer::Signer;
use crate::target::{issuer, now};
use crate::token::TokenRequest;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

/// Maps its subjects to people's subjects. Signs with `people`.
pub const PEOPLE: &str = "https://people.test";
/// Maps the claim `login` to what people sign in as. Signs with `people`.
pub const NAMES: &str = "https://names.test";
/// Maps its subjects to machines, `machine:` before them; for the client `jwt-machine` alone. Signs with `machines`.
pub const MACHINES: &str = "https://machines.test";

/// The key of `PEOPLE` and `NAMES`.
pub fn people() -> &'static Signer {
    static KEY: OnceLock<Signer> = OnceLock::new();
    KEY.get_or_init(|| Signer::from_pem("ES256", "people", include_str!("../trusted/people.pem")))
}

/// The key of `MACHINES`, and of the issuers of SAML assertions.
pub fn machines() -> &'static Signer {
    static KEY: OnceLock<Signer> = OnceLock::new();
    KEY.get_or_init(|| Signer::from_pem("RS256", "machines", include_str!("../trusted/machines.pem")))
}

/// The claims of a JWT assertion that is right (RFC 7523 §3).
pub fn claims(issued_by: &str, subject: &str) -> Map<String, Value> {
    let claims = json!({
        "iss": issued_by, "sub": subject, "aud": issuer(), "iat": now(), "exp": now() + 60, "jti": random(),
    });
    claims.as_object().expect("an object").clone()
}

/// A request of the JWT bearer grant (RFC 7523 §2.1).
pub fn jwt_bearer(client: &Client, assertion: &str) -> TokenRequest {
    TokenRequest::new(client, "urn:ietf:params:oauth:grant-type:jwt-bearer").set("assertion", assertion)
}
