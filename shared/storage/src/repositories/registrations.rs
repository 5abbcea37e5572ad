//! Registrations: clients that registered themselves (RFC 7591), their registration access tokens, and the uses of initial
//! access tokens. Never cached, unlike the clients. A client that identical registrations share has no registration here.

use super::stored::{Unreadable, decode, encode};
use super::update::{Change, Current, Start, Target, create_new, update};
use crate::{Key, Kind, Partition, Record, Records, Unavailable};
use protocol::registration::{Registration, RegistrationState};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::{ClientId, Timestamp};

/// A registration and its current state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The part that never changes.
    pub registration: Registration,
    /// The part that changes.
    pub state: RegistrationState,
    record: Record,
}

impl Registered {
    fn read(record: Record) -> Result<Self, Unreadable> {
        Ok(Self {
            registration: decode(&record.key, &record.body)?,
            state: decode(&record.key, &record.state)?,
            record,
        })
    }
}

/// A use of an initial access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialUse {
    /// The digest of the registered metadata.
    pub fingerprint: String,
    /// The client that was registered.
    pub client_id: ClientId,
    /// The time of the use.
    pub at: Timestamp,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct InitialUses {
    count: u32,
    last: Option<InitialUse>,
    write_id: String,
}

/// The outcome of the use of an initial access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Initial {
    /// This caller has used the token once more.
    Used,
    /// The token has no use left. Its last use was for the same registration, which is this one.
    Again(InitialUse),
    /// The token has no use left.
    Spent,
}

fn key(id: &str) -> Key {
    Key::new(Kind::Registration, Partition::of(&format!("registration#{id}")), id)
}

fn client_target(client_id: &ClientId) -> Target {
    Target::unowned(key(&format!("client-{client_id}")))
}

/// Stores a registration. Round trips: 1.
pub async fn create(
    records: &dyn Records,
    client_id: &ClientId,
    registration: &Registration,
    state: &RegistrationState,
    expires_at: Option<Timestamp>,
) -> Result<(), Unavailable> {
    let record = Record {
        key: client_target(client_id).key,
        owner: None,
        body: encode(registration),
        state: encode(state),
        generation: 0,
        expires_at,
    };
    create_new(records, record, &[]).await.map(|_| ())
}

/// Reads the registration of a client. Round trips: 1.
pub async fn find(records: &dyn Records, client_id: &ClientId) -> Result<Option<Registered>, Unavailable> {
    let record = records.get(&client_target(client_id).key).await?;
    Ok(record.map(Registered::read).transpose()?)
}

/// Replaces the state of a registration that was read. `next` returns the state that follows, or `None` to leave the
/// registration as it is; if another writer was first, `next` is applied to what that writer left. Returns the
/// registration after that; `None` if it is gone. Round trips: 1 without a conflict.
pub async fn change<E: From<Unavailable> + Send>(
    records: &dyn Records,
    client_id: &ClientId,
    from: Registered,
    next: impl Fn(&RegistrationState) -> Result<Option<RegistrationState>, E> + Send,
) -> Result<Option<Registered>, E> {
    write(records, client_id, from, move |current| {
        Ok(next(&current.state.value)?.map(|state| (state, current.expires_at)))
    })
    .await
}

/// Time for which the registration of a deleted client is kept. A retry with an initial access token comes earlier.
const ENDED_FOR: Duration = Duration::from_secs(86_400);

/// Ends a registration that was read, before its client is removed. If the deletion is interrupted after that, the
/// registration cannot be used for another client with the same identifier, and no retry creates the client again.
///
/// `check` rejects the state that another writer left in between. Returns the registration after the write; `None` if it
/// is gone. Round trips: 1 without a conflict.
pub async fn end<E: From<Unavailable> + Send>(
    records: &dyn Records,
    client_id: &ClientId,
    from: Registered,
    now: Timestamp,
    write_id: &str,
    check: impl Fn(&RegistrationState) -> Result<(), E> + Send,
) -> Result<Option<Registered>, E> {
    let expires_at = Some(now.after(ENDED_FOR));
    write(records, client_id, from, move |current| {
        let state = &current.state.value;
        check(state)?;
        Ok(match state {
            RegistrationState::Active(active) => Some((active.end(write_id.to_owned()), expires_at)),
            RegistrationState::Ended(_) => None,
        })
    })
    .await
}

/// Ends the registration of a client that the operator deletes, if it has one. A registration that cannot be read is
/// removed. Round trips: 1 without a registration, else 2.
pub async fn end_for_operator(
    records: &dyn Records,
    client_id: &ClientId,
    now: Timestamp,
    write_id: &str,
) -> Result<(), Unavailable> {
    let Some(record) = records.get(&client_target(client_id).key).await? else { return Ok(()) };
    match Registered::read(record) {
        Ok(registered) => {
            let any = |_: &RegistrationState| Ok::<_, Unavailable>(());
            end(records, client_id, registered, now, write_id, any).await.map(|_| ())
        }
        Err(_) => remove(records, client_id).await,
    }
}

async fn write<E: From<Unavailable> + Send>(
    records: &dyn Records,
    client_id: &ClientId,
    from: Registered,
    next: impl Fn(&Current<RegistrationState>) -> Result<Option<(RegistrationState, Option<Timestamp>)>, E> + Send,
) -> Result<Option<Registered>, E> {
    let updated =
        update(records, client_target(client_id), Start::Known(from.record), move |current: Option<&Current<_>>| {
            let next = match current {
                Some(current) => next(current)?,
                None => None,
            };
            Ok::<_, E>(match next {
                Some((state, expires_at)) => Change::Write(state, expires_at, ()),
                None => Change::Keep(()),
            })
        });
    let record = updated.await?.record;
    Ok(record.map(Registered::read).transpose().map_err(Unavailable::from)?)
}

/// Keeps a registration that would expire unused, because its client is used now.
pub async fn keep(records: &dyn Records, client_id: &ClientId) -> Result<(), Unavailable> {
    let keep = |current: Option<&Current<RegistrationState>>| {
        Ok::<_, Unavailable>(match current {
            Some(current) if current.expires_at.is_some() => Change::Write(current.state.value.clone(), None, ()),
            Some(_) | None => Change::Keep(()),
        })
    };
    update(records, client_target(client_id), Start::Read, keep).await.map(|_| ())
}

/// Removes the registration of a client. Does not read it.
pub async fn remove(records: &dyn Records, client_id: &ClientId) -> Result<(), Unavailable> {
    records.delete(&client_target(client_id).key).await
}

/// Uses an initial access token that allows `most` registrations. Exactly one caller gets its last use.
/// Round trips: 2.
pub async fn use_initial(
    records: &dyn Records,
    id: &str,
    most: u32,
    expires_at: Timestamp,
    attempt: &InitialUse,
    write_id: &str,
) -> Result<Initial, Unavailable> {
    let target = Target::unowned(key(&format!("initial-{id}")));
    let used = update(records, target, Start::Read, |current: Option<&Current<InitialUses>>| {
        let uses = current.map(|current| current.state.value.clone()).unwrap_or_default();
        if uses.count >= most {
            let same = uses.last.filter(|last| last.fingerprint == attempt.fingerprint);
            return Ok::<_, Unavailable>(Change::Keep(same.map_or(Initial::Spent, Initial::Again)));
        }
        let count = uses.count.saturating_add(1);
        let next = InitialUses { count, last: Some(attempt.clone()), write_id: write_id.to_owned() };
        Ok(Change::Write(next, Some(expires_at), Initial::Used))
    });
    Ok(used.await?.result)
}
