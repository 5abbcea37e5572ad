//! Maintenance that an operator begins: the object `deployment` leads it through all shards, a part in each request.

use crate::object::{Records, now};
use futures::future::join_all;
use std::cell::Cell;
use std::time::Duration;
use storage_cloudflare::{
    Answer, Caller, DurableRecords, Layout, Operator, Phase, Reshard, Restore, Step, StepAnswer, StoredLayout,
};
use types::Timestamp;
use worker::{Error, Result};

/// Longest time for one request of the operator. The command sends the next one.
const BUDGET: Duration = Duration::from_secs(10);

/// Number of objects that are called at the same time.
const TOGETHER: u16 = 16;

/// Number of objects that one request restores: Cloudflare allows 1,000 calls in a request, and each object takes four or more.
const PER_REQUEST: u16 = 128;

/// The names of stored states.
const RESTORE: &str = "restore";
const RESHARD: &str = "reshard";

/// The time after which a request of the operator runs no more. The platform ends it without a trace when its caller is gone.
const LONGEST: Duration = Duration::from_secs(60);

/// Marks that a request of the operator is running, until it is dropped.
struct Running<'a>(&'a Cell<Option<Timestamp>>);

impl<'a> Running<'a> {
    /// Returns `None` if another request is running.
    fn begin(mark: &'a Cell<Option<Timestamp>>) -> Option<Self> {
        let now = now();
        if mark.get().is_some_and(|began| now.since(began) < LONGEST) {
            return None;
        }
        mark.set(Some(now));
        Some(Self(mark))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

impl Records {
    /// Begins or continues the maintenance that an operator wants.
    pub(crate) async fn maintain(&self, operator: &str) -> Result<Answer> {
        let operator: Operator = serde_json::from_str(operator)?;
        let Some(running) = Running::begin(&self.maintenance) else {
            return Ok(Answer::Rejected(
                "another such command is running: repeat this one when it has ended".to_owned(),
            ));
        };
        let Some(StoredLayout { layout, .. }) = self.layout()? else {
            return Ok(Answer::Rejected("this deployment has no records yet".to_owned()));
        };
        let answer = match operator {
            Operator::Restore { at, epoch } => self.restore(at, epoch, &layout).await,
            Operator::Reshard { shards } => {
                let stored = self.table()?.state::<Reshard>(RESHARD)?;
                match Reshard::requested(stored, &layout, shards) {
                    Err(reason) => Ok(Answer::Rejected(reason)),
                    Ok(_) if self.is_restoring()? => {
                        Ok(Answer::Rejected("a restore has begun: finish it first".to_owned()))
                    }
                    Ok(change) => {
                        self.reshard(change).await.map(|change| Answer::Maintained(change.state().to_string()))
                    }
                }
            }
        };
        drop(running);
        answer
    }

    fn is_restoring(&self) -> Result<bool> {
        let stored = self.table()?.state::<Restore>(RESTORE)?;
        Ok(stored.is_some_and(|restore| restore.began_at.is_some() && restore.finished_at.is_none()))
    }

    /// Returns the objects of a layout, as this Worker calls them.
    pub(crate) fn objects(&self, layout: &Layout) -> Result<DurableRecords> {
        let secrets = self.secrets.as_ref().map_err(|reason| Error::from(reason.as_str()))?;
        let credential = secrets.credential("records").ok_or_else(|| Error::from("no key for the credential"))?;
        let caller = Caller::new("records", credential.as_str());
        DurableRecords::new(self.env.durable_object("RECORDS")?, caller, layout.clone(), None)
    }

    async fn restore(&self, at: Timestamp, epoch: u16, layout: &Layout) -> Result<Answer> {
        let table = self.table()?;
        let last_change = table.state::<Reshard>(RESHARD)?;
        if last_change.as_ref().is_some_and(Reshard::is_running) {
            return Ok(Answer::Rejected("a change of the number of shards has begun: finish it first".to_owned()));
        }
        let since = last_change.and_then(|change| change.finished_at);
        let stored = table.state::<Restore>(RESTORE)?;
        let mut restore = match Restore::requested(stored, at, epoch, layout.shards.count(), since, now()) {
            Ok(restore) => restore,
            Err(reason) => return Ok(Answer::Rejected(reason)),
        };
        restore.problem = None;
        if restore.goes_on(epoch) {
            let objects = self.objects(layout)?;
            let (began, first) = (now(), restore.next);
            while restore.next < restore.shards
                && now().since(began) < BUDGET
                && restore.next.saturating_sub(first) < PER_REQUEST
            {
                if let Err(reason) = self.restore_some(&mut restore, &objects).await? {
                    restore.problem = Some(reason);
                    break;
                }
            }
            if restore.next >= restore.shards {
                restore.finished_at = Some(now());
            }
        }
        table.set_state(RESTORE, &restore)?;
        Ok(Answer::Maintained(restore.state(epoch).to_string()))
    }

    /// Restores the next objects. What undoes it is stored before any of them restarts.
    async fn restore_some(
        &self,
        restore: &mut Restore,
        objects: &DurableRecords,
    ) -> Result<std::result::Result<(), String>> {
        let last = restore.next.saturating_add(TOGETHER).min(restore.shards);
        let waiting: Vec<u16> = (restore.next..last).filter(|shard| !restore.undo.contains_key(shard)).collect();
        let rewind = Step::Rewind { at: restore.at };
        let asked_at = now();
        let rewound = join_all(waiting.iter().map(|shard| objects.step(*shard, &rewind))).await;
        let mut problem = None;
        for (shard, answer) in waiting.into_iter().zip(rewound) {
            match answer {
                Ok(StepAnswer::Rewound(undo)) => {
                    restore.began_at.get_or_insert(asked_at);
                    restore.undo.insert(shard, undo);
                }
                Ok(StepAnswer::Unused) => {}
                Ok(_) => problem = Some(format!("shard-{shard}: another answer than a bookmark")),
                Err(error) => problem = Some(error.reason),
            }
        }
        self.table()?.set_state(RESTORE, &restore)?;
        if let Some(problem) = problem {
            return Ok(Err(problem));
        }
        let used = (restore.next..last).filter(|shard| restore.undo.contains_key(shard));
        let restarted = join_all(used.map(|shard| objects.restart(shard))).await;
        if let Some(error) = restarted.into_iter().find_map(std::result::Result::err) {
            return Ok(Err(error.reason));
        }
        restore.next = last;
        self.table()?.set_state(RESTORE, &restore)?;
        Ok(Ok(()))
    }

    async fn reshard(&self, mut change: Reshard) -> Result<Reshard> {
        let table = self.table()?;
        // The objects of both layouts have the same jurisdiction, and names that do not depend on their number.
        let objects = self.objects(&change.from)?;
        let began = now();
        change.problem = None;
        table.set_state(RESHARD, &change)?;
        while change.is_running() && now().since(began) < BUDGET {
            if let Err(reason) = reshard_some(&mut change, &objects).await {
                change.problem = Some(reason);
                break;
            }
            change.go_on(now());
            if !change.is_running() {
                // The last act: from here on the deployment has the new number.
                let (number, layout) = (change.change.number, change.change.to.clone());
                self.set_layout(StoredLayout { number, ..StoredLayout::new(layout, now()) })?;
            }
            table.set_state(RESHARD, &change)?;
        }
        Ok(change)
    }
}

/// Takes the next objects through the present step.
async fn reshard_some(change: &mut Reshard, objects: &DurableRecords) -> std::result::Result<(), String> {
    let shards = change.next..change.next.saturating_add(TOGETHER).min(change.objects());
    let number = change.change.number;
    match change.phase {
        Phase::Close | Phase::Open => {
            let step = match change.phase {
                Phase::Close => Step::Close(change.change.clone()),
                _ => Step::Open { number },
            };
            for answer in join_all(shards.clone().map(|shard| objects.step(shard, &step))).await {
                match answer.map_err(|error| error.reason)? {
                    StepAnswer::Done => {}
                    StepAnswer::Rejected(reason) => return Err(reason),
                    _ => return Err("an object answers a step with something else".to_owned()),
                }
            }
            change.next = shards.end;
        }
        Phase::Move => {
            let step = Step::Move { number, shard: change.next, place: change.place.clone() };
            match objects.step(change.next, &step).await.map_err(|error| error.reason)? {
                StepAnswer::Moved { count, next } => {
                    change.moved = change.moved.saturating_add(count);
                    match next {
                        Some(place) => change.place = place,
                        None => (change.next, change.place) = (change.next.saturating_add(1), Default::default()),
                    }
                }
                StepAnswer::Rejected(reason) => return Err(reason),
                _ => return Err("an object answers a step with something else".to_owned()),
            }
        }
        Phase::Done => {}
    }
    Ok(())
}
