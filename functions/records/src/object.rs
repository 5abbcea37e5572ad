//! The Durable Object: one shard of the records.

use crate::history;
use crate::table::Table;
use keys::{DerivedKeys, Secrets};
use platform::entropy;
use platform::worker::{log_start, setting};
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::time::Duration;
use storage::sql::{self, Sweep};
use storage_cloudflare::{Answer, Call, Command, Refusal, StepAnswer, StoredLayout, TIME_FIELD};
use types::Timestamp;
use worker::{Date, Delay, DurableObject, Env, Error, Request, Response, Result, State, Storage, durable_object};

/// Time between two sweeps. A sweep reads each row; a row that expires stays for so long.
const INTERVAL: Duration = Duration::from_secs(12 * 3600);

/// Rows that a sweep reads before other calls run.
const PART: u32 = 2000;

/// Pause between two parts.
const PAUSE: Duration = Duration::from_millis(1);

/// Longest time for which one alarm sweeps. The next one continues [`AGAIN`] later.
const BUDGET: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_secs(1);

/// One shard of the records.
#[durable_object(alarm)]
#[derive(Debug)]
pub struct Records {
    state: State,
    pub(crate) env: Env,
    storage: Storage,
    /// The table, or the reason for which it could not be opened.
    table: std::result::Result<Table, String>,
    /// The key that proves who calls, or the reason for which there is none.
    pub(crate) secrets: std::result::Result<Secrets, String>,
    /// The layout, once it was read or stored.
    layout: RefCell<Option<StoredLayout>>,
    /// The name of this life of the object.
    pub(crate) life: String,
    /// The beginning of the request of an operator that is running in the object `deployment`.
    pub(crate) maintenance: Cell<Option<Timestamp>>,
    /// True if the alarm is known to be set.
    has_alarm: Cell<bool>,
    /// The place at which the next alarm continues a sweep.
    sweep: RefCell<Option<Place>>,
}

impl DurableObject for Records {
    fn new(state: State, env: Env) -> Self {
        log_start("records");
        let storage = state.storage();
        let table = Table::open(storage.sql()).map_err(|error| error.to_string());
        Self {
            secrets: secrets(&env),
            state,
            env,
            storage,
            table,
            layout: RefCell::new(None),
            life: entropy::name().unwrap_or_default(),
            maintenance: Cell::new(None),
            has_alarm: Cell::new(false),
            sweep: RefCell::new(None),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let text = request.text().await?;
        match self.answer(&text).await {
            Ok(Ok(json)) => {
                let mut response = Response::ok(json)?;
                // A caller whose clock is minutes off issues nothing.
                response.headers_mut().set(TIME_FIELD, &now().as_millis().to_string())?;
                Ok(response)
            }
            Ok(Err(Refused { reason, status })) => Response::error(reason, status),
            Err(error) => Response::error(error.to_string(), 500),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        self.sweep().await?;
        Response::empty()
    }
}

/// The reason for which an object refuses a call, and the status of the answer.
struct Refused {
    reason: String,
    status: u16,
}

impl Refused {
    /// The records are laid out in another way than the caller counts on.
    const fn layout(reason: String) -> Self {
        Self { reason, status: 409 }
    }

    /// The object takes part in a change of the layout.
    fn closed(stored: &StoredLayout) -> Self {
        let reason = match &stored.changing_to {
            Some(to) => format!("the records are being moved from {} to {to}; try again later", stored.layout),
            None => String::new(),
        };
        Self { reason, status: 503 }
    }

    /// The caller may not send the command. The log has an event: no client causes this.
    fn access(refusal: &Refusal) -> Self {
        let reason = refusal.to_string();
        let event = json!({ "event": "record_access_refused", "outcome": "failure", "reason": reason });
        let line = json!({ "at": now().as_millis(), "function": "records", "reason": reason, "events": [event] });
        worker::console_error!("{}", line);
        Self { reason, status: 403 }
    }
}

/// Reads the key that proves who calls. The error says what to do.
fn secrets(env: &Env) -> std::result::Result<Secrets, String> {
    let keys = |name: &str| {
        let keys = setting(env, name).map(|text| DerivedKeys::parse(&text));
        keys.transpose().map_err(|error| format!("{name} of the Worker `records` is {error}"))
    };
    let missing = "LATCHKEY_KEYS of the Worker `records` is not set; `latchkey secret derive records` prints it";
    Ok(Secrets::of(keys("LATCHKEY_KEYS")?.ok_or(missing)?, keys("LATCHKEY_KEYS_PREVIOUS")?))
}

impl Records {
    async fn answer(&self, json: &str) -> Result<std::result::Result<String, Refused>> {
        let call = Call::from_json(json).map_err(Error::from)?;
        let secrets = self.secrets.as_ref().map_err(|reason| Error::from(reason.as_str()))?;
        if let Err(refusal) = call.authorize(|function, credential| secrets.accepts_credential(function, credential)) {
            return Ok(Err(Refused::access(&refusal)));
        }
        let Call { layout, confirmed, command, .. } = call;
        let table = self.table()?;
        match &command {
            Command::Maintain(operator) => return written(&self.maintain(operator).await?),
            Command::Step(step) => return written(&self.take(step, &layout).await?),
            _ => {}
        }
        match self.layout()? {
            Some(stored) if stored.changing_to.is_some() => return Ok(Err(Refused::closed(&stored))),
            Some(stored) => {
                if let Some(reason) = layout.mismatch(&stored.layout) {
                    return Ok(Err(Refused::layout(reason)));
                }
            }
            None if confirmed => self.set_layout(StoredLayout::new(layout.into_owned(), now()))?,
            None => return written(&Answer::Unconfirmed),
        }
        let answer = table.run(&command)?;
        let expires = match (&command, &answer) {
            (Command::Create(record), Answer::Created) => record.expires_at.is_some(),
            (_, Answer::Advanced(record)) => record.expires_at.is_some(),
            (_, Answer::Counted(_)) => true,
            _ => false,
        };
        if expires {
            self.expect_expiry().await;
        }
        written(&answer)
    }

    /// Sets the first alarm, because something will expire.
    pub(crate) async fn expect_expiry(&self) {
        // An answer is valid even if the alarm could not be set: the next write sets it.
        if !self.has_alarm.get()
            && let Err(error) = self.set_first_alarm().await
        {
            worker::console_error!("the alarm was not set: {}", error);
        }
    }

    /// Goes back to a time at the next start.
    pub(crate) async fn rewind(&self, at: Timestamp) -> Result<StepAnswer> {
        let Some(stored) = self.layout()? else { return Ok(StepAnswer::Unused) };
        if stored.used_since.is_some_and(|since| at < since) {
            // There was no such object at that time.
            let undo = history::present(&self.storage).await?;
            self.table()?.clear()?;
            return Ok(StepAnswer::Rewound(undo));
        }
        history::rewind(&self.storage, at).await.map(StepAnswer::Rewound)
    }

    /// Restarts.
    pub(crate) fn restart(&self) -> Result<StepAnswer> {
        history::restart(&self.state)?;
        Ok(StepAnswer::Done)
    }

    /// Stores the layout.
    pub(crate) fn set_layout(&self, layout: StoredLayout) -> Result<()> {
        self.table()?.set_layout(&layout)?;
        self.layout.replace(Some(layout));
        Ok(())
    }

    pub(crate) fn layout(&self) -> Result<Option<StoredLayout>> {
        if self.layout.borrow().is_none() {
            let stored = self.table()?.layout()?;
            self.layout.replace(stored);
        }
        Ok(self.layout.borrow().clone())
    }

    pub(crate) fn table(&self) -> Result<&Table> {
        self.table.as_ref().map_err(|reason| Error::from(reason.as_str()))
    }

    async fn set_first_alarm(&self) -> Result<()> {
        if self.storage.get_alarm().await?.is_none() {
            self.storage.set_alarm(INTERVAL).await?;
        }
        self.has_alarm.set(true);
        Ok(())
    }

    /// Deletes what has expired, and sets the next alarm if something will expire.
    async fn sweep(&self) -> Result<()> {
        // If the sweep fails for good, the next write sets an alarm.
        self.has_alarm.set(false);
        let next = if !self.sweep_for(BUDGET).await? {
            Some(AGAIN)
        } else if self.table()?.has_expiry()? {
            Some(INTERVAL)
        } else {
            None
        };
        self.has_alarm.set(next.is_some());
        match next {
            Some(next) => self.storage.set_alarm(next).await,
            None => Ok(()),
        }
    }

    /// Reads the tables part after part, and deletes what has expired. Between two parts other calls run. Returns false if
    /// the time was over before the end.
    async fn sweep_for(&self, time: Duration) -> Result<bool> {
        let table = self.table()?;
        let began = now();
        let mut place = self.sweep.take().unwrap_or_default();
        while let Some(sweep) = SWEEPS.get(place.table) {
            place = match table.sweep(*sweep, &place.after, PART, now())? {
                Some(last) => Place { after: last, ..place },
                None => Place { table: place.table.saturating_add(1), after: String::new() },
            };
            // The clock of the platform stands still until an event: without the pause, no time would pass here.
            Delay::from(PAUSE).await;
            if now().since(began) > time {
                self.sweep.replace(Some(place));
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A place of a sweep: a table, and the key after which it continues.
#[derive(Debug, Default)]
struct Place {
    table: usize,
    after: String,
}

/// The sweeps of one alarm.
const SWEEPS: [Sweep; 2] = [sql::SWEEP_RECORDS, sql::SWEEP_COUNTERS];

/// Returns an answer as the caller gets it.
fn written(answer: &Answer) -> Result<std::result::Result<String, Refused>> {
    answer.to_json().map(Ok).map_err(Error::from)
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(Date::now().as_millis())
}
