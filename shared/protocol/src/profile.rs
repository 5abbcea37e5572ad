//! Security profiles: what one setting of a client or of the deployment narrows, by section of FAPI 2.0 (final, February and September
//! 2025). A profile never widens anything.
//!
//! A rule that is a setting of clients, too, is in [`Profile::narrow`]. Each other rule is a method, and the room of the rule calls it:
//! client authentication, request objects, the response target, signatures, codes. [`Profile::problems`] says what an operator must
//! change. Rules that hold for every client are not repeated here, such as the single use of a code.

use crate::limits::{FAPI_CODE_LIFETIME, FAPI_REQUEST_OBJECT_LIFETIME};
use crate::{
    ApplicationType, CLOCK_SKEW, Client, ClientAuthenticationMethod, Parameters, Problem, RedirectUri, RequestObject,
    ResponseMode, ResponseType,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::time::Duration;
use types::json::numeric_date;
use types::{Algorithm, Error, RequestObjectAlgorithm, Timestamp};

/// A security profile, the stricter one last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// FAPI-CIBA, Implementer's Draft 1: backchannel requests alone are narrowed, beside client authentication, signatures and tokens.
    FapiCiba,
    /// FAPI 2.0 Security Profile.
    Fapi2Security,
    /// FAPI 2.0 Message Signing, on top of the Security Profile.
    Fapi2MessageSigning,
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Profile {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::FapiCiba, Self::Fapi2Security, Self::Fapi2MessageSigning];

    /// Returns the name in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FapiCiba => "fapi-ciba",
            Self::Fapi2Security => "fapi2-security",
            Self::Fapi2MessageSigning => "fapi2-message-signing",
        }
    }

    /// True for FAPI 2.0, which has rules for authorization requests.
    pub const fn is_fapi2(self) -> bool {
        match self {
            Self::FapiCiba => false,
            Self::Fapi2Security | Self::Fapi2MessageSigning => true,
        }
    }

    /// Narrows the settings of a client to this profile.
    pub fn narrow(self, client: &mut Client) {
        client.profile = Some(self);
        // Security Profile §5.3.2.1 (9): refresh tokens do not rotate.
        client.refresh_token_rotation = false;
        if !self.is_fapi2() {
            return;
        }
        // §5.3.2.2 (1).
        client.response_types.retain(|response_type| *response_type == ResponseType::Code);
        // §5.3.2.2 (3). No other request is read, so no request object is fetched.
        client.require_pushed_authorization_requests = true;
        client.request_uris.clear();
        // §5.3.2.2 (5).
        client.require_pkce = true;
        // §5.3.2.2 (7).
        client.omit_iss_in_errors = false;
        // §5.3.2.2 (8).
        let kind = client.application_type;
        client.redirect_uris.retain(|uri| is_encrypted(uri, kind));
        // Message Signing §5.3.1 (1).
        if self == Self::Fapi2MessageSigning {
            client.require_signed_request_object = true;
        }
    }

    /// Returns the settings of a client that contradict this profile.
    pub(crate) fn problems(self, client: &Client) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |field: &'static str, rule: String| problems.push(Problem::new(field, rule));
        if !self.admits(client.token_endpoint_auth_method) {
            problem("token_endpoint_auth_method", self.methods());
        }
        if self.is_fapi2() && client.response_types.iter().any(|response_type| *response_type != ResponseType::Code) {
            let rule = format!("must be code alone in the profile {self} (FAPI 2.0 Security Profile section 5.3.2.2)");
            problem("response_types", rule);
        }
        if self.is_fapi2() && client.redirect_uris.iter().any(|uri| !is_encrypted(uri, client.application_type)) {
            let rule = format!("must be https in the profile {self}, or loopback addresses of a native client");
            problem("redirect_uris", rule);
        }
        let is_refused = |alg: Option<Algorithm>| alg.is_some_and(|alg| !self.allows(alg));
        let of_objects = client.request_object_signing_alg;
        for (field, is_refused) in [
            ("token_endpoint_auth_signing_alg", is_refused(client.token_endpoint_auth_signing_alg)),
            (
                "request_object_signing_alg",
                of_objects == Some(RequestObjectAlgorithm::None)
                    || is_refused(of_objects.and_then(RequestObjectAlgorithm::signature)),
            ),
        ] {
            if is_refused {
                problem(field, format!("must be PS256, ES256 or EdDSA in the profile {self} (section 5.4.1)"));
            }
        }
        problems
    }

    /// True if a client may authenticate by this method (Security Profile §5.3.2.1 (3), (6)).
    pub const fn admits(self, method: ClientAuthenticationMethod) -> bool {
        match method {
            ClientAuthenticationMethod::PrivateKeyJwt
            | ClientAuthenticationMethod::TlsClientAuth
            | ClientAuthenticationMethod::SelfSignedTlsClientAuth => true,
            ClientAuthenticationMethod::None
            | ClientAuthenticationMethod::ClientSecretBasic
            | ClientAuthenticationMethod::ClientSecretPost => false,
        }
    }

    /// Returns the rule for authentication methods, for the developer of a client.
    pub(crate) fn methods(self) -> String {
        let admitted: Vec<&str> = ClientAuthenticationMethod::ALL
            .iter()
            .filter(|method| self.admits(**method))
            .map(|method| method.as_str())
            .collect();
        let methods = admitted.join(" or ");
        format!("must be {methods} in the profile {self} (FAPI 2.0 Security Profile section 5.3.2.1)")
    }

    /// True if JWTs may have a signature of this algorithm (Security Profile §5.4.1 (1)).
    pub fn allows(self, algorithm: Algorithm) -> bool {
        algorithm != Algorithm::RS256
    }

    /// Returns the lifetime of a code: at most 60 seconds (Security Profile §5.3.2.1 (11)).
    pub(crate) fn code_lifetime(self, configured: Duration) -> Duration {
        if self.is_fapi2() { configured.min(FAPI_CODE_LIFETIME) } else { configured }
    }

    /// Checks the claims that a request object needs: `aud`, `nbf` at most an hour ago, and `exp` at most an hour after it (Message
    /// Signing §5.3.1 (2) to (4)). Errors: `invalid_request_object`.
    pub(crate) fn check_request_object(self, claims: &Map<String, Value>, now: Timestamp) -> Result<(), Error> {
        if !self.is_fapi2() {
            return Ok(());
        }
        let date = |name| numeric_date(claims, name).ok().flatten();
        let (Some(begin), Some(end), true) = (date("nbf"), date("exp"), claims.contains_key("aud")) else {
            return Err(RequestObject::invalid(
                "the request object needs aud, nbf and exp (FAPI 2.0 Message Signing section 5.3.1)",
            ));
        };
        let is_old = begin.after(FAPI_REQUEST_OBJECT_LIFETIME).after(CLOCK_SKEW).is_past(now);
        if is_old || end > begin.after(FAPI_REQUEST_OBJECT_LIFETIME) {
            return Err(RequestObject::invalid(
                "nbf of the request object must be at most 60 minutes ago, and exp at most 60 minutes after it \
                 (FAPI 2.0 Message Signing section 5.3.1)",
            ));
        }
        Ok(())
    }

    /// Checks the parameters that every request needs: `redirect_uri` (Security Profile §5.3.2.2 (6)), and a signed response for a
    /// client that registered its signature (Message Signing §5.4.1). Errors: `invalid_request`.
    pub(crate) fn check_response(self, parameters: &Parameters, client: &Client) -> Result<(), Error> {
        if !self.is_fapi2() {
            return Ok(());
        }
        parameters.required("redirect_uri")?;
        let is_signed = match parameters.value("response_mode") {
            Some(ResponseMode::JWT) => true,
            mode => mode.and_then(ResponseMode::parse).is_some_and(ResponseMode::is_jwt),
        };
        let must_sign = self == Self::Fapi2MessageSigning && client.authorization_signed_response_alg.is_some();
        if must_sign && !is_signed {
            return Err(Error::invalid_request(
                "response_mode must be jwt or one of its forms: the client registered authorization_signed_response_alg",
            ));
        }
        Ok(())
    }
}

/// True if a response to this URI travels encrypted, or stays on the device of the user (Security Profile §5.3.2.2 (8)).
fn is_encrypted(uri: &RedirectUri, kind: ApplicationType) -> bool {
    !uri.as_str().starts_with("http:") || (kind == ApplicationType::Native && uri.is_loopback())
}
