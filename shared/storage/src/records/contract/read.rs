//! `get` and `delete`, and what is stored.

use super::{CALLERS, Finding, Trial, answer, expect};
use crate::{Advance, Created, Key, Kind, Partition, Record};
use futures::future::join_all;
use types::Timestamp;

pub(super) async fn strong(trial: &Trial) -> Finding {
    let created = trial.record("strong");
    expect("before create", &trial.get(&created.key).await?, &None)?;
    trial.create(&created).await?;
    for from in 0_u64..20 {
        let state = format!("state {from}");
        trial.advance(&created.key, from, &state).await?;
        let wanted = Some(Record { state, generation: from.saturating_add(1), ..created.clone() });
        for found in join_all((0..CALLERS / 8).map(|_| trial.get(&created.key))).await {
            expect("after a write", &found?, &wanted)?;
        }
    }
    answer(trial.records.delete(&created.key).await)?;
    expect("after delete", &trial.get(&created.key).await?, &None)
}

pub(super) async fn expired(trial: &Trial) -> Finding {
    let expired = Record { expires_at: Some(Timestamp::from_secs(1_000_000_000)), ..trial.record("expired") };
    trial.create(&expired).await?;
    expect("get", &trial.get(&expired.key).await?, &Some(expired.clone()))?;
    let other = Record { state: "other".to_owned(), ..expired.clone() };
    expect("create", &answer(trial.records.create(&other).await)?, &Created::Exists(expired.clone()))?;
    let advanced = answer(trial.records.advance(&expired.key, 0, "on", expired.expires_at).await)?;
    let wanted = Record { state: "on".to_owned(), generation: 1, ..expired };
    expect("advance", &advanced, &Advance::Advanced(wanted))
}

pub(super) async fn texts(trial: &Trial) -> Finding {
    let long = "0123456789abcdé ".repeat(6_400);
    let texts = [
        "",
        " ",
        "null",
        "\"\\\n\r\t\u{0}\u{1f}",
        "é ß 漢字 \u{1f510} \u{202e}e\u{301}\u{200d}\u{feff}",
        "{\"a\":{\"S\":\"b\"},\"n\":1e400}",
        "'; DROP TABLE records; --",
        long.as_str(),
    ];
    for (number, text) in texts.into_iter().enumerate() {
        let name = format!("texts-{number}");
        let created = Record { body: text.to_owned(), state: text.to_owned(), ..trial.record(&name) };
        trial.create(&created).await?;
        expect(&name, &trial.get(&created.key).await?, &Some(created.clone()))?;
        let state = format!("{text}{text}");
        let wanted = Record { state: state.clone(), generation: 1, ..created };
        expect(&name, &trial.advance(&wanted.key, 0, &state).await?, &Advance::Advanced(wanted.clone()))?;
        expect(&name, &trial.get(&wanted.key).await?, &Some(wanted))?;
    }

    let id = format!("{} #é漢\u{1f510}/?&=%00'\"\u{0}", trial.run);
    let named = Record { key: Key::new(Kind::Client, Partition::of(&id), &id), ..trial.record("named") };
    trial.create(&named).await?;
    expect("a key of many letters", &trial.get(&named.key).await?, &Some(named))
}

pub(super) async fn delete(trial: &Trial) -> Finding {
    let first = trial.record("delete");
    answer(trial.records.delete(&first.key).await)?;
    trial.create(&first).await?;
    trial.advance(&first.key, 0, "advanced").await?;
    for _ in 0..2 {
        answer(trial.records.delete(&first.key).await)?;
        expect("get", &trial.get(&first.key).await?, &None)?;
        expect("advance", &trial.advance(&first.key, 1, "never").await?, &Advance::Missing)?;
    }
    let second = Record { body: "second".to_owned(), state: "second".to_owned(), expires_at: None, ..first };
    trial.create(&second).await?;
    expect("created again", &trial.get(&second.key).await?, &Some(second))
}
