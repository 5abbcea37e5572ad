//! No key and no owner takes part in the requests of every user: such a key would limit the whole deployment to what one
//! partition of the store can do.

use crate::common::{PASSWORD, deployment};
use latchkey_http::Response;
use simulation::{Flow, Instance, Tokens, client_id, json_of, subject, username};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use storage::faults::{Fault, Faulty};
use storage::memory::Memory;
use storage::{Key, Kind, Owner, Partition, Records, clients, directory, users};

/// Users of the deployment. Each has an address, a browser and a client.
const USERS: usize = 48;

/// The most users that may share a bucket of a list: 48 users in 256 buckets leave no room for more.
const MOST_IN_A_BUCKET: usize = 6;

/// The keys and owners of the calls, by user.
#[derive(Clone, Default)]
struct Calls {
    user: Arc<Mutex<usize>>,
    users_of: Arc<Mutex<BTreeMap<String, BTreeSet<usize>>>>,
}

impl Calls {
    fn begin(&self, user: usize) {
        *self.user.lock().unwrap() = user;
    }

    fn forget(&self) {
        self.users_of.lock().unwrap().clear();
    }

    fn record(&self, name: &str) {
        let user = *self.user.lock().unwrap();
        self.users_of.lock().unwrap().entry(name.to_owned()).or_default().insert(user);
    }
}

/// A deployment whose calls of the store are recorded.
async fn recorded() -> (Arc<Memory>, Calls, Instance) {
    let (memory, calls) = (Arc::new(Memory::new()), Calls::default());
    let recorded = calls.clone();
    let records = Faulty::new(memory.clone(), move |call| {
        recorded.record(call.name);
        Fault::None
    });
    (memory, calls, deployment(Arc::new(records)).await)
}

fn name(user: usize) -> String {
    format!("user-{user}")
}

fn client(user: usize) -> String {
    format!("client-{user}")
}

/// Registers a user and a client of the same number.
async fn register(records: &dyn Records, user: usize) {
    let new = subject(&format!("subject-{user}"));
    let alice = users::find(records, &subject("alice-subject")).await.unwrap().unwrap();
    let subject = directory::enter(records, &username(&name(user)), &new).await.unwrap().subject;
    let known = users::find_credential(records, &username("alice")).await.unwrap().unwrap();
    let credential = users::Credential { subject: subject.clone(), ..known };
    users::save_credential(records, &username(&name(user)), &credential).await.unwrap();
    users::save(records, &users::User { subject, username: name(user), ..alice }, simulation::T0).await.unwrap();
    let mut stored = clients::find(records, &client_id("spa")).await.unwrap().unwrap();
    stored.client.client_id = client_id(&client(user));
    clients::save(records, &stored).await.unwrap();
}

fn token_of(response: &Response, member: &str) -> String {
    json_of(response)[member].as_str().unwrap_or_default().to_owned()
}

/// Goes through what a user and a client do in a day.
async fn a_day(instance: &Instance, user: usize) {
    let client = client(user);
    let mut browser = Flow::of(&name(user));
    let url =
        Flow::authorize_url("openid profile offline_access").replace("client_id=spa", &format!("client_id={client}"));
    let code = browser.code_of(instance, &url, PASSWORD).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", &client),
        ("redirect_uri", "https://app.example/cb"),
        ("code_verifier", simulation::VERIFIER),
        ("code", &code),
    ];
    let first = Tokens::of(&instance.post("/token", &form).await);
    let form = [("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", &first.refresh)];
    let second = Tokens::of(&instance.post("/token", &form).await);
    assert!(Flow::userinfo(instance, &second.access).await.status.is_success());
    let introspection = [("client_id", "api"), ("client_secret", "secret"), ("token", second.access.as_str())];
    assert!(instance.post("/introspect", &introspection).await.status.is_success());

    let query = url.split_once('?').unwrap().1;
    let parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let form: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let request_uri = token_of(&instance.post("/par", &form).await, "request_uri");
    let reference = form_urlencoded::Serializer::new(String::new()).append_pair("request_uri", &request_uri).finish();
    browser.code_of(instance, &format!("/authorize?client_id={client}&{reference}"), "unused").await;

    let device = instance.post("/device_authorization", &[("client_id", "device"), ("scope", "openid")]).await;
    let device_code = token_of(&device, "device_code");
    assert!(!device_code.is_empty());
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", "device"),
        ("device_code", &device_code),
    ];
    instance.post("/token", &form).await;
    let form = [("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", "secret")];
    Tokens::of(&instance.post("/token", &form).await);

    instance.post("/revoke", &[("client_id", &client), ("token", &second.access)]).await;
    let page = browser.get(instance, "/logout").await;
    assert!(browser.submit(instance, "/logout", &page, &[("decision", "yes")]).await.status.is_success());
}

#[tokio::test]
async fn no_key_and_no_owner_takes_part_in_every_request() {
    let (memory, calls, mut instance) = recorded().await;
    // The first user warms the caches: signing keys and the clients that all users share.
    for user in 0..=USERS {
        calls.begin(user);
        register(instance.context().records.as_ref(), user).await;
    }
    // `register` copies one client and one user.
    calls.forget();
    for user in 0..=USERS {
        calls.begin(user);
        instance.address = [198, 51, 100, u8::try_from(user).unwrap()].into();
        a_day(&instance, user).await;
        if user == 0 {
            calls.forget();
        }
    }

    let users_of = calls.users_of.lock().unwrap().clone();
    assert!(users_of.len() > 10 * USERS, "{} names", users_of.len());
    let shared: Vec<_> = users_of.iter().filter(|(_, users)| users.len() > 1).collect();
    assert!(shared.is_empty(), "keys and owners of several users: {shared:?}");

    let mut owned: BTreeMap<Owner, usize> = BTreeMap::new();
    for owner in memory.snapshot().into_iter().filter_map(|record| record.owner) {
        *owned.entry(owner).or_default() += 1;
    }
    for (owner, records) in owned.iter().filter(|(owner, _)| !owner.as_str().starts_with("user#")) {
        assert!(*records <= MOST_IN_A_BUCKET, "{records} records of {}", owner.as_str());
    }
    let lists: BTreeSet<&str> = owned.keys().filter_map(|owner| Some(owner.as_str().split_once('/')?.0)).collect();
    assert_eq!(lists.into_iter().collect::<Vec<_>>(), ["clients", "signouts", "users"]);

    let of_clients = memory.snapshot().into_iter().filter(|record| record.key.is(Kind::Client));
    let of_clients: BTreeSet<Partition> = of_clients.map(|record| record.key.partition()).collect();
    assert!(of_clients.len() > USERS / 2, "{} partitions of clients", of_clients.len());
    let partitions: BTreeSet<Partition> = users_of.keys().map(|name| Key::from(name.clone()).partition()).collect();
    assert!(partitions.len() > 3 * USERS, "{} partitions", partitions.len());
    assert!(users_of.keys().any(|name| Key::from(name.clone()).is(Kind::Grant)));
}

#[tokio::test]
async fn a_scheduled_run_lists_each_bucket_once() {
    let (_, calls, mut instance) = recorded().await;
    let mut browser = Flow::default();
    browser.code(&instance, PASSWORD, "openid").await;
    let page = browser.get(&instance, "/logout").await;
    browser.submit(&instance, "/logout", &page, &[("decision", "yes")]).await;
    calls.forget();
    instance.wait(std::time::Duration::from_secs(61));
    notify::run(&instance.scheduled_run(), instance.context()).await.unwrap();
    let lists = calls.users_of.lock().unwrap();
    let of = |list: &str| lists.keys().filter(|name| name.starts_with(list)).count();
    assert_eq!((of("signouts/"), of("logouts/")), (256, 256));
}
