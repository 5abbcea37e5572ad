//! The Durable Object: one shard of the records.

use crate::AlarmClock;
use crate::table::Table;
use platform::worker::log_start;
use std::cell::{Cell, RefCell};
use std::time::Duration;
use storage_cloudflare::{Answer, Call, Command, Layout, coarse};
use types::Timestamp;
use worker::{Date, Delay, DurableObject, Env, Error, Request, Response, Result, State, Storage, durable_object};

/// Greatest number of expired rows of a table that are deleted before other calls run.
const BATCH: u32 = 500;

/// Pause between two batches.
const PAUSE: Duration = Duration::from_millis(1);

/// Longest time for which one alarm deletes. The next one continues [`AGAIN`] later.
const BUDGET: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_secs(1);

/// Greatest time ahead for which an alarm is set: JavaScript has no date for every timestamp. The alarm then sets the
/// next one.
const FARTHEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// One shard of the records.
#[durable_object(alarm)]
#[derive(Debug)]
pub struct Records {
    storage: Storage,
    /// The table, or the reason for which it could not be opened.
    table: std::result::Result<Table, String>,
    /// The layout, once it was read or stored.
    layout: RefCell<Option<Layout>>,
    /// The alarm, once it was read.
    clock: Cell<Option<AlarmClock>>,
}

impl DurableObject for Records {
    fn new(state: State, _: Env) -> Self {
        log_start("records");
        let storage = state.storage();
        let table = Table::open(storage.sql()).map_err(|error| error.to_string());
        Self { storage, table, layout: RefCell::new(None), clock: Cell::new(None) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let text = request.text().await?;
        match self.answer(&text).await {
            Ok(Ok(json)) => Response::ok(json),
            Ok(Err(Refused(reason))) => Response::error(reason, 409),
            Err(error) => Response::error(error.to_string(), 500),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        self.tidy().await?;
        Response::empty()
    }
}

/// The reason for which an object refuses a call: its records are laid out in another way.
struct Refused(String);

impl Records {
    async fn answer(&self, json: &str) -> Result<std::result::Result<String, Refused>> {
        let Call { layout, confirmed, command } = Call::from_json(json).map_err(Error::from)?;
        let table = self.table()?;
        match self.layout()? {
            Some(stored) => {
                if let Some(reason) = layout.mismatch(&stored) {
                    return Ok(Err(Refused(reason)));
                }
            }
            None if confirmed => {
                table.set_layout(&layout)?;
                self.layout.replace(Some(layout.into_owned()));
            }
            None => return Answer::Unconfirmed.to_json().map(Ok).map_err(Error::from),
        }
        let now = now();
        let answer = table.run(&command, now)?;
        let expires_at = match (&command, &answer) {
            (Command::Create(record), Answer::Created) => record.expires_at,
            (_, Answer::Advanced(record)) => record.expires_at,
            (Command::Count { expires_at, .. }, Answer::Counted(_)) => Some(*expires_at),
            _ => None,
        };
        if let Some(expires_at) = expires_at {
            // The response is valid even if the alarm could not be set: the next write sets it.
            if let Err(error) = self.expects(coarse(expires_at, now)).await {
                worker::console_error!("the alarm was not set: {}", error);
            }
        }
        answer.to_json().map(Ok).map_err(Error::from)
    }

    fn layout(&self) -> Result<Option<Layout>> {
        if self.layout.borrow().is_none() {
            let stored = self.table()?.layout()?;
            self.layout.replace(stored);
        }
        Ok(self.layout.borrow().clone())
    }

    fn table(&self) -> Result<&Table> {
        self.table.as_ref().map_err(|reason| Error::from(reason.as_str()))
    }

    async fn expects(&self, expires_at: Timestamp) -> Result<()> {
        let mut clock = match self.clock.get() {
            Some(clock) => clock,
            None => {
                let held = self.storage.get_alarm().await?;
                let held = held.and_then(|millis| u64::try_from(millis).ok()).map(Timestamp::from_millis);
                // Another request may have read and set it meanwhile.
                self.clock.get().unwrap_or(AlarmClock::new(held))
            }
        };
        let due = clock.expects(expires_at, now());
        self.clock.set(Some(clock));
        match due {
            Some(due) => self.set(due).await,
            None => Ok(()),
        }
    }

    async fn set(&self, due: Timestamp) -> Result<()> {
        // The platform expects the duration from now.
        let set = self.storage.set_alarm(due.since(now()).min(FARTHEST)).await;
        if set.is_err() {
            self.clock.set(None);
        }
        set
    }

    /// Deletes expired records, batch after batch, until none is left or [`BUDGET`] is over. Between two batches other calls
    /// run.
    async fn tidy(&self) -> Result<()> {
        let table = self.table()?;
        let began = now();
        while table.tidy(now(), BATCH)? >= BATCH as usize {
            // The clock of the platform stands still until an event: without the pause, no time would pass here.
            Delay::from(PAUSE).await;
            if now().since(began) > BUDGET {
                let again = now().after(AGAIN);
                self.clock.set(Some(AlarmClock::new(Some(again))));
                return self.set(again).await;
            }
        }
        let mut clock = AlarmClock::default();
        let due = table.next_look()?.and_then(|next| clock.expects(coarse(next, now()), now()));
        self.clock.set(Some(clock));
        match due {
            Some(due) => self.set(due).await,
            None => Ok(()),
        }
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(Date::now().as_millis())
}
