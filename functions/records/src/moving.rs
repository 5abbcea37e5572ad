//! The steps of the maintenance in one object, above all the change of the layout.

use crate::object::{Records, now};
use futures::future::join_all;
use std::collections::BTreeMap;
use storage_cloudflare::{Answer, Layout, Load, Place, Step, StepAnswer, StoredLayout};
use worker::Result;

/// Rows that are read at once.
const PART: u32 = 400;

/// Parts that one call moves.
const PARTS: usize = 20;

/// Calls of other objects after which a call ends. Cloudflare allows 1,000 of them, and a part makes at most one for each row.
const CALLS: usize = 400;

impl Records {
    /// Does a part of the maintenance. `layout` is that before a change.
    pub(crate) async fn take(&self, step: &str, layout: &Layout) -> Result<Answer> {
        let answer = self.step(&serde_json::from_str(step)?, layout).await?;
        Ok(Answer::Maintained(serde_json::to_string(&answer)?))
    }

    async fn step(&self, step: &Step, layout: &Layout) -> Result<StepAnswer> {
        let stored = self.layout()?;
        match step {
            Step::Rewind { at } => self.rewind(*at).await,
            Step::Life => Ok(StepAnswer::Life(self.life.clone())),
            Step::Restart => self.restart(),
            Step::Close(change) => {
                let stored = stored.unwrap_or_else(|| StoredLayout::new(layout.clone(), now()));
                match stored.closed(change) {
                    Some(closed) => self.set_layout(closed).map(|()| StepAnswer::Done),
                    None => Ok(belated()),
                }
            }
            Step::Move { number, shard, place } => match stored.filter(|stored| stored.is_closed_for(*number)) {
                Some(StoredLayout { changing_to: Some(to), .. }) => {
                    self.move_some(*number, *shard, place.clone(), &to).await
                }
                _ => Ok(belated()),
            },
            Step::Import { number, load } => {
                if !stored.is_some_and(|stored| stored.is_closed_for(*number)) {
                    return Ok(belated());
                }
                self.table()?.import(load)?;
                if !load.counters.is_empty() || load.records.iter().any(|record| record.expires_at.is_some()) {
                    self.expect_expiry().await;
                }
                Ok(StepAnswer::Done)
            }
            Step::Open { number } => match stored.and_then(|stored| stored.opened(*number)) {
                Some(opened) => self.set_layout(opened).map(|()| StepAnswer::Done),
                None => Ok(belated()),
            },
        }
    }

    /// Moves records and counters from a place on. A part is removed here when the other objects have stored it, so a call that was
    /// interrupted can be repeated from the same place.
    async fn move_some(&self, number: u32, own: u16, mut place: Place, to: &Layout) -> Result<StepAnswer> {
        let table = self.table()?;
        let objects = self.objects(to)?;
        let (mut count, mut calls) = (0_u64, 0_usize);
        for _ in 0..PARTS {
            if calls >= CALLS {
                break;
            }
            let mut loads: BTreeMap<u16, Load> = BTreeMap::new();
            let mut last = None;
            if place.table == 0 {
                for record in table.part_of_records(&place.after, PART)? {
                    last = Some(record.key.as_str().to_owned());
                    loads.entry(record.key.partition().shard(to.shards.count())).or_default().records.push(record);
                }
            } else {
                for counter in table.part_of_counters(&place.after, PART)? {
                    last = Some(counter.key.as_str().to_owned());
                    loads.entry(counter.key.partition().shard(to.shards.count())).or_default().counters.push(counter);
                }
            }
            loads.remove(&own);
            calls = calls.saturating_add(loads.len());
            let import = async |(shard, load): (&u16, &Load)| {
                objects.step(*shard, &Step::Import { number, load: load.clone() }).await
            };
            let imported = join_all(loads.iter().map(import)).await;
            // The change went on without this call: the records here may be others now.
            if !self.layout()?.is_some_and(|stored| stored.is_closed_for(number)) {
                return Ok(belated());
            }
            let mut problem = None;
            for ((shard, load), answer) in loads.iter().zip(imported) {
                match answer {
                    Ok(StepAnswer::Done) => {
                        let moved = load.records.len().saturating_add(load.counters.len());
                        count = count.saturating_add(u64::try_from(moved).unwrap_or(u64::MAX));
                        table.remove(load)?;
                    }
                    Ok(StepAnswer::Rejected(reason)) => problem = Some(format!("shard-{shard}: {reason}")),
                    Ok(_) => problem = Some(format!("shard-{shard} answers an import with something else")),
                    Err(error) => problem = Some(error.reason),
                }
            }
            if let Some(problem) = problem {
                return Ok(StepAnswer::Rejected(problem));
            }
            place = match last {
                Some(after) => Place { after, ..place },
                None if place.table == 0 => Place { table: 1, after: String::new() },
                None => return Ok(StepAnswer::Moved { count, next: None }),
            };
        }
        Ok(StepAnswer::Moved { count, next: Some(place) })
    }
}

fn belated() -> StepAnswer {
    StepAnswer::Rejected("the object takes no part in this change".to_owned())
}
