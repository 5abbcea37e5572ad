//! What the server says of itself (OpenID Connect Discovery §3, RFC 8414 §2, RFC 9207 §3).

use crate::{
    Algorithm, AuthenticationContext, ClientAuthenticationMethod, ContentEncryption, GrantType, KeyManagementAlgorithm,
    SCOPE_CLAIMS, STANDARD_SCOPES,
    authorization_request::{Prompt, ResponseMode},
};
use serde_json::{Value, json};

/// The metadata document of an issuer that offers these scopes besides the standard ones, and these grants.
pub fn document(issuer: &str, more_scopes: &[String], grants: &[GrantType]) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    let scopes: Vec<&str> = STANDARD_SCOPES.iter().copied().chain(more_scopes.iter().map(String::as_str)).collect();
    let protocol_claims = ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"];
    let claims: Vec<&str> =
        protocol_claims.into_iter().chain(SCOPE_CLAIMS.iter().flat_map(|(_, claims)| claims.iter().copied())).collect();
    let grants: Vec<&str> = grants.iter().map(|grant| grant.as_str()).collect();
    let client_authentication = ClientAuthenticationMethod::ALL;
    // Introspection is not for public clients (RFC 7662 §2.1).
    let proved: Vec<&ClientAuthenticationMethod> =
        client_authentication.iter().filter(|method| **method != ClientAuthenticationMethod::None).collect();
    let algorithms = Algorithm::ALL.map(Algorithm::as_str);
    let (key_management, content_encryption) = (KeyManagementAlgorithm::ALL, ContentEncryption::ALL);
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
        "response_types_supported": ["code"],
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
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "require_request_uri_registration": false,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "prompt_values_supported": Prompt::NAMES,
    })
}
