//! Records in Durable Objects.

use crate::{
    Answer, Call, Caller, Command, DEPLOYMENT, Layout, LocationHint, Operator, Shards, Step, StepAnswer, TIME_FIELD,
};
use async_trait::async_trait;
use futures::future::{Either, select};
use serde::Serialize;
use std::borrow::Cow;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use storage::{
    Advance, ClockReading, Created, Cursor, Key, Owner, Page, Partition, Record, Records, StoreClock, Unavailable,
    idempotent_write,
};
use types::Timestamp;
use wasm_bindgen::{JsCast, JsValue};
use worker::send::SendFuture;
use worker::web_sys::{self, RequestInit};
use worker::{Date, Delay, Error, ObjectNamespace, Request};

/// Longest time for the answer of an object.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest time for the answer to a request of an operator.
const MAINTENANCE: Duration = Duration::from_secs(25);

/// Time between two looks at an object that restarts, and their number.
const RESTART_PAUSE: Duration = Duration::from_millis(50);
const RESTART_POLLS: u8 = 60;

/// Pauses before the retries of a call whose object failed, moved or restarted: one retry for each entry.
const PAUSES: [Duration; 3] = [Duration::from_millis(20), Duration::from_millis(80), Duration::from_millis(250)];

/// The store of a Worker. Each verb is one call of the object of the key's shard.
#[derive(Clone, Debug)]
pub struct DurableRecords {
    /// The objects of the jurisdiction, which hold the records.
    objects: ObjectNamespace,
    /// The objects without a jurisdiction. One of them stores the layout.
    unrestricted: ObjectNamespace,
    caller: Caller,
    layout: Layout,
    location: Option<LocationHint>,
    /// True once the object with the layout has confirmed it to this instance.
    confirmed: Arc<AtomicBool>,
    clock: Arc<StoreClock>,
}

/// A failed attempt.
struct Failure {
    reason: String,
    /// The same call may succeed on another attempt.
    retryable: bool,
}

impl DurableRecords {
    /// Returns the records in the objects of a namespace, for a function.
    ///
    /// # Errors
    /// Cloudflare has no such jurisdiction.
    pub fn new(
        objects: ObjectNamespace,
        caller: Caller,
        layout: Layout,
        location: Option<LocationHint>,
    ) -> worker::Result<Self> {
        let restricted = match &layout.jurisdiction {
            Some(jurisdiction) => restricted(&objects, jurisdiction)?,
            None => objects.clone(),
        };
        let confirmed = Arc::new(AtomicBool::new(false));
        let clock = Arc::default();
        Ok(Self { objects: restricted, unrestricted: objects, caller, layout, location, confirmed, clock })
    }

    /// Sends a command to the object of a partition. A new object answers only after the layout was confirmed: it cannot
    /// know whether the deployment has records in other objects.
    async fn ask(&self, partition: Partition, command: Command<'_>) -> Result<Answer, Unavailable> {
        let name = self.layout.shards.name(partition);
        let is_confirmed = self.confirmed.load(Ordering::Relaxed);
        let call_with = |confirmed, command| Call {
            caller: Cow::Borrowed(&self.caller),
            layout: Cow::Borrowed(&self.layout),
            confirmed,
            command,
        };
        let mut question = call_with(is_confirmed, command);
        let answer = self.call(&self.objects, &name, &question).await?;
        if answer != Answer::Unconfirmed {
            return Ok(answer);
        }
        self.call(&self.unrestricted, DEPLOYMENT, &call_with(true, Command::Join)).await?.joined()?;
        self.confirmed.store(true, Ordering::Relaxed);
        question.confirmed = true;
        self.call(&self.objects, &name, &question).await
    }

    /// Lets the object `deployment` begin or continue maintenance of all objects. Returns its state as JSON, or the reason for
    /// which it cannot begin.
    ///
    /// # Errors
    /// The object cannot be reached, or fails. Repeat the call: it continues.
    pub async fn maintain(&self, operator: &Operator) -> Result<Result<String, String>, Unavailable> {
        let command = Command::Maintain(json(operator)?.into());
        match SendFuture::new(self.once(&self.unrestricted, DEPLOYMENT, command, MAINTENANCE)).await? {
            Answer::Maintained(state) => Ok(Ok(state)),
            Answer::Rejected(reason) => Ok(Err(reason)),
            _ => Err(Unavailable { reason: format!("{DEPLOYMENT}: another answer than a state") }),
        }
    }

    /// Lets one object do a part of the maintenance.
    ///
    /// # Errors
    /// The object cannot be reached, or fails. Repeat the call.
    pub async fn step(&self, shard: u16, step: &Step) -> Result<StepAnswer, Unavailable> {
        let name = Shards::name_of(shard);
        let failed = |reason: &str| Unavailable { reason: format!("{name}: {reason}") };
        match self.once(&self.objects, &name, Command::Step(json(step)?.into()), PATIENCE).await? {
            Answer::Maintained(answer) => {
                types::json::decode(answer.as_bytes()).map_err(|error| failed(&error.to_string()))
            }
            _ => Err(failed("another answer than that of a step")),
        }
    }

    /// Restarts one object, and waits until it has started again.
    ///
    /// # Errors
    /// It does not answer, or does not restart.
    pub async fn restart(&self, shard: u16) -> Result<(), Unavailable> {
        let before = self.step(shard, &Step::Life).await?;
        // The object may end before it answers.
        let _ = self.step(shard, &Step::Restart).await;
        for _ in 0..RESTART_POLLS {
            Delay::from(RESTART_PAUSE).await;
            // A call fails that the end of the object meets.
            if self.step(shard, &Step::Life).await.is_ok_and(|life| life != before) {
                return Ok(());
            }
        }
        Err(Unavailable { reason: format!("{}: it does not restart", Shards::name_of(shard)) })
    }

    /// Calls an object once.
    async fn once(
        &self,
        objects: &ObjectNamespace,
        name: &str,
        command: Command<'_>,
        patience: Duration,
    ) -> Result<Answer, Unavailable> {
        let call = Call {
            caller: Cow::Borrowed(&self.caller),
            layout: Cow::Borrowed(&self.layout),
            confirmed: false,
            command,
        };
        match self.attempt(objects, name, &call.to_json()?, patience).await {
            Ok(text) => Answer::from_json(&text),
            Err(failure) => Err(Unavailable { reason: format!("{name}: {}", failure.reason) }),
        }
    }

    /// Calls an object. Failed writes are retried too: if the first one was executed, the second one finds its result, and
    /// [`idempotent_write`] recognizes it. A repeated `count` counts twice.
    async fn call(&self, objects: &ObjectNamespace, name: &str, call: &Call<'_>) -> Result<Answer, Unavailable> {
        let json = call.to_json()?;
        let mut pauses = PAUSES.into_iter();
        loop {
            let failure = match self.attempt(objects, name, &json, PATIENCE).await {
                Ok(text) => return Answer::from_json(&text),
                Err(failure) => failure,
            };
            match pauses.next().filter(|_| failure.retryable) {
                Some(pause) => Delay::from(pause).await,
                None => return Err(Unavailable { reason: format!("{name}: {}", failure.reason) }),
            }
        }
    }

    /// Makes one call through a new stub: a stub that has failed once fails for ever.
    async fn attempt(
        &self,
        objects: &ObjectNamespace,
        name: &str,
        json: &str,
        patience: Duration,
    ) -> Result<String, Failure> {
        let answer = pin!(async {
            let stub = match &self.location {
                Some(location) => objects.get_by_name_with_location_hint(name, location.as_str()),
                None => objects.get_by_name(name),
            }?;
            // The builder of `worker` would add the code for Cloudflare's image options to each Worker.
            let init = RequestInit::new();
            init.set_method("POST");
            init.set_body(&JsValue::from_str(json));
            let request = web_sys::Request::new_with_str_and_init("https://records/", &init)?;
            let mut response = stub.fetch_with_request(Request::from(request)).await?;
            self.note_time(response.headers().get(TIME_FIELD)?);
            Ok((response.status_code(), response.text().await?))
        });
        match select(answer, Delay::from(patience)).await {
            Either::Left((Ok((200, text)), _)) => Ok(text),
            Either::Left((Ok((status, text)), _)) => {
                Err(Failure { reason: format!("status {status}: {text}"), retryable: false })
            }
            Either::Left((Err(error), _)) => {
                Err(Failure { retryable: is_retryable(&error), reason: error.to_string() })
            }
            Either::Right(_) => Err(Failure { reason: "no answer in time".into(), retryable: false }),
        }
    }
}

impl DurableRecords {
    /// Notes the time that an object says. An object of an earlier version says none.
    fn note_time(&self, said: Option<String>) {
        if let Some(millis) = said.and_then(|millis| millis.parse().ok()) {
            let own = Timestamp::from_millis(Date::now().as_millis());
            self.clock.note(ClockReading { store: Timestamp::from_millis(millis), own });
        }
    }
}

fn json(command: &impl Serialize) -> Result<String, Unavailable> {
    serde_json::to_string(command).map_err(|error| Unavailable { reason: format!("a command: {error}") })
}

/// Returns the part of a namespace whose objects run and store in a jurisdiction. The crate `worker` has no call for it.
fn restricted(objects: &ObjectNamespace, jurisdiction: &str) -> worker::Result<ObjectNamespace> {
    let objects: &JsValue = objects.as_ref();
    let method = js_sys::Reflect::get(objects, &JsValue::from_str("jurisdiction"))?;
    let method: js_sys::Function = method.dyn_into()?;
    Ok(method.call1(objects, &JsValue::from_str(jurisdiction))?.unchecked_into())
}

/// True if a retry can succeed. False if the platform marks the error as overload, which retries make worse.
fn is_retryable(error: &Error) -> bool {
    let is_overload = |error: &JsValue| {
        js_sys::Reflect::get(error, &JsValue::from_str("overloaded")).is_ok_and(|mark| mark.is_truthy())
    };
    match error {
        Error::UnknownJsError { original, .. } | Error::Internal(original) => !is_overload(original),
        _ => true,
    }
}

#[async_trait]
impl Records for DurableRecords {
    async fn create(&self, record: &Record) -> Result<Created, Unavailable> {
        let command = Command::Create(Cow::Borrowed(record));
        let found = SendFuture::new(self.ask(record.key.partition(), command)).await?.created()?;
        Ok(idempotent_write::created(found, record))
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        SendFuture::new(self.ask(key.partition(), Command::Get(Cow::Borrowed(key)))).await?.found()
    }

    async fn advance(
        &self,
        key: &Key,
        from: u64,
        state: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<Advance, Unavailable> {
        let command = Command::Advance { key: Cow::Borrowed(key), from, state: Cow::Borrowed(state), expires_at };
        let found = SendFuture::new(self.ask(key.partition(), command)).await?.advanced()?;
        Ok(idempotent_write::advanced(found, from, state, expires_at))
    }

    async fn delete(&self, key: &Key) -> Result<(), Unavailable> {
        SendFuture::new(self.ask(key.partition(), Command::Delete(Cow::Borrowed(key)))).await?.deleted()
    }

    async fn list(&self, owner: &Owner, cursor: Option<&Cursor>, limit: u32) -> Result<Page, Unavailable> {
        let command = Command::List { owner: Cow::Borrowed(owner), after: cursor.map(Cow::Borrowed), limit };
        SendFuture::new(self.ask(owner.partition(), command)).await?.listed()
    }

    async fn count(&self, key: &Key, by: i64, expires_at: Timestamp) -> Result<i64, Unavailable> {
        let command = Command::Count { key: Cow::Borrowed(key), by, expires_at };
        SendFuture::new(self.ask(key.partition(), command)).await?.counted()
    }

    fn clock(&self) -> Option<ClockReading> {
        self.clock.reading()
    }
}
