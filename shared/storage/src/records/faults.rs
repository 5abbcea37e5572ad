//! Faults by plan, for tests: calls fail, answers are lost, writes arrive twice, calls and answers are delayed.

use crate::memory::Counts;
use crate::{Advance, ClockReading, Created, Cursor, Key, Owner, Page, Record, Records, Unavailable, Verb};
use async_trait::async_trait;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use types::Timestamp;

/// A function whose future completes after a while.
pub type Pause = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A fault of a call.
#[derive(Clone, Default)]
pub enum Fault {
    /// No fault.
    #[default]
    None,
    /// The call fails before it reaches the store.
    Before,
    /// The store executes the call, and its answer is lost.
    After,
    /// The store executes the call twice, as if the first answer was lost. The caller gets the second answer.
    Twice,
    /// The store executes the call. If it is `create`, a duplicate arrives at [`Faulty::deliver_duplicates`], as if a client
    /// library had repeated it and the network had delayed it.
    Duplicate,
    /// The call reaches the store after a while.
    Delay(Pause),
    /// The answer arrives after a while.
    DelayAnswer(Pause),
}

/// A call, as the plan gets it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The verb.
    pub verb: Verb,
    /// The position among the calls of this verb; 1 is the first.
    pub nth: u64,
    /// The key; for `list`, the name of the owner.
    pub name: &'a str,
}

type Plan = dyn Fn(&Call<'_>) -> Fault + Send + Sync;

/// A store with faults.
pub struct Faulty {
    inner: Arc<dyn Records>,
    plan: Box<Plan>,
    counts: Mutex<Counts>,
    duplicates: Mutex<Vec<Record>>,
    clock: Mutex<Option<ClockReading>>,
}

impl Faulty {
    /// Returns `inner` with the fault that `plan` returns for each call.
    pub fn new(inner: Arc<dyn Records>, plan: impl Fn(&Call<'_>) -> Fault + Send + Sync + 'static) -> Self {
        Self {
            inner,
            plan: Box::new(plan),
            counts: Mutex::default(),
            duplicates: Mutex::default(),
            clock: Mutex::default(),
        }
    }

    /// Returns `inner` without faults.
    pub fn transparent(inner: Arc<dyn Records>) -> Self {
        Self::new(inner, |_| Fault::None)
    }

    /// Returns `inner` with this fault at the `nth` call of `verb` (1 is the first).
    pub fn at(inner: Arc<dyn Records>, verb: Verb, nth: u64, fault: Fault) -> Self {
        Self::new(inner, move |call| if call.verb == verb && call.nth == nth { fault.clone() } else { Fault::None })
    }

    /// Returns `inner` with this fault at one call in `one_in`, on average. `seed` determines the calls.
    pub fn random(inner: Arc<dyn Records>, seed: u64, one_in: u64, fault: Fault) -> Self {
        let state = AtomicU64::new(seed);
        Self::new(inner, move |_| {
            // SplitMix64 (Steele, Lea, Flood 2014).
            let step = 0x9e37_79b9_7f4a_7c15_u64;
            let mixed = state.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
            let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            if (mixed ^ (mixed >> 31)).checked_rem(one_in) == Some(0) { fault.clone() } else { Fault::None }
        })
    }

    /// Makes the answers of the store say these clocks.
    pub fn set_clock(&self, reading: ClockReading) {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
    }

    /// Returns the number of calls, with those that failed.
    pub fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Executes the duplicates of earlier calls.
    pub async fn deliver_duplicates(&self) -> Result<(), Unavailable> {
        let duplicates = std::mem::take(&mut *self.duplicates.lock().unwrap_or_else(PoisonError::into_inner));
        for record in duplicates {
            self.inner.create(&record).await?;
        }
        Ok(())
    }

    async fn inject<'a, T: Send>(
        &self,
        verb: Verb,
        name: &str,
        call: impl Fn() -> Pin<Box<dyn Future<Output = Result<T, Unavailable>> + Send + 'a>> + Send,
    ) -> Result<T, Unavailable> {
        self.inject_or(verb, name, call, || ()).await
    }

    /// As [`Self::inject`]; `repeat` notes the call for [`Fault::Duplicate`].
    async fn inject_or<'a, T: Send>(
        &self,
        verb: Verb,
        name: &str,
        call: impl Fn() -> Pin<Box<dyn Future<Output = Result<T, Unavailable>> + Send + 'a>> + Send,
        repeat: impl FnOnce() + Send,
    ) -> Result<T, Unavailable> {
        let nth = self.counts.lock().unwrap_or_else(PoisonError::into_inner).add(verb);
        let fault = (self.plan)(&Call { verb, nth, name });
        match fault {
            Fault::None => call().await,
            Fault::Duplicate => {
                repeat();
                call().await
            }
            Fault::Before => Err(injected(verb, nth, "failed")),
            Fault::After => call().await.and(Err(injected(verb, nth, "lost its answer"))),
            Fault::Twice => {
                call().await?;
                call().await
            }
            Fault::Delay(pause) => {
                pause().await;
                call().await
            }
            Fault::DelayAnswer(pause) => {
                let answer = call().await;
                pause().await;
                answer
            }
        }
    }
}

fn injected(verb: Verb, nth: u64, what: &str) -> Unavailable {
    Unavailable { reason: format!("injected: call {nth} of {verb:?} {what}") }
}

/// Returns a pause that yields to the other ready tasks `turns` times. Needs no timer.
pub fn turns(turns: u32) -> Pause {
    Arc::new(move || {
        let mut left = turns;
        Box::pin(poll_fn(move |context| match left.checked_sub(1) {
            None => Poll::Ready(()),
            Some(rest) => {
                left = rest;
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }))
    })
}

#[async_trait]
impl Records for Faulty {
    async fn create(&self, record: &Record) -> Result<Created, Unavailable> {
        let repeat = || self.duplicates.lock().unwrap_or_else(PoisonError::into_inner).push(record.clone());
        self.inject_or(Verb::Create, record.key.as_str(), || self.inner.create(record), repeat).await
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        self.inject(Verb::Get, key.as_str(), || self.inner.get(key)).await
    }

    async fn advance(
        &self,
        key: &Key,
        from: u64,
        state: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<Advance, Unavailable> {
        self.inject(Verb::Advance, key.as_str(), || self.inner.advance(key, from, state, expires_at)).await
    }

    async fn delete(&self, key: &Key) -> Result<(), Unavailable> {
        self.inject(Verb::Delete, key.as_str(), || self.inner.delete(key)).await
    }

    async fn list(&self, owner: &Owner, cursor: Option<&Cursor>, limit: u32) -> Result<Page, Unavailable> {
        self.inject(Verb::List, owner.as_str(), || self.inner.list(owner, cursor, limit)).await
    }

    async fn count(&self, key: &Key, by: i64, expires_at: Timestamp) -> Result<i64, Unavailable> {
        self.inject(Verb::Count, key.as_str(), || self.inner.count(key, by, expires_at)).await
    }

    fn clock(&self) -> Option<ClockReading> {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
