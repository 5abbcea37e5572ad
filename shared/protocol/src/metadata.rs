//! Authorization server metadata (OpenID Connect Discovery §3, RFC 8414 §2, RFC 9207 §3).

use crate::{
    AuthenticationClasses, AuthorizationDetailsTypes, BackchannelDelivery, ClaimDefinitions,
    ClientAuthenticationMethod, GrantType, ID_JAG_PROFILE, ID_JAG_TOKEN_TYPE, MutualTls, Profile, Prompt, Resource,
    ResponseMode, ResponseType, SCOPE_CLAIMS, STANDARD_SCOPES,
};
use serde_json::{Map, Value, json};
use types::{Algorithm, ContentEncryption, Issuer, KeyManagementAlgorithm, Timestamp};

/// The part of the metadata that a deployment decides.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities<'a> {
    /// Issuer identifier.
    pub issuer: &'a Issuer,
    /// Scopes in addition to the standard ones.
    pub scopes: &'a [String],
    /// Resources, whose scopes come first: some clients request every scope of the list.
    pub resources: &'a [Resource],
    /// Claims that the operator defined. Their scopes follow those of the resources.
    pub claims: &'a ClaimDefinitions,
    /// Authentication context classes.
    pub classes: &'a AuthenticationClasses,
    /// True if the scopes for claims about the user are listed.
    pub personal_scopes: bool,
    /// Grants.
    pub grants: &'a [GrantType],
    /// True if clients can register themselves.
    pub registration: bool,
    /// True if clients can have a metadata document.
    pub client_documents: bool,
    /// True if ID-JAGs are accepted.
    pub id_jags: bool,
    /// Security profile of every client.
    pub profile: Option<Profile>,
    /// True if every authorization request must be pushed.
    pub require_pushed_requests: bool,
    /// Types of authorization details (RFC 9396 §10).
    pub details_types: &'a AuthorizationDetailsTypes,
    /// Mutual TLS, if the deployment offers it.
    pub mutual_tls: Option<&'a MutualTls>,
    /// Algorithms of this server's signatures.
    pub signing: &'a [Algorithm],
    /// True if request objects may be encrypted to a key of this server.
    pub receives: bool,
}

/// Returns the metadata document.
pub fn document(capabilities: &Capabilities<'_>) -> Map<String, Value> {
    let mut document = Map::new();
    if capabilities.registration {
        document.insert("registration_endpoint".to_owned(), json!(format!("{}/register", capabilities.issuer)));
    }
    let details_types: Vec<&str> = capabilities.details_types.names().collect();
    if !details_types.is_empty() {
        document.insert("authorization_details_types_supported".to_owned(), json!(details_types));
    }
    // No issuer is named (draft-ietf-oauth-identity-assertion-authz-grant §9.4).
    if capabilities.id_jags {
        document.insert("authorization_grant_profiles_supported".to_owned(), json!([ID_JAG_PROFILE]));
    }
    if capabilities.receives {
        let names =
            ["request_object_encryption_alg_values_supported", "request_object_encryption_enc_values_supported"];
        let [alg, enc] = names.map(str::to_owned);
        document.insert(alg, json!(KeyManagementAlgorithm::RECEIVED));
        document.insert(enc, json!(ContentEncryption::ALL));
    }
    for part in [
        endpoints(capabilities),
        abilities(capabilities),
        client_authentication(capabilities),
        cryptography(capabilities),
        capabilities.mutual_tls.map_or(Value::Null, |offered| mutual_tls(offered, capabilities.issuer)),
    ] {
        if let Value::Object(members) = part {
            document.extend(members);
        }
    }
    document
}

/// The member of a metadata document that holds its members as a signed JWT (RFC 8414 §2.1).
pub const SIGNED_METADATA: &str = "signed_metadata";

/// Returns the claims of `signed_metadata`: the members of the document, `iss` and `iat`. The JWT does not contain itself.
pub fn signed_claims(document: &Map<String, Value>, issuer: &Issuer, now: Timestamp) -> Map<String, Value> {
    let mut claims = document.clone();
    claims.remove(SIGNED_METADATA);
    claims.insert("iss".to_owned(), json!(issuer));
    claims.insert("iat".to_owned(), json!(now.as_secs()));
    claims
}

/// Returns the algorithm that signs the metadata: RS256, which every consumer knows, or PS256 if the profile excludes it.
pub fn signing_algorithm(profile: Option<Profile>) -> Algorithm {
    match profile {
        Some(profile) if !profile.allows(Algorithm::RS256) => Algorithm::PS256,
        _ => Algorithm::RS256,
    }
}

fn endpoints(capabilities: &Capabilities<'_>) -> Value {
    let at = |path: &str| format!("{}{path}", capabilities.issuer);
    json!({
        "issuer": capabilities.issuer,
        "authorization_endpoint": at("/authorize"),
        "pushed_authorization_request_endpoint": at("/par"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "jwks_uri": at("/jwks"),
        "revocation_endpoint": at("/revoke"),
        "introspection_endpoint": at("/introspect"),
        "device_authorization_endpoint": at("/device_authorization"),
        "backchannel_authentication_endpoint": at("/bc-authorize"),
        "end_session_endpoint": at("/logout"),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
    })
}

fn abilities(capabilities: &Capabilities<'_>) -> Value {
    let of_resources = capabilities.resources.iter().flat_map(|resource| resource.scopes.iter());
    let mut scopes: Vec<&str> = of_resources.chain(capabilities.scopes.iter().map(String::as_str)).collect();
    for scope in capabilities.claims.scopes() {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes.extend(STANDARD_SCOPES.iter().filter(|scope| capabilities.personal_scopes || !is_personal(scope)));
    let protocol_claims =
        ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "c_hash", "sid", "jti"];
    let of_scopes = SCOPE_CLAIMS.iter().flat_map(|(_, claims)| claims.iter().copied());
    let claims: Vec<&str> = protocol_claims.into_iter().chain(of_scopes).chain(capabilities.claims.names()).collect();
    let must_push = capabilities.require_pushed_requests || capabilities.profile.is_some_and(Profile::is_fapi2);
    let response_types = match capabilities.profile {
        Some(profile) if profile.is_fapi2() => &[ResponseType::Code],
        Some(_) | None => ResponseType::ALL,
    };
    json!({
        "scopes_supported": scopes,
        "response_types_supported": response_types,
        "backchannel_token_delivery_modes_supported": BackchannelDelivery::ALL,
        "backchannel_user_code_parameter_supported": true,
        "response_modes_supported": ResponseMode::names().collect::<Vec<_>>(),
        "grant_types_supported": capabilities.grants,
        "identity_chaining_requested_token_types_supported": [ID_JAG_TOKEN_TYPE],
        // draft-ietf-oauth-refresh-token-expiration §3.
        "refresh_token_expiration_types_supported": ["authorization", "token_timeout"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": capabilities.client_documents,
        "prompt_values_supported": Prompt::NAMES,
        "display_values_supported": ["page"],
        "acr_values_supported": capabilities.classes.names().collect::<Vec<_>>(),
        "subject_types_supported": ["public", "pairwise"],
        "claim_types_supported": ["normal"],
        "claims_supported": claims,
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": true,
        "require_request_uri_registration": true,
        "require_pushed_authorization_requests": must_push,
    })
}

/// True if a scope releases claims about the user (OpenID Connect Core §5.4).
fn is_personal(scope: &str) -> bool {
    SCOPE_CLAIMS.iter().any(|(personal, _)| *personal == scope)
}

/// Returns those of the algorithms that a profile allows.
fn allowed(algorithms: &[Algorithm], profile: Option<Profile>) -> Vec<Algorithm> {
    let is_allowed = |alg: &&Algorithm| profile.is_none_or(|profile| profile.allows(**alg));
    algorithms.iter().filter(is_allowed).copied().collect()
}

fn client_authentication(Capabilities { profile, mutual_tls, .. }: &Capabilities<'_>) -> Value {
    let is_admitted = |method: &&ClientAuthenticationMethod| {
        method.is_offered(*mutual_tls) && profile.is_none_or(|profile| profile.admits(**method))
    };
    let methods: Vec<_> = ClientAuthenticationMethod::ALL.iter().filter(is_admitted).collect();
    let algorithms = with_ed25519(&allowed(&Algorithm::ALL, *profile));
    // Introspection is not for public clients (RFC 7662 §2.1).
    let proved: Vec<_> = methods.iter().filter(|method| ***method != ClientAuthenticationMethod::None).collect();
    json!({
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": proved,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
    })
}

/// The endpoints that a client calls with its certificate (RFC 8705 §5): path, and member of the metadata.
const WITH_CERTIFICATES: [(&str, &str); 7] = [
    ("/token", "token_endpoint"),
    ("/revoke", "revocation_endpoint"),
    ("/introspect", "introspection_endpoint"),
    ("/par", "pushed_authorization_request_endpoint"),
    ("/device_authorization", "device_authorization_endpoint"),
    ("/bc-authorize", "backchannel_authentication_endpoint"),
    ("/userinfo", "userinfo_endpoint"),
];

/// Returns the members of RFC 8705 §3.3 and §5. Without an origin of its own, mutual TLS needs no aliases.
fn mutual_tls(offered: &MutualTls, issuer: &Issuer) -> Value {
    let mut members = Map::new();
    members.insert("tls_client_certificate_bound_access_tokens".to_owned(), Value::Bool(true));
    if offered.origin != issuer.as_str() {
        let alias = |(path, member): (&str, &str)| (member.to_owned(), json!(format!("{}{path}", offered.origin)));
        let aliases = WITH_CERTIFICATES.into_iter().map(alias).collect();
        members.insert("mtls_endpoint_aliases".to_owned(), Value::Object(aliases));
    }
    Value::Object(members)
}

/// Returns algorithms by their names. EdDSA has two (RFC 9864 §2.2).
fn with_ed25519(algorithms: &[Algorithm]) -> Vec<&'static str> {
    let ed25519 = algorithms.contains(&Algorithm::EdDSA).then_some(Algorithm::ED25519);
    algorithms.iter().map(|alg| alg.as_str()).chain(ed25519).collect()
}

fn cryptography(capabilities: &Capabilities<'_>) -> Value {
    let signing = &allowed(capabilities.signing, capabilities.profile);
    let (key_management, content_encryption) = (KeyManagementAlgorithm::ALL, ContentEncryption::ALL);
    json!({
        "id_token_signing_alg_values_supported": signing,
        "id_token_encryption_alg_values_supported": key_management,
        "id_token_encryption_enc_values_supported": content_encryption,
        "userinfo_signing_alg_values_supported": signing,
        "userinfo_encryption_alg_values_supported": key_management,
        "userinfo_encryption_enc_values_supported": content_encryption,
        "authorization_signing_alg_values_supported": signing,
        "authorization_encryption_alg_values_supported": key_management,
        "authorization_encryption_enc_values_supported": content_encryption,
        "introspection_signing_alg_values_supported": signing,
        "introspection_encryption_alg_values_supported": key_management,
        "introspection_encryption_enc_values_supported": content_encryption,
        "dpop_signing_alg_values_supported": with_ed25519(&Algorithm::DPOP),
        // `none` is for clients that registered it.
        "backchannel_authentication_request_signing_alg_values_supported":
            with_ed25519(&allowed(&Algorithm::ALL, capabilities.profile)),
        "request_object_signing_alg_values_supported": with_ed25519(&allowed(&Algorithm::ALL, capabilities.profile)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_metadata_has_the_members_and_not_itself() {
        let document =
            json!({ "issuer": "https://id.example", "scopes_supported": ["openid"], "signed_metadata": "x" });
        let issuer = Issuer::new("https://id.example".to_owned());
        let claims = signed_claims(document.as_object().unwrap(), &issuer, Timestamp::from_secs(7));
        let expected = json!({
            "issuer": "https://id.example", "scopes_supported": ["openid"], "iss": "https://id.example", "iat": 7,
        });
        assert_eq!(Value::Object(claims), expected);
        assert_eq!(signing_algorithm(None), Algorithm::RS256);
        assert!(Profile::ALL.into_iter().all(|profile| signing_algorithm(Some(profile)) == Algorithm::PS256));
    }

    #[test]
    fn eddsa_has_both_its_names() {
        assert_eq!(with_ed25519(&Algorithm::ALL), ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"]);
        assert_eq!(with_ed25519(&[Algorithm::ES256]), ["ES256"]);
    }
}
