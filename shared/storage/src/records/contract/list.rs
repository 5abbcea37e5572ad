//! `list`, the only verb that may lag behind writes.

use super::{Finding, Trial, answer, brief, expect};
use crate::{Owner, Record};

/// Calls of `list` before a listing counts as wrong: about two seconds on a store that lags, where a round trip takes
/// ten milliseconds.
const MAX_CALLS: usize = 200;

/// A number of pages above that of any listing here.
const MAX_PAGES: usize = 100;

pub(super) async fn pages(trial: &Trial) -> Finding {
    let owner = trial.owner("pages");
    expect("nothing yet", &read(trial, &owner, 10).await?, &Vec::new())?;
    let mut wanted = Vec::new();
    for number in (0..25).rev() {
        let record = trial.owned(&owner, &format!("page-{number:02}"));
        trial.create(&record).await?;
        wanted.push(record);
    }
    wanted.sort_by(|one, other| one.key.as_str().cmp(other.key.as_str()));
    for limit in [1, 7, 24, 25, 26, 1000] {
        becomes(trial, &owner, limit, &wanted).await?;
    }
    Ok(())
}

pub(super) async fn one_owner(trial: &Trial) -> Finding {
    let (mine, yours) = (trial.owner("mine"), trial.owner("mine-too"));
    let my_record = trial.owned(&mine, "of-mine");
    let your_record = trial.owned(&yours, "of-yours");
    let unowned = Record { owner: None, ..trial.owned(&mine, "unowned") };
    for record in [&unowned, &my_record, &your_record] {
        trial.create(record).await?;
    }
    trial.advance(&unowned.key, 0, "still unowned").await?;
    becomes(trial, &mine, 10, &[my_record]).await?;
    becomes(trial, &yours, 10, &[your_record]).await?;
    becomes(trial, &trial.owner("stranger"), 10, &[]).await
}

pub(super) async fn follows(trial: &Trial) -> Finding {
    let owner = trial.owner("follows");
    let (kept, dropped) = (trial.owned(&owner, "kept"), trial.owned(&owner, "dropped"));
    trial.create(&kept).await?;
    trial.create(&dropped).await?;
    trial.advance(&kept.key, 0, "advanced").await?;
    answer(trial.records.delete(&dropped.key).await)?;
    let wanted = Record { state: "advanced".to_owned(), generation: 1, ..kept };
    becomes(trial, &owner, 10, &[wanted]).await
}

/// Lists until the listing is as wanted.
async fn becomes(trial: &Trial, owner: &Owner, limit: u32, wanted: &[Record]) -> Finding {
    let mut found = Vec::new();
    for _ in 0..MAX_CALLS {
        found = read(trial, owner, limit).await?;
        if found == wanted {
            return Ok(());
        }
    }
    let wanted: Vec<Record> = wanted.to_vec();
    expect(&format!("the listing of {} by {limit}", owner.as_str()), &found, &wanted)
}

/// Returns the records of every page. Fails if a page has a wrong length.
async fn read(trial: &Trial, owner: &Owner, limit: u32) -> Result<Vec<Record>, String> {
    let mut found = Vec::new();
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let page = answer(trial.records.list(owner, cursor.as_ref(), limit).await)?;
        if page.records.len() > usize::try_from(limit).unwrap_or(usize::MAX) {
            return Err(format!("{} records on a page of {limit}", page.records.len()));
        }
        if page.next.is_some() && page.records.is_empty() {
            return Err("an empty page is not the last".to_owned());
        }
        found.extend(page.records);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(found);
        }
    }
    Err(format!("the listing does not end: {}", brief(&found)))
}
