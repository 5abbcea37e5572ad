//! `advance`.

use super::{CALLERS, EXPIRY, Finding, Trial, answer, expect};
use crate::{Advance, Record};
use futures::future::join_all;
use types::Timestamp;

pub(super) async fn replaces(trial: &Trial) -> Finding {
    let owner = trial.owner("replaces");
    let created = trial.owned(&owner, "replaces");
    trial.create(&created).await?;
    let expiries = [Some(Timestamp::from_millis(5_000_000_000_001)), None, None, Some(EXPIRY)];
    for (from, expires_at) in (0_u64..).zip(expiries) {
        let state = format!("state {from}");
        let wanted = Record { state: state.clone(), generation: from.saturating_add(1), expires_at, ..created.clone() };
        let advanced = answer(trial.records.advance(&created.key, from, &state, expires_at).await)?;
        expect("advance", &advanced, &Advance::Advanced(wanted.clone()))?;
        expect("stored", &trial.get(&created.key).await?, &Some(wanted))?;
    }
    Ok(())
}

pub(super) async fn stale(trial: &Trial) -> Finding {
    let created = trial.record("stale");
    trial.create(&created).await?;
    for from in [1, 2, u64::MAX] {
        expect("ahead", &trial.advance(&created.key, from, "never").await?, &Advance::Stale(created.clone()))?;
    }
    trial.advance(&created.key, 0, "one").await?;
    trial.advance(&created.key, 1, "two").await?;
    let current = Record { state: "two".to_owned(), generation: 2, ..created };
    for (from, state) in [(0, "never"), (1, "never"), (3, "never"), (0, "one"), (0, "two")] {
        let found = answer(trial.records.advance(&current.key, from, state, None).await)?;
        expect("behind or ahead", &found, &Advance::Stale(current.clone()))?;
    }
    expect("stored", &trial.get(&current.key).await?, &Some(current))
}

pub(super) async fn missing(trial: &Trial) -> Finding {
    let key = trial.record("missing").key;
    for from in [0, 1, u64::MAX] {
        expect("advance", &trial.advance(&key, from, "never").await?, &Advance::Missing)?;
    }
    expect("stored", &trial.get(&key).await?, &None)
}

pub(super) async fn race(trial: &Trial) -> Finding {
    let mut record = trial.owned(&trial.owner("advance-race"), "advance-race");
    trial.create(&record).await?;
    for round in 0..4 {
        let states: Vec<String> = (0..CALLERS).map(|caller| format!("round {round}, caller {caller}")).collect();
        let attempts = states.iter().map(|state| trial.advance(&record.key, record.generation, state));

        let mut winner = None;
        let mut found = Vec::new();
        for (state, result) in states.iter().zip(join_all(attempts).await) {
            match result? {
                Advance::Advanced(advanced) if winner.is_none() => {
                    expect("the winner's state", &advanced.state, state)?;
                    winner = Some(advanced);
                }
                Advance::Advanced(_) => return Err("two callers advanced from the same generation".to_owned()),
                Advance::Stale(current) => found.push(current),
                Advance::Missing => return Err("a record that exists is missing".to_owned()),
            }
        }
        let winner = winner.ok_or("no caller advanced the record")?;
        let wanted =
            Record { state: winner.state.clone(), generation: record.generation.saturating_add(1), ..record.clone() };
        expect("the winner's record", &winner, &wanted)?;
        for current in &found {
            expect("a loser found", current, &winner)?;
        }
        expect("stored", &trial.get(&record.key).await?, &Some(winner.clone()))?;
        record = winner;
    }
    Ok(())
}

pub(super) async fn sent_twice(trial: &Trial) -> Finding {
    let created = trial.record("advance-twice");
    trial.create(&created).await?;
    let wanted = Record { state: "mine".to_owned(), generation: 1, ..created.clone() };
    for _ in 0..2 {
        let found = trial.advance(&created.key, 0, "mine").await?;
        expect("advance", &found, &Advance::Advanced(wanted.clone()))?;
    }
    let other_state = trial.advance(&created.key, 0, "yours").await?;
    expect("another state", &other_state, &Advance::Stale(wanted.clone()))?;
    let other_expiry = answer(trial.records.advance(&created.key, 0, "mine", None).await)?;
    expect("another expiry", &other_expiry, &Advance::Stale(wanted))
}

pub(super) async fn counts_on(trial: &Trial) -> Finding {
    let created = trial.record("counts");
    trial.create(&created).await?;
    for from in 0_u64..200 {
        let state = format!("generation {}", from.saturating_add(1));
        let wanted = Record { state: state.clone(), generation: from.saturating_add(1), ..created.clone() };
        expect("advance", &trial.advance(&created.key, from, &state).await?, &Advance::Advanced(wanted))?;
    }
    Ok(())
}
