//! A point-in-time restore of the store: the epoch keeps everything that was redeemed before it from being redeemed again,
//! and no honest client is taken for a thief.

use crate::common::{PASSWORD, deployment, keep_log};
use http::{Method, StatusCode, header};
use latchkey_http::Response;
use serde_json::{Value, json};
use simulation::{Flow, ISSUER, Instance, SECRET, T0, Tokens, json_of};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::Record;
use storage::memory::Memory;
use types::Timestamp;

const SCOPE: &str = "openid profile email offline_access";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The tokens that clients and browsers hold when the store is lost, and its backup.
struct Before {
    backup: Vec<Record>,
    now: Timestamp,
    /// A refresh token that was current in the backup and was used since.
    used: String,
    /// The current tokens of an active user.
    live: Tokens,
    /// A code that was redeemed since the backup.
    redeemed: String,
    /// A code that was not redeemed.
    unredeemed: String,
    /// The browser of a user who is signed in.
    signed_in: Flow,
    /// The session cookie of a user who signed out since the backup.
    signed_out: Flow,
    device_code: String,
    request_uri: String,
}

impl Before {
    /// Runs a deployment, takes a backup, and goes on for a moment.
    async fn new() -> Self {
        let memory = Arc::new(Memory::new());
        let mut instance = deployment(memory.clone()).await;
        let mut signed_in = Flow::default();
        let code = signed_in.code(&instance, PASSWORD, SCOPE).await;
        let first = Tokens::of(&Flow::redeem(&instance, &code).await);
        let used = Tokens::of(&Flow::refresh(&instance, &first.refresh).await).refresh;
        let redeemed = signed_in.code(&instance, PASSWORD, SCOPE).await;
        let unredeemed = signed_in.code(&instance, PASSWORD, SCOPE).await;
        let mut signed_out = Flow::default();
        signed_out.code(&instance, PASSWORD, SCOPE).await;
        let device = instance.post("/device_authorization", &[("client_id", "device"), ("scope", "openid")]).await;
        let url = Flow::authorize_url(SCOPE);
        let parameters: Vec<(String, String)> =
            form_urlencoded::parse(url.split_once('?').unwrap().1.as_bytes()).into_owned().collect();
        let form: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let pushed = instance.post("/par", &form).await;
        let text = |response: &Response, name: &str| json_of(response)[name].as_str().unwrap().to_owned();

        let backup = memory.snapshot();

        Tokens::of(&Flow::redeem(&instance, &redeemed).await);
        let second = Tokens::of(&Flow::refresh(&instance, &used).await);
        let live = Tokens::of(&Flow::refresh(&instance, &second.refresh).await);
        let cookie = signed_out.clone();
        let page = signed_out.get(&instance, "/logout").await;
        signed_out.submit(&instance, "/logout", &page, &[("decision", "yes")]).await;
        assert!(!signed_out.has_session());
        instance.wait(Duration::from_secs(20));
        Self {
            backup,
            now: instance.now,
            used,
            live,
            redeemed,
            unredeemed,
            signed_in,
            signed_out: cookie,
            device_code: text(&device, "device_code"),
            request_uri: text(&pushed, "request_uri"),
        }
    }

    /// Returns an instance on the restored store, with its log.
    fn restored(&self, epoch: &str) -> (Arc<Memory>, Instance, Arc<Mutex<Vec<String>>>) {
        let memory = Arc::new(Memory::restored(self.backup.clone()));
        let mut instance = Instance::start(memory.clone(), &[("LATCHKEY_EPOCH", epoch)]);
        instance.now = self.now;
        let lines = keep_log(&mut instance);
        (memory, instance, lines)
    }

    async fn poll(&self, instance: &Instance) -> Response {
        let form = [("grant_type", DEVICE), ("client_id", "device"), ("device_code", self.device_code.as_str())];
        instance.post("/token", &form).await
    }

    fn pushed_url(&self) -> String {
        let query =
            form_urlencoded::Serializer::new(String::new()).append_pair("request_uri", &self.request_uri).finish();
        format!("/authorize?client_id=spa&{query}")
    }
}

/// The log lines so far, which are forgotten.
fn drain(lines: &Mutex<Vec<String>>) -> Vec<Value> {
    lines.lock().unwrap().drain(..).map(|line| serde_json::from_str(&line).unwrap()).collect()
}

fn events(lines: &Mutex<Vec<String>>) -> Vec<String> {
    let lines = drain(lines);
    let events = lines.iter().filter_map(|line| line["events"].as_array()).flatten();
    events.map(|event| event["event"].as_str().unwrap().to_owned()).collect()
}

async fn introspect(instance: &Instance, token: &str) -> Response {
    instance.post("/introspect", &[("token", token), ("client_id", "api"), ("client_secret", "secret")]).await
}

async fn revoke(instance: &Instance, token: &str) -> Response {
    instance.post("/revoke", &[("token", token), ("client_id", "spa")]).await
}

fn is_sign_in(response: &Response) -> bool {
    response.headers.get(header::LOCATION).is_some_and(|location| location.to_str().unwrap().contains("/login?"))
}

/// Reads the client and the keys, so that they are cached.
async fn warm(instance: &Instance) {
    Flow::refresh(instance, "x").await;
    Flow::userinfo(instance, "x.x.x").await;
    let form = [("grant_type", "refresh_token"), ("client_id", "device"), ("refresh_token", "x")];
    instance.post("/token", &form).await;
}

/// The fault that the epoch prevents. Without it, the drill below would prove nothing.
#[tokio::test]
async fn without_a_new_epoch_used_tokens_work_again_and_users_are_taken_for_thieves() {
    let mut before = Before::new().await;
    let (_, instance, lines) = before.restored("0");
    assert_eq!(Flow::redeem(&instance, &before.redeemed).await.status, StatusCode::OK, "redeemed twice");
    assert_eq!(Flow::refresh(&instance, &before.used).await.status, StatusCode::OK, "used twice");
    let revived = before.signed_out.get(&instance, &Flow::authorize_url(SCOPE)).await;
    assert!(!is_sign_in(&revived), "the session that was ended");
    drain(&lines);

    let (_, instance, lines) = before.restored("0");
    assert_eq!(Flow::refresh(&instance, &before.live.refresh).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(events(&lines), ["refresh_token_replayed"], "the live token of an active user");
}

#[tokio::test]
async fn after_a_restore_with_a_new_epoch_nothing_is_redeemed_twice_and_nothing_is_revoked() {
    let before = Before::new().await;
    let (memory, instance, lines) = before.restored("1");
    warm(&instance).await;
    drain(&lines);
    let restored = memory.snapshot();
    memory.reset();
    let refusals = [
        (Flow::refresh(&instance, &before.used).await, "invalid_grant"),
        (Flow::refresh(&instance, &before.live.refresh).await, "invalid_grant"),
        (Flow::redeem(&instance, &before.redeemed).await, "invalid_grant"),
        (Flow::redeem(&instance, &before.unredeemed).await, "invalid_grant"),
        (before.poll(&instance).await, "expired_token"),
    ];
    assert_eq!(memory.counts().total(), 0, "rejected without a storage call");
    for (response, error) in &refusals {
        let body = json_of(response);
        assert_eq!((response.status, body["error"].as_str()), (StatusCode::BAD_REQUEST, Some(*error)), "{body}");
        let description = body["error_description"].as_str().unwrap();
        let next = if *error == "invalid_grant" { "the user must sign in again" } else { "begin anew" };
        assert!(description.contains("restored from a backup") && description.ends_with(next), "{description}");
    }
    let logged = drain(&lines);
    assert_eq!(logged.len(), refusals.len());
    for line in &logged {
        assert!(line["reason"].as_str().is_some_and(|reason| reason.contains("restored from a backup")), "{line}");
        assert_eq!(line.get("events"), None, "no alarm: {line}");
    }

    // The access token names a grant whose state the store may have forgotten: it is inactive.
    assert_eq!(Flow::userinfo(&instance, &before.live.access).await.status, StatusCode::UNAUTHORIZED);
    for token in [&before.live.access, &before.live.refresh] {
        assert_eq!(json_of(&introspect(&instance, token).await)["active"], false);
        assert_eq!(revoke(&instance, token).await.status, StatusCode::OK, "RFC 7009 §2.2: no error");
    }
    let pushed = before.signed_in.clone().get(&instance, &before.pushed_url()).await;
    assert_eq!(pushed.status, StatusCode::BAD_REQUEST);
    assert_eq!(events(&lines), [""; 0]);
    assert_eq!(memory.snapshot(), restored, "nothing was revoked, nothing written");

    for mut browser in [before.signed_in, before.signed_out] {
        let response = browser.get(&instance, &Flow::authorize_url(SCOPE)).await;
        assert!(is_sign_in(&response), "{:?}", response.headers);
        let page = browser.get(&instance, response.headers[header::LOCATION].to_str().unwrap()).await;
        assert_eq!(page.status, StatusCode::OK, "the sign-in page, no error");
        let code = browser.code(&instance, PASSWORD, SCOPE).await;
        let tokens = Tokens::of(&Flow::redeem(&instance, &code).await);
        let tokens = Tokens::of(&Flow::refresh(&instance, &tokens.refresh).await);
        assert_eq!(Flow::userinfo(&instance, &tokens.access).await.status, StatusCode::OK);
        let again = browser.get(&instance, &Flow::authorize_url(SCOPE)).await;
        assert!(again.headers[header::LOCATION].to_str().unwrap().contains("code="), "signed in again");
        assert_eq!(Flow::redeem(&instance, &code).await.status, StatusCode::BAD_REQUEST, "once");
    }
}

/// During a rollout, functions of both epochs run side by side. The old ones reject nothing that the new ones issued.
#[tokio::test]
async fn a_token_of_a_later_epoch_is_kept() {
    let memory = Arc::new(Memory::new());
    deployment(memory.clone()).await;
    let new = Instance::start(memory.clone(), &[("LATCHKEY_EPOCH", "1")]);
    let mut old = Instance::start(memory.clone(), &[]);
    let lines = keep_log(&mut old);
    let mut browser = Flow::default();
    let code = browser.code(&new, PASSWORD, SCOPE).await;
    let tokens = Tokens::of(&Flow::redeem(&new, &code).await);
    let unredeemed = browser.code(&new, PASSWORD, SCOPE).await;
    let stored = memory.snapshot();
    let faults = [
        Flow::redeem(&old, &unredeemed).await,
        Flow::refresh(&old, &tokens.refresh).await,
        Flow::userinfo(&old, &tokens.access).await,
        introspect(&old, &tokens.access).await,
        revoke(&old, &tokens.refresh).await,
        revoke(&old, &tokens.access).await,
        browser.get(&old, &Flow::authorize_url(SCOPE)).await,
    ];
    for fault in &faults {
        assert_eq!(fault.status, StatusCode::SERVICE_UNAVAILABLE, "{:?}", fault.headers);
        assert!(fault.headers.contains_key(header::RETRY_AFTER), "{:?}", fault.headers);
    }
    assert_eq!(events(&lines), [""; 0]);
    assert_eq!(memory.snapshot(), stored, "nothing was revoked");
    assert_eq!(Flow::redeem(&new, &unredeemed).await.status, StatusCode::OK);
    let next = Tokens::of(&Flow::refresh(&new, &tokens.refresh).await);
    assert_eq!(json_of(&introspect(&new, &next.access).await)["active"], true);
    assert!(browser.has_session());

    // A device that began at a new function and polls an old one, and an exchange at an old one.
    let device = new.post("/device_authorization", &[("client_id", "device"), ("scope", "openid")]).await;
    let device_code = json_of(&device)["device_code"].as_str().unwrap().to_owned();
    let form = [("grant_type", DEVICE), ("client_id", "device"), ("device_code", device_code.as_str())];
    assert_eq!(old.post("/token", &form).await.status, StatusCode::SERVICE_UNAVAILABLE);
    for (kind, token) in [("access_token", &next.access), ("refresh_token", &next.refresh)] {
        assert_eq!(exchange(&old, kind, token).await, StatusCode::SERVICE_UNAVAILABLE, "{kind}");
        assert_eq!(exchange(&new, kind, token).await, StatusCode::OK, "{kind}");
    }
}

/// Exchanges a token of this type. Returns the status.
async fn exchange(instance: &Instance, kind: &str, token: &str) -> StatusCode {
    let kind = format!("urn:ietf:params:oauth:token-type:{kind}");
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("client_id", "gateway"),
        ("client_secret", "secret"),
        ("subject_token", token),
        ("subject_token_type", kind.as_str()),
    ];
    instance.post("/token", &form).await.status
}

/// An exchange accepts no token of an earlier epoch either.
#[tokio::test]
async fn a_token_of_an_earlier_epoch_is_not_exchanged() {
    let memory = Arc::new(Memory::new());
    let old = deployment(memory.clone()).await;
    let mut browser = Flow::default();
    let code = browser.code(&old, PASSWORD, SCOPE).await;
    let response = Flow::redeem(&old, &code).await;
    let tokens = Tokens::of(&response);
    let id_token = json_of(&response)["id_token"].as_str().unwrap().to_owned();
    let new = Instance::start(memory, &[("LATCHKEY_EPOCH", "1")]);
    for (kind, token) in [("access_token", &tokens.access), ("refresh_token", &tokens.refresh), ("id_token", &id_token)]
    {
        assert_eq!(exchange(&old, kind, token).await, StatusCode::OK, "{kind}");
        assert_eq!(exchange(&new, kind, token).await, StatusCode::BAD_REQUEST, "{kind}");
    }
}

/// The store counts the uses of an initial access token, so it ends with its epoch. A registration access token does not:
/// its client has no way to another one.
#[tokio::test]
async fn registrations_outlive_an_epoch_and_invitations_do_not() {
    let memory = Arc::new(Memory::new());
    deployment(memory.clone()).await;
    let in_epoch =
        |epoch| Instance::start(memory.clone(), &[("LATCHKEY_EPOCH", epoch), ("LATCHKEY_REGISTRATION", "token")]);
    let (old, new) = (in_epoch("0"), in_epoch("1"));
    let bearer = |token: &str| (header::AUTHORIZATION, format!("Bearer {token}"));
    let invite = |instance: &Instance, id| {
        let expires_at = T0.after(Duration::from_secs(60));
        bearer(&provider::initial_access_token(&instance.context().secrets, [id; 16], 1, expires_at))
    };
    let json = (header::CONTENT_TYPE, "application/json".to_owned());
    let register = async |instance: &Instance, invitation| {
        let body = json!({ "redirect_uris": ["https://client.example/"] }).to_string();
        instance.send(Method::POST, "/register", &[invitation, json.clone()], body).await
    };
    let refused = register(&new, invite(&old, 1)).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let refused = json_of(&refused);
    assert!(refused["error_description"].as_str().unwrap().contains("earlier epoch"), "{refused}");
    assert_eq!(register(&old, invite(&new, 2)).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(register(&new, invite(&new, 2)).await.status, StatusCode::CREATED);
    let registered = json_of(&register(&old, invite(&old, 1)).await);
    let path = format!("/register/{}", registered["client_id"].as_str().unwrap());
    let token = bearer(registered["registration_access_token"].as_str().unwrap());
    assert_eq!(new.send(Method::GET, &path, &[token], String::new()).await.status, StatusCode::OK);
}

#[test]
fn the_epoch_is_a_number_of_16_bits() {
    let read = |epoch: &str| {
        let settings = |name: &str| match name {
            "LATCHKEY_ISSUER" => Some(ISSUER.to_owned()),
            "LATCHKEY_SECRET" => Some(SECRET.to_owned()),
            "LATCHKEY_EPOCH" => Some(epoch.to_owned()),
            _ => None,
        };
        provider::Config::read(&settings).map(|(_, secrets)| protocol::Mac::epoch(&secrets))
    };
    assert_eq!((read(""), read("0"), read("65535")), (Ok(0), Ok(0), Ok(u16::MAX)));
    for wrong in ["65536", "-1", "one"] {
        let error = read(wrong).unwrap_err();
        assert!(error.to_string().contains("LATCHKEY_EPOCH"), "{error}");
    }
}
