//! Checks that the objects know their caller, and enforce its record access.

use crate::{caller, finding, layout};
use serde_json::{Value, json};
use storage::{Key, Kind, Owner, Partition, Record, Records, Unavailable};
use storage_cloudflare::{Caller, DurableRecords};
use types::Timestamp;
use worker::{Env, Method, Request, RequestInit, Result};

type Finding = std::result::Result<(), String>;

pub(crate) async fn check(env: &Env, run: &str) -> Result<Vec<Value>> {
    let mut findings = Vec::new();
    for (clause, problem) in [
        ("a function has the record access of its row, in the object too", within_the_row(env, run).await?),
        ("a proof of another function is refused", proof_of_another(env, run).await?),
        ("a call without a proof is refused", without_proof(env).await?),
        ("both secrets are accepted while the secret changes", change_of_secret(env, run).await?),
    ] {
        findings.push(finding(clause, problem.err()));
    }
    Ok(findings)
}

/// Returns the records as a caller reaches them, without the check in the function itself.
fn records(env: &Env, caller: Caller) -> Result<DurableRecords> {
    DurableRecords::new(env.durable_object("RECORDS")?, caller, layout(), None)
}

fn key(kind: Kind, run: &str) -> Key {
    let id = format!("{run}-access");
    Key::new(kind, Partition::of(&id), &id)
}

/// Fails unless an object refused the call for this reason.
fn refused<T>(what: &str, answer: std::result::Result<T, Unavailable>, reason: &str) -> Finding {
    match answer {
        Ok(_) => Err(format!("{what}: the call was executed")),
        Err(error) if error.reason.contains("status 403") && error.reason.contains(reason) => Ok(()),
        Err(error) => Err(format!("{what}: an unclear reason: {error}")),
    }
}

async fn within_the_row(env: &Env, run: &str) -> Result<Finding> {
    let consent = records(env, caller(env, "consent")?)?;
    let mut finding = consent.get(&key(Kind::Session, run)).await.map(|_| ()).map_err(|error| error.to_string());
    let key = |kind| key(kind, run);
    let record = Record {
        key: key(Kind::User),
        owner: Some(Owner::new("user#access")),
        body: "{}".to_owned(),
        state: "{}".to_owned(),
        generation: 0,
        expires_at: None,
    };
    let soon = Timestamp::from_secs(4_102_444_800);
    let beyond = [
        refused("get", consent.get(&key(Kind::Credential)).await, "consent may not get credential"),
        refused("create", consent.create(&record).await, "consent may not create user"),
        refused("advance", consent.advance(&key(Kind::Grant), 0, "{}", None).await, "consent may not advance grant"),
        refused("delete", consent.delete(&key(Kind::Session)).await, "consent may not delete session"),
        refused("list", consent.list(&Owner::new("user#access"), None, 1).await, "consent may not list user;"),
        refused("count", consent.count(&key(Kind::Counter), 1, soon).await, "consent may not count counter"),
    ];
    for answer in beyond {
        finding = finding.and(answer);
    }
    let owner = records(env, caller(env, "records")?)?;
    let was_written = owner.get(&record.key).await.map_err(|error| error.to_string())?.is_some();
    Ok(if was_written { Err("a refused record was written".to_owned()) } else { finding })
}

async fn proof_of_another(env: &Env, run: &str) -> Result<Finding> {
    let keys = env.secret("LATCHKEY_KEYS")?.to_string();
    let of_consent = keys::credential("consent", Some(&keys), None).ok_or("no key")?;
    for (function, credential, reason) in [
        ("login", of_consent.as_str(), "does not prove that it is login"),
        ("consent", "", "does not prove that it is consent"),
        ("consent", "AAAA", "does not prove that it is consent"),
        ("nobody", of_consent.as_str(), "no function of this version"),
        ("saml", of_consent.as_str(), "no function of this version"),
    ] {
        let forged = records(env, Caller::new(function, credential))?;
        if let Err(problem) = refused(function, forged.get(&key(Kind::Credential, run)).await, reason) {
            return Ok(Err(problem));
        }
    }
    Ok(Ok(()))
}

async fn without_proof(env: &Env) -> Result<Finding> {
    let call = json!({ "layout": layout(), "confirmed": true, "command": "join" });
    let body = call.to_string();
    let request = Request::new_with_init(
        "https://records/",
        RequestInit::new().with_method(Method::Post).with_body(Some(body.into())),
    )?;
    let stub = env.durable_object("RECORDS")?.get_by_name("shard-0")?;
    let status = stub.fetch_with_request(request).await?.status_code();
    Ok(if status == 200 { Err("the call was executed".to_owned()) } else { Ok(()) })
}

/// The objects of this run have another secret as the previous one. A third secret is refused.
async fn change_of_secret(env: &Env, run: &str) -> Result<Finding> {
    for (setting, is_accepted) in [("LATCHKEY_KEYS_PREVIOUS", true), ("LATCHKEY_KEYS_OF_ANOTHER_SECRET", false)] {
        let keys = env.secret(setting)?.to_string();
        let credential = keys::credential("consent", Some(&keys), None).ok_or("no key")?;
        let function = records(env, Caller::new("consent", credential.as_str()))?;
        let answer = function.get(&key(Kind::Session, run)).await;
        match answer {
            Ok(_) if is_accepted => {}
            Err(error) if is_accepted => return Ok(Err(error.to_string())),
            answer => {
                if let Err(problem) = refused(setting, answer, "does not prove that it is consent") {
                    return Ok(Err(problem));
                }
            }
        }
    }
    Ok(Ok(()))
}
