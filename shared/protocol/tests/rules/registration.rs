//! Dynamic client registration (RFC 7591) and its management (RFC 7592).

use latchkey_protocol::registration::{self, ActiveRegistration, Limits, RegistrationState};
use latchkey_protocol::{
    AuthorizationDetailsTypes, Client, ClientAuthenticationMethod, GrantType, MutualTls, RedirectUri, client_settings,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use types::remote_url::EgressPolicy;
use types::{Algorithm, ClientId, Error, ErrorCode, Scope};

fn id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

fn read(metadata: Value, statement: Option<Value>) -> Result<Client, Error> {
    read_with(metadata, statement, None)
}

fn read_with(metadata: Value, statement: Option<Value>, mutual_tls: Option<&MutualTls>) -> Result<Client, Error> {
    let scopes = Scope::parse("openid profile").unwrap();
    let grants = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode];
    let limits = Limits {
        scopes: &scopes,
        grants: &grants,
        details_types: &AuthorizationDetailsTypes::default(),
        schemes: &[],
        public: false,
        profile: None,
        signing: &Algorithm::ALL,
        mutual_tls,
        reach: EgressPolicy::Public,
    };
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

/// RFC 8705 §3.4, RFC 7591 §3.2.1: a method that the deployment does not offer is replaced; a demand for bound tokens is refused.
#[test]
fn mutual_tls_is_for_deployments_that_offer_it() {
    let offered = MutualTls {
        origin: "https://mtls.example".to_owned(),
        methods: vec![ClientAuthenticationMethod::TlsClientAuth],
    };
    let metadata = |more: Value| {
        let mut metadata =
            json!({ "redirect_uris": ["https://mine.example/"], "tls_client_auth_san_dns": "mine.example" });
        metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        metadata
    };
    let method = |name: &str, offered| {
        let metadata = metadata(json!({ "token_endpoint_auth_method": name }));
        read_with(metadata, None, offered).unwrap().token_endpoint_auth_method
    };
    assert_eq!(method("tls_client_auth", Some(&offered)), ClientAuthenticationMethod::TlsClientAuth);
    assert_eq!(method("tls_client_auth", None), ClientAuthenticationMethod::ClientSecretBasic);
    assert_eq!(method("self_signed_tls_client_auth", Some(&offered)), ClientAuthenticationMethod::ClientSecretBasic);
    let bound = || metadata(json!({ "tls_client_certificate_bound_access_tokens": true }));
    assert!(read_with(bound(), None, Some(&offered)).unwrap().tls_client_certificate_bound_access_tokens);
    assert_eq!(read_with(bound(), None, None).unwrap_err().code, ErrorCode::InvalidClientMetadata);
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
    assert!(!client(json!({ "scope": "profile" })).must_use_pkce());
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
    let id = String::new;
    let active = |state: &RegistrationState, generation| state.accepting(generation).unwrap().clone();
    let accepts = |state: &RegistrationState, generation| state.accepting(generation).is_some();
    let first = RegistrationState::new(id());
    assert!(accepts(&first, 0) && !accepts(&first, 1) && first.unchanged().is_some());
    assert_eq!(active(&first, 0).read_with(0, id()), None);
    let second = active(&first, 0).replaced_with(0, true, id());
    let values = |state: &RegistrationState| {
        let ActiveRegistration { tokens, secret, .. } = active(state, 1);
        (tokens.latest, tokens.oldest, secret)
    };
    assert_eq!(values(&second), (1, 0, 1));
    let retried = active(&second, 0).replaced_with(0, true, id());
    assert_eq!(values(&retried), (1, 0, 1), "the same again");
    assert_eq!(active(&retried, 0).read_with(0, id()), None);
    let used = active(&retried, 1).read_with(1, id()).unwrap();
    assert!(!accepts(&used, 0) && accepts(&used, 1) && used.unchanged().is_none());
    let third = active(&used, 1).replaced_with(1, false, id());
    assert!(!accepts(&third, 0) && accepts(&third, 1) && accepts(&third, 2));
    assert_eq!(active(&third, 1).secret, 1);
    let ended = active(&third, 1).end(id());
    assert!((0..9).all(|generation| !accepts(&ended, generation)) && ended.unchanged().is_none());
    assert!(!ended.may_end_with(0) && ended.may_end_with(1) && ended.may_end_with(2));
}

#[test]
fn a_stored_state_is_one_of_active_and_ended() {
    for state in [json!({}), json!({ "active": { "tokens": { "latest": 1, "oldest": 0 } } })] {
        assert!(serde_json::from_value::<RegistrationState>(state).is_err());
    }
    let later = json!({ "ended": { "tokens": { "latest": 1, "oldest": 0 }, "write_id": "w", "new": 1 }, "other": 2 });
    assert!(matches!(serde_json::from_value(later), Ok(RegistrationState::Ended(_))));
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
