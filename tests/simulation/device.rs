//! Device authorization: round trips, expiry, lost responses, several instances.

use crate::common::{PASSWORD, deployment};
use latchkey_http::Response;
use simulation::{Flow, Instance, SECRET, Tokens, client_id, json_of};
use std::sync::Arc;
use std::time::Duration;
use storage::memory::Memory;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

struct Device {
    device_code: String,
    user_code: String,
}

impl Device {
    async fn new(instance: &Instance) -> Self {
        let form = [("client_id", "device"), ("scope", "openid offline_access")];
        let document = json_of(&instance.post("/device_authorization", &form).await);
        let text = |name: &str| document[name].as_str().unwrap_or_else(|| panic!("{document}")).to_owned();
        Self { device_code: text("device_code"), user_code: text("user_code") }
    }

    async fn poll(&self, instance: &Instance) -> Response {
        let form = [("grant_type", GRANT), ("client_id", "device"), ("device_code", &self.device_code)];
        instance.post("/token", &form).await
    }

    /// Returns the page that asks for approval, after sign-in.
    async fn page(&self, instance: &Instance, browser: &mut Flow) -> (String, Response) {
        let entry = browser.get(instance, "/device").await;
        let mut response = browser.submit(instance, "/device", &entry, &[("user_code", &self.user_code)]).await;
        loop {
            let location = response.headers["location"].to_str().unwrap().to_owned();
            let page = browser.get(instance, &location).await;
            response = if location.contains("/login?") {
                browser.submit(instance, "/login", &page, &[("username", "alice"), ("password", PASSWORD)]).await
            } else if page.headers.contains_key("location") {
                page
            } else {
                return (location, page);
            };
        }
    }

    async fn decide(&self, instance: &Instance, browser: &mut Flow, decision: &str) -> Response {
        let (_, page) = self.page(instance, browser).await;
        browser.submit(instance, "/device", &page, &[("decision", decision)]).await
    }
}

fn error(response: &Response) -> String {
    json_of(response)["error"].as_str().unwrap_or_else(|| panic!("no error: {response:?}")).to_owned()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn a_poll_is_one_round_trip() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    let mut browser = Flow::default();
    macro_rules! trips {
        ($work:expr) => {{
            let before = memory.counts().total();
            let outcome = $work;
            (memory.counts().total() - before, outcome)
        }};
    }
    // Warms the caches of clients and keys.
    let warm = Device::new(&instance).await;
    warm.decide(&instance, &mut browser, "allow").await;
    Tokens::of(&warm.poll(&instance).await);

    let (began, device) = trips!(Device::new(&instance).await);
    assert_eq!(began, 2, "device authorization: the codes and the count, at the same time");
    let (pending, answer) = trips!(device.poll(&instance).await);
    assert_eq!((pending, error(&answer).as_str()), (1, "authorization_pending"));
    let (hasty, answer) = trips!(device.poll(&instance).await);
    assert_eq!((hasty, error(&answer).as_str()), (1, "slow_down"));
    device.decide(&instance, &mut browser, "allow").await;
    instance.wait(seconds(10));
    let (approved, answer) = trips!(device.poll(&instance).await);
    Tokens::of(&answer);
    assert_eq!(approved, 2, "the poll that gets the tokens");
    instance.wait(seconds(36));
    instance.warm().await;
    let (replayed, answer) = trips!(device.poll(&instance).await);
    assert_eq!((replayed, error(&answer).as_str()), (2, "invalid_grant"), "replay found and family revoked");

    let refused = Device::new(&instance).await;
    refused.decide(&instance, &mut browser, "deny").await;
    let (denied, answer) = trips!(refused.poll(&instance).await);
    assert_eq!((denied, error(&answer).as_str()), (1, "access_denied"));

    let late = Device::new(&instance).await;
    instance.wait(seconds(50));
    instance.warm().await;
    late.poll(&instance).await;
    for code in ["x", "lkd_x", &late.device_code[1..], &warm.device_code.replace("lkd_", "lkr_")] {
        let forged = Device { device_code: code.to_owned(), user_code: String::new() };
        let (trips, answer) = trips!(forged.poll(&instance).await);
        assert_eq!((trips, error(&answer).as_str()), (0, "invalid_grant"), "{code}");
    }
}

/// RFC 8628 §3.5: an expired code gets `expired_token` without a round trip; the page rejects it too.
#[tokio::test]
async fn an_expired_code_is_told_so() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    let mut browser = Flow::default();
    let device = Device::new(&instance).await;
    let (url, page) = device.page(&instance, &mut browser).await;
    instance.wait(seconds(599));
    assert_eq!(error(&device.poll(&instance).await), "authorization_pending");
    assert!(browser.get(&instance, &url).await.status.is_success());
    instance.wait(seconds(1));
    let before = memory.counts().total();
    assert_eq!(error(&device.poll(&instance).await), "expired_token");
    assert!(memory.counts().total() - before <= 1, "the client, which the cache has forgotten");
    // The interaction begins anew in its browser, and finds the code over.
    let answer = browser.submit(&instance, "/device", &page, &[("decision", "allow")]).await;
    let restarted = answer.headers["location"].to_str().unwrap().to_owned();
    let answer = browser.get(&instance, &restarted).await;
    assert_eq!(answer.status, 400);
    let entry = browser.get(&instance, "/device").await;
    let answer = browser.submit(&instance, "/device", &entry, &[("user_code", &device.user_code)]).await;
    assert_eq!(answer.status, 403);
}

/// A device that lost the response gets the same tokens again. A later poll is a replay.
#[tokio::test]
async fn a_lost_answer_can_be_asked_for_again() {
    let mut instance = deployment(Arc::new(Memory::new())).await;
    let mut browser = Flow::default();
    let device = Device::new(&instance).await;
    device.decide(&instance, &mut browser, "allow").await;
    let lost = Tokens::of(&device.poll(&instance).await);
    instance.wait(seconds(10));
    let again = Tokens::of(&device.poll(&instance).await);
    assert_eq!(lost.refresh, again.refresh);
    for tokens in [&lost, &again] {
        assert!(Flow::userinfo(&instance, &tokens.access).await.status.is_success());
    }
    instance.wait(seconds(26));
    assert_eq!(error(&device.poll(&instance).await), "invalid_grant");
    for tokens in [&lost, &again] {
        assert_eq!(Flow::userinfo(&instance, &tokens.access).await.status, 401);
    }
}

/// Instances share only the store: of 32 polls, each at another instance, one gets the tokens.
#[tokio::test]
async fn one_of_32_instances_wins() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let device = Device::new(&instance).await;
    device.decide(&instance, &mut Flow::default(), "allow").await;
    let instances: Vec<_> = (0..32).map(|_| Instance::start(memory.clone(), &[])).collect();
    let answers = futures::future::join_all(instances.iter().map(|instance| device.poll(instance))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|answer| error(answer) == "slow_down"));
    let tokens = Tokens::of(won[0]);
    assert!(Flow::userinfo(&instance, &tokens.access).await.status.is_success());
}

/// The store has neither code, so a reader of the store cannot use one.
#[tokio::test]
async fn the_store_holds_no_code() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let device = Device::new(&instance).await;
    let stored = format!("{:?}", memory.snapshot());
    let letters = device.user_code.replace('-', "");
    for secret in [device.user_code.as_str(), &letters, &device.device_code, &device.device_code[4..]] {
        assert!(!stored.contains(secret), "{secret} is stored");
    }
}

/// A user code that a device shows during a change of the secret stays valid; the old secret is tried no longer than that.
#[tokio::test]
async fn a_user_code_survives_a_change_of_the_secret() {
    let memory = Arc::new(Memory::new());
    let before = deployment(memory.clone()).await;
    let new = ("LATCHKEY_SECRET", "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA");
    let after = Instance::start(memory.clone(), &[new, ("LATCHKEY_SECRET_PREVIOUS", SECRET)]);
    for decision in ["allow", "deny"] {
        let device = Device::new(&before).await;
        assert_eq!(error(&device.poll(&after).await), "authorization_pending");
        device.decide(&after, &mut Flow::default(), decision).await;
        let answer = device.poll(&after).await;
        assert_eq!(answer.status == 200, decision == "allow", "{answer:?}");
    }
    let new_one = Device::new(&after).await;
    assert!(new_one.decide(&after, &mut Flow::default(), "allow").await.status.is_success());

    let forgotten = Instance::start(memory.clone(), &[new]);
    let device = Device::new(&before).await;
    let mut browser = Flow::default();
    let entry = browser.get(&forgotten, "/device").await;
    let answer = browser.submit(&forgotten, "/device", &entry, &[("user_code", &device.user_code)]).await;
    assert_eq!(answer.status, 403);
}

/// RFC 7009 §2.1: revoked tokens are not issued again, even if a response was lost.
#[tokio::test]
async fn a_revoked_grant_is_not_handed_out_again() {
    let mut instance = deployment(Arc::new(Memory::new())).await;
    let mut browser = Flow::default();
    let device = Device::new(&instance).await;
    device.decide(&instance, &mut browser, "allow").await;
    let tokens = Tokens::of(&device.poll(&instance).await);
    let answer = instance.post("/revoke", &[("client_id", "device"), ("token", &tokens.refresh)]).await;
    assert!(answer.status.is_success());
    instance.wait(seconds(10));
    assert_eq!(error(&device.poll(&instance).await), "invalid_grant");
}

/// RFC 8628 §3.5, RFC 9700 §4.14.2: a poll after the refresh token was used is a replay by another party.
#[tokio::test]
async fn a_poll_after_a_refresh_is_a_replay() {
    let mut instance = deployment(Arc::new(Memory::new())).await;
    let mut browser = Flow::default();
    let device = Device::new(&instance).await;
    device.decide(&instance, &mut browser, "allow").await;
    let tokens = Tokens::of(&device.poll(&instance).await);
    let form = |token| [("grant_type", "refresh_token"), ("client_id", "device"), ("refresh_token", token)];
    let next = Tokens::of(&instance.post("/token", &form(tokens.refresh.as_str())).await);
    instance.wait(seconds(10));
    assert_eq!(error(&device.poll(&instance).await), "invalid_grant");
    assert_eq!(error(&instance.post("/token", &form(next.refresh.as_str())).await), "invalid_grant");
}

/// RFC 7592 §2.3: a later client of the same name does not inherit tokens.
#[tokio::test]
async fn a_device_code_dies_with_its_client() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    let mut browser = Flow::default();
    let device = Device::new(&instance).await;
    device.decide(&instance, &mut browser, "allow").await;
    let mut stored = storage::clients::find(memory.as_ref(), &client_id("device")).await.unwrap().unwrap();
    instance.wait(seconds(61));
    stored.since = Some(instance.now);
    storage::clients::save(memory.as_ref(), &stored).await.unwrap();
    assert_eq!(error(&device.poll(&instance).await), "invalid_grant");
}

/// The request of a device must fit into the URLs of sign-in: a longer one is rejected at once.
#[tokio::test]
async fn a_request_that_is_too_long_for_sign_in_is_refused() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let names = |count: usize| (0..count).map(|index| format!("scope-{index:014}")).collect::<Vec<_>>().join(" ");
    let mut stored = storage::clients::find(memory.as_ref(), &client_id("device")).await.unwrap().unwrap();
    stored.client.scope = types::Scope::parse(&names(256)).unwrap();
    storage::clients::save(memory.as_ref(), &stored).await.unwrap();
    let ask = async |count| {
        let form = [("client_id", "device"), ("scope", &names(count))];
        instance.post("/device_authorization", &form).await
    };
    assert_eq!(ask(190).await.status, 200);
    assert_eq!(error(&ask(256).await), "invalid_request");
}
