//! Checks of the maintenance: a restore of all objects to an earlier time, and another number of objects.
//!
//! workerd on this machine keeps no history of an object. `measured-records.mjs` stands in for it: it takes snapshots, and starts
//! an object from one of them. What Cloudflare itself does with a bookmark is not checked here.

use crate::{ask, caller, durable, finding, layout};
use serde_json::Value;
use std::time::Duration;
use storage::{Advance, Bucket, Key, Kind, Owner, Partition, Record, Records};
use storage_cloudflare::{Answer, DurableRecords, Layout, Operator, Phase, Reshard, Restore, Shards, Step};
use types::Timestamp;
use worker::{Date, Delay, Env, Result};

type Finding = std::result::Result<(), String>;

/// Records and counters of the check of another number of objects.
const RECORDS: usize = 300;

/// Requests of an operator after which a maintenance must be done.
const REQUESTS: usize = 400;

pub(crate) async fn check(env: &Env, run: &str) -> Result<Vec<Value>> {
    let mut findings = Vec::new();
    for (clause, problem) in [
        ("only the administration maintains the records", of_admin_alone(env).await?),
        ("all records go back to a time, with another epoch alone", restore(env, run).await?),
        ("another number of shards keeps every record as it is", reshard(env, run).await?),
    ] {
        findings.push(finding(clause, problem.err()));
    }
    Ok(findings)
}

fn now() -> Timestamp {
    Timestamp::from_millis(Date::now().as_millis())
}

/// Returns the records as `admin` reaches them.
fn admin(env: &Env, layout: Layout) -> Result<DurableRecords> {
    DurableRecords::new(env.durable_object("RECORDS")?, caller(env, "admin")?, layout, None)
}

async fn of_admin_alone(env: &Env) -> Result<Finding> {
    let token = DurableRecords::new(env.durable_object("RECORDS")?, caller(env, "token")?, layout(), None)?;
    let reshard = Operator::Reshard { shards: Shards::default() };
    let answers = [
        token.maintain(reshard).await,
        token.step(3, Step::Rewind { at: now() }).await,
        admin(env, layout())?.step(3, Step::Rewind { at: now() }).await,
        admin(env, layout())?.step(3, Step::Open { number: 1 }).await,
    ];
    for answer in answers {
        match answer {
            Err(error) if error.reason.contains("may not maintain the records") => {}
            answer => return Ok(Err(format!("{answer:?}"))),
        }
    }
    Ok(Ok(()))
}

fn grant(run: &str, bucket: Bucket, id: &str, expires_at: Option<Timestamp>) -> Record {
    Record {
        key: Key::new(Kind::Grant, bucket.partition(), &format!("{run}-{id}")),
        owner: Some(Owner::of_bucket(run, bucket)),
        body: format!("{{\"id\":\"{id}\"}}"),
        state: "{}".to_owned(),
        generation: 0,
        expires_at,
    }
}

/// Sends the command of an operator with this epoch.
async fn restoring(admin: &DurableRecords, at: Timestamp, epoch: u16) -> std::result::Result<Restore, String> {
    match admin.maintain(Operator::Restore { at, epoch }).await {
        Ok(Answer::Restoring(restore)) => Ok(restore),
        answer => Err(format!("{answer:?}")),
    }
}

/// A grant that was refreshed once, then once more after the time; another one that was created after it.
async fn restore(env: &Env, run: &str) -> Result<Finding> {
    Ok(restored(env, run).await?.map_err(|reason| format!("restore: {reason}")))
}

async fn restored(env: &Env, run: &str) -> Result<Finding> {
    let (records, admin) = (durable(env, layout())?, admin(env, layout())?);
    let bucket = Bucket::from_number(33);
    let (kept, later) = (grant(run, bucket, "kept", None), grant(run, bucket, "later", None));
    let mut finding = Ok(());
    let mut demand = |holds: bool, what: &str| {
        if !holds && finding.is_ok() {
            finding = Err(what.to_owned());
        }
    };
    demand(records.create(&kept).await.is_ok(), "the grant is created");
    demand(records.advance(&kept.key, 0, "1", None).await.is_ok(), "the grant is refreshed");
    ask(env, bucket, "/snapshot").await?;
    Delay::from(Duration::from_millis(20)).await;
    let at = now();
    Delay::from(Duration::from_millis(20)).await;
    demand(records.advance(&kept.key, 1, "2", None).await.is_ok(), "the grant is refreshed again");
    demand(records.create(&later).await.is_ok(), "another grant is created");

    let plan = restoring(&admin, at, 6).await;
    demand(plan.as_ref().is_ok_and(|plan| plan.epoch == 7 && plan.began_at.is_none()), "a plan for the next epoch");
    let again = restoring(&admin, at, 6).await;
    demand(again == plan, "the same epoch begins nothing");
    let current = records.get(&kept.key).await.ok().flatten().map(|record| record.generation);
    demand(current == Some(2), "nothing has changed yet");

    ask(env, bucket, "/history?lost").await?;
    let stopped = restoring(&admin, at, 7).await;
    let says_why = |restore: &Restore| restore.problem.as_ref().is_some_and(|reason| reason.contains("no history"));
    demand(stopped.as_ref().is_ok_and(|stopped| says_why(stopped) && stopped.finished_at.is_none()), "a fault stops it");
    let other = admin.maintain(Operator::Restore { at: at.before(Duration::from_secs(1)), epoch: 7 }).await;
    demand(matches!(other, Ok(Answer::Rejected(reason)) if reason.contains("has begun")), "no other one begins");
    let shards = admin.maintain(Operator::Reshard { shards: Shards::parse("7").unwrap_or_default() }).await;
    demand(matches!(shards, Ok(Answer::Rejected(reason)) if reason.contains("restore")), "no other number meanwhile");
    ask(env, bucket, "/history?found").await?;
    let mut done = restoring(&admin, at, 7).await;
    for _ in 0..REQUESTS {
        if done.as_ref().map_or(true, |done| done.finished_at.is_some() || done.problem.is_some()) {
            break;
        }
        done = restoring(&admin, at, 7).await;
    }
    let is_done = |done: &Restore| done.finished_at.is_some() && done.undo.contains_key(&33) && done.next == done.shards;
    if !done.as_ref().is_ok_and(is_done) {
        return Ok(Err(format!("it does not end: {done:?}")));
    }
    demand(restoring(&admin, at, 7).await == done, "a finished restore is not repeated");
    let found = records.get(&kept.key).await.ok().flatten();
    demand(found == Some(Record { generation: 1, state: "1".to_owned(), ..kept.clone() }), "the grant went back");
    demand(records.get(&later.key).await == Ok(None), "the later grant is gone");
    let refreshed = records.advance(&kept.key, 1, "3", None).await;
    demand(matches!(refreshed, Ok(Advance::Advanced(_))), "the object works again");
    Ok(finding)
}

/// Repeats the command of an operator until the change is complete. Counts the requests that did not come through.
async fn change(env: &Env, from: Layout, to: Shards) -> Result<std::result::Result<(Reshard, usize), String>> {
    let admin = admin(env, from)?;
    let mut interrupted = 0_usize;
    for _ in 0..REQUESTS {
        match admin.maintain(Operator::Reshard { shards: to }).await {
            Ok(Answer::Resharding(change)) if change.phase == Phase::Done => return Ok(Ok((change, interrupted))),
            Ok(Answer::Resharding(change)) if change.problem.is_none() => {}
            Ok(Answer::Resharding(_)) | Err(_) => interrupted = interrupted.saturating_add(1),
            Ok(answer) => return Ok(Err(format!("{answer:?}"))),
        }
    }
    Ok(Err("the change does not end".to_owned()))
}

fn of(shards: &str) -> Layout {
    Layout { shards: Shards::parse(shards).unwrap_or_default(), jurisdiction: None }
}

/// Returns the record or counter with this number: different generations, expiries and owners.
fn sample(run: &str, number: usize) -> Record {
    let partition = Partition::of(&format!("{run}-{number}"));
    let owner = Owner::new(format!("user#{run}-{}", number % 40));
    let expires_at = (number % 3 != 0).then(|| Timestamp::from_millis(4_102_444_800_000 + number as u64));
    Record {
        key: Key::new(Kind::Grant, if number % 2 == 0 { owner.partition() } else { partition }, &format!("{run}-{number}")),
        owner: (number % 2 == 0).then_some(owner),
        body: format!("{{\"number\":{number}}}"),
        state: "{}".to_owned(),
        generation: 0,
        expires_at,
    }
}

/// From 256 to 7 objects, and back. Each 29th call of an object is executed and its answer lost.
async fn reshard(env: &Env, run: &str) -> Result<Finding> {
    let run = format!("{run}-moved");
    let before = durable(env, layout())?;
    let mut samples = Vec::new();
    for number in 0..RECORDS {
        let record = sample(&run, number);
        let counter = Key::new(Kind::Counter, record.key.partition(), &format!("{run}-{number}"));
        let mut last = before.create(&record).await.map(|_| Some(record.clone()));
        for generation in 0..(number % 4) as u64 {
            let state = format!("{{\"used\":{generation}}}");
            last = match before.advance(&record.key, generation, &state, record.expires_at).await {
                Ok(Advance::Advanced(record)) => Ok(Some(record)),
                answer => return Ok(Err(format!("{answer:?}"))),
            };
        }
        let total = before.count(&counter, number as i64 - 5, Timestamp::from_millis(4_102_444_800_000)).await;
        let (Ok(Some(record)), Ok(total)) = (last, total) else { return Ok(Err("a sample was not written".to_owned())) };
        samples.push((record, counter, total));
    }
    for (from, to) in [("256", "7"), ("7", "256")] {
        ask(env, Bucket::from_number(0), "/lose?every=29").await?;
        let changed = change(env, of(from), of(to).shards).await?;
        ask(env, Bucket::from_number(0), "/lose?every=0").await?;
        match changed {
            Ok((change, interrupted)) if change.moved >= RECORDS as u64 && interrupted > 3 => {}
            Ok((change, interrupted)) => {
                return Ok(Err(format!("{} were moved, with {interrupted} interruptions", change.moved)));
            }
            Err(reason) => return Ok(Err(format!("{from} to {to}: {reason}"))),
        }
        let (old, new) = (durable(env, of(from))?, durable(env, of(to))?);
        for (record, counter, total) in &samples {
            let found = new.get(&record.key).await;
            if found != Ok(Some(record.clone())) {
                return Ok(Err(format!("{from} to {to}: {found:?} is not {record:?}")));
            }
            let found = new.count(counter, 0, Timestamp::from_millis(4_102_444_800_000)).await;
            if found != Ok(*total) {
                return Ok(Err(format!("{from} to {to}: the counter is {found:?}, not {total}")));
            }
            match old.get(&record.key).await {
                Err(error) if error.reason.contains("are in") => {}
                answer => return Ok(Err(format!("the old number is accepted: {answer:?}"))),
            }
        }
        for owner in 0..40 {
            let owner = Owner::new(format!("user#{run}-{owner}"));
            let listed = new.list(&owner, None, 100).await.map(|page| page.records.len());
            let expected = samples.iter().filter(|(record, ..)| record.owner.as_ref() == Some(&owner)).count();
            if listed != Ok(expected) {
                return Ok(Err(format!("{from} to {to}: {listed:?} of {expected} are listed")));
            }
        }
    }
    Ok(Ok(()))
}
