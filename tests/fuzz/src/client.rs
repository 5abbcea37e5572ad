//! Client metadata: as a client registers itself (RFC 7591), and as the operator writes it.

use protocol::registration::{self, Limits};
use protocol::{AuthorizationDetailsTypes, Client, GrantType};
use serde_json::{Map, Value};
use types::remote_url::EgressPolicy;
use types::{ClientId, Scope};

fn id(text: &str) -> ClientId {
    ClientId::parse(text).expect("a client_id")
}

/// Metadata of a client that registers itself. A client that is accepted is valid, and within the limits.
pub(crate) fn metadata(bytes: &[u8]) {
    let Ok(Value::Object(metadata)) = serde_json::from_slice::<Value>(bytes) else { return };
    let scopes = Scope::parse("openid profile email offline_access read").expect("scopes");
    let grants = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials];
    let limits = Limits {
        scopes: &scopes,
        grants: &grants,
        details_types: &AuthorizationDetailsTypes::default(),
        schemes: &[],
        public: false,
        profile: None,
        signing: &types::Algorithm::ALL,
        mutual_tls: None,
        reach: EgressPolicy::Public,
    };
    let Ok(client) = registration::read(&id("client"), metadata, None, &limits) else { return };
    assert_eq!(client.validate(), []);
    assert!(client.scope.is_within(&scopes));
    assert!(client.grant_types.iter().all(|grant| grants.contains(grant)));
    // The response of the registration, sent back, describes the same client (RFC 7592 §2.2).
    let document: Map<String, Value> = registration::document(&client);
    let again = registration::read(&id("client"), document, None, &limits).expect("its own settings are acceptable");
    assert!(serde_json::to_value(&again).ok() == serde_json::to_value(&client).ok());
}

/// A client as the operator writes it, and as it is stored.
pub(crate) fn stored(bytes: &[u8]) {
    let Ok(client) = serde_json::from_slice::<Client>(bytes) else { return };
    let _ = client.validate();
    let written = serde_json::to_vec(&client).expect("a client is JSON");
    let again: Client = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(serde_json::to_vec(&again).expect("JSON"), written);
}
