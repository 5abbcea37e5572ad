//! A Worker that checks Durable Objects against the contract of the store. For tests only.
//!
//! `GET /?run=NAME` checks every clause under keys that carry NAME and answers `[{"clause", "problem"}]`; `problem` is
//! null if the clause holds. `&cached` reads through Workers KV, as the functions do.
#![cfg(target_arch = "wasm32")]

use serde_json::json;
use std::sync::Arc;
use storage::contract::{CLAUSES, Trial};
use storage::guarded::GuardedRecords;
use storage::{Key, Kind, Partition, Records};
use storage_cloudflare::{CachedRecords, DurableRecords, KvCache, Shards};
use worker::{Context, Env, Request, Response, Result, event};

#[event(fetch, respond_with_errors)]
async fn fetch(request: Request, env: Env, _: Context) -> Result<Response> {
    let url = request.url()?;
    let parameter = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let durable = DurableRecords::new(env.durable_object("RECORDS")?, Shards::default(), None);
    let records: Arc<dyn Records> = match parameter("cached") {
        Some(_) => Arc::new(CachedRecords::new(durable, KvCache::new(env.kv("CACHE")?))),
        None => Arc::new(durable),
    };
    let guarded = GuardedRecords::new(Arc::clone(&records), manifest::function("consent"), Box::new(|_| ()));
    let trial = Trial::new(records, &parameter("run").unwrap_or_default());
    let mut findings = Vec::new();
    for clause in CLAUSES {
        let problem = (clause.check)(&trial).await.err();
        findings.push(json!({ "clause": clause.name, "problem": problem }));
    }
    let credential = Key::new(Kind::Credential, Partition::of("id"), "id");
    let problem = guarded.get(&credential).await.is_ok().then_some("the record is read");
    findings.push(json!({ "clause": "record access beyond the manifest is rejected", "problem": problem }));
    Response::from_json(&findings)
}
