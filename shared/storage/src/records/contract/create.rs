//! `create`.

use super::{CALLERS, EXPIRY, Finding, Trial, answer, expect};
use crate::{Advance, Created, Record};
use futures::future::join_all;
use types::Timestamp;

pub(super) async fn once(trial: &Trial) -> Finding {
    let first = trial.record("once");
    trial.create(&first).await?;
    let second = Record { body: r#"{"body":"other"}"#.to_owned(), state: "other".to_owned(), ..first.clone() };
    expect("second", &answer(trial.records.create(&second).await)?, &Created::Exists(first.clone()))?;
    expect("stored", &trial.get(&first.key).await?, &Some(first.clone()))?;

    let Advance::Advanced(advanced) = trial.advance(&first.key, 0, "advanced").await? else {
        return Err("advance from generation 0 did not succeed".to_owned());
    };
    expect("after advance", &answer(trial.records.create(&first).await)?, &Created::Exists(advanced))
}

pub(super) async fn every_field(trial: &Trial) -> Finding {
    let owner = trial.owner("fields");
    let expiries = [None, Some(EXPIRY), Some(Timestamp::from_millis(1)), Some(Timestamp::from_secs(2_000_000_000))];
    for (number, expires_at) in expiries.into_iter().enumerate() {
        let bare = Record { expires_at, ..trial.record(&format!("bare-{number}")) };
        let owned = Record { expires_at, ..trial.owned(&owner, &format!("owned-{number}")) };
        for record in [bare, owned] {
            trial.create(&record).await?;
            expect("stored", &trial.get(&record.key).await?, &Some(record))?;
        }
    }
    Ok(())
}

pub(super) async fn race(trial: &Trial) -> Finding {
    let candidates: Vec<Record> = (0..CALLERS)
        .map(|caller| Record { state: format!("caller {caller}"), ..trial.record("create-race") })
        .collect();
    let answers = join_all(candidates.iter().map(|candidate| trial.records.create(candidate))).await;

    let mut winner = None;
    let mut found = Vec::new();
    for (candidate, result) in candidates.iter().zip(answers) {
        match answer(result)? {
            Created::Created if winner.is_none() => winner = Some(candidate.clone()),
            Created::Created => return Err("two callers created the same record".to_owned()),
            Created::Exists(record) => found.push(record),
        }
    }
    let winner = winner.ok_or("no caller created the record")?;
    for record in &found {
        expect("a loser found", record, &winner)?;
    }
    expect("stored", &trial.get(&winner.key).await?, &Some(winner))
}

pub(super) async fn sent_twice(trial: &Trial) -> Finding {
    let record = trial.owned(&trial.owner("create-twice"), "create-twice");
    trial.create(&record).await?;
    trial.create(&record).await?;
    let others = [
        Record { owner: None, ..record.clone() },
        Record { body: "{}".to_owned(), ..record.clone() },
        Record { state: "{}".to_owned(), ..record.clone() },
        Record { expires_at: None, ..record.clone() },
        Record { expires_at: Some(Timestamp::from_millis(EXPIRY.as_millis().saturating_add(1))), ..record.clone() },
    ];
    for other in others {
        expect("another record", &answer(trial.records.create(&other).await)?, &Created::Exists(record.clone()))?;
    }
    Ok(())
}
