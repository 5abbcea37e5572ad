//! The outbox: mails are sent once, repeated when they fail, and dropped when they are of no use. Nothing tells whether a user exists.

use crate::common::{PASSWORD, deployment};
use async_trait::async_trait;
use http::{Method, StatusCode, header};
use platform::fetch::{Outgoing, Transport};
use platform::{FetchError, Fetched, Fetcher};
use protocol::EmailAddress;
use protocol::mail::{Mail, MailContent, SecurityNotice};
use provider::shell;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use simulation::{Flow, Instance, T0, subject, username};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::faults::{Call, Fault, Faulty, turns};
use storage::memory::Memory;
use storage::users::{self, User};
use storage::{Kind, directory, outbox};
use types::Jti;
use types::remote_url::EgressPolicy;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

const SETTINGS: [(&str, &str); 5] = [
    ("LATCHKEY_MAIL", "webhook"),
    ("LATCHKEY_MAIL_FROM", "no-reply@id.example"),
    ("LATCHKEY_MAIL_NAME", "Example"),
    ("LATCHKEY_MAIL_WEBHOOK", "https://mail.example/send"),
    ("LATCHKEY_MAIL_WEBHOOK_SECRET", SECRET),
];

/// The service that sends mails.
#[derive(Clone, Default)]
struct Service {
    is_down: Arc<Mutex<bool>>,
    received: Arc<Mutex<Vec<(String, String)>>>,
}

#[async_trait]
impl Transport for Service {
    async fn send(&self, request: &Outgoing) -> Result<Fetched, FetchError> {
        turns(5)().await;
        if *self.is_down.lock().unwrap() {
            return Err(FetchError::TimedOut);
        }
        let (field, signature) = request.field.clone().unwrap();
        assert_eq!((request.url.as_str(), field), ("https://mail.example/send", "latchkey-signature"));
        self.received.lock().unwrap().push((signature, request.body.clone().unwrap().1));
        Ok(Fetched { status: StatusCode::ACCEPTED, ..Fetched::default() })
    }
}

impl Service {
    fn mails(&self) -> Vec<Value> {
        self.received.lock().unwrap().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
    }
}

/// A deployment whose user `alice` has a verified address.
async fn with_mail() -> (Arc<Memory>, Service, Instance) {
    let (memory, service) = (Arc::new(Memory::new()), Service::default());
    deployment(memory.clone()).await;
    let mut instance = Instance::start(memory.clone(), &SETTINGS);
    instance.context_mut().fetch = Fetcher::over(Box::new(service.clone()), EgressPolicy::Public).into();
    let user = users::find(memory.as_ref(), &subject("alice-subject")).await.unwrap().unwrap();
    let mut claims = user.claims.clone();
    claims.insert("email".to_owned(), json!("Alice@Example.com"));
    claims.insert("email_verified".to_owned(), json!(true));
    users::save(memory.as_ref(), &User { claims, ..user }, T0).await.unwrap();
    directory::enter(memory.as_ref(), &username("alice"), &subject("alice-subject")).await.unwrap();
    (memory, service, instance)
}

fn reset(identifier: &str) -> MailContent {
    MailContent::PasswordReset { identifier: identifier.to_owned(), is_counted: true }
}

async fn put(instance: &Instance, content: MailContent) {
    provider::mail::put(instance.context(), content, T0).await.unwrap();
}

/// Lets the mails leave that were written, as the platforms do.
async fn send_written(instance: &Instance) {
    let context = instance.context().guarded(mail::FUNCTION.row);
    let written = instance.context().written_mails.take();
    shell::run_written(&mail::FUNCTION, &written, instance.scheduled_run(), &context).await.unwrap();
}

async fn run(instance: &Instance) {
    let context = instance.context().guarded(mail::FUNCTION.row);
    shell::run_scheduled(&mail::FUNCTION, instance.scheduled_run(), &context).await.unwrap();
}

fn waiting(memory: &Memory) -> usize {
    memory.snapshot().iter().filter(|record| record.key.is(Kind::Mail)).count()
}

fn hmac(key: &[u8], message: &[u8]) -> String {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |byte: u8| block.map(|b| b ^ byte).to_vec();
    let inner = Sha256::digest([pad(0x36), message.to_vec()].concat());
    let outer = Sha256::digest([pad(0x5c), inner.to_vec()].concat());
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_mail_is_signed_and_sent_once() {
    let (memory, service, instance) = with_mail().await;
    put(&instance, reset("alice")).await;
    assert_eq!(waiting(&memory), 1);
    send_written(&instance).await;
    run(&instance).await;
    assert_eq!((service.mails().len(), waiting(&memory)), (1, 0));
    let (signature, body) = service.received.lock().unwrap()[0].clone();
    let (time, tag) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    assert_eq!(tag, hmac(SECRET.as_bytes(), format!("{time}.{body}").as_bytes()));
    let mail = service.mails().remove(0);
    assert_eq!(mail["to"], "Alice@Example.com", "as it was typed");
    assert_eq!((&mail["from"], &mail["from_name"]), (&json!("no-reply@id.example"), &json!("Example")));
    assert_eq!(
        (&mail["kind"], &mail["subject"]),
        (&json!("password_reset"), &json!("Choose a new password for Example"))
    );
    let link = mail["text"].as_str().unwrap().lines().find(|line| line.contains("?link=")).unwrap().to_owned();
    let (path, sealed) = link.split_once("?link=").unwrap();
    assert_eq!(path, "https://as.example/recovery");
    assert!(sealed.len() > 100 && !link.contains("alice"), "{link}");
}

/// The outbox is read by one function, which claims each mail: concurrent runs send it once.
#[tokio::test]
async fn concurrent_runs_send_a_mail_once() {
    let (memory, service, instance) = with_mail().await;
    put(&instance, reset("alice")).await;
    let written = instance.context().written_mails.take();
    let context = instance.context().guarded(mail::FUNCTION.row);
    let early = shell::run_written(&mail::FUNCTION, &written, instance.scheduled_run(), &context);
    futures::join!(async { early.await.unwrap() }, run(&instance), run(&instance));
    assert_eq!((service.mails().len(), waiting(&memory)), (1, 0));
}

#[tokio::test]
async fn a_mail_that_fails_is_repeated_later_with_the_same_identifier() {
    let (memory, service, mut instance) = with_mail().await;
    *service.is_down.lock().unwrap() = true;
    put(&instance, reset("alice")).await;
    send_written(&instance).await;
    *service.is_down.lock().unwrap() = false;
    instance.wait(Duration::from_secs(30));
    run(&instance).await;
    assert_eq!((service.mails().len(), waiting(&memory)), (0, 1), "not due");
    let key = memory.snapshot().into_iter().find(|record| record.key.is(Kind::Mail)).unwrap().key;
    instance.wait(Duration::from_secs(31));
    run(&instance).await;
    assert_eq!((service.mails().len(), waiting(&memory)), (1, 0));
    assert_eq!(service.mails()[0]["id"], json!(key.id()));
}

/// A link that is over is not sent.
#[tokio::test]
async fn a_mail_of_no_use_is_dropped() {
    let (memory, service, mut instance) = with_mail().await;
    *service.is_down.lock().unwrap() = true;
    put(&instance, reset("alice")).await;
    send_written(&instance).await;
    *service.is_down.lock().unwrap() = false;
    instance.wait(Duration::from_secs(3601));
    run(&instance).await;
    assert_eq!((service.mails().len(), waiting(&memory)), (0, 0));
}

/// A user who is unknown, disabled or without a verified address gets no mail, and the outbox forgets the request.
#[tokio::test]
async fn only_a_verified_address_of_an_enabled_user_gets_a_link() {
    let (memory, service, instance) = with_mail().await;
    let user = users::find(memory.as_ref(), &subject("alice-subject")).await.unwrap().unwrap();
    let with = |claim: &str, value: Value| {
        let mut claims = user.claims.clone();
        claims.insert(claim.to_owned(), value);
        User { claims, ..user.clone() }
    };
    for changed in [
        User { disabled: true, ..user.clone() },
        with("email_verified", json!(false)),
        with("email_verified", json!("true")),
        with("email", json!("alice@example.com\r\nBcc: eve@example.com")),
        with("email", json!("alice@example.com, eve@example.com")),
        with("email", json!(7)),
    ] {
        users::save(memory.as_ref(), &changed, T0).await.unwrap();
        put(&instance, reset("alice")).await;
        put(&instance, MailContent::Notice { subject: user.subject.clone(), notice: SecurityNotice::PasswordChanged })
            .await;
        send_written(&instance).await;
        assert_eq!((service.mails().len(), waiting(&memory)), (0, 0), "{changed:?}");
    }
    users::save(memory.as_ref(), &user, T0).await.unwrap();
    for unknown in ["nobody", "nobody@example.com", "", "alice\r\nBcc: eve", "alice@example.com\nBcc: eve@example.com"]
    {
        put(&instance, reset(unknown)).await;
        send_written(&instance).await;
        assert_eq!((service.mails().len(), waiting(&memory)), (0, 0), "{unknown:?}");
    }
}

/// An attacker cannot fill a mailbox: three mails in an hour. A mail that is refused follows one whose link works for longer. Notices are
/// not counted, because the attacker would silence them.
#[tokio::test]
async fn a_mailbox_gets_few_mails_and_always_one_whose_link_works() {
    let (_, service, mut instance) = with_mail().await;
    let (window, life) = (protocol::rate_limit::Quota::MAILS_TO_ADDRESS.window, MailContent::RESET_LINK);
    assert!(window <= life, "a refused mail follows one whose link works");
    for _ in 0..10 {
        put(&instance, reset("alice")).await;
        send_written(&instance).await;
    }
    assert_eq!(service.mails().len(), 3);
    put(&instance, MailContent::Notice { subject: subject("alice-subject"), notice: SecurityNotice::PasswordReset })
        .await;
    send_written(&instance).await;
    assert_eq!(service.mails().len(), 4);
    instance.wait(Duration::from_secs(3600));
    provider::mail::put(instance.context(), reset("alice"), T0.after(Duration::from_secs(3600))).await.unwrap();
    send_written(&instance).await;
    assert_eq!(service.mails().len(), 5);
}

/// An address that two users verified leads to a mail for each, with identifiers of their own.
#[tokio::test]
async fn each_user_of_an_address_gets_a_link() {
    let (memory, service, instance) = with_mail().await;
    for (sub, is_verified) in [("bob-subject", true), ("eve-subject", false)] {
        let claims = json!({ "email": "alice@example.com", "email_verified": is_verified });
        let user = User::new(subject(sub), sub.to_owned(), claims.as_object().unwrap().clone());
        users::save(memory.as_ref(), &user, T0).await.unwrap();
    }
    put(&instance, reset("ALICE@example.com")).await;
    send_written(&instance).await;
    let mails = service.mails();
    let text = |number: usize| mails[number]["text"].as_str().unwrap().to_owned();
    assert_eq!(mails.len(), 2, "{mails:?}");
    assert!((text(0) + &text(1)).contains("bob-subject") && mails[0]["id"] != mails[1]["id"]);
    assert!(!(text(0) + &text(1)).contains("eve-subject"));
}

/// The mail about a changed address goes to the old one, whatever the profile says now.
#[tokio::test]
async fn the_old_address_learns_of_a_change() {
    let (_, service, instance) = with_mail().await;
    let old = EmailAddress::parse("old@example.com").unwrap();
    put(&instance, MailContent::AddressChanged { subject: subject("alice-subject"), old }).await;
    send_written(&instance).await;
    assert_eq!(service.mails()[0]["to"], "old@example.com");
}

/// The pages about the address make few calls, and the index follows the change.
#[tokio::test]
async fn an_address_changes_and_is_undone_with_few_calls() {
    let (memory, service, instance) = with_mail().await;
    let mut browser = Flow::of("alice");
    browser.code(&instance, PASSWORD, "openid").await;
    let link = async |kind: &str| {
        send_written(&instance).await;
        let sent = service.mails().into_iter().rfind(|mail| mail["kind"] == kind).unwrap();
        let text = sent["text"].as_str().unwrap().to_owned();
        let line = text.lines().find(|line| line.contains("?link=")).unwrap();
        let path = line.find("/account/email?").or_else(|| line.find("/recovery?")).unwrap();
        (sent["to"].as_str().unwrap().to_owned(), line.split_at(path).1.to_owned())
    };
    let found = async |address: &str| {
        let address = EmailAddress::parse(address).unwrap();
        users::find_by_email(memory.as_ref(), &address).await.unwrap().len()
    };
    memory.reset();
    let page = browser.get(&instance, "/account/email").await;
    assert_eq!((page.status, memory.counts().total()), (StatusCode::OK, 2), "session and user");
    memory.reset();
    let asked = browser.submit(&instance, "/account/email", &page, &[("email", "new@example.com")]).await;
    assert_eq!((asked.status, memory.counts().total()), (StatusCode::OK, 4), "and the counter, and the mail");
    let (to, path) = link("address_verification").await;
    assert_eq!(to, "new@example.com");
    memory.reset();
    let page = browser.get(&instance, &path).await;
    assert_eq!((page.status, memory.counts().total()), (StatusCode::OK, 2));
    memory.reset();
    let changed = browser.submit(&instance, "/account/email", &page, &[]).await;
    let calls = memory.counts().total();
    assert!(changed.status == StatusCode::OK && calls <= 13, "{} {calls}", changed.status);
    assert_eq!((found("alice@example.com").await, found("new@example.com").await), (0, 1));
    let (to, path) = link("address_changed").await;
    assert_eq!(to, "Alice@Example.com");
    let mut owner = Flow::default();
    let page = owner.get(&instance, &path).await;
    let undone = owner.submit(&instance, "/recovery", &page, &[("decision", "act")]).await;
    assert_eq!(undone.status, StatusCode::OK);
    assert_eq!((found("alice@example.com").await, found("new@example.com").await), (1, 0));
}

/// A change of the address that a fault interrupts can be repeated, and the user is found by the address of the record at any time.
#[tokio::test]
async fn an_interrupted_change_of_an_address_loses_no_user() {
    let (old, new) =
        (EmailAddress::parse("alice@example.com").unwrap(), EmailAddress::parse("new@example.com").unwrap());
    let change = |user: &User| user.with_email(&new, T0, Duration::from_secs(3600));
    for (number, fault) in (0..24).map(|it| (it / 2, if it % 2 == 0 { Fault::Before } else { Fault::After })) {
        let (memory, _, _) = with_mail().await;
        let made = AtomicUsize::new(0);
        let plan = move |_: &Call<'_>| match made.fetch_add(1, Ordering::Relaxed) {
            call if call == number => fault.clone(),
            _ => Fault::None,
        };
        let faulty = Faulty::new(memory.clone(), plan);
        let _ = users::change_address(&faulty, &subject("alice-subject"), T0, change).await;
        let user = users::find(memory.as_ref(), &subject("alice-subject")).await.unwrap().unwrap();
        let found = users::find_by_email(memory.as_ref(), &user.email().unwrap()).await.unwrap();
        assert_eq!(found.len(), 1, "after call {number}");
        users::change_address(memory.as_ref(), &subject("alice-subject"), T0, change).await.unwrap();
        assert_eq!(users::find_by_email(memory.as_ref(), &new).await.unwrap().len(), 1);
        assert_eq!(users::find_by_email(memory.as_ref(), &old).await.unwrap().len(), 0);
    }
}

/// Without a sender nothing is written, and a run makes no call.
#[tokio::test]
async fn without_a_sender_there_is_no_mail() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    put(&instance, reset("alice")).await;
    let before = memory.counts().total();
    run(&instance).await;
    assert_eq!((waiting(&memory), memory.counts().total()), (0, before));
}

/// Another function's key names no mail.
#[test]
fn keys_of_other_records_are_no_mails() {
    assert_eq!(outbox::id_of_key("user#00ff#alice"), None);
    let mail = Mail { id: Jti::parse("id").unwrap(), at: T0, language: None, content: reset("alice") };
    assert_eq!(outbox::id_of_key(&outbox::key_of(&mail.id)), Some(mail.id));
}

/// Asks for a link in a new browser. Returns the status, the page without its random values, and the calls of the store.
async fn ask(instance: &Instance, memory: &Memory, identifier: &str) -> (StatusCode, String, u64) {
    let page = instance.send(Method::GET, "/recovery", &[], String::new()).await;
    let cookie = page.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let html = String::from_utf8(page.body).unwrap();
    let csrf = html.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("csrf", csrf.as_str()), ("identifier", identifier)])
        .finish();
    let headers = [(header::COOKIE, cookie), (header::CONTENT_TYPE, "application/x-www-form-urlencoded".to_owned())];
    memory.reset();
    let response = instance.send(Method::POST, "/recovery", &headers, form).await;
    let calls = memory.counts().total();
    let html = String::from_utf8(response.body).unwrap();
    let masked = html.split("nonce=\"").map(|part| part.split_once('"').map_or(part, |(_, rest)| rest));
    (response.status, masked.collect(), calls)
}

/// The request makes the same calls and gives the same page whether there is such a user or not. The user is looked up later.
#[tokio::test]
async fn a_request_for_a_link_tells_nothing_by_its_calls() {
    let (memory, service, instance) = with_mail().await;
    let known = ask(&instance, &memory, "alice").await;
    assert_eq!((known.0, known.2), (StatusCode::OK, 3), "two counters, and the mail");
    for other in ["mallory", "alice@example.com", "mallory@example.com", "alice@example.com, eve@example.com"] {
        assert_eq!(ask(&instance, &memory, other).await, known, "{other}");
    }
    send_written(&instance).await;
    assert_eq!(service.mails().len(), 2);
}

/// A network has few requests, for any user.
#[tokio::test]
async fn a_network_asks_a_few_times_in_an_hour() {
    let (memory, _, instance) = with_mail().await;
    for number in 0..20 {
        assert_eq!(ask(&instance, &memory, &format!("user-{number}")).await.0, StatusCode::OK, "{number}");
    }
    for identifier in ["user-20", "alice"] {
        assert_eq!(ask(&instance, &memory, identifier).await.0, StatusCode::TOO_MANY_REQUESTS);
    }
}

/// The notice about a new browser costs a sign-in one call beside those that it makes at the same time.
#[tokio::test]
async fn a_notice_adds_one_call_to_a_sign_in() {
    let (memory, service, mut instance) = with_mail().await;
    let sign_in = async |instance: &Instance| {
        memory.reset();
        Flow::of("alice").code(instance, PASSWORD, "openid").await;
        memory.counts().total()
    };
    // The first sign-in makes the signing keys and the consent.
    sign_in(&Instance::start(memory.clone(), &[])).await;
    let silent = sign_in(&Instance::start(memory.clone(), &[])).await;
    // On another day, the account has its allowance again.
    instance.wait(Duration::from_secs(86_400));
    assert_eq!(sign_in(&instance).await, silent + 1);
    send_written(&instance).await;
    let notices = service.mails();
    assert_eq!((notices.len(), &notices[0]["kind"]), (1, &json!("new_browser")));
}
