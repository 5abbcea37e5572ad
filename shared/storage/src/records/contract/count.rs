//! `count`.

use super::{CALLERS, EXPIRY, Finding, Trial, answer, expect};
use crate::Key;
use futures::future::join_all;
use types::Timestamp;

impl Trial {
    /// Adds to a counter that expires at [`EXPIRY`].
    async fn count(&self, key: &Key, by: i64) -> Result<i64, String> {
        answer(self.records.count(key, by, EXPIRY).await)
    }
}

pub(super) async fn adds(trial: &Trial) -> Finding {
    let (one, other) = (trial.record("count-one").key, trial.record("count-other").key);
    let steps = [(1, 1), (0, 1), (7, 8), (-3, 5), (-9, -4), (-1, -5), (5, 0), (1 << 40, 1 << 40)];
    for (by, wanted) in steps {
        expect(&format!("count by {by}"), &trial.count(&one, by).await?, &wanted)?;
    }
    expect("a first count that takes away", &trial.count(&other, -2).await?, &-2)?;
    expect("the first counter", &trial.count(&one, 0).await?, &(1 << 40))
}

pub(super) async fn race(trial: &Trial) -> Finding {
    let key = trial.record("count-race").key;
    for round in 0..2_i64 {
        let mut totals = Vec::new();
        for total in join_all((0..CALLERS).map(|_| trial.count(&key, 1))).await {
            totals.push(total?);
        }
        totals.sort_unstable();
        let before = round.saturating_mul(CALLERS as i64);
        let wanted: Vec<i64> = (1..=CALLERS as i64).map(|nth| before.saturating_add(nth)).collect();
        expect("totals of a race", &totals, &wanted)?;
    }
    Ok(())
}

pub(super) async fn apart(trial: &Trial) -> Finding {
    let owner = trial.owner("count-apart");
    let record = trial.owned(&owner, "count-apart");
    let counter = trial.owned(&owner, "count-apart-counter").key;
    trial.create(&record).await?;
    trial.count(&counter, 1).await?;
    expect("get of a counter", &trial.get(&counter).await?, &None)?;
    let mut listed = answer(trial.records.list(&owner, None, 10).await)?.records;
    listed.retain(|record| record.key == counter);
    expect("list with a counter", &listed, &Vec::new())?;
    expect("the record", &trial.get(&record.key).await?, &Some(record))
}

pub(super) async fn expired(trial: &Trial) -> Finding {
    let key = trial.record("count-expired").key;
    let past = Timestamp::from_secs(1_000_000_000);
    for wanted in 1..=3 {
        expect("count", &answer(trial.records.count(&key, 1, past).await)?, &wanted)?;
    }
    Ok(())
}
