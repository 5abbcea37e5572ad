//! Introspection: the members of a response, the callers that get them, and the forms of a response (RFC 7662, RFC 9701).

use crate::{AccessTokenClaims, AuthorizationDetails, Client, Grant, GrantSnapshot};
use serde::Serialize;
use serde_json::{Map, Value};
use types::{Audience, ClientId, Confirmation, Error, Issuer, Jti, Scope, Subject, Timestamp};

/// `typ` of a signed introspection response (RFC 9701 §5).
pub const INTROSPECTION_RESPONSE_TYPE: &str = "token-introspection+jwt";

/// An introspection response (RFC 7662 §2.2).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Introspection<'a> {
    active: bool,
    #[serde(flatten)]
    members: Option<Members<'a>>,
}

/// The members of the response for an active token.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Members<'a> {
    iss: &'a Issuer,
    sub: &'a Subject,
    client_id: &'a ClientId,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a Audience>,
    #[serde(skip_serializing_if = "Scope::is_empty")]
    scope: &'a Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    exp: u64,
    iat: u64,
    nbf: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<&'a Jti>,
    /// RFC 9470 §6.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    /// RFC 7800 §3.1, RFC 9449 §6.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
    /// RFC 8693 §7.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    may_act: Option<&'a Value>,
    /// RFC 9396 §9.2.
    #[serde(skip_serializing_if = "AuthorizationDetails::is_empty")]
    authorization_details: &'a AuthorizationDetails,
    /// Claims that the operator defined.
    #[serde(flatten)]
    user: Option<&'a Map<String, Value>>,
}

impl<'a> Introspection<'a> {
    /// The response for a token that is not active, or that the caller may not see: no other member (RFC 7662 §2.2).
    pub const INACTIVE: Self = Self { active: false, members: None };

    /// Returns the response for an active access token. `details` are those of the token that are for the caller, and `user` has the
    /// claims that the operator defined for the caller.
    pub fn of_access_token(
        claims: &'a AccessTokenClaims,
        details: &'a AuthorizationDetails,
        user: &'a Map<String, Value>,
    ) -> Self {
        let members = Members {
            iss: &claims.iss,
            sub: &claims.sub,
            client_id: &claims.client_id,
            aud: Some(&claims.aud),
            scope: &claims.scope,
            token_type: Some(claims.cnf.map_or("Bearer", Confirmation::token_type)),
            exp: claims.exp,
            iat: claims.iat,
            nbf: claims.iat,
            jti: Some(&claims.jti),
            auth_time: claims.auth_time,
            acr: claims.acr.as_deref(),
            cnf: claims.cnf,
            act: claims.act.as_ref(),
            may_act: claims.may_act.as_ref(),
            authorization_details: details,
            user: Some(user),
        };
        Self { active: true, members: Some(members) }
    }

    /// Returns the response for the current refresh token of a grant. `subject` is the user as the client knows them.
    pub fn of_refresh_token(issuer: &'a Issuer, grant: &'a Grant, subject: &'a Subject, token: &GrantSnapshot) -> Self {
        let issued_at = token.rotated_at.as_secs();
        let members = Members {
            iss: issuer,
            sub: subject,
            client_id: &grant.client_id,
            aud: None,
            scope: &grant.scope,
            token_type: None,
            exp: token.refresh_expires_at.as_secs(),
            iat: issued_at,
            nbf: issued_at,
            jti: None,
            auth_time: Some(grant.authentication.auth_time.as_secs()),
            acr: Some(&grant.authentication.acr),
            cnf: None,
            act: None,
            may_act: None,
            authorization_details: &grant.authorization_details,
            user: None,
        };
        Self { active: true, members: Some(members) }
    }
}

/// True if the client is a resource server of the token's audience (RFC 7662 §4).
pub fn is_audience(client: &Client, claims: &AccessTokenClaims) -> bool {
    client.introspects.iter().any(|audience| claims.aud.contains(audience))
}

/// True if the client may see the token: it was issued to the client, or the client serves its audience.
pub fn may_see(client: &Client, claims: &AccessTokenClaims) -> bool {
    claims.client_id == client.client_id || is_audience(client, claims)
}

/// The claims of a signed introspection response (RFC 9701 §5). It has no `sub` and `exp` at its top level, so that no
/// resource server takes it for an access token (§8.1).
#[derive(Clone, Debug, Serialize)]
pub struct IntrospectionResponseClaims<'a> {
    iss: &'a Issuer,
    aud: &'a ClientId,
    iat: u64,
    token_introspection: &'a Introspection<'a>,
}

impl<'a> IntrospectionResponseClaims<'a> {
    /// Returns the claims of a response to this client.
    pub fn new(issuer: &'a Issuer, client: &'a Client, introspection: &'a Introspection<'a>, now: Timestamp) -> Self {
        Self { iss: issuer, aud: &client.client_id, iat: now.as_secs(), token_introspection: introspection }
    }
}

/// The form of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseForm {
    /// JSON (RFC 7662 §2.2).
    Json,
    /// A signed JWT, encrypted if the caller is registered for that (RFC 9701 §4).
    IntrospectionJwt,
    /// The access token as a JWT, for an API behind a gateway: `Accept: application/jwt`.
    AccessToken,
}

impl ResponseForm {
    /// Reads the Accept field (RFC 9110 §12.5.1): the offered media type with the highest weight, the first among equals;
    /// JSON if the field names none of them.
    pub fn accepted(accept: Option<&str>) -> Self {
        let mut best: Option<(Self, u16)> = None;
        for range in accept.unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let form = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/json" => Self::Json,
                "application/token-introspection+jwt" => Self::IntrospectionJwt,
                "application/jwt" => Self::AccessToken,
                _ => continue,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, per_mille);
            if weight > 0 && best.is_none_or(|(_, known)| weight > known) {
                best = Some((form, weight));
            }
        }
        best.map_or(Self::Json, |(form, _)| form)
    }

    /// Checks that the client may get this form. A client that is registered for encrypted responses gets no others: stolen
    /// credentials alone then reveal nothing (RFC 9701 §5). Errors: `invalid_request`.
    pub fn check(self, client: &Client) -> Result<(), Error> {
        if client.introspection_encrypted_response_alg.is_some() && self != Self::IntrospectionJwt {
            return Err(Error::invalid_request(
                "the client is registered for encrypted responses: it must accept application/token-introspection+jwt (RFC 9701 section 5)",
            ));
        }
        Ok(())
    }
}

/// Returns a weight (RFC 9110 §12.4.2) in thousandths; 0 if it is malformed.
pub(crate) fn per_mille(weight: &str) -> u16 {
    match weight.trim().split_once('.') {
        None => {
            if weight.trim() == "1" {
                1000
            } else {
                0
            }
        }
        Some(("1", _)) => 1000,
        Some(("0", digits)) if digits.len() <= 3 => format!("{digits:0<3}").parse().unwrap_or(0),
        Some(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_the_one_that_weighs_most() {
        use ResponseForm::{AccessToken, IntrospectionJwt, Json};
        for (accept, form) in [
            (None, Json),
            (Some(""), Json),
            (Some("*/*"), Json),
            (Some("text/html"), Json),
            (Some("application/json"), Json),
            (Some("application/token-introspection+jwt"), IntrospectionJwt),
            (Some("Application/Token-Introspection+JWT ; charset=x"), IntrospectionJwt),
            (Some("application/jwt"), AccessToken),
            (Some("application/json, application/jwt"), Json),
            (Some("application/json;q=0.9, application/jwt"), AccessToken),
            (Some("application/json;q=0.1,application/token-introspection+jwt;q=0.25"), IntrospectionJwt),
            (Some("application/jwt;q=0"), Json),
            (Some("application/jwt;q=0.000, */*"), Json),
            (Some("application/jwt;q=x"), Json),
        ] {
            assert_eq!(ResponseForm::accepted(accept), form, "{accept:?}");
        }
    }

    #[test]
    fn an_inactive_token_tells_nothing_more() {
        assert_eq!(serde_json::to_string(&Introspection::INACTIVE).unwrap(), r#"{"active":false}"#);
    }
}
