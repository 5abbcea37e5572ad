//! Limits of requests that cost the store a call before anyone is authenticated: wrong client secrets (RFC 6749 §2.3.1), wrong
//! tokens of administrators, requests of public clients, guesses of passwords.

use crate::common::deployment;
use async_trait::async_trait;
use futures::future::join_all;
use http::{Method, header};
use latchkey_http::Response;
use platform::fetch::{Outgoing, Transport};
use platform::{FetchError, Fetched, Fetcher};
use protocol::ClientAuthenticationMethod;
use protocol::rate_limit::{Limit, Quota};
use serde_json::json;
use simulation::{Flow, Instance, client_id, json_of};
use std::sync::Arc;
use std::time::Duration;
use storage::faults::{self, Fault, Faulty};
use storage::memory::Memory;
use storage::{Kind, clients};
use types::remote_url::EgressPolicy;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const ADDRESSES: [[u8; 4]; 2] = [[192, 0, 2, 1], [192, 0, 2, 2]];

fn size(most: u32) -> usize {
    usize::try_from(most).unwrap()
}

fn status(response: &Response) -> u16 {
    response.status.as_u16()
}

/// Sends the secret of the client `service` to an endpoint.
async fn authenticate(instance: &Instance, path: &str, secret: &str) -> Response {
    let form =
        [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", secret), ("token", "x")];
    instance.post(path, &form).await
}

/// Uses up the allowance of the client `service` in this network.
async fn fail_often(instance: &Instance) {
    for _ in 0..Quota::CLIENT_AUTHENTICATION.most {
        assert_eq!(status(&authenticate(instance, "/token", "wrong").await), 401);
    }
    let refused = authenticate(instance, "/token", "wrong").await;
    assert_eq!(status(&refused), 429);
    let wait: u64 = refused.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=76).contains(&wait), "{wait}");
}

#[tokio::test]
async fn wrong_secrets_are_limited_per_client_and_network() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    assert_eq!(status(&authenticate(&instance, "/token", "secret").await), 200);
    let before = memory.counts().total();
    assert_eq!(status(&authenticate(&instance, "/token", "wrong").await), 401);
    assert_eq!(memory.counts().total() - before, 1, "a failure is counted");
    for _ in 1..Quota::CLIENT_AUTHENTICATION.most {
        authenticate(&instance, "/token", "wrong").await;
    }
    assert_eq!(status(&authenticate(&instance, "/token", "wrong").await), 429);

    // This instance refuses the client from this network at every endpoint, without a call.
    let before = memory.counts().total();
    for path in ["/token", "/par", "/device_authorization", "/introspect", "/revoke"] {
        for secret in ["wrong", "secret"] {
            assert_eq!(status(&authenticate(&instance, path, secret).await), 429, "{path} {secret}");
        }
    }
    // Other clients of the network, and the client in another network, are not concerned.
    let form = [("grant_type", "client_credentials"), ("client_id", "opaque"), ("client_secret", "secret")];
    instance.post("/token", &form).await;
    let before_others = memory.counts().total();
    assert_eq!(status(&instance.post("/token", &form).await), 200);
    instance.address = ADDRESSES[1].into();
    for _ in 0..40 {
        assert_eq!(status(&authenticate(&instance, "/token", "secret").await), 200);
    }
    assert_eq!(memory.counts().total(), before_others, "right secrets cost nothing");
    assert!(before_others - before <= 1, "one read of the other client");

    instance.address = ADDRESSES[0].into();
    instance.wait(Duration::from_secs(60));
    assert_eq!(status(&authenticate(&instance, "/token", "secret").await), 200);
}

/// Another instance learns of the limit by the first failure that it counts, and then refuses without a call.
#[tokio::test]
async fn instances_share_the_count_of_wrong_secrets() {
    let memory = Arc::new(Memory::new());
    let first = deployment(memory.clone()).await;
    fail_often(&first).await;
    let second = Instance::start(memory.clone(), &[]);
    assert_eq!(status(&authenticate(&second, "/token", "wrong").await), 429);
    let before = memory.counts().total();
    for secret in ["wrong", "secret"] {
        assert_eq!(status(&authenticate(&second, "/token", secret).await), 429);
    }
    assert_eq!(memory.counts().total(), before);
}

#[tokio::test]
async fn wrong_secrets_at_the_same_moment_are_cut_to_the_limit() {
    let memory = Arc::new(Memory::new());
    let delays = Fault::Delay(faults::turns(3));
    let instance = deployment(Arc::new(Faulty::new(memory.clone(), move |_| delays.clone()))).await;
    authenticate(&instance, "/token", "secret").await;
    let before = memory.counts().total();
    let responses = join_all((0..500).map(|_| authenticate(&instance, "/token", "wrong"))).await;
    let judged = responses.iter().filter(|response| status(response) == 401).count();
    assert_eq!(judged, size(Quota::CLIENT_AUTHENTICATION.most));
    assert!(responses.iter().all(|response| [401, 429].contains(&status(response))));
    assert!(memory.counts().total() - before <= u64::from(Quota::CLIENT_AUTHENTICATION.most) + 2);
}

/// The transport of a host that does not answer.
struct Dead;

#[async_trait]
impl Transport for Dead {
    async fn send(&self, _: &Outgoing) -> Result<Fetched, FetchError> {
        Err(FetchError::TimedOut)
    }
}

/// A set of keys that cannot be fetched says nothing about the client: it is no guess, and its network is not shut out.
#[tokio::test]
async fn keys_that_cannot_be_fetched_count_as_no_failure() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    instance.context_mut().fetch = Arc::new(Fetcher::over(Box::new(Dead), EgressPolicy::Loopback));
    let mut stored = clients::find(memory.as_ref(), &client_id("service")).await.unwrap().unwrap();
    stored.client.token_endpoint_auth_method = ClientAuthenticationMethod::PrivateKeyJwt;
    stored.client.jwks_uri = Some("https://dead.example/jwks".to_owned());
    stored.secrets.clear();
    clients::save(memory.as_ref(), &stored).await.unwrap();
    let signer = suite::Signer::new("ES256", "k");
    let now = simulation::T0.as_secs();
    for number in 0..2 * Quota::CLIENT_AUTHENTICATION.most {
        let claims = json!({
            "iss": "service", "sub": "service", "aud": simulation::ISSUER, "jti": number.to_string(), "exp": now + 60,
        });
        let assertion = signer.sign(&claims);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        let answer = instance.post("/token", &form).await;
        assert_eq!((status(&answer), json_of(&answer)["error"].as_str()), (401, Some("invalid_client")), "{number}");
        instance.wait(Duration::from_millis(1));
    }
    assert_eq!(memory.counts().count, 0);
}

/// An unknown client and a public one have nothing to guess: failures write nothing.
#[tokio::test]
async fn where_nothing_can_be_guessed_nothing_is_counted() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    for client_id in ["no-such-client", "spa", "service"] {
        for _ in 0..100 {
            let mut form = vec![("grant_type", "refresh_token"), ("client_id", client_id), ("refresh_token", "x")];
            if client_id != "service" {
                form.push(("client_secret", "wrong"));
            }
            assert_eq!(status(&instance.post("/token", &form).await), 401, "{client_id}");
        }
    }
    assert!(!memory.snapshot().iter().any(|record| record.key.is(Kind::Counter)));
    assert_eq!(memory.counts().count, 0);
}

async fn push(instance: &Instance) -> Response {
    let form = [
        ("client_id", "spa"),
        ("response_type", "code"),
        ("redirect_uri", "https://app.example/cb"),
        ("scope", "openid"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    instance.post("/par", &form).await
}

async fn start_device(instance: &Instance) -> Response {
    instance.post("/device_authorization", &[("client_id", "device"), ("scope", "openid")]).await
}

/// The requests of a client that does not authenticate are limited per client and network, and beyond it they write nothing.
#[tokio::test]
async fn requests_of_public_clients_are_limited() {
    for (path, most, accepted) in
        [("/par", Quota::PUSHED_REQUESTS.most, 201), ("/device_authorization", Quota::DEVICE_REQUESTS.most, 200)]
    {
        let memory = Arc::new(Memory::new());
        let mut instance = deployment(memory.clone()).await;
        let send = async |instance: &Instance| match path {
            "/par" => push(instance).await,
            _ => start_device(instance).await,
        };
        for _ in 0..most {
            assert_eq!(status(&send(&instance).await), accepted, "{path}");
        }
        let refused = send(&instance).await;
        assert_eq!(status(&refused), 429, "{path}");
        assert!(refused.headers.contains_key(header::RETRY_AFTER));
        let before = memory.counts().total();
        for _ in 0..500 {
            assert_eq!(status(&send(&instance).await), 429, "{path}");
        }
        assert_eq!(memory.counts().total(), before, "{path}: a flood writes nothing");
        instance.address = ADDRESSES[1].into();
        assert_eq!(status(&send(&instance).await), accepted, "{path}: another network");
        instance.address = ADDRESSES[0].into();
        instance.wait(Duration::from_secs(60));
        assert_eq!(status(&send(&instance).await), accepted, "{path}: the next minute");
    }
}

/// The count runs at the same time as the write.
#[tokio::test(start_paused = true)]
async fn the_count_of_a_public_request_takes_no_time() {
    const ROUND_TRIP: Duration = Duration::from_millis(10);
    let memory = Arc::new(Memory::new());
    deployment(memory.clone()).await;
    let slow: faults::Pause = Arc::new(|| Box::pin(tokio::time::sleep(ROUND_TRIP)));
    let plan = move |_: &faults::Call<'_>| Fault::Delay(slow.clone());
    let instance = Instance::start(Arc::new(Faulty::new(memory.clone(), plan)), &[]);
    push(&instance).await;
    start_device(&instance).await;
    let (before, start) = (memory.counts().total(), tokio::time::Instant::now());
    assert_eq!((status(&push(&instance).await), start.elapsed()), (201, ROUND_TRIP));
    assert_eq!(memory.counts().total() - before, 2);
    let (before, start) = (memory.counts().total(), tokio::time::Instant::now());
    assert_eq!((status(&start_device(&instance).await), start.elapsed()), (200, ROUND_TRIP));
    assert_eq!(memory.counts().total() - before, 2);
}

async fn administer(instance: &Instance, token: Option<&str>) -> Response {
    let headers: Vec<_> = token.map(|token| (header::AUTHORIZATION, format!("Bearer {token}"))).into_iter().collect();
    instance.send(Method::GET, "/admin/keys", &headers, String::new()).await
}

#[tokio::test]
async fn wrong_tokens_of_administrators_are_limited_per_network() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    let right = instance.admin_token(&Method::GET, "/admin/keys", "").await;
    assert_eq!(status(&administer(&instance, Some(&right)).await), 200);
    let before = memory.counts().count;
    for _ in 0..100 {
        assert_eq!(status(&administer(&instance, None).await), 401);
    }
    assert_eq!(memory.counts().count, before, "a request without a token guesses nothing");
    for _ in 0..Quota::ADMINISTRATION.most {
        assert_eq!(status(&administer(&instance, Some("wrong")).await), 401);
    }
    assert_eq!(status(&administer(&instance, Some("wrong")).await), 429);
    let before = memory.counts().total();
    assert_eq!(status(&administer(&instance, Some("wrong")).await), 429);
    assert_eq!(memory.counts().total(), before);
    assert_eq!(status(&administer(&instance, Some(&right)).await), 200, "others used up the limit");
    instance.address = ADDRESSES[1].into();
    assert_eq!(status(&administer(&instance, Some(&right)).await), 200);
}

/// Once a network has used up its guesses of passwords, its further attempts write nothing. The credential is read at
/// the same time as the limit is judged.
#[tokio::test]
async fn refused_sign_ins_of_a_network_write_nothing() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let mut browser = Flow::default();
    let redirect = browser.get(&instance, &Flow::authorize_url("openid")).await;
    let path = redirect.headers["location"].to_str().unwrap().strip_prefix(simulation::ISSUER).unwrap().to_owned();
    let page = browser.get(&instance, &path).await;
    for index in 0..=Limit::NETWORK.free {
        let answers = [("username", format!("user-{index}")), ("password", "wrong".to_owned())];
        let answers = [(answers[0].0, answers[0].1.as_str()), (answers[1].0, answers[1].1.as_str())];
        let expected = if index < Limit::NETWORK.free { 403 } else { 429 };
        assert_eq!(status(&browser.submit(&instance, "/login", &page, &answers).await), expected, "{index}");
    }
    let before = memory.counts();
    let answers = [("username", "alice"), ("password", "wrong")];
    assert_eq!(status(&browser.submit(&instance, "/login", &page, &answers).await), 429);
    assert_eq!((memory.counts().count, memory.counts().total()), (before.count, before.total() + 1));
}
