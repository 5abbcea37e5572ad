//! Clients that registered themselves: who looks after them, which are the same, what initial access tokens were used
//! for. Never read through a cache, unlike the clients themselves.

use crate::stored::{Replaced, TRIES, decode, encode, replace, too_busy};
use crate::{Advance, Created, Key, Kind, Partition, Record, Records, Unavailable};
use protocol::Timestamp;
use protocol::registration::{Registration, RegistrationState};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A registration as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// What was registered.
    pub registration: Registration,
    /// Where it is in its life.
    pub state: RegistrationState,
    generation: u64,
    expires_at: Option<Timestamp>,
}

/// What an initial access token was used for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialUse {
    /// Names what was registered.
    pub fingerprint: String,
    /// The client that came of it.
    pub client_id: String,
    /// When.
    pub at: Timestamp,
}

#[derive(Default, Serialize, Deserialize)]
struct InitialUses {
    count: u32,
    last: Option<InitialUse>,
    writer: String,
}

/// Whether an initial access token may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Initial {
    /// It may, and was, by this caller.
    Used,
    /// It is used up, the last time for the same.
    Again(InitialUse),
    /// It was used as often as it can be.
    Spent,
}

fn key(id: &str) -> Key {
    Key::new(Kind::Registration, Partition::of(&format!("registration#{id}")), id)
}

fn client_key(client_id: &str) -> Key {
    key(&format!("client-{client_id}"))
}

fn read(record: &Record) -> Result<Registered, Unavailable> {
    Ok(Registered {
        registration: decode(&record.key, &record.body)?,
        state: decode(&record.key, &record.state)?,
        generation: record.generation,
        expires_at: record.expires_at,
    })
}

/// Stores a registration. One round trip.
pub async fn create(
    records: &dyn Records,
    client_id: &str,
    registration: &Registration,
    state: &RegistrationState,
    expires_at: Option<Timestamp>,
) -> Result<(), Unavailable> {
    let record = Record {
        key: client_key(client_id),
        owner: None,
        body: encode(registration),
        state: encode(state),
        generation: 0,
        expires_at,
    };
    match records.create(&record).await? {
        Created::Created => Ok(()),
        Created::Exists(_) => Err(Unavailable { reason: "a random client identifier was taken".to_owned() }),
    }
}

/// Reads the registration of a client. One round trip.
pub async fn find(records: &dyn Records, client_id: &str) -> Result<Option<Registered>, Unavailable> {
    records.get(&client_key(client_id)).await?.as_ref().map(read).transpose()
}

/// What became of a change of a registration.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It is made: the registration stands like this.
    Made(Registered),
    /// Somebody else was faster: it stands like this.
    Lost(Registered),
    /// It is gone.
    Gone,
}

/// Replaces the state of a registration as it was read.
pub async fn advance(
    records: &dyn Records,
    client_id: &str,
    from: &Registered,
    state: &RegistrationState,
) -> Result<Change, Unavailable> {
    write(records, client_id, from, state, from.expires_at).await
}

async fn write(
    records: &dyn Records,
    client_id: &str,
    from: &Registered,
    state: &RegistrationState,
    expires_at: Option<Timestamp>,
) -> Result<Change, Unavailable> {
    match records.advance(&client_key(client_id), from.generation, &encode(state), expires_at).await? {
        Advance::Advanced(record) => Ok(Change::Made(read(&record)?)),
        Advance::Stale(record) => Ok(Change::Lost(read(&record)?)),
        Advance::Missing => Ok(Change::Gone),
    }
}

/// Lets a registration live on: its client is used.
pub async fn keep(records: &dyn Records, client_id: &str) -> Result<(), Unavailable> {
    let key = client_key(client_id);
    let Some(mut record) = records.get(&key).await? else { return Ok(()) };
    for _ in 0..TRIES {
        if record.expires_at.is_none() {
            return Ok(());
        }
        match records.advance(&key, record.generation, &record.state, None).await? {
            Advance::Advanced(_) | Advance::Missing => return Ok(()),
            Advance::Stale(newer) => record = newer,
        }
    }
    Err(too_busy(&key))
}

/// How long a registration that ended is remembered. The last use of an initial access token can be made again for less.
const ENDED_FOR: Duration = Duration::from_secs(86_400);

/// Ends a registration as it was read, before its client is removed: whatever breaks off then, nobody can use it for
/// another client of the same name, and nothing makes its client again. One round trip.
pub async fn end(
    records: &dyn Records,
    client_id: &str,
    from: &Registered,
    now: Timestamp,
    writer: String,
) -> Result<Change, Unavailable> {
    let forgotten_at = now.after(ENDED_FOR);
    write(records, client_id, from, &from.state.ended(writer), Some(forgotten_at)).await
}

/// Removes the registration of a client that was told to nobody.
pub async fn remove(records: &dyn Records, client_id: &str) -> Result<(), Unavailable> {
    records.delete(&client_key(client_id)).await
}

/// The client under which identical registrations are known, if there is one.
pub async fn find_same(records: &dyn Records, fingerprint: &str) -> Result<Option<String>, Unavailable> {
    let key = key(&format!("same-{fingerprint}"));
    records.get(&key).await?.map(|record| decode(&record.key, &record.state)).transpose()
}

/// Notes that identical registrations get this client, unless somebody was faster: then whose client they get.
pub async fn claim_same(
    records: &dyn Records,
    fingerprint: &str,
    instead_of: Option<&str>,
    client_id: &str,
    expires_at: Timestamp,
) -> Result<String, Unavailable> {
    let key = key(&format!("same-{fingerprint}"));
    let state = encode(&client_id);
    let record = Record {
        key: key.clone(),
        owner: None,
        body: String::new(),
        state,
        generation: 0,
        expires_at: Some(expires_at),
    };
    let mut current = match records.create(&record).await? {
        Created::Created => return Ok(client_id.to_owned()),
        Created::Exists(current) => current,
    };
    for _ in 0..TRIES {
        let known: String = decode(&key, &current.state)?;
        if instead_of != Some(known.as_str()) {
            return Ok(known);
        }
        match records.advance(&key, current.generation, &record.state, Some(expires_at)).await? {
            Advance::Advanced(_) | Advance::Missing => return Ok(client_id.to_owned()),
            Advance::Stale(newer) => current = newer,
        }
    }
    Err(too_busy(&key))
}

/// Uses an initial access token that is good for `most` registrations. Of many who use its last exactly one may.
pub async fn use_initial(
    records: &dyn Records,
    id: &str,
    most: u32,
    expires_at: Timestamp,
    attempt: &InitialUse,
    writer: &str,
) -> Result<Initial, Unavailable> {
    let key = key(&format!("initial-{id}"));
    let mut current = records.get(&key).await?;
    for _ in 0..TRIES {
        let uses: InitialUses = match &current {
            Some(record) => decode(&key, &record.state)?,
            None => InitialUses::default(),
        };
        if uses.count >= most {
            let same = uses.last.filter(|last| last.fingerprint == attempt.fingerprint);
            return Ok(same.map_or(Initial::Spent, Initial::Again));
        }
        let count = uses.count.saturating_add(1);
        let next = InitialUses { count, last: Some(attempt.clone()), writer: writer.to_owned() };
        match replace(records, &key, current.as_ref(), None, encode(&next), Some(expires_at)).await? {
            Replaced::Written => return Ok(Initial::Used),
            Replaced::Lost(newer) => current = newer,
        }
    }
    Err(too_busy(&key))
}
