//! What the server says of itself (OpenID Connect Discovery §3, RFC 8414 §2, RFC 9207 §3).

use crate::{
    Algorithm, AuthenticationContext, ClientAuthenticationMethod, ContentEncryption, GrantType, KeyManagementAlgorithm,
    RequestObjectAlgorithm, ResponseType, SCOPE_CLAIMS, STANDARD_SCOPES,
    authorization_request::{Prompt, ResponseMode},
};
use serde_json::{Value, json};

/// What a deployment decides of its metadata.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// Scopes besides the standard ones.
    pub scopes: &'a [String],
    /// The grants.
    pub grants: &'a [GrantType],
    /// Whether every authorization request must be pushed.
    pub require_pushed_requests: bool,
}

/// The metadata document.
pub fn document(offer: &Offer<'_>) -> Value {
    let Offer { issuer, scopes: more_scopes, grants, require_pushed_requests } = *offer;
    let at = |path: &str| format!("{issuer}{path}");
    let scopes: Vec<&str> = STANDARD_SCOPES.iter().copied().chain(more_scopes.iter().map(String::as_str)).collect();
    let protocol_claims =
        ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "c_hash", "sid"];
    let claims: Vec<&str> =
        protocol_claims.into_iter().chain(SCOPE_CLAIMS.iter().flat_map(|(_, claims)| claims.iter().copied())).collect();
    let grants: Vec<&str> = grants.iter().map(|grant| grant.as_str()).collect();
    let client_authentication = ClientAuthenticationMethod::ALL;
    // Introspection is not for public clients (RFC 7662 §2.1).
    let proved: Vec<&ClientAuthenticationMethod> =
        client_authentication.iter().filter(|method| **method != ClientAuthenticationMethod::None).collect();
    let algorithms = Algorithm::ALL.map(Algorithm::as_str);
    let (key_management, content_encryption) = (KeyManagementAlgorithm::ALL, ContentEncryption::ALL);
    let response_types: Vec<&str> = ResponseType::ALL.iter().map(|response_type| response_type.as_str()).collect();
    let request_objects: Vec<&str> = RequestObjectAlgorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
    json!({
        "issuer": issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "jwks_uri": at("/jwks"),
        "revocation_endpoint": at("/revoke"),
        "introspection_endpoint": at("/introspect"),
        "end_session_endpoint": at("/logout"),
        "scopes_supported": scopes,
        "response_types_supported": response_types,
        "response_modes_supported": ResponseMode::NAMES,
        "grant_types_supported": grants,
        "acr_values_supported": AuthenticationContext::CLASSES,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
        "id_token_encryption_alg_values_supported": key_management,
        "id_token_encryption_enc_values_supported": content_encryption,
        "userinfo_signing_alg_values_supported": algorithms,
        "userinfo_encryption_alg_values_supported": key_management,
        "userinfo_encryption_enc_values_supported": content_encryption,
        "introspection_signing_alg_values_supported": algorithms,
        "introspection_encryption_alg_values_supported": key_management,
        "introspection_encryption_enc_values_supported": content_encryption,
        "token_endpoint_auth_methods_supported": client_authentication,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": client_authentication,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": proved,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "display_values_supported": ["page"],
        "claim_types_supported": ["normal"],
        "claims_supported": claims,
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": true,
        "require_request_uri_registration": true,
        "request_object_signing_alg_values_supported": request_objects,
        "pushed_authorization_request_endpoint": at("/par"),
        "require_pushed_authorization_requests": require_pushed_requests,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "prompt_values_supported": Prompt::NAMES,
    })
}
