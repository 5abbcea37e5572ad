//! The Durable Object: one shard of the records.

use crate::AlarmClock;
use crate::table::Table;
use platform::worker::log_start;
use std::cell::Cell;
use std::time::Duration;
use storage_cloudflare::{Answer, Command};
use types::Timestamp;
use worker::{Date, DurableObject, Env, Error, Request, Response, Result, State, Storage, durable_object};

/// Number of expired rows that one statement deletes, and number of such statements per alarm.
const BATCH: u32 = 500;
const BATCHES: u32 = 20;

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
    /// The alarm, once it was read.
    clock: Cell<Option<AlarmClock>>,
}

impl DurableObject for Records {
    fn new(state: State, _: Env) -> Self {
        log_start("records");
        let storage = state.storage();
        let table = Table::open(storage.sql()).map_err(|error| error.to_string());
        Self { storage, table, clock: Cell::new(None) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let text = request.text().await?;
        match self.answer(&text).await {
            Ok(json) => Response::ok(json),
            Err(error) => Response::error(error.to_string(), 500),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        self.tidy().await?;
        Response::empty()
    }
}

impl Records {
    async fn answer(&self, json: &str) -> Result<String> {
        let command = Command::from_json(json).map_err(Error::from)?;
        let answer = self.table()?.run(&command)?;
        let expires_at = match (&command, &answer) {
            (Command::Create(record), Answer::Created) => record.expires_at,
            (_, Answer::Advanced(record)) => record.expires_at,
            (Command::Count { expires_at, .. }, Answer::Counted(_)) => Some(*expires_at),
            _ => None,
        };
        if let Some(expires_at) = expires_at {
            // The response is valid even if the alarm could not be set: the next write sets it.
            if let Err(error) = self.expects(expires_at).await {
                worker::console_error!("the alarm was not set: {}", error);
            }
        }
        answer.to_json().map_err(Error::from)
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

    async fn tidy(&self) -> Result<()> {
        let (table, now) = (self.table()?, now());
        let mut clock = AlarmClock::default();
        for _ in 0..BATCHES {
            if table.tidy(now, BATCH)? < BATCH as usize {
                break;
            }
        }
        let due = table.next_expiry()?.and_then(|next| clock.expects(next, now));
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
