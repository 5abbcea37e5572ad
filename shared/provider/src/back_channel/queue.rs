//! The queue of notifications that were not accepted yet: one lane or more for each client, and a fair share for each lane.
//!
//! A run reads the pending notifications, sorts them by client and delivers them with bounded parallelism. A client that
//! does not answer costs a few attempts; the other clients do not wait for it. What a run does not reach stays due.

use super::{AT_ONCE, deliver, forget, next, note};
use crate::{AuditEvent, Context, HandlerError, ScheduledRun};
use futures::future::join_all;
use platform::{clock, entropy};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage::notices::{self, Notice, NoticeContent, Pending};
use storage::{Bucket, Unavailable};
use types::{ClientId, Timestamp};

/// Buckets that are read at the same time.
const BUCKETS_AT_ONCE: usize = 32;

/// Records in one page of a bucket, and pages of a bucket in one run.
const PAGE: u32 = 100;
const PAGES: usize = 10;

/// Notifications after which a run reads no further buckets. They are in memory.
const MOST_READ: usize = 5000;

/// Most logout tokens that are sent to one client at the same time.
const LANES: usize = 4;

/// Logout tokens of a lane before the next lane has its turn.
const TURN: usize = 10;

/// Failures in a row after which a client gets no more attempts in this run.
const FAILURES: u32 = 3;

/// The bounds of one run.
#[derive(Clone, Copy, Debug)]
pub struct RunLimits {
    /// Time after which no further attempt begins.
    pub time: Duration,
    /// Most attempts.
    pub attempts: usize,
}

impl Default for RunLimits {
    /// Returns the bounds of a scheduled run. They leave half of the minute until the next run.
    fn default() -> Self {
        Self { time: Duration::from_secs(30), attempts: 2000 }
    }
}

/// A part of the notifications for one client.
struct Lane {
    /// Failed attempts in a row, of all lanes of the client.
    failures: Arc<AtomicU32>,
    pending: VecDeque<Pending>,
}

/// One run.
struct Run<'a> {
    context: &'a Context,
    scheduled: &'a ScheduledRun,
    now: Timestamp,
    limits: RunLimits,
    began: Timestamp,
    attempts: AtomicUsize,
    lanes: Mutex<VecDeque<Lane>>,
    /// The first failure of the store, or the first record that cannot be read.
    fault: Mutex<Option<Unavailable>>,
}

/// Sends the notifications that are due, and gives up those that are too old. A record that cannot be read or claimed
/// does not stop the others. Errors: the first such failure.
pub async fn retry(context: &Context, scheduled: &ScheduledRun, limits: RunLimits) -> Result<(), HandlerError> {
    let run = Run {
        context,
        scheduled,
        now: scheduled.now,
        limits,
        began: clock::now(),
        attempts: AtomicUsize::new(0),
        lanes: Mutex::default(),
        fault: Mutex::default(),
    };
    run.read().await;
    join_all((0..AT_ONCE).map(|_| run.work())).await;
    match run.fault.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(fault) => Err(fault.into()),
        None => Ok(()),
    }
}

impl Run<'_> {
    /// Fills the lanes. Each run begins at another place, so that a backlog that no run can read delays each record by the
    /// same time.
    async fn read(&self) {
        let minute = self.now.as_secs().div_euclid(60);
        let mut buckets: Vec<Bucket> = Bucket::all().collect();
        let first = usize::try_from(minute.wrapping_mul(BUCKETS_AT_ONCE as u64).rem_euclid(256)).unwrap_or_default();
        buckets.rotate_left(first);
        let mut clients: BTreeMap<ClientId, Vec<Pending>> = BTreeMap::new();
        for some in buckets.chunks(BUCKETS_AT_ONCE) {
            if self.is_over() || clients.values().map(Vec::len).fold(0, usize::saturating_add) >= MOST_READ {
                break;
            }
            for found in join_all(some.iter().map(|bucket| self.read_bucket(*bucket, minute))).await {
                for pending in found {
                    clients.entry(pending.notice().client_id.clone()).or_default().push(pending);
                }
            }
        }
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        for pending in clients.into_values() {
            let failures = Arc::new(AtomicU32::new(0));
            let mut parts: Vec<VecDeque<Pending>> = (0..LANES.min(pending.len())).map(|_| VecDeque::new()).collect();
            let count = parts.len().max(1);
            for (index, pending) in pending.into_iter().enumerate() {
                if let Some(part) = index.checked_rem(count).and_then(|part| parts.get_mut(part)) {
                    part.push_back(pending);
                }
            }
            lanes.extend(parts.into_iter().map(|pending| Lane { failures: Arc::clone(&failures), pending }));
        }
    }

    /// Returns the notifications of a bucket that are due. Of a bucket with several pages, each run reads the first page and
    /// the pages from another place on.
    async fn read_bucket(&self, bucket: Bucket, minute: u64) -> Vec<Pending> {
        let records = self.context.records.as_ref();
        let place = notices::place(bucket, minute);
        let mut cursor = None;
        let mut due = Vec::new();
        for _ in 0..PAGES {
            let (page, next) = match notices::list(records, bucket, cursor.as_ref(), PAGE).await {
                Ok(page) => page,
                Err(unavailable) => {
                    self.report(unavailable);
                    break;
                }
            };
            for record in page {
                match Pending::read(record) {
                    Ok(pending) if pending.is_due(self.now) => due.push(pending),
                    Ok(_) => {}
                    Err(unreadable) => self.report(unreadable.into()),
                }
            }
            match next {
                Some(next) if next.0 < place.0 && cursor.is_none() => cursor = Some(place.clone()),
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        due
    }

    /// Takes one lane after the other until all are empty or the run is over.
    async fn work(&self) {
        while let Some(mut lane) = self.next_lane() {
            for _ in 0..TURN {
                if self.is_over() {
                    return;
                }
                let Some(pending) = lane.pending.pop_front() else { break };
                if let Err(fault) = self.handle(&pending, &lane.failures).await {
                    self.report(fault);
                }
            }
            if !lane.pending.is_empty() {
                self.lanes.lock().unwrap_or_else(PoisonError::into_inner).push_back(lane);
            }
        }
    }

    /// Sends a notification, or gives it up. Leaves it for a later run if the client does not answer in this one.
    async fn handle(&self, pending: &Pending, failures: &AtomicU32) -> Result<(), Unavailable> {
        let notice = pending.notice();
        let next = |attempts| next(notice, attempts, self.now);
        let is_client_down = failures.load(Ordering::Relaxed) >= FAILURES;
        if is_client_down && next(pending.attempts().saturating_add(1)).is_some() {
            return Ok(());
        }
        let write_id = entropy::name().map_err(|error| Unavailable { reason: error.to_string() })?;
        let Some(attempts) = notices::claim(self.context.records.as_ref(), pending, self.now, &write_id, next).await?
        else {
            return Ok(());
        };
        let is_accepted = !is_client_down && {
            self.attempts.fetch_add(1, Ordering::Relaxed);
            deliver(self.context, notice, self.now).await
        };
        if is_accepted {
            failures.store(0, Ordering::Relaxed);
            return Ok(());
        }
        failures.fetch_add(1, Ordering::Relaxed);
        if next(attempts).is_none() {
            self.give_up(notice).await;
        }
        Ok(())
    }

    async fn give_up(&self, notice: &Notice) {
        note(self.context, notice, self.now, "given up");
        if let NoticeContent::Logout { subject, .. } = &notice.content {
            let event = AuditEvent::LogoutNotificationGivenUp { subject, client: &notice.client_id };
            event.record_scheduled(self.scheduled);
        }
        forget(self.context, notice, self.now).await;
    }

    fn next_lane(&self) -> Option<Lane> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn is_over(&self) -> bool {
        self.attempts.load(Ordering::Relaxed) >= self.limits.attempts
            || clock::now().since(self.began) >= self.limits.time
    }

    fn report(&self, fault: Unavailable) {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
    }
}
