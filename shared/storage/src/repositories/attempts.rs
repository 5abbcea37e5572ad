//! Counters for rate limits: recent attempts for an account or an address, and registrations in a window of time.

use super::update::{Change, Current, Start, Target, try_update, update};
use crate::{Key, Kind, Partition, Records, Unavailable};
use protocol::throttle::{Attempts, Patience, Window};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;
use types::Timestamp;

fn target(name: &str) -> Target {
    Target::unowned(Key::new(Kind::Throttle, Partition::of(name), name))
}

/// Adds one to the counter `name`. `next` returns the counter after that and its expiry, or the time from which one more
/// is allowed. Returns `None` if too many callers count at once. Round trips: 2.
async fn count<T: Default + Serialize + DeserializeOwned + Send>(
    records: &dyn Records,
    name: &str,
    next: impl Fn(&T) -> Result<(T, Timestamp), Timestamp> + Send,
) -> Result<Option<Result<(), Timestamp>>, Unavailable> {
    let target = target(name);
    let counted = try_update(records, &target, Start::Read, move |current: Option<&Current<T>>| {
        let next = match current {
            Some(current) => next(&current.state.value),
            None => next(&T::default()),
        };
        Ok::<_, Unavailable>(match next {
            Ok((counter, expires_at)) => Change::Write(counter, Some(expires_at), Ok(())),
            Err(allowed_at) => Change::Keep(Err(allowed_at)),
        })
    });
    Ok(counted.await?.map(|counted| counted.result))
}

/// Counts an attempt before it is made. Returns the time from which it is allowed if it is not allowed yet.
/// Round trips: 2.
pub async fn reserve(
    records: &dyn Records,
    name: &str,
    patience: Patience,
    now: Timestamp,
    write_id: &str,
) -> Result<Result<(), Timestamp>, Unavailable> {
    let counted = count(records, name, |attempts: &Attempts| {
        let allowed_at = attempts.next_allowed(patience);
        if !allowed_at.is_past(now) {
            return Err(allowed_at);
        }
        let next = attempts.one_more(now, write_id.to_owned());
        let expires_at = next.forgotten_at();
        Ok((next, expires_at))
    });
    Ok(counted.await?.unwrap_or_else(|| Err(now.after(Duration::from_secs(1)))))
}

/// Subtracts an attempt that succeeded from the counter; with `all`, removes the counter. Round trips: 2; with `all`, 1.
pub async fn forgive(records: &dyn Records, name: &str, all: bool, write_id: &str) -> Result<(), Unavailable> {
    let target = target(name);
    if all {
        return records.delete(&target.key).await;
    }
    let forgiven = update(records, target, Start::Read, |current: Option<&Current<Attempts>>| {
        let Some(current) = current else { return Ok::<_, Unavailable>(Change::Keep(())) };
        let next = current.state.value.one_less(write_id.to_owned());
        let expires_at = next.forgotten_at();
        Ok(Change::Write(next, Some(expires_at), ()))
    });
    forgiven.await.map(|_| ())
}

/// Counts one more in a window of time with at most `most`. Returns the end of the window if it is full.
/// Round trips: 2.
pub async fn take(
    records: &dyn Records,
    name: &str,
    length: Duration,
    most: u32,
    now: Timestamp,
    write_id: &str,
) -> Result<Result<(), Timestamp>, Unavailable> {
    let counted = count(records, name, |window: &Window| {
        let next = window.one_more(length, most, now, write_id.to_owned())?;
        let ends_at = next.ends_at(length);
        Ok((next, ends_at))
    });
    let busy = || Unavailable { reason: format!("too many requests count {name} at once") };
    counted.await?.ok_or_else(busy)
}
