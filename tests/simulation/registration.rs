//! Registration, its management, and client assertions: round trips, quotas, expiry.

use crate::common::{PASSWORD, deployment};
use http::{Method, header};
use jose::{Algorithm, Jwk, SigningKey, platform, sign_jwt};
use latchkey_http::Response;
use protocol::ClientOrigin;
use serde_json::{Value, json};
use simulation::{Flow, ISSUER, Instance, T0, client_id, json_of, seed};
use std::sync::Arc;
use std::time::Duration;
use storage::Verb;
use storage::faults::{Fault, Faulty};
use storage::memory::Memory;

const OPEN: [(&str, &str); 2] =
    [("LATCHKEY_REGISTRATION", "open"), ("LATCHKEY_REGISTRATION_GRANTS", "authorization_code client_credentials")];

async fn instance(memory: &Arc<Memory>, settings: &[(&str, &str)]) -> Instance {
    seed(memory.as_ref(), "unused").await;
    Instance::start(memory.clone(), settings)
}

async fn send(instance: &Instance, method: Method, path: &str, token: Option<&str>, body: &Value) -> Response {
    let mut headers = vec![(header::CONTENT_TYPE, "application/json".to_owned())];
    headers.extend(token.map(|token| (header::AUTHORIZATION, format!("Bearer {token}"))));
    instance.send(method, path, &headers, body.to_string()).await
}

async fn register(instance: &Instance, token: Option<&str>, metadata: &Value) -> Response {
    send(instance, Method::POST, "/register", token, metadata).await
}

fn service(name: &str) -> Value {
    json!({ "client_name": name, "grant_types": ["client_credentials"], "scope": "openid" })
}

async fn credentials(instance: &Instance, document: &Value) -> Response {
    let text = |name: &str| document[name].as_str().unwrap().to_owned();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &text("client_id")),
        ("client_secret", &text("client_secret")),
    ];
    instance.post("/token", &form).await
}

#[tokio::test]
async fn an_assertion_takes_one_round_trip_and_a_failure_is_counted() {
    let memory = Arc::new(Memory::new());
    let instance = instance(&memory, &OPEN).await;
    let pair = platform().generate(Algorithm::ES256).await.unwrap();
    let signer = platform().signer(Algorithm::ES256, &pair.pkcs8).await.unwrap();
    let key = SigningKey::new("a", Algorithm::ES256, signer);
    let jwk = Jwk { kid: Some("a".to_owned()), ..Jwk::from(pair.public) };
    let mut metadata = service("by key");
    metadata["token_endpoint_auth_method"] = json!("private_key_jwt");
    metadata["jwks"] = json!({ "keys": [jwk] });
    let registered = json_of(&register(&instance, None, &metadata).await);
    let id = registered["client_id"].as_str().unwrap().to_owned();
    let mut trips = Vec::new();
    for (jti, forged) in [("1", false), ("2", false), ("3", false), ("3", false), ("4", true)] {
        let now = T0.as_secs();
        let claims = json!({ "iss": id, "sub": id, "aud": ISSUER, "jti": jti, "exp": now + 60 });
        let mut assertion = sign_jwt(&key, "JWT", &claims).await.unwrap();
        if forged {
            assertion = assertion.replacen("eyJ", "eyI", 1);
        }
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        let before = memory.counts().total();
        let status = instance.post("/token", &form).await.status.as_u16();
        trips.push((status, memory.counts().total() - before));
    }
    assert_eq!(trips[2], (200, 1), "a client that is known");
    assert_eq!(trips[3], (401, 2), "used before: the mark, and the count of failures");
    assert_eq!(trips[4], (401, 0), "malformed: nothing is verified");
}

#[tokio::test]
async fn registration_and_management_keep_to_their_round_trips() {
    let memory = Arc::new(Memory::new());
    let instance = instance(&memory, &OPEN).await;
    instance.warm().await;
    let count = || memory.counts().total();

    let before = count();
    let answer = register(&instance, None, &service("anybody's")).await;
    assert_eq!((answer.status.as_u16(), count() - before), (201, 4), "two quotas, the registration, the client");

    let secrets = &instance.context().secrets;
    let token = provider::initial_access_token(secrets, [1; 16], 1, T0.after(Duration::from_secs(60)));
    let before = count();
    let answer = register(&instance, Some(&token), &service("invited")).await;
    assert_eq!((answer.status.as_u16(), count() - before), (201, 4), "the token, the registration, the client");
    let document = json_of(&answer);
    let path = format!("/register/{}", document["client_id"].as_str().unwrap());
    let token = document["registration_access_token"].as_str();

    let before = count();
    let answer = send(&instance, Method::GET, &path, token, &json!(null)).await;
    assert_eq!((answer.status.as_u16(), count() - before), (200, 2), "read");

    let mut replacement = service("changed");
    replacement["client_id"] = document["client_id"].clone();
    let before = count();
    let answer = send(&instance, Method::PUT, &path, token, &replacement).await;
    assert_eq!((answer.status.as_u16(), count() - before), (200, 5), "replace");

    for forged in ["x", "lkg_x", document["client_secret"].as_str().unwrap()] {
        let before = count();
        let answer = send(&instance, Method::GET, &path, Some(forged), &json!(null)).await;
        assert_eq!((answer.status.as_u16(), count() - before), (401, 0), "forged");
    }

    let before = count();
    let answer = send(&instance, Method::DELETE, &path, token, &json!(null)).await;
    assert_eq!((answer.status.as_u16(), count() - before), (204, 4), "delete");
    assert_eq!(credentials(&instance, &document).await.status.as_u16(), 401);
}

#[tokio::test]
async fn registration_is_closed_unless_it_is_opened() {
    let memory = Arc::new(Memory::new());
    let closed = instance(&memory, &[]).await;
    assert_eq!(register(&closed, None, &service("x")).await.status.as_u16(), 403);
    let metadata = json_of(&closed.send(Method::GET, "/.well-known/openid-configuration", &[], String::new()).await);
    assert!(metadata.get("registration_endpoint").is_none());

    let by_token = Instance::start(memory.clone(), &[("LATCHKEY_REGISTRATION", "token")]);
    assert_eq!(register(&by_token, None, &service("x")).await.status.as_u16(), 401);
    let web = json!({ "redirect_uris": ["https://client.example/"] });
    let secrets = &by_token.context().secrets;
    let token = |until| provider::initial_access_token(secrets, [2; 16], 9, until);
    assert_eq!(register(&by_token, Some(&token(T0)), &web).await.status.as_u16(), 401, "expired");
    let good = token(T0.after(Duration::from_secs(1)));
    assert_eq!(register(&by_token, Some(&good), &web).await.status.as_u16(), 201);
    // Only the operator allows grants without a user.
    assert_eq!(register(&by_token, Some(&good), &service("x")).await.status.as_u16(), 400);

    let by_statement = Instance::start(memory, &[("LATCHKEY_REGISTRATION", "statement")]);
    assert_eq!(register(&by_statement, None, &web).await.status.as_u16(), 401);
}

#[tokio::test]
async fn quotas_hold_for_an_hour() {
    let memory = Arc::new(Memory::new());
    let settings = [OPEN[0], OPEN[1], ("LATCHKEY_REGISTRATIONS_PER_ADDRESS", "2")];
    let mut instance = instance(&memory, &settings).await;
    for status in [201, 201, 429, 429] {
        assert_eq!(register(&instance, None, &service("x")).await.status.as_u16(), status);
    }
    let refused = register(&instance, None, &service("x")).await;
    let wait: u64 = refused.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((3601..=4501).contains(&wait), "at least the rest of the window: {wait}");
    instance.wait(Duration::from_secs(3600));
    assert_eq!(register(&instance, None, &service("x")).await.status.as_u16(), 201);
}

/// The settings of open registration with these quotas, per network and in total.
fn quotas<'a>(per_network: &'a str, in_total: &'a str) -> [(&'a str, &'a str); 4] {
    [
        OPEN[0],
        OPEN[1],
        ("LATCHKEY_REGISTRATIONS_PER_ADDRESS", per_network),
        ("LATCHKEY_REGISTRATIONS_IN_TOTAL", in_total),
    ]
}

/// Registers confidential clients from an address. Returns the number that was accepted.
async fn register_from(instance: &mut Instance, address: &str, number: usize) -> usize {
    instance.address = address.parse().unwrap();
    let mut accepted = 0;
    for index in 0..number {
        let answer = register(instance, None, &service(&format!("{address} {index}"))).await;
        match answer.status.as_u16() {
            201 => accepted += 1,
            429 => assert!(answer.headers.contains_key(header::RETRY_AFTER)),
            other => panic!("{address}: {other}"),
        }
    }
    accepted
}

/// A site has a /48 of IPv6, with 65,536 networks. They share four times the quota of one.
#[tokio::test]
async fn the_networks_of_a_site_share_a_quota() {
    let memory = Arc::new(Memory::new());
    let mut instance = instance(&memory, &quotas("5", "10000")).await;
    let mut accepted = 0;
    for network in 0..10 {
        accepted += register_from(&mut instance, &format!("2001:db8:1:{network:x}::1"), 5).await;
    }
    assert_eq!(accepted, 20);
    assert_eq!(register_from(&mut instance, "2001:db8:1:ffff::1", 1).await, 0, "a network that the site has not used");
    assert_eq!(register_from(&mut instance, "2001:db8:2:1::1", 9).await, 5, "another site");
    assert_eq!(register_from(&mut instance, "192.0.2.1", 9).await, 5, "an IPv4 address has no site");
    instance.wait(Duration::from_secs(3600));
    assert_eq!(register_from(&mut instance, "2001:db8:1:ffff::1", 9).await, 5);
}

/// Networks that use up the total leave a quarter of it to networks that register their first client of the hour, and stop
/// registration for a quarter of an hour at most.
#[tokio::test]
async fn a_quarter_of_the_total_is_kept_for_new_networks() {
    let memory = Arc::new(Memory::new());
    // 80 an hour are 20 in each quarter of an hour, 5 of which are kept.
    let mut instance = instance(&memory, &quotas("60", "80")).await;
    assert_eq!(register_from(&mut instance, "192.0.2.1", 60).await, 15);
    for host in 2..7 {
        assert_eq!(register_from(&mut instance, &format!("192.0.2.{host}"), 2).await, 1, "{host}");
    }
    assert_eq!(register_from(&mut instance, "192.0.2.7", 1).await, 0, "nothing is left");
    instance.wait(Duration::from_secs(900));
    assert_eq!(register_from(&mut instance, "192.0.2.7", 3).await, 3);
}

/// A registration that one quota refuses is counted by none.
#[tokio::test]
async fn refused_registrations_use_up_nothing() {
    let memory = Arc::new(Memory::new());
    let mut instance = instance(&memory, &quotas("5", "80")).await;
    assert_eq!(register_from(&mut instance, "192.0.2.1", 200).await, 5);
    for host in 2..4 {
        assert_eq!(register_from(&mut instance, &format!("192.0.2.{host}"), 5).await, 5, "{host}");
    }
}

#[tokio::test]
async fn a_client_that_is_not_used_is_forgotten() {
    let memory = Arc::new(Memory::new());
    let mut instance = instance(&memory, &OPEN).await;
    let (used, unused) = (
        json_of(&register(&instance, None, &service("used")).await),
        json_of(&register(&instance, None, &service("unused")).await),
    );
    assert_eq!(credentials(&instance, &used).await.status.as_u16(), 200);
    instance.wait(Duration::from_secs(604_801));
    assert_eq!(credentials(&instance, &used).await.status.as_u16(), 200);
    assert_eq!(credentials(&instance, &unused).await.status.as_u16(), 401);
}

async fn administer(instance: &Instance, method: Method, client_id: &str, body: &Value) -> u16 {
    let path = format!("/admin/clients/{client_id}");
    instance.administer(method, &path, body.to_string()).await.status.as_u16()
}

/// Reads, replaces and deletes a client with a registration access token. Returns the statuses.
async fn look_after(instance: &Instance, document: &Value) -> [u16; 3] {
    let (id, token) = (document["client_id"].as_str().unwrap(), document["registration_access_token"].as_str());
    let mut replacement = service("mine");
    replacement["client_id"] = json!(id);
    let mut statuses = [0; 3];
    let calls = [(Method::GET, json!(null)), (Method::PUT, replacement), (Method::DELETE, json!(null))];
    for (status, (method, body)) in statuses.iter_mut().zip(calls) {
        *status = send(instance, method, &format!("/register/{id}"), token, &body).await.status.as_u16();
    }
    statuses
}

/// After any deletion of a registered client, even a partial one, the old registration cannot manage the operator's
/// client of the same name.
#[tokio::test]
async fn a_registration_says_nothing_of_a_later_client_of_its_name() {
    let deletions = [(Verb::Advance, Fault::None), (Verb::Advance, Fault::After), (Verb::Delete, Fault::After)];
    for (verb, fault) in deletions {
        let memory = Arc::new(Memory::new());
        let mut sound = instance(&memory, &OPEN).await;
        let document = json_of(&register(&sound, None, &service("mine")).await);
        let id = document["client_id"].as_str().unwrap();
        sound.wait(Duration::from_millis(1));
        let mut faulty = Instance::start(Arc::new(Faulty::at(memory.clone(), verb, 1, fault.clone())), &OPEN);
        faulty.now = sound.now;
        administer(&faulty, Method::DELETE, id, &json!(null)).await;
        assert!(matches!(administer(&sound, Method::DELETE, id, &json!(null)).await, 204 | 404));
        assert_eq!(administer(&sound, Method::PUT, id, &service("the operator's")).await, 201);
        assert_eq!(look_after(&sound, &document).await, [401, 401, 401]);
        assert_eq!(administer(&sound, Method::GET, id, &json!(null)).await, 200);
    }
    // The operator's client exists, and the registration looks as if it had never ended.
    let memory = Arc::new(Memory::new());
    let mut sound = instance(&memory, &OPEN).await;
    let document = json_of(&register(&sound, None, &service("mine")).await);
    let id = document["client_id"].as_str().unwrap();
    storage::clients::remove(memory.as_ref(), &client_id(id)).await.unwrap();
    sound.wait(Duration::from_millis(1));
    assert_eq!(administer(&sound, Method::PUT, id, &service("the operator's")).await, 201);
    assert_eq!(look_after(&sound, &document).await, [401, 401, 401]);
    assert_eq!(administer(&sound, Method::GET, id, &json!(null)).await, 200);
}

/// A registered client keeps managing itself after a change by the operator.
#[tokio::test]
async fn a_client_that_the_operator_changed_still_looks_after_itself() {
    let memory = Arc::new(Memory::new());
    let mut instance = instance(&memory, &OPEN).await;
    let document = json_of(&register(&instance, None, &service("mine")).await);
    instance.wait(Duration::from_secs(9));
    let id = document["client_id"].as_str().unwrap();
    assert_eq!(administer(&instance, Method::PUT, id, &service("renamed")).await, 200);
    assert_eq!(look_after(&instance, &document).await, [200, 200, 204]);
}

/// The name of an expired registration whose record still exists is free for the operator's client.
#[tokio::test]
async fn a_forgotten_client_leaves_nothing_to_the_next_of_its_name() {
    let memory = Arc::new(Memory::new());
    let mut instance = instance(&memory, &OPEN).await;
    let document = json_of(&register(&instance, None, &service("mine")).await);
    let id = document["client_id"].as_str().unwrap();
    instance.wait(Duration::from_secs(604_801));
    assert_eq!(look_after(&instance, &document).await, [401, 401, 401]);
    assert_eq!(administer(&instance, Method::PUT, id, &service("the operator's")).await, 201);
    assert_eq!(credentials(&instance, &document).await.status.as_u16(), 401);
    assert_eq!(look_after(&instance, &document).await, [401, 401, 401]);
}

/// Wherever a deletion breaks off, the client can no longer be read or changed, and the same request completes the deletion.
#[tokio::test]
async fn a_deletion_that_broke_off_is_finished() {
    for (verb, fault, again) in [
        (Verb::Advance, Fault::Before, 204),
        (Verb::Advance, Fault::After, 204),
        (Verb::Delete, Fault::Before, 204),
        (Verb::Delete, Fault::After, 401),
    ] {
        let memory = Arc::new(Memory::new());
        let sound = instance(&memory, &OPEN).await;
        let document = json_of(&register(&sound, None, &service("mine")).await);
        let path = format!("/register/{}", document["client_id"].as_str().unwrap());
        let token = document["registration_access_token"].as_str();
        let faulty = Instance::start(Arc::new(Faulty::at(memory.clone(), verb, 1, fault.clone())), &OPEN);
        let answer = send(&faulty, Method::DELETE, &path, token, &json!(null)).await;
        assert_eq!(answer.status.as_u16(), 503);
        let has_begun = !matches!((verb, fault), (Verb::Advance, Fault::Before));
        let read = send(&sound, Method::GET, &path, token, &json!(null)).await;
        assert_eq!(read.status.as_u16(), if has_begun { 401 } else { 200 });
        let answer = send(&sound, Method::DELETE, &path, token, &json!(null)).await;
        assert_eq!(answer.status.as_u16(), again);
        assert_eq!(credentials(&sound, &document).await.status.as_u16(), 401);
    }
}

/// A shared client that the operator replaced is returned to no further caller.
#[tokio::test]
async fn a_shared_client_is_not_the_operators_of_the_same_name() {
    let memory = Arc::new(Memory::new());
    let mut instance = instance(&memory, &OPEN).await;
    let public = json!({ "redirect_uris": ["https://client.example/"], "token_endpoint_auth_method": "none" });
    let first = json_of(&register(&instance, None, &public).await);
    assert_eq!(json_of(&register(&instance, None, &public).await)["client_id"], first["client_id"]);
    let id = first["client_id"].as_str().unwrap();
    storage::clients::remove(memory.as_ref(), &client_id(id)).await.unwrap();
    instance.wait(Duration::from_secs(1));
    assert_eq!(administer(&instance, Method::PUT, id, &service("the operator's")).await, 201);
    let next = json_of(&register(&instance, None, &public).await);
    assert_ne!(next["client_id"], first["client_id"]);
    assert_eq!(json_of(&register(&instance, None, &public).await)["client_id"], next["client_id"]);
}

fn public(name: &str) -> Value {
    json!({
        "client_name": name,
        "redirect_uris": ["https://app.example/cb"],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code"],
        "scope": "openid",
    })
}

/// A registration that finds its client costs one call, counts against no quota, and writes the client at most twice in its
/// lifetime: no key is hot.
#[tokio::test]
async fn a_shared_client_costs_one_call_and_no_quota() {
    let memory = Arc::new(Memory::new());
    let settings = [OPEN[0], OPEN[1], ("LATCHKEY_REGISTRATIONS_PER_ADDRESS", "1")];
    let mut instance = instance(&memory, &settings).await;
    instance.warm().await;
    memory.reset();
    assert_eq!(register(&instance, None, &public("app")).await.status.as_u16(), 201);
    let counts = memory.counts();
    assert_eq!((counts.get, counts.count, counts.create, counts.total()), (1, 2, 1, 4), "the first");
    assert_eq!(register(&instance, None, &public("other")).await.status.as_u16(), 429, "the quota is used up");
    for (wait, calls, what) in [
        (0, 1, "again"),
        (302_400, 1, "half of the lifetime is left"),
        (1, 3, "less than half is left: extended"),
        (0, 1, "extended already"),
        (302_401, 3, "extended again"),
    ] {
        instance.wait(Duration::from_secs(wait));
        instance.warm().await;
        memory.reset();
        assert_eq!(register(&instance, None, &public("app")).await.status.as_u16(), 201, "{what}");
        assert_eq!(memory.counts().total(), calls, "{what}: {:?}", memory.counts());
    }
}

/// Returns the status of an authorization request of a client, in a browser without a session.
async fn asks(instance: &Instance, id: &str) -> u16 {
    let url = Flow::authorize_url("openid").replace("client_id=spa", &format!("client_id={id}"));
    Flow::default().get(instance, &url).await.status.as_u16()
}

/// A 201 promises half of the lifetime at least, and a code the lifetime of its grant; unused, the client expires.
#[tokio::test]
async fn registrations_and_codes_extend_the_life_of_a_shared_client() {
    let memory = Arc::new(Memory::new());
    let week = 604_800;
    deployment(memory.clone()).await;
    let mut instance = Instance::start(memory.clone(), &OPEN);
    let document = json_of(&register(&instance, None, &public("app")).await);
    let id = document["client_id"].as_str().unwrap();
    instance.wait(Duration::from_secs(week - 15));
    assert_eq!(json_of(&register(&instance, None, &public("app")).await)["client_id"], document["client_id"]);
    instance.wait(Duration::from_secs(week - 1));
    assert_eq!(asks(&instance, id).await, 303, "a registration 15 seconds before the end extends the life");

    // A code in the last second.
    let url = Flow::authorize_url("openid").replace("client_id=spa", &format!("client_id={id}"));
    let mut browser = Flow::default();
    memory.reset();
    browser.code_of(&instance, &url, PASSWORD).await;
    let first = memory.counts();
    instance.wait(Duration::from_secs(61));
    assert_eq!(asks(&instance, id).await, 303, "the code extended it");
    memory.reset();
    Flow::default().code_of(&instance, &url, PASSWORD).await;
    assert_eq!(first.advance - memory.counts().advance, 1, "the second code writes no client: {first:?}");
    // Grants may live for 90 days, so the client does, too.
    instance.wait(Duration::from_secs(90 * 86_400));
    assert_eq!(asks(&instance, id).await, 303);
    instance.wait(Duration::from_secs(91 * 86_400));
    assert_eq!(asks(&instance, id).await, 400, "unused, it expires");
    let again = json_of(&register(&instance, None, &public("app")).await);
    assert_eq!(again["client_id"], document["client_id"]);
    assert_ne!(again["registration_access_token"], document["registration_access_token"]);
    let path = format!("/register/{id}");
    let status = |token: &Value| {
        let token = token.as_str().unwrap().to_owned();
        let (instance, path) = (&instance, &path);
        async move { send(instance, Method::GET, path, Some(&token), &json!(null)).await.status.as_u16() }
    };
    assert_eq!(status(&document["registration_access_token"]).await, 401, "of the client that expired");
    assert_eq!(status(&again["registration_access_token"]).await, 200);
}

/// Wherever the last use of an initial access token breaks off, the same request later returns the client, which works.
#[tokio::test]
async fn an_initial_access_token_is_not_lost_with_an_answer() {
    for (nth, fault) in (1..=3).flat_map(|nth| [(nth, Fault::Before), (nth, Fault::After)]) {
        let memory = Arc::new(Memory::new());
        let mut sound = instance(&memory, &OPEN).await;
        let mut faulty = Instance::start(Arc::new(Faulty::at(memory.clone(), Verb::Create, nth, fault)), &OPEN);
        let until = T0.after(Duration::from_secs(60));
        let token = provider::initial_access_token(&sound.context().secrets, [1; 16], 1, until);
        let answer = register(&faulty, Some(&token), &service("invited")).await;
        assert_eq!(answer.status.as_u16(), 503, "the first use, the registration, the client: {nth}");
        for instance in [&mut sound, &mut faulty] {
            instance.wait(protocol::RACE + Duration::from_millis(1));
        }
        let first = json_of(&register(&faulty, Some(&token), &service("invited")).await);
        let again = json_of(&register(&sound, Some(&token), &service("invited")).await);
        assert_eq!(credentials(&sound, &first).await.status.as_u16(), 200, "{nth}: {first}");
        let other = register(&sound, Some(&token), &service("another")).await;
        assert_eq!(other.status.as_u16(), 401);
        sound.wait(protocol::RACE + Duration::from_millis(1));
        let later = json_of(&register(&sound, Some(&token), &service("invited")).await);
        assert_eq!(later, first, "{nth}: {again}");
        assert_eq!(look_after(&sound, &first).await, [200, 200, 204], "{nth}");
    }
}

/// A deleted client cannot be created again with its initial access token and its metadata, nor with an old
/// registration.
#[tokio::test]
async fn a_deleted_client_is_not_registered_again_by_a_replay() {
    for by_operator in [false, true] {
        for fault in [Fault::None, Fault::Before, Fault::After] {
            let memory = Arc::new(Memory::new());
            let mut sound = instance(&memory, &OPEN).await;
            let until = T0.after(Duration::from_secs(60));
            let token = provider::initial_access_token(&sound.context().secrets, [1; 16], 1, until);
            let document = json_of(&register(&sound, Some(&token), &service("invited")).await);
            sound.wait(protocol::RACE + Duration::from_millis(1));
            let again = json_of(&register(&sound, Some(&token), &service("invited")).await);
            assert_eq!(again, document);
            let has_begun = Faulty::at(memory.clone(), Verb::Delete, 1, fault);
            let mut faulty = Instance::start(Arc::new(has_begun), &OPEN);
            faulty.now = sound.now;
            let id = document["client_id"].as_str().unwrap();
            if by_operator {
                administer(&faulty, Method::DELETE, id, &json!(null)).await;
            } else {
                let token = document["registration_access_token"].as_str();
                send(&faulty, Method::DELETE, &format!("/register/{id}"), token, &json!(null)).await;
            }
            sound.wait(Duration::from_secs(1));
            assert_eq!(register(&sound, Some(&token), &service("invited")).await.status.as_u16(), 401);
        }
    }
}

/// RFC 7591 §3, RFC 9700 §4.11.2: the stored client says who vouches for it. A change by the operator does not change that.
#[tokio::test]
async fn the_origin_of_a_client_is_stored() {
    let pair = platform().generate(Algorithm::ES256).await.unwrap();
    let signer = platform().signer(Algorithm::ES256, &pair.pkcs8).await.unwrap();
    let key = SigningKey::new("a", Algorithm::ES256, signer);
    let jwk = Jwk { kid: Some("a".to_owned()), ..Jwk::from(pair.public) };
    let publisher = "https://publisher.example";
    let issuers = json!([{ "issuer": publisher, "jwks": { "keys": [jwk] } }]).to_string();
    let memory = Arc::new(Memory::new());
    let settings = [OPEN[0], OPEN[1], ("LATCHKEY_SOFTWARE_STATEMENT_ISSUERS", issuers.as_str())];
    let instance = instance(&memory, &settings).await;
    let claims = json!({ "iss": publisher, "iat": T0.as_secs(), "exp": T0.as_secs() + 60, "software_id": "shop" });
    let statement = sign_jwt(&key, "JWT", &claims).await.unwrap();
    let token =
        provider::initial_access_token(&instance.context().secrets, [1; 16], 1, T0.after(Duration::from_secs(60)));
    let mut stated = service("stated");
    stated["software_statement"] = json!(statement);

    for (token, metadata, origin) in [
        (None, service("open"), ClientOrigin::OpenRegistration),
        (None, stated, ClientOrigin::SoftwareStatement),
        (Some(token.as_str()), service("invited"), ClientOrigin::InitialAccessToken),
    ] {
        let document = json_of(&register(&instance, token, &metadata).await);
        let id = document["client_id"].as_str().unwrap_or_else(|| panic!("{document}"));
        let stored = || async { storage::clients::find(memory.as_ref(), &client_id(id)).await.unwrap().unwrap() };
        assert_eq!(stored().await.origin, origin);
        assert_eq!(administer(&instance, Method::PUT, id, &service("renamed")).await, 200);
        assert_eq!((stored().await.origin, stored().await.client.client_name.as_deref()), (origin, Some("renamed")));
    }
    assert_eq!(administer(&instance, Method::PUT, "own", &service("own")).await, 201);
    let own = storage::clients::find(memory.as_ref(), &client_id("own")).await.unwrap().unwrap();
    assert_eq!(own.origin, ClientOrigin::Operator);
}

/// The settings of open registration with limits per network and per software.
fn software_limits<'a>(per_network: &'a str, per_software: &'a str) -> [(&'a str, &'a str); 5] {
    [
        OPEN[0],
        OPEN[1],
        ("LATCHKEY_REGISTRATIONS_PER_ADDRESS", per_network),
        ("LATCHKEY_REGISTRATIONS_PER_SOFTWARE", per_software),
        ("LATCHKEY_REGISTRATION_HOSTS", "known hosted.example"),
    ]
}

fn web_at(name: &str, hosts: &[&str]) -> Value {
    let uris: Vec<String> = hosts.iter().map(|host| format!("https://{host}/callback")).collect();
    json!({ "client_name": name, "redirect_uris": uris, "grant_types": ["authorization_code"] })
}

/// Registers clients at these redirect hosts. Returns the number that was accepted.
async fn register_at(instance: &Instance, hosts: &[&str], number: usize) -> usize {
    let mut accepted = 0;
    for index in 0..number {
        let answer = register(instance, None, &web_at(&format!("{hosts:?} {index}"), hosts)).await;
        accepted += usize::from(answer.status.as_u16() == 201);
    }
    accepted
}

/// The servers of a hosted client register the clients of all users from few addresses.
#[tokio::test]
async fn a_listed_host_has_a_limit_beside_that_of_the_address() {
    let memory = Arc::new(Memory::new());
    let instance = instance(&memory, &software_limits("2", "40")).await;
    // Ten in each quarter of an hour by the host, then two by the address.
    assert_eq!(register_at(&instance, &["claude.ai"], 20).await, 12);
    assert_eq!(register_at(&instance, &["hosted.example"], 20).await, 10, "each host by itself");
    for hosts in
        [&["other.example"][..], &["claude.ai", "evil.example"], &["claude.ai.evil.example"], &["sub.claude.ai"]]
    {
        assert_eq!(register_at(&instance, hosts, 3).await, 0, "{hosts:?}: only clients of one listed host");
    }
}

/// Anyone can name a redirect host. An attacker who uses up its limit leaves its users the limits of their own networks, and costs
/// no other client anything.
#[tokio::test]
async fn the_limit_of_a_host_blocks_no_user_of_the_host() {
    let memory = Arc::new(Memory::new());
    let mut instance = instance(&memory, &software_limits("3", "40")).await;
    instance.address = "192.0.2.1".parse().unwrap();
    assert_eq!(register_at(&instance, &["claude.ai"], 100).await, 13, "the attacker");
    for user in ["198.51.100.1", "198.51.100.2"] {
        instance.address = user.parse().unwrap();
        assert_eq!(register_at(&instance, &["claude.ai"], 5).await, 3, "a user of the host");
    }
    instance.address = "198.51.100.3".parse().unwrap();
    assert_eq!(register_at(&instance, &["app.example"], 5).await, 3, "another client");
    instance.wait(Duration::from_secs(900));
    assert_eq!(register_at(&instance, &["claude.ai"], 20).await, 10, "the next quarter of an hour");
}

/// The limit of a host costs one call, and its counter is one of many.
#[tokio::test]
async fn the_counter_of_a_host_has_many_keys() {
    let counted = Arc::new(std::sync::Mutex::new(std::collections::BTreeMap::<String, usize>::new()));
    let of_calls = counted.clone();
    let memory = Arc::new(Memory::new());
    seed(memory.as_ref(), "unused").await;
    let records = Faulty::new(memory, move |call| {
        if call.verb == Verb::Count {
            *of_calls.lock().unwrap().entry(call.name.to_owned()).or_default() += 1;
        }
        Fault::None
    });
    let instance = Instance::start(Arc::new(records), &software_limits("1", "4000"));
    assert_eq!(register_at(&instance, &["claude.ai"], 200).await, 200);
    let counted = counted.lock().unwrap();
    assert_eq!(counted.values().sum::<usize>(), 200, "one call for each registration");
    assert!(counted.values().all(|calls| *calls <= 20), "{counted:?}");
}

/// RFC 7591 §2.3: a statement is in each copy of the software, so it is no secret. Its registrations are limited by software, and one
/// site cannot use them up.
#[tokio::test]
async fn a_statement_that_leaked_is_limited_by_its_software() {
    let pair = platform().generate(Algorithm::ES256).await.unwrap();
    let signer = platform().signer(Algorithm::ES256, &pair.pkcs8).await.unwrap();
    let key = SigningKey::new("s", Algorithm::ES256, signer);
    let jwk = Jwk { kid: Some("s".to_owned()), ..Jwk::from(pair.public) };
    let issuers = json!([{ "issuer": "https://software.example", "jwks": { "keys": [jwk] } }]).to_string();
    let settings = [
        ("LATCHKEY_REGISTRATION", "statement"),
        ("LATCHKEY_SOFTWARE_STATEMENT_ISSUERS", issuers.as_str()),
        ("LATCHKEY_REGISTRATIONS_PER_SOFTWARE", "40"),
        ("LATCHKEY_REGISTRATIONS_PER_ADDRESS", "1"),
    ];
    let memory = Arc::new(Memory::new());
    let mut instance = instance(&memory, &settings).await;
    let mut accepted = Vec::new();
    for (address, software, number) in [
        ("192.0.2.1", "a", 20),
        ("192.0.2.2", "a", 5),
        ("192.0.2.2", "a", 5),
        ("192.0.2.3", "a", 5),
        ("192.0.2.1", "b", 20),
    ] {
        instance.address = address.parse().unwrap();
        let claims = json!({ "iss": "https://software.example", "software_id": software, "redirect_uris": ["https://a.example/"] });
        let statement = sign_jwt(&key, "JWT", &claims).await.unwrap();
        let mut of_this = 0;
        for index in 0..number {
            let metadata = json!({ "client_name": format!("{address} {index}"), "software_statement": statement });
            of_this += usize::from(register(&instance, None, &metadata).await.status.as_u16() == 201);
        }
        accepted.push(of_this);
    }
    // Ten in a quarter of an hour, three of them for the first registration of a network.
    assert_eq!(accepted, [8, 1, 0, 1, 8]);
}

/// RFC 7591 §3.2.1: a deployment that wants public clients answers `none`, and drops the grants that public clients may not use.
#[tokio::test]
async fn a_deployment_can_make_every_client_public() {
    let memory = Arc::new(Memory::new());
    let settings = [OPEN[0], OPEN[1], ("LATCHKEY_REGISTRATION_PUBLIC", "true")];
    let instance = instance(&memory, &settings).await;
    for method in [
        json!(null),
        json!("client_secret_basic"),
        json!("client_secret_post"),
        json!("client_secret_jwt"),
        json!("none"),
    ] {
        let mut metadata = web_at("app", &["app.example"]);
        metadata["grant_types"] = json!(["authorization_code", "client_credentials"]);
        metadata["token_endpoint_auth_method"] = method.clone();
        let answer = register(&instance, None, &metadata).await;
        assert_eq!(answer.status.as_u16(), 201, "{method}");
        let registered = json_of(&answer);
        assert_eq!(registered["token_endpoint_auth_method"], "none", "{method}");
        assert_eq!(registered["grant_types"], json!(["authorization_code"]), "{method}");
        assert!(registered.get("client_secret").is_none(), "{method}");
    }
    let pair = platform().generate(Algorithm::ES256).await.unwrap();
    let mut by_key = web_at("by key", &["app.example"]);
    by_key["token_endpoint_auth_method"] = json!("private_key_jwt");
    by_key["jwks"] = json!({ "keys": [Jwk { kid: Some("k".to_owned()), ..Jwk::from(pair.public) }] });
    let registered = json_of(&register(&instance, None, &by_key).await);
    assert_eq!(
        registered["token_endpoint_auth_method"], "private_key_jwt",
        "its own keys are no secret of this server"
    );
    assert_eq!(register(&instance, None, &service("machine")).await.status.as_u16(), 400, "nothing usable is left");
}
