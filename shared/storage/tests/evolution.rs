//! Records evolve: what a later version adds to a record is read past, kept by rewrites, listed and deleted.
//!
//! Each test stores a record of one kind, then lets "the next version" add members to its JSON and raise its schema
//! number.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use latchkey_storage::configuration::{self, Replaced};
use latchkey_storage::grants::{GrantUpdate, Rotation, SessionGrants};
use latchkey_storage::memory::Memory;
use latchkey_storage::sign_out::{DueSignOut, DueWork};
use latchkey_storage::users::{Credential, User};
use latchkey_storage::{
    Bucket, Kind, Owner, Record, Records, Unavailable, admin_keys, clients, consents, decisions, devices, directory,
    grant_checks, grants, logos, markers, notices, pushed, registrations, sessions, sign_out, signing_keys, users,
    waiting,
};
use protocol::administration::{AdminKey, AdminPublicKey, AdminScope, AdminScopes};
use protocol::limits::CLOCK_DIFFERENCE;
use protocol::registration::{Registration, RegistrationState};
use protocol::{
    ActiveGrant, AuthenticationContext, AuthenticationMethod, AuthorizationRequest, Client, ClientOrigin, EmailAddress,
    Grant, GrantState, Logo, Parameters, PushedRequestId, RefreshLifetimes, RegistrationId, RequestEndpoint,
    ResponseTarget, RetryWindows, RevokedToken, SecretVerifier, SentRequest, SessionGroup, StoredClient,
    UncheckedTarget, Username,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;
use types::{ClientId, Jti, Scope, Subject, Timestamp};

fn sub(text: &str) -> Subject {
    Subject::parse(text).unwrap()
}

fn username(name: &str) -> Username {
    Username::prepare_ascii(name).unwrap()
}

fn id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

fn jti(text: &str) -> Jti {
    Jti::parse(text).unwrap()
}

const GROUP: SessionGroup = SessionGroup::new([9; 16]);
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const LATER: Timestamp = Timestamp::from_secs(1_800_000_100);

fn typed<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// Adds a member to every object of JSON, as the next version might, and raises the schema number.
fn evolved(json: &str) -> String {
    if json.is_empty() {
        return String::new();
    }
    let mut value: Value = serde_json::from_str(json).unwrap();
    assert_eq!(value["schema"], 1, "{json}");
    value["schema"] = json!(2);
    value["added"] = json!({ "by": ["the next version"] });
    value.to_string()
}

/// Lets the next version rewrite each record of a kind. Its generation stays.
async fn evolve(memory: &Memory, kind: Kind) {
    let found: Vec<Record> = memory.snapshot().into_iter().filter(|record| record.key.is(kind)).collect();
    assert!(!found.is_empty(), "no record of this kind");
    for record in found {
        let next = Record { body: evolved(&record.body), state: evolved(&record.state), ..record.clone() };
        memory.delete(&record.key).await.unwrap();
        memory.create(&next).await.unwrap();
        for from in 0..record.generation {
            memory.advance(&record.key, from, &next.state, next.expires_at).await.unwrap();
        }
    }
}

/// Asserts that each record of a kind still has what the next version added, in its body and in its state.
fn assert_kept(memory: &Memory, kind: Kind) {
    let found: Vec<Record> = memory.snapshot().into_iter().filter(|record| record.key.is(kind)).collect();
    assert!(!found.is_empty(), "no record of this kind");
    for json in found.iter().flat_map(|record| [&record.body, &record.state]).filter(|json| !json.is_empty()) {
        let value: Value = serde_json::from_str(json).unwrap();
        assert_eq!(value["schema"], 2, "{json}");
        assert_eq!(value["added"], json!({ "by": ["the next version"] }), "{json}");
    }
}

/// Asserts that a kind has no record.
fn assert_deleted(memory: &Memory, kind: Kind) {
    assert!(!memory.snapshot().iter().any(|record| record.key.is(kind)));
}

/// Asserts that a listing shows one record of a kind.
async fn assert_listed(memory: &Memory, owner: &Owner, kind: Kind) {
    let page = memory.list(owner, None, 10).await.unwrap();
    assert_eq!(page.records.iter().filter(|record| record.key.is(kind)).count(), 1);
}

fn client() -> StoredClient {
    let client: Client = typed(json!({ "client_id": "shop", "redirect_uris": ["https://shop.example/cb"] }));
    StoredClient::new(client, vec![SecretVerifier::new("first", [7; 16])])
}

#[tokio::test]
async fn a_client() {
    let memory = Memory::new();
    clients::save(&memory, &StoredClient { unused_until: Some(LATER), ..client() }).await.unwrap();
    evolve(&memory, Kind::Client).await;
    assert!(clients::find(&memory, &id("shop")).await.unwrap().unwrap().accepts("first"));

    let rename = |before: Option<StoredClient>| {
        let mut after = before.unwrap();
        after.client.client_name = Some("Shop".to_owned());
        Ok::<_, latchkey_storage::Unavailable>((after, ()))
    };
    clients::change(&memory, &id("shop"), rename).await.unwrap();
    clients::keep(&memory, &id("shop")).await.unwrap();
    assert_kept(&memory, Kind::Client);
    clients::save(&memory, &client()).await.unwrap();
    assert_kept(&memory, Kind::Client);
    assert_eq!(clients::find(&memory, &id("shop")).await.unwrap(), Some(client()));

    let listing = clients::list(&memory, None, 10).await.unwrap();
    assert_eq!((listing.items, listing.unreadable), (vec![client()], vec![]));
    clients::remove(&memory, &id("shop")).await.unwrap();
    assert_deleted(&memory, Kind::Client);
}

#[tokio::test]
async fn a_shared_client() {
    let memory = Memory::new();
    let (origin, lifetime) = (ClientOrigin::SharedRegistration, Duration::from_secs(100));
    let public = typed(json!({ "client_id": "shop", "token_endpoint_auth_method": "none" }));
    let until = NOW.after(lifetime);
    let shared = StoredClient { origin, unused_until: Some(until), ..StoredClient::new(public, Vec::new()) };
    assert_eq!(clients::share(&memory, &shared, NOW).await.unwrap(), shared);
    evolve(&memory, Kind::Client).await;
    let later = NOW.after(Duration::from_secs(51));
    let extended = clients::extend(&memory, &id("shop"), lifetime, later).await.unwrap();
    assert_eq!(extended.unwrap().unused_until, Some(later.after(lifetime)));
    assert_kept(&memory, Kind::Client);
}

/// Members of members and of list elements belong to the record too.
#[tokio::test]
async fn a_client_with_members_added_at_every_depth() {
    let memory = Memory::new();
    clients::save(&memory, &client()).await.unwrap();
    let record = memory.snapshot().pop().unwrap();
    let mut state: Value = serde_json::from_str(&record.state).unwrap();
    state["client"]["added"] = json!("a setting");
    state["secrets"][0]["added"] = json!("an expiry");
    memory.advance(&record.key, 0, &state.to_string(), None).await.unwrap();

    let add_secret = |before: Option<StoredClient>| {
        let mut after = before.unwrap();
        after.client.client_name = Some("Shop".to_owned());
        after.secrets.insert(0, SecretVerifier::new("second", [8; 16]));
        Ok::<_, latchkey_storage::Unavailable>((after, ()))
    };
    clients::change(&memory, &id("shop"), add_secret).await.unwrap();
    let state: Value = serde_json::from_str(&memory.snapshot()[0].state).unwrap();
    assert_eq!(state["client"]["added"], "a setting");
    assert_eq!(state["client"]["client_name"], "Shop");
    assert_eq!(state["secrets"][0]["added"], Value::Null);
    assert_eq!(state["secrets"][1]["added"], "an expiry");
    let stored = clients::find(&memory, &id("shop")).await.unwrap().unwrap();
    assert!(stored.accepts("first") && stored.accepts("second"));
}

/// A member that a client no longer has goes; it is not mistaken for a member of a later version.
#[tokio::test]
async fn a_known_member_can_be_removed() {
    let memory = Memory::new();
    let mut named = client();
    named.client.client_name = Some("Shop".to_owned());
    clients::save(&memory, &named).await.unwrap();
    evolve(&memory, Kind::Client).await;
    clients::save(&memory, &client()).await.unwrap();
    assert_kept(&memory, Kind::Client);
    assert_eq!(clients::find(&memory, &id("shop")).await.unwrap().unwrap().client.client_name, None);
}

#[tokio::test]
async fn a_client_that_cannot_be_read_is_reported_and_deleted() {
    let memory = Memory::new();
    clients::save(&memory, &client()).await.unwrap();
    let unreadable = Record { key: clients::key(&id("broken")), ..memory.snapshot().pop().unwrap() };
    let unreadable = Record { state: r#"{"schema":9,"client":[]}"#.to_owned(), ..unreadable };
    memory.create(&unreadable).await.unwrap();

    let listing = clients::list(&memory, None, 10).await.unwrap();
    assert_eq!(listing.items, [client()]);
    assert_eq!(listing.unreadable.len(), 1);
    assert_eq!(listing.unreadable[0].key, unreadable.key);
    assert!(clients::find(&memory, &id("broken")).await.unwrap_err().reason.contains("client#"));
    assert!(clients::exists(&memory, &id("broken")).await.unwrap());
    clients::remove(&memory, &id("broken")).await.unwrap();
    assert!(!clients::exists(&memory, &id("broken")).await.unwrap());
}

fn ada() -> User {
    User::new(sub("ada"), "ada".to_owned(), typed(json!({ "name": "Ada" })))
}

#[tokio::test]
async fn a_user() {
    let memory = Memory::new();
    users::save(&memory, &ada(), NOW).await.unwrap();
    directory::enter(&memory, &username("ada"), &sub("ada")).await.unwrap();
    evolve(&memory, Kind::User).await;
    assert_eq!(users::find(&memory, &sub("ada")).await.unwrap(), Some(ada()));
    let renamed = User { claims: typed(json!({ "name": "Ada L." })), ..ada() };
    users::save(&memory, &renamed, NOW).await.unwrap();
    assert_kept(&memory, Kind::User);
    assert_eq!(users::find(&memory, &sub("ada")).await.unwrap(), Some(renamed));

    assert_eq!(directory::find(&memory, &username("ada")).await.unwrap().unwrap().subject, sub("ada"));
    assert_eq!(directory::enter(&memory, &username("ada"), &sub("other")).await.unwrap().subject, sub("ada"));
    let listing = directory::list(&memory, None, 10).await.unwrap();
    assert_eq!((listing.items.len(), listing.unreadable), (1, vec![]));
    users::remove(&memory, &sub("ada"), NOW, LATER).await.unwrap();
    directory::remove(&memory, &username("ada")).await.unwrap();
    let left = memory.snapshot().into_iter().filter(|record| record.key.is(Kind::User)).collect::<Vec<_>>();
    assert_eq!((left.len(), left[0].expires_at), (1, Some(LATER)));
    assert!(!left[0].state.contains("Ada") && !left[0].state.contains("later"), "{}", left[0].state);
    assert_eq!(users::find(&memory, &sub("ada")).await.unwrap(), None);
    users::save(&memory, &ada(), NOW).await.unwrap();
    let again = users::find(&memory, &sub("ada")).await.unwrap().unwrap();
    assert_eq!(
        again.revoked_before,
        Some(NOW.after(CLOCK_DIFFERENCE).after(Duration::from_millis(1))),
        "the mark outlives the profile"
    );
}

#[tokio::test]
async fn an_entry_of_the_user_index() {
    let memory = Memory::new();
    let address = EmailAddress::parse("Ada@example.com").unwrap();
    let with_address = |user: User| User { claims: typed(json!({ "email": "ada@EXAMPLE.com" })), ..user };
    let other = || User::new(sub("other"), "other".to_owned(), typed(json!({})));
    users::save(&memory, &with_address(ada()), NOW).await.unwrap();
    evolve(&memory, Kind::UserIndex).await;
    assert_eq!(users::find_by_email(&memory, &address).await.unwrap(), [with_address(ada())]);
    users::save(&memory, &with_address(other()), NOW).await.unwrap();
    assert_kept(&memory, Kind::UserIndex);
    assert_eq!(users::find_by_email(&memory, &address).await.unwrap(), [with_address(ada()), with_address(other())]);
    let entries = memory.snapshot().into_iter().filter(|record| record.key.is(Kind::UserIndex));
    assert!(entries.into_iter().all(|record| !record.key.as_str().contains("example")), "a key names no address");
}

#[tokio::test]
async fn a_credential() {
    let memory = Memory::new();
    let credential = |password: &str| Credential::new(sub("ada"), password.to_owned(), Some("Ada".to_owned()));
    users::save_credential(&memory, &username("ada"), &credential("first")).await.unwrap();
    evolve(&memory, Kind::Credential).await;
    assert_eq!(users::find_credential(&memory, &username("ada")).await.unwrap().unwrap().password, "first");
    users::save_credential(&memory, &username("ada"), &credential("second")).await.unwrap();
    assert_kept(&memory, Kind::Credential);
    assert_eq!(users::find_credential(&memory, &username("ada")).await.unwrap().unwrap().password, "second");
    users::remove_credential(&memory, &username("ada")).await.unwrap();
    assert_deleted(&memory, Kind::Credential);
}

#[tokio::test]
async fn a_session() {
    let memory = Memory::new();
    let session = sessions::Session {
        browser: None,
        subject: sub("ada"),
        name: "Ada".to_owned(),
        username: Some("ada".to_owned()),
        authentication: signed_in(),
        group: GROUP,
    };
    let id = sessions::new_id(&sub("ada"), [1; 16]);
    sessions::create(&memory, id, &session, LATER).await.unwrap();
    evolve(&memory, Kind::Session).await;
    assert_eq!(sessions::find(&memory, id).await.unwrap(), Some(session.clone()));
    assert_kept(&memory, Kind::Session);
    assert_listed(&memory, &users::owner(&sub("ada")), Kind::Session).await;
    sign_out::everywhere(&memory, &sub("ada"), NOW, "w", &|| false).await.unwrap();
    assert_eq!(sessions::find(&memory, id).await.unwrap(), None);
    // A repeated `create` of the session, which arrives late.
    assert!(sessions::create(&memory, id, &session, LATER).await.is_err());
    assert_eq!(sessions::find(&memory, id).await.unwrap(), None);
    assert_eq!(sign_out::everywhere(&memory, &sub("ada"), NOW, "x", &|| false).await.unwrap().sessions, 0);
}

#[tokio::test]
async fn a_consent() {
    let memory = Memory::new();
    let scope = |text: &str| Scope::parse(text).unwrap();
    consents::add(&memory, &sub("ada"), &id("shop"), None, |_| scope("openid")).await.unwrap();
    evolve(&memory, Kind::Consent).await;
    assert_eq!(consents::find(&memory, &sub("ada"), &id("shop"), None).await.unwrap(), scope("openid"));
    consents::add(&memory, &sub("ada"), &id("shop"), None, |_| scope("openid email")).await.unwrap();
    assert_kept(&memory, Kind::Consent);
    assert_eq!(consents::find(&memory, &sub("ada"), &id("shop"), None).await.unwrap(), scope("openid email"));
    assert_listed(&memory, &users::owner(&sub("ada")), Kind::Consent).await;
    sign_out::forget_consents(&memory, &sub("ada"), NOW).await.unwrap();
    assert_eq!(consents::find(&memory, &sub("ada"), &id("shop"), None).await.unwrap(), Scope::default());
    assert_eq!(consents::of_user(&memory, &sub("ada")).await.unwrap(), []);
    assert!(
        memory
            .snapshot()
            .iter()
            .filter(|record| record.key.is(Kind::Consent))
            .all(|record| record.expires_at.is_some())
    );
    consents::add(&memory, &sub("ada"), &id("shop"), None, |_| scope("openid")).await.unwrap();
    assert_eq!(consents::find(&memory, &sub("ada"), &id("shop"), None).await.unwrap(), scope("openid"));
    assert!(
        memory
            .snapshot()
            .iter()
            .filter(|record| record.key.is(Kind::Consent))
            .all(|record| record.expires_at.is_none())
    );
}

fn signed_in() -> AuthenticationContext {
    AuthenticationMethod::Password.context(NOW)
}

fn grant() -> Grant {
    typed(json!({
        "client_id": "shop",
        "subject": "ada",
        "scope": "openid",
        "authentication": signed_in(),
        "session_group": GROUP,
    }))
}

fn update_with(write_id: &str) -> GrantUpdate {
    GrantUpdate {
        now: LATER,
        refresh: Some(RefreshLifetimes { absolute: Duration::from_secs(9000), idle: Duration::from_secs(9000) }),
        access_token: Duration::from_secs(300),
        retry: RetryWindows { grace: Duration::from_secs(10), lost_answer: Duration::ZERO },
        rotates: true,
        replay_revokes: true,
        remembered: Duration::ZERO,
        write_id: write_id.to_owned(),
    }
}

/// A later version that adds to the state of active grants has their tokens say so: such tokens oblige each update to read
/// the record first. An issued grant has no state besides the code: a later version adds to its immutable part.
#[tokio::test]
async fn a_grant() {
    let memory = Memory::new();
    let id = grants::new_id(&sub("ada"), [1; 16]);
    let active = ActiveGrant::without_code(NOW, "w0".to_owned());
    grants::create(&memory, id, &grant(), &GrantState::Active(active.clone()), LATER).await.unwrap();
    evolve(&memory, Kind::Grant).await;
    let Rotation::Rotated(rotated) = grants::rotate(&memory, &active.snapshot(id), &update_with("w2")).await.unwrap()
    else {
        panic!("the refresh token is not rotated")
    };
    assert_kept(&memory, Kind::Grant);
    let revoked = RevokedToken { jti: jti("jti"), expires_at: LATER.after(Duration::from_secs(300)) };
    grants::revoke_access_token(&memory, &rotated.snapshot(), &revoked, &update_with("w3")).await.unwrap();
    assert_kept(&memory, Kind::Grant);
    let current = grants::find(&memory, id).await.unwrap().unwrap();
    assert!(!current.state.accepts(&jti("jti"), LATER) && current.state.accepts(&jti("other"), LATER));

    assert_listed(&memory, &users::owner(&sub("ada")), Kind::Grant).await;
    let grants = SessionGrants::find(&memory, &sub("ada"), GROUP).await.unwrap();
    assert_eq!(grants.clients().len(), 1);
    grants.revoke(&memory, LATER, "w4").await.unwrap();
    assert_kept(&memory, Kind::Grant);
    assert!(!grants::find(&memory, id).await.unwrap().unwrap().state.accepts(&jti("other"), LATER));
}

#[tokio::test]
async fn a_grant_that_cannot_be_read_ends_with_a_sign_out() {
    let memory = Memory::new();
    let id = grants::new_id(&sub("ada"), [1; 16]);
    grants::create(&memory, id, &grant(), &GrantState::issued("w0".to_owned()), LATER).await.unwrap();
    let readable = grants::new_id(&sub("ada"), [2; 16]);
    grants::create(&memory, readable, &grant(), &GrantState::issued("w1".to_owned()), LATER).await.unwrap();
    let record = memory.snapshot().into_iter().find(|record| record.key.id() == id.name()).unwrap();
    memory.advance(&record.key, 0, r#"{"schema":9}"#, None).await.unwrap();

    let ended = sign_out::everywhere(&memory, &sub("ada"), LATER, "w2", &|| false).await.unwrap();
    assert_eq!(ended.grants, 2);
    assert_eq!(grants::find(&memory, id).await.unwrap(), None);
    assert!(!grants::find(&memory, readable).await.unwrap().unwrap().state.accepts(&jti("jti"), LATER));
}

#[tokio::test]
async fn a_pushed_request() {
    let memory = Memory::new();
    let id = PushedRequestId::new([1; 2], [1; 16]);
    let client: Client = typed(json!({ "client_id": "shop", "redirect_uris": ["https://shop.example/cb"] }));
    let sent = b"client_id=shop&redirect_uri=https://shop.example/cb&response_type=code&scope=openid&nonce=n&\
code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let parameters = Parameters::parse(sent).unwrap();
    let target = ResponseTarget::check(&parameters, &client).unwrap();
    let sent = SentRequest {
        parameters: &parameters,
        in_request_object: false,
        endpoint: RequestEndpoint::PushedRequest,
        client: &client,
        targets: protocol::resource::Targets {
            resources: &[],
            scopes: &[],
            claim_scopes: &[],
            claims: &protocol::ClaimDefinitions(Vec::new()),
            details_types: &protocol::AuthorizationDetailsTypes(Vec::new()),
            classes: &protocol::AuthenticationClasses(Vec::new()),
        },
        require_pushed_requests: false,
    };
    let request = AuthorizationRequest::check(&sent, target).unwrap();
    let request = pushed::PushedRequest { request, expected_subject: None };
    let read_again =
        |found: Option<pushed::PushedRequest<UncheckedTarget>>| found.map(|found| found.request.recheck(&client));
    pushed::create(&memory, id, &request, LATER).await.unwrap();
    evolve(&memory, Kind::Pushed).await;
    let grace = Duration::from_secs(10);
    assert_eq!(read_again(pushed::find(&memory, id, NOW, grace).await.unwrap()), Some(Ok(request.request.clone())));
    let answer = pushed::Answer { grant: grants::new_id(&sub("ada"), [1; 16]), issued_at: NOW, group: GROUP };
    assert_eq!(pushed::answer(&memory, id, &answer).await.unwrap(), Some(answer.clone()));
    evolve_state(&memory, Kind::Pushed).await;
    assert_kept(&memory, Kind::Pushed);
    let other = pushed::Answer { grant: grants::new_id(&sub("ada"), [2; 16]), ..answer.clone() };
    assert_eq!(pushed::answer(&memory, id, &other).await.unwrap(), Some(answer));
    assert_eq!(read_again(pushed::find(&memory, id, NOW, grace).await.unwrap()), Some(Ok(request.request)));
}

/// Lets the next version write the state that this version has written last.
async fn evolve_state(memory: &Memory, kind: Kind) {
    for record in memory.snapshot().into_iter().filter(|record| record.key.is(kind) && !record.state.is_empty()) {
        let state = evolved(&record.state);
        memory.advance(&record.key, record.generation, &state, record.expires_at).await.unwrap();
    }
}

#[tokio::test]
async fn a_device() {
    let memory = Memory::new();
    let id = decisions::new_id([1; 16]);
    let pending = devices::Pending {
        request: typed(json!({ "client_id": "tv", "scope": "openid" })),
        decision: id,
        expires_at: LATER,
    };
    assert_eq!(devices::begin(&memory, &["code".to_owned()], &pending).await.unwrap(), 0);
    evolve(&memory, Kind::Device).await;
    assert_eq!(devices::find(&memory, "code", NOW).await.unwrap(), Some(pending.clone()));
    let grant_id = grants::new_id(&sub("ada"), [2; 16]);
    let state = ActiveGrant::without_code(NOW, "w".to_owned());
    grants::create(&memory, grant_id, &grant(), &GrantState::Active(state.clone()), LATER).await.unwrap();
    let approved = grants::LiveGrant { id: grant_id, grant: grant(), state };
    let decision = decisions::Decision::Approved(Box::new(approved));
    assert!(devices::decide(&memory, "code", &pending, &decision).await.unwrap());
    evolve(&memory, Kind::Device).await;
    assert_eq!(decisions::peek(&memory, id).await.unwrap(), Some(decision));
    let polled = decisions::poll(&memory, id, LATER, &update_with("w1")).await.unwrap();
    assert!(matches!(polled, decisions::Poll::Approved(_)), "{polled:?}");
    evolve_state(&memory, Kind::Device).await;
    assert_kept(&memory, Kind::Device);
    let again = decisions::poll(&memory, id, LATER, &update_with("w2")).await.unwrap();
    assert_eq!(again, decisions::Poll::Race);
}

#[tokio::test]
async fn a_registration() {
    let shop = &id("shop");
    let memory = Memory::new();
    let registration =
        Registration { id: RegistrationId::new([0, 0], [1; 16]), registered_at: NOW, software_statement: None };
    let state = RegistrationState::new("w0".to_owned());
    registrations::create(&memory, shop, &registration, &state, Some(LATER)).await.unwrap();
    evolve(&memory, Kind::Registration).await;
    registrations::keep(&memory, shop).await.unwrap();
    assert_kept(&memory, Kind::Registration);
    let registered = registrations::find(&memory, shop).await.unwrap().unwrap();
    let changed = registrations::change(&memory, shop, registered, |state| {
        Ok::<_, latchkey_storage::Unavailable>(
            state.accepting(0).map(|active| active.replaced_with(0, false, "w1".to_owned())),
        )
    });
    let changed = changed.await.unwrap().unwrap();
    assert_eq!(changed.state.accepting(1).unwrap().tokens.latest, 1);
    assert_kept(&memory, Kind::Registration);
    let ended = registrations::end(&memory, shop, changed, NOW, "w2", |_| Ok::<_, latchkey_storage::Unavailable>(()));
    assert!(matches!(ended.await.unwrap().unwrap().state, RegistrationState::Ended(_)));
    assert_kept(&memory, Kind::Registration);
    registrations::remove(&memory, shop).await.unwrap();
    assert_deleted(&memory, Kind::Registration);
}

#[tokio::test]
async fn a_registration_that_cannot_be_read_does_not_keep_its_client() {
    let memory = Memory::new();
    let registration =
        Registration { id: RegistrationId::new([0, 0], [1; 16]), registered_at: NOW, software_statement: None };
    let state = RegistrationState::new("w0".to_owned());
    registrations::create(&memory, &id("shop"), &registration, &state, None).await.unwrap();
    let record = memory.snapshot().pop().unwrap();
    memory.advance(&record.key, 0, r#"{"schema":9}"#, None).await.unwrap();
    assert!(registrations::find(&memory, &id("shop")).await.is_err());
    registrations::end_for_operator(&memory, &id("shop"), NOW, "w1").await.unwrap();
    assert_deleted(&memory, Kind::Registration);
}

#[tokio::test]
async fn an_initial_access_token() {
    let memory = Memory::new();
    let attempt = registrations::InitialUse { fingerprint: "print".to_owned(), client_id: id("shop"), at: NOW };
    registrations::use_initial(&memory, "token", 2, LATER, &attempt, "w0").await.unwrap();
    evolve(&memory, Kind::Registration).await;
    let used = registrations::use_initial(&memory, "token", 2, LATER, &attempt, "w1").await.unwrap();
    assert_eq!(used, registrations::Initial::Used);
    assert_kept(&memory, Kind::Registration);
}

#[tokio::test]
async fn a_marker() {
    let memory = Memory::new();
    assert!(markers::use_once(&memory, "assertion", "a", LATER, "w0").await.unwrap());
    markers::revoke(&memory, &jti("jti"), LATER).await.unwrap();
    let outlives_clock_differences =
        |record: &Record| record.expires_at.unwrap() >= LATER.after(Duration::from_secs(600));
    assert!(memory.snapshot().iter().all(outlives_clock_differences));
    evolve(&memory, Kind::Marker).await;
    assert!(!markers::use_once(&memory, "assertion", "a", LATER, "w1").await.unwrap());
    assert!(markers::is_revoked(&memory, &jti("jti")).await.unwrap());
    markers::revoke(&memory, &jti("jti"), LATER).await.unwrap();
    assert_kept(&memory, Kind::Marker);
}

#[tokio::test]
async fn a_logout() {
    let memory = Memory::new();
    let content = notices::NoticeContent::Logout { subject: sub("ada"), group: GROUP };
    a_notice(&memory, content).await;
}

#[tokio::test]
async fn a_ping() {
    let memory = Memory::new();
    let ping = notices::Ping { sealed: "sealed".to_owned(), expires_at: LATER };
    a_notice(&memory, notices::NoticeContent::Ping(ping)).await;
}

async fn a_notice(memory: &Memory, content: notices::NoticeContent) {
    let notice = notices::Notice { jti: jti("jti"), client_id: id("shop"), at: NOW, content };
    notices::create(memory, &notice, 1, NOW, "w0").await.unwrap();
    evolve(memory, Kind::Logout).await;
    let (mut listed, _) = notices::list(memory, Bucket::of("jti"), None, 10).await.unwrap();
    let pending = notices::Pending::read(listed.pop().unwrap()).unwrap();
    let attempts = notices::claim(memory, &pending, LATER, "w1", |_| Some(LATER)).await.unwrap().unwrap();
    assert_eq!((pending.notice(), attempts), (&notice, 2));
    assert_kept(memory, Kind::Logout);
    notices::remove(memory, &jti("jti")).await.unwrap();
    assert_deleted(memory, Kind::Logout);
}

#[tokio::test]
async fn a_waiting_request() {
    let memory = Memory::new();
    let (ada, decision) = (sub("ada"), decisions::new_id([1; 16]));
    let waiting = waiting::WaitingRequest {
        request: typed(json!({ "client_id": "bank", "scope": "openid" })),
        decision,
        asked_at: NOW,
        expires_at: LATER.after(Duration::from_secs(60)),
        ping: None,
    };
    assert_eq!(waiting::begin(&memory, &ada, &waiting, NOW).await.unwrap(), waiting::Begun::Waiting);
    evolve_state(&memory, Kind::Device).await;
    assert_eq!(waiting::of_user(&memory, &ada, LATER).await.unwrap(), std::slice::from_ref(&waiting));
    let muted = Some(LATER.after(Duration::from_secs(60)));
    let denied = decisions::Decision::Denied;
    assert!(waiting::decide(&memory, &ada, &waiting, &denied, muted, LATER).await.unwrap());
    assert_eq!(waiting::of_user(&memory, &ada, LATER).await.unwrap(), []);
    assert_eq!(waiting::begin(&memory, &ada, &waiting, LATER).await.unwrap(), waiting::Begun::Muted);
    assert_eq!(decisions::peek(&memory, decision).await.unwrap(), Some(denied));
}

#[tokio::test]
async fn an_admin_key() {
    let memory = Memory::new();
    let public_key = AdminPublicKey::parse("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
    let key = AdminKey {
        public_key,
        name: "CI".to_owned(),
        scopes: AdminScopes::new([AdminScope::ClientsWrite]),
        created_at: NOW,
        expires_at: LATER,
        created_by: public_key.id(),
    };
    assert!(admin_keys::create(&memory, &key).await.unwrap());
    evolve(&memory, Kind::AdminKey).await;
    assert!(!admin_keys::create(&memory, &key).await.unwrap(), "the key is there");
    let found = admin_keys::find(&memory, &public_key.id()).await.unwrap().unwrap();
    assert_eq!((&found.key, found.revoked_at), (&key, None));
    admin_keys::revoke(&memory, &public_key.id(), NOW).await.unwrap();
    admin_keys::revoke(&memory, &public_key.id(), LATER).await.unwrap();
    assert_kept(&memory, Kind::AdminKey);

    let listing = admin_keys::list(&memory, None, 10).await.unwrap();
    let revoked = admin_keys::StoredAdminKey { key, revoked_at: Some(NOW) };
    assert_eq!((listing.items, listing.unreadable), (vec![revoked.clone()], vec![]));
    assert_eq!(admin_keys::find(&memory, &public_key.id()).await.unwrap(), Some(revoked));
    let record = memory.snapshot().pop().unwrap();
    assert!(record.expires_at.unwrap() > LATER.after(Duration::from_secs(86_400)), "it stays in the listing");
}

/// The revocation of a key that is not there stores nothing.
#[tokio::test]
async fn an_unknown_admin_key_is_not_revoked() {
    let memory = Memory::new();
    let id = AdminPublicKey::parse("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap().id();
    admin_keys::revoke(&memory, &id, NOW).await.unwrap();
    assert_deleted(&memory, Kind::AdminKey);
    assert_eq!(admin_keys::find(&memory, &id).await.unwrap(), None);
}

async fn due(memory: &Memory, now: Timestamp) -> Vec<Result<DueSignOut, Unavailable>> {
    let due = sign_out::due(memory, now).await.into_iter();
    due.map(|due| match due? {
        DueWork::SignOut(due) => Ok(*due),
        other => panic!("{other:?}"),
    })
    .collect()
}

/// The note of an earlier version is read, and one of a later version too.
#[tokio::test]
async fn a_check_of_grants() {
    let memory = Memory::new();
    grant_checks::note(&memory, &sub("ada"), NOW).await.unwrap();
    grant_checks::note(&memory, &sub("ada"), LATER).await.unwrap();
    evolve(&memory, Kind::GrantCheck).await;
    let mut due = sign_out::due(&memory, LATER).await;
    let Some(Ok(DueWork::GrantCheck(check))) = due.pop() else { panic!("{due:?}") };
    assert_eq!((check.subject.clone(), due.len()), (sub("ada"), 0));
    assert!(check.end_excess(&memory, 100, LATER, "w").await.unwrap().is_empty());
    assert_deleted(&memory, Kind::GrantCheck);
}

#[tokio::test]
async fn a_sign_out() {
    let memory = Memory::new();
    sign_out::begin(&memory, &sub("ada"), None, NOW, "w0").await.unwrap();
    evolve(&memory, Kind::SignOut).await;
    let first = due(&memory, LATER).await.pop().unwrap().unwrap();
    assert_eq!(first.sign_out.subject, sub("ada"));
    sign_out::leftovers(&memory, &first.sign_out).await.unwrap().end(first, &memory, LATER, "w1").await.unwrap();
    assert_kept(&memory, Kind::SignOut);
    let last = NOW.after(Duration::from_secs(86_401));
    let due = due(&memory, last).await.pop().unwrap().unwrap();
    sign_out::leftovers(&memory, &due.sign_out).await.unwrap().end(due, &memory, last, "w2").await.unwrap();
    assert_deleted(&memory, Kind::SignOut);
}

/// Readable grants end. The sign-out stays, and is reported, until the others can be read.
#[tokio::test]
async fn leftovers_that_cannot_be_read_hold_up_no_others() {
    let memory = Memory::new();
    let broken = grants::new_id(&sub("ada"), [1; 16]);
    grants::create(&memory, broken, &grant(), &GrantState::issued("w0".to_owned()), LATER).await.unwrap();
    let record = memory.snapshot().pop().unwrap();
    memory.advance(&record.key, 0, r#"{"schema":9}"#, None).await.unwrap();
    let readable = grants::new_id(&sub("ada"), [2; 16]);
    grants::create(&memory, readable, &grant(), &GrantState::issued("w1".to_owned()), LATER).await.unwrap();
    sign_out::begin(&memory, &sub("ada"), None, NOW.after(Duration::from_secs(1)), "w2").await.unwrap();

    let due = due(&memory, LATER).await.pop().unwrap().unwrap();
    let leftovers = sign_out::leftovers(&memory, &due.sign_out).await.unwrap();
    assert_eq!(leftovers.clients().len(), 1);
    let reported = leftovers.end(due, &memory, LATER, "w3").await.unwrap_err();
    assert!(reported.reason.contains("grant#"), "{reported}");
    assert!(!grants::find(&memory, readable).await.unwrap().unwrap().state.accepts(&jti("jti"), LATER));
    assert_eq!(sign_out::due(&memory, LATER).await.len(), 1);
}

#[tokio::test]
async fn signing_keys() {
    let memory = Memory::new();
    signing_keys::create(&memory, "first".to_owned()).await.unwrap();
    evolve(&memory, Kind::Keys).await;
    let stored = signing_keys::find(&memory).await.unwrap().unwrap();
    assert_eq!(stored.keys, "first");
    let replaced = signing_keys::replace(&memory, &stored, "second").await.unwrap().unwrap();
    assert_eq!(replaced.keys, "second");
    assert_kept(&memory, Kind::Keys);
}

#[tokio::test]
async fn a_configuration() {
    let memory = Memory::new();
    let sections = |scope: &str| json!({ "resources": [{ "scopes": scope }] }).as_object().unwrap().clone();
    assert_eq!(configuration::replace(&memory, None, sections("read"), NOW).await.unwrap(), Replaced::Applied(1));
    evolve(&memory, Kind::Configuration).await;
    let stored = configuration::find(&memory).await.unwrap().unwrap();
    assert_eq!((stored.version, &stored.sections), (1, &sections("read")));
    let replaced = configuration::replace(&memory, Some(&stored), sections("write"), LATER).await.unwrap();
    assert_eq!(replaced, Replaced::Applied(2));
    assert_kept(&memory, Kind::Configuration);
    assert_eq!(configuration::find(&memory).await.unwrap().unwrap().sections, sections("write"));
}

#[tokio::test]
async fn a_logo() {
    let memory = Memory::new();
    let png = include_bytes!("../../../tests/fuzz/seeds/logo/png");
    let logo = Logo::parse(png.to_vec()).unwrap();
    let name = logo.name(&id("shop"));
    logos::put(&memory, &name, &logo).await.unwrap();
    evolve(&memory, Kind::Logo).await;
    assert_eq!(logos::find(&memory, &name).await.unwrap(), Some(logo.clone()));
    logos::put(&memory, &name, &logo).await.unwrap();
    assert_kept(&memory, Kind::Logo);
    logos::remove(&memory, &name).await.unwrap();
    assert_deleted(&memory, Kind::Logo);
}
