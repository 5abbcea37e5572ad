//! Checks of the objects behind the store: their layout, the rows that they write, and how fast they delete.

use crate::{ask, durable, finding, layout};
use futures::future::join_all;
use serde_json::Value;
use std::time::Duration;
use storage::{Advance, Bucket, Created, Key, Kind, Owner, Partition, Record, Records};
use storage_cloudflare::{Layout, Shards};
use types::Timestamp;
use worker::{Date, Env, Result};

/// Rows that an object deletes per second, at least. 5,000 sign-ins a second on 256 objects leave 20 sign-ins a second and
/// object, and each leaves about 8 records and counters.
const LEAST_PER_SECOND: u64 = 160;

/// Expired records of the check: more than one part of a sweep.
const EXPIRED: usize = 2100;

const DAY: Duration = Duration::from_secs(86_400);

type Finding = std::result::Result<(), String>;

pub(crate) async fn check(env: &Env, records: &dyn Records, run: &str) -> Result<Vec<Value>> {
    let mut findings = Vec::new();
    for (clause, problem) in [
        ("another number of shards is refused", other_layouts(env, run).await?),
        ("the platform is asked for the jurisdiction", jurisdiction(env)?),
        ("few rows are written", rows(env, records, run).await?),
        ("expired records are deleted in time, and no others", expired(env, records, run).await?),
    ] {
        findings.push(finding(clause, problem.err()));
    }
    Ok(findings)
}

fn now() -> Timestamp {
    Timestamp::from_millis(Date::now().as_millis())
}

/// Returns an owner of this run, with the objects of a bucket.
fn owner(run: &str, bucket: Bucket) -> Owner {
    Owner::of_bucket(run, bucket)
}

fn record(run: &str, bucket: Bucket, id: &str, expires_at: Timestamp) -> Record {
    Record {
        key: Key::new(Kind::Grant, bucket.partition(), &format!("{run}-{id}")),
        owner: Some(owner(run, bucket)),
        body: "{}".to_owned(),
        state: "{}".to_owned(),
        generation: 0,
        expires_at: Some(expires_at),
    }
}

/// Fewer shards meet an object that has records, more shards meet a new one.
async fn other_layouts(env: &Env, run: &str) -> Result<Finding> {
    let known = Bucket::from_number(3);
    let key = record(run, known, "layout", now()).key;
    let right = durable(env, layout())?;
    if let Err(error) = right.get(&key).await {
        return Ok(Err(error.to_string()));
    }
    let elsewhere = Key::new(Kind::Grant, Partition::from_bytes([15, 200]), "layout");
    for (shards, key) in [("7", &key), ("4096", &elsewhere)] {
        let shards = Shards::parse(shards).map_err(|error| error.to_string())?;
        let wrong = durable(env, Layout { shards, jurisdiction: None })?;
        match wrong.get(key).await {
            Ok(_) => return Ok(Err(format!("{} shards are accepted", shards.count()))),
            Err(error) if error.reason.contains("are in 256 shards without a jurisdiction") => {}
            Err(error) => return Ok(Err(format!("an unclear reason: {error}"))),
        }
    }
    Ok(Ok(()))
}

/// workerd has no jurisdictions. Its refusal shows that the objects are asked for in one.
fn jurisdiction(env: &Env) -> Result<Finding> {
    let layout = Layout { jurisdiction: Some("eu".to_owned()), ..layout() };
    Ok(match durable(env, layout) {
        Ok(_) => Err("the platform was not asked".to_owned()),
        Err(error) if error.to_string().contains("Jurisdiction restrictions are not implemented") => Ok(()),
        Err(error) => Err(error.to_string()),
    })
}

/// Cloudflare bills rows. A grant: itself, and the entry of its owner. A refresh: the grant alone.
async fn rows(env: &Env, records: &dyn Records, run: &str) -> Result<Finding> {
    let bucket = Bucket::from_number(5);
    let expires_at = now().after(DAY);
    let later = expires_at.after(Duration::from_secs(600));
    let grant = record(run, bucket, "rows", expires_at);
    // The first call of an object also stores the layout.
    records.get(&grant.key).await.map_err(|error| error.to_string())?;
    let before = ask(env, bucket, "/rows").await?;
    let created = records.create(&grant).await.map_err(|error| error.to_string())?;
    let after_create = ask(env, bucket, "/rows").await?;
    let refreshed = records.advance(&grant.key, 0, "1", Some(later)).await.map_err(|error| error.to_string())?;
    let after_refresh = ask(env, bucket, "/rows").await?;
    if created != Created::Created || !matches!(refreshed, Advance::Advanced(_)) {
        return Ok(Err("the grant was not written".to_owned()));
    }
    let rows = (after_create.saturating_sub(before), after_refresh.saturating_sub(after_create));
    Ok(if rows == (2, 1) { Ok(()) } else { Err(format!("(grant, refresh) write {rows:?} rows, not (2, 1)")) })
}

async fn expired(env: &Env, records: &dyn Records, run: &str) -> Result<Finding> {
    let bucket = Bucket::from_number(9);
    let (long_ago, later) = (Timestamp::from_secs(1_700_000_000), now().after(DAY));
    let live = record(run, bucket, "live", later);
    let extended = record(run, bucket, "extended", long_ago);
    let gone: Vec<Record> =
        (0..EXPIRED).map(|number| record(run, bucket, &format!("gone-{number}"), long_ago)).collect();
    let all: Vec<&Record> = gone.iter().chain([&live, &extended]).collect();
    for some in all.chunks(50) {
        for created in join_all(some.iter().map(|record| records.create(record))).await {
            created.map_err(|error| error.to_string())?;
        }
    }
    records.advance(&extended.key, 0, "{}", Some(later)).await.map_err(|error| error.to_string())?;
    let began = now();
    ask(env, bucket, "/alarm").await?;
    let took = now().since(began);
    let left = records.list(&owner(run, bucket), None, 3).await.map_err(|error| error.to_string())?.records;
    let left: Vec<&Key> = left.iter().map(|record| &record.key).collect();
    if left != [&extended.key, &live.key] {
        return Ok(Err(format!("{left:?} are left, not the two that have not expired")));
    }
    let most = Duration::from_secs((EXPIRED as u64).div_ceil(LEAST_PER_SECOND));
    Ok(if took <= most { Ok(()) } else { Err(format!("{EXPIRED} records took {took:?}")) })
}
