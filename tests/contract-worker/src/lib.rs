//! A Worker that checks Durable Objects against the contract of the store. For tests only.
//!
//! `GET /?run=NAME` checks every clause under keys that carry NAME and answers `[{"clause", "problem"}]`; `problem` is
//! null if the clause holds. `&cached` reads through Workers KV, as the functions do. Without it, the Worker also checks
//! the objects themselves, and that they refuse callers without a proof or beyond their record access. The Worker has the key of the
//! objects, so it can call them as any function. No other Worker has it.
#![cfg(target_arch = "wasm32")]

mod access;
mod maintenance;
mod objects;

use serde_json::{Value, json};
use std::sync::Arc;
use storage::contract::{CLAUSES, Trial};
use storage::guarded::GuardedRecords;
use storage::{Bucket, Key, Kind, Partition, Records};
use storage_cloudflare::{CachedRecords, Caller, DurableRecords, KvCache, Layout, Shards};
use worker::{Context, Env, Request, Response, Result, event};

/// The layout of the deployment under test.
fn layout() -> Layout {
    Layout { shards: Shards::default(), jurisdiction: None }
}

/// Returns a function, with its credential.
fn caller(env: &Env, function: &str) -> Result<Caller> {
    let keys = env.secret("LATCHKEY_KEYS")?.to_string();
    let credential = keys::credential(function, Some(&keys), None).ok_or("no key")?;
    Ok(Caller::new(function, credential.as_str()))
}

/// Returns the records as the owner of the objects reaches them, in this layout.
fn durable(env: &Env, layout: Layout) -> Result<DurableRecords> {
    DurableRecords::new(env.durable_object("RECORDS")?, caller(env, "records")?, layout, None)
}

/// Sends a question to the object of a bucket, outside the store.
async fn ask(env: &Env, bucket: Bucket, path: &str) -> Result<u64> {
    let stub = env.durable_object("RECORDS")?.get_by_name(&layout().shards.name(bucket.partition()))?;
    let mut response = stub.fetch_with_str(&format!("https://records{path}")).await?;
    Ok(response.json::<Option<u64>>().await?.unwrap_or_default())
}

fn finding(clause: &str, problem: Option<String>) -> Value {
    json!({ "clause": clause, "problem": problem })
}

#[event(fetch, respond_with_errors)]
async fn fetch(request: Request, env: Env, _: Context) -> Result<Response> {
    let url = request.url()?;
    let parameter = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let run = parameter("run").unwrap_or_default();
    let durable = durable(&env, layout())?;
    let is_cached = parameter("cached").is_some();
    let records: Arc<dyn Records> = if is_cached {
        Arc::new(CachedRecords::new(durable, KvCache::of_binding(&env, "CACHE").ok_or("no KV namespace")?))
    } else {
        Arc::new(durable)
    };
    let guarded = GuardedRecords::new(Arc::clone(&records), manifest::function("consent"), Box::new(|_| ()));
    let trial = Trial::new(Arc::clone(&records), &run);
    let mut findings = Vec::new();
    for clause in CLAUSES {
        findings.push(finding(clause.name, (clause.check)(&trial).await.err()));
    }
    let credential = Key::new(Kind::Credential, Partition::of("id"), "id");
    let problem = guarded.get(&credential).await.is_ok().then(|| "the record is read".to_owned());
    findings.push(finding("record access beyond the manifest is rejected", problem));
    // Both clocks are those of this machine.
    let problem = match records.clock() {
        Some(reading) if reading.difference() < std::time::Duration::from_secs(10) => None,
        reading => Some(format!("{reading:?}")),
    };
    findings.push(finding("answers say the time of the store", problem));
    if !is_cached {
        findings.extend(access::check(&env, &run).await?);
        findings.extend(objects::check(&env, records.as_ref(), &run).await?);
        findings.extend(maintenance::check(&env, &run).await?);
    }
    Response::from_json(&findings)
}
