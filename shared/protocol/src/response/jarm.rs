//! `response_mode=jwt` and its kind: the parameters are in a JWT (JWT Secured Authorization Response Mode, JARM).

use super::{PlainResponse, ResponseParameters, ResponseTarget};
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;
use types::{ClientId, Issuer, Timestamp};

/// The lifetime of a response. JARM §2.1 recommends at most 10 minutes; a code expires earlier.
const LIFETIME: Duration = Duration::from_secs(300);

/// An authorization response that is still to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedResponse<'a> {
    pub(super) parameters: ResponseParameters,
    pub(super) target: &'a ResponseTarget,
}

/// The claims of a response (JARM §2.1).
#[derive(Clone, Debug, Serialize)]
pub struct ResponseClaims<'a> {
    iss: &'a Issuer,
    aud: &'a ClientId,
    exp: u64,
    /// The parameters of the response.
    #[serde(flatten)]
    parameters: Map<String, Value>,
}

impl<'a> UnsignedResponse<'a> {
    /// Returns the client that receives the response.
    pub const fn client_id(&self) -> &'a ClientId {
        self.target.client_id()
    }

    /// Returns the claims of the response.
    pub fn claims(&self, issuer: &'a Issuer, now: Timestamp) -> ResponseClaims<'a> {
        // `iss` is a claim in any case.
        let parameters = self.parameters.pairs().iter().filter(|(name, _)| *name != "iss");
        let parameters = parameters.map(|(name, value)| ((*name).to_owned(), Value::String(value.clone())));
        ResponseClaims {
            iss: issuer,
            aud: self.target.client_id(),
            exp: now.after(LIFETIME).as_secs(),
            parameters: parameters.collect(),
        }
    }

    /// Returns the response with its signed JWT as the only parameter (JARM §2.3).
    pub fn signed(self, jwt: String) -> PlainResponse<'a> {
        PlainResponse { parameters: ResponseParameters(vec![("response", jwt)]), target: self.target }
    }
}
