//! Dynamic client registration (RFC 7591) and its management (RFC 7592).

use latchkey_protocol::registration::{self, Limits, RegistrationState};
use latchkey_protocol::{Client, GrantType, RedirectUri, client_settings};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use types::remote_url::EgressPolicy;
use types::{ClientId, Error, ErrorCode, Scope};

fn id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

fn read(metadata: Value, statement: Option<Value>) -> Result<Client, Error> {
    let scopes = Scope::parse("openid profile").unwrap();
    let grants = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode];
    let limits = Limits { scopes: &scopes, grants: &grants, reach: EgressPolicy::Public };
    let statement = statement.map(|statement| statement.as_object().unwrap().clone());
    registration::read(&id("id"), metadata.as_object().unwrap().clone(), statement.as_ref(), &limits)
}

#[test]
fn a_statement_takes_precedence_and_sets_metadata_only() {
    let said = json!({ "iss": "x", "exp": 7, "redirect_uris": ["https://vouched.example/"], "skip_consent": true });
    let client = read(json!({ "redirect_uris": ["https://mine.example/"] }), Some(said)).unwrap();
    assert_eq!(client.redirect_uris, [RedirectUri::new("https://vouched.example/")]);
    assert!(!client.skip_consent);
}

#[test]
fn local_addresses_are_for_a_local_deployment() {
    let metadata = json!({ "redirect_uris": ["https://mine.example/"], "jwks_uri": "http://localhost/jwks" });
    assert_eq!(read(metadata, None).unwrap_err().code, ErrorCode::InvalidClientMetadata);
}

#[test]
fn pkce_is_left_to_openid_clients_that_authenticate() {
    let client = |more: Value| {
        let mut metadata = json!({ "redirect_uris": ["https://mine.example/"] });
        metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        read(metadata, None).unwrap()
    };
    assert!(!client(json!({})).must_use_pkce());
    assert!(client(json!({ "scope": "profile" })).must_use_pkce());
    assert!(client(json!({ "token_endpoint_auth_method": "none" })).must_use_pkce());
}

/// OpenID Connect Core §8.1: without a redirect to the sector, a client could learn the subjects of another one's sector.
#[test]
fn a_pairwise_client_proves_its_sector_by_a_redirect() {
    let register = |grants: Value, redirect_uris: Value, more: Value| {
        let mut metadata = json!({
            "grant_types": grants, "redirect_uris": redirect_uris, "token_endpoint_auth_method": "none",
            "application_type": "native", "subject_type": "pairwise",
        });
        metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        read(metadata, None).map(|client| client.pairwise_sector()).map_err(|error| error.code)
    };
    let (code, list) = (json!(["authorization_code"]), json!({ "sector_identifier_uri": "https://a.example/list" }));
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let at_a = json!(["https://a.example/"]);
    assert_eq!(register(code.clone(), at_a.clone(), json!({})), Ok(Some("a.example".to_owned())));
    let metadata = Err(ErrorCode::InvalidClientMetadata);
    for more in [json!({}), list.clone()] {
        assert_eq!(register(json!(["authorization_code", device]), at_a.clone(), more.clone()), metadata);
        assert_eq!(register(json!([device]), json!([]), more), metadata);
    }
    assert_eq!(register(json!([]), json!([]), list), Err(ErrorCode::InvalidRedirectUri));
    // A claimable redirect URI proves no host.
    for claimable in ["http://127.0.0.1/cb", "com.example.app://a.example/cb"] {
        assert_eq!(
            register(code.clone(), json!([claimable]), json!({})),
            Ok(Some("client id".to_owned())),
            "{claimable}"
        );
        let mixed = json!([claimable, "https://a.example/"]);
        assert_eq!(register(code.clone(), mixed, json!({})), metadata, "{claimable}");
    }
}

/// RFC 7592 §2.2 and a lost response: the old token is valid until the new one is used.
#[test]
fn tokens_of_two_generations_are_good_until_the_newer_is_used() {
    let writer = String::new;
    let first = RegistrationState::new(writer());
    assert!(first.accepts(0) && !first.accepts(1));
    assert_eq!(first.read_with(0, writer()), None);
    let second = first.replaced_with(0, true, writer());
    assert_eq!((second.latest, second.oldest, second.secret), (1, 0, 1));
    let retried = second.replaced_with(0, true, writer());
    assert_eq!((retried.latest, retried.oldest, retried.secret), (1, 0, 1), "the same again");
    assert_eq!(retried.read_with(0, writer()), None);
    let used = retried.read_with(1, writer()).unwrap();
    assert!(!used.accepts(0) && used.accepts(1));
    let third = used.replaced_with(1, false, writer());
    assert!(!third.accepts(0) && third.accepts(1) && third.accepts(2));
    assert_eq!(third.secret, 1);
    let ended = third.ended(writer());
    assert!((0..9).all(|generation| !ended.accepts(generation)));
    assert!(!ended.may_end_with(0) && ended.may_end_with(1) && ended.may_end_with(2));
}

/// An older version stored no `ended`.
#[test]
fn a_state_without_an_end_has_not_ended() {
    let stored = json!({ "latest": 1, "oldest": 0, "secret": 1, "writer": "w" });
    let state: RegistrationState = serde_json::from_value(stored).unwrap();
    assert!(!state.ended && state.accepts(0));
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("https://mine.example/")),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    /// Untrusted metadata never causes a panic. An accepted client is valid and has no setting of the operator.
    #[test]
    fn any_metadata_is_read(
        fields in prop::collection::vec((prop::sample::select(client_settings::of_clients().collect::<Vec<_>>()), json_value()), 0..6),
        other in any::<String>(),
        value in json_value(),
    ) {
        let mut metadata = Map::from_iter(fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
        metadata.insert(other, value);
        if let Ok(client) = read(Value::Object(metadata), None) {
            prop_assert_eq!(client.validate(), []);
            prop_assert!(!client.skip_consent && client.introspects.is_empty() && client.token_exchange.is_none());
            prop_assert!(client.access_token_lifetime.is_none() && client.resources.is_none());
        }
    }
}
