//! The contract on the store in memory: without faults, with lag, with faults, and from many threads.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use async_trait::async_trait;
use latchkey_storage::faults::{self, Fault, Faulty};
use latchkey_storage::memory::{Counts, Memory};
use latchkey_storage::{
    Advance, Created, Cursor, Key, Kind, Owner, Page, Partition, Record, Records, Unavailable, Verb, contract,
};
use std::sync::Arc;
use types::Timestamp;

fn record(state: &str) -> Record {
    Record {
        key: Key::new(Kind::Grant, Partition::of("id"), "id"),
        owner: Some(Owner::new("owner")),
        body: "{}".to_owned(),
        state: state.to_owned(),
        generation: 0,
        expires_at: Some(Timestamp::from_secs(10)),
    }
}

async fn holds(records: Arc<dyn Records>) {
    if let Err(wrong) = contract::run(records, "run").await {
        panic!("{}", wrong.join("\n"));
    }
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    holds(Arc::new(Memory::new())).await;
}

#[tokio::test]
async fn memory_that_lags_keeps_the_contract() {
    holds(Arc::new(Memory::lagging(9))).await;
}

#[tokio::test]
async fn a_transparent_decorator_keeps_the_contract() {
    let memory = Arc::new(Memory::new());
    let faulty = Arc::new(Faulty::transparent(memory.clone()));
    holds(faulty.clone()).await;
    assert_eq!(faulty.counts(), memory.counts());
}

#[tokio::test]
async fn delays_keep_the_contract() {
    for fault in [Fault::Delay(faults::turns(3)), Fault::DelayAnswer(faults::turns(5))] {
        holds(Arc::new(Faulty::random(Arc::new(Memory::new()), 7, 3, fault))).await;
    }
}

/// Repeats each call until it succeeds, as the client library of a store does. Faults do not reach `count`, whose repeated
/// call counts twice.
struct Persistent(Faulty, Arc<Memory>);

#[async_trait]
impl Records for Persistent {
    async fn create(&self, record: &Record) -> Result<Created, Unavailable> {
        loop {
            if let Ok(answer) = self.0.create(record).await {
                return Ok(answer);
            }
        }
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        loop {
            if let Ok(answer) = self.0.get(key).await {
                return Ok(answer);
            }
        }
    }

    async fn advance(
        &self,
        key: &Key,
        from: u64,
        state: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<Advance, Unavailable> {
        loop {
            if let Ok(answer) = self.0.advance(key, from, state, expires_at).await {
                return Ok(answer);
            }
        }
    }

    async fn delete(&self, key: &Key) -> Result<(), Unavailable> {
        loop {
            if let Ok(answer) = self.0.delete(key).await {
                return Ok(answer);
            }
        }
    }

    async fn list(&self, owner: &Owner, cursor: Option<&Cursor>, limit: u32) -> Result<Page, Unavailable> {
        loop {
            if let Ok(answer) = self.0.list(owner, cursor, limit).await {
                return Ok(answer);
            }
        }
    }

    async fn count(&self, key: &Key, by: i64, expires_at: Timestamp) -> Result<i64, Unavailable> {
        self.1.count(key, by, expires_at).await
    }
}

#[tokio::test]
async fn retries_after_faults_keep_the_contract() {
    for seed in 0..8 {
        for fault in [Fault::Before, Fault::After, Fault::Twice] {
            let memory = Arc::new(Memory::new());
            holds(Arc::new(Persistent(Faulty::random(memory.clone(), seed, 2, fault), memory))).await;
        }
    }
}

#[tokio::test]
async fn the_contract_finds_a_store_that_answers_retries_naively() {
    /// Answers a repeated write as if another caller had sent the first.
    struct Naive(Memory);

    #[async_trait]
    impl Records for Naive {
        async fn create(&self, record: &Record) -> Result<Created, Unavailable> {
            Ok(match self.0.get(&record.key).await? {
                Some(existing) => Created::Exists(existing),
                None => self.0.create(record).await?,
            })
        }

        async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
            self.0.get(key).await
        }

        async fn advance(
            &self,
            key: &Key,
            from: u64,
            state: &str,
            expires_at: Option<Timestamp>,
        ) -> Result<Advance, Unavailable> {
            match self.0.get(key).await? {
                Some(existing) if existing.generation != from => Ok(Advance::Stale(existing)),
                _ => self.0.advance(key, from, state, expires_at).await,
            }
        }

        async fn delete(&self, key: &Key) -> Result<(), Unavailable> {
            self.0.delete(key).await
        }

        async fn list(&self, owner: &Owner, cursor: Option<&Cursor>, limit: u32) -> Result<Page, Unavailable> {
            self.0.list(owner, cursor, limit).await
        }

        async fn count(&self, key: &Key, by: i64, expires_at: Timestamp) -> Result<i64, Unavailable> {
            self.0.count(key, by, expires_at).await
        }
    }

    let wrong = contract::run(Arc::new(Naive(Memory::new())), "run").await.unwrap_err();
    assert_eq!(wrong.len(), 2, "{wrong:#?}");
    assert!(wrong.iter().all(|line| line.contains("sent twice")), "{wrong:#?}");
}

#[tokio::test]
async fn the_answer_of_the_second_advance_is_lost() {
    let memory = Arc::new(Memory::new());
    let faulty = Faulty::at(memory.clone(), Verb::Advance, 2, Fault::After);
    let created = record("0");
    assert_eq!(faulty.create(&created).await, Ok(Created::Created));
    assert!(matches!(faulty.advance(&created.key, 0, "1", None).await, Ok(Advance::Advanced(_))));
    let lost = faulty.advance(&created.key, 1, "2", None).await.unwrap_err();
    assert_eq!(lost.reason, "injected: call 2 of Advance lost its answer");

    let wanted = Record { state: "2".to_owned(), generation: 2, expires_at: None, ..created.clone() };
    assert_eq!(memory.get(&created.key).await, Ok(Some(wanted.clone())), "the write took place");
    let again = faulty.advance(&created.key, 1, "2", None).await;
    assert_eq!(again, Ok(Advance::Advanced(wanted)), "the retry gets its answer");
}

#[tokio::test]
async fn a_call_that_fails_before_writes_nothing() {
    let memory = Arc::new(Memory::new());
    let faulty = Faulty::new(memory.clone(), |call| match call.verb {
        Verb::Create if call.nth == 1 && call.name.starts_with("grant#") => Fault::Before,
        _ => Fault::None,
    });
    assert!(faulty.create(&record("0")).await.is_err());
    assert_eq!(memory.counts(), Counts::default());
    assert_eq!(memory.snapshot(), []);
    assert_eq!(faulty.create(&record("0")).await, Ok(Created::Created));
    assert_eq!(memory.snapshot(), [record("0")]);
}

#[tokio::test]
async fn the_contract_finds_a_counter_that_reads_and_then_writes() {
    /// Reads the total and then writes the sum, so that of two callers in between one count is lost.
    struct Contending(Memory);

    #[async_trait]
    impl Records for Contending {
        async fn create(&self, record: &Record) -> Result<Created, Unavailable> {
            self.0.create(record).await
        }

        async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
            self.0.get(key).await
        }

        async fn advance(
            &self,
            key: &Key,
            from: u64,
            state: &str,
            expires_at: Option<Timestamp>,
        ) -> Result<Advance, Unavailable> {
            self.0.advance(key, from, state, expires_at).await
        }

        async fn delete(&self, key: &Key) -> Result<(), Unavailable> {
            self.0.delete(key).await
        }

        async fn list(&self, owner: &Owner, cursor: Option<&Cursor>, limit: u32) -> Result<Page, Unavailable> {
            self.0.list(owner, cursor, limit).await
        }

        async fn count(&self, key: &Key, by: i64, expires_at: Timestamp) -> Result<i64, Unavailable> {
            let total = self.0.count(key, 0, expires_at).await?;
            faults::turns(1)().await;
            self.0.count(key, total + by - self.0.count(key, 0, expires_at).await?, expires_at).await
        }
    }

    let wrong = contract::run(Arc::new(Contending(Memory::new())), "run").await.unwrap_err();
    assert_eq!(wrong.len(), 1, "{wrong:#?}");
    assert!(wrong[0].contains("a total of its own"), "{wrong:#?}");
}

#[tokio::test]
async fn a_count_whose_answer_is_lost_counts_again() {
    let faulty = Faulty::at(Arc::new(Memory::new()), Verb::Count, 1, Fault::After);
    let (key, end) = (record("0").key, Timestamp::from_secs(10));
    assert!(faulty.count(&key, 1, end).await.is_err());
    assert_eq!(faulty.count(&key, 1, end).await, Ok(2));
}

#[tokio::test]
async fn calls_are_counted() {
    let memory = Memory::new();
    let created = record("0");
    memory.create(&created).await.unwrap();
    memory.create(&created).await.unwrap();
    memory.get(&created.key).await.unwrap();
    memory.advance(&created.key, 0, "1", None).await.unwrap();
    memory.advance(&created.key, 0, "2", None).await.unwrap();
    memory.advance(&created.key, 0, "3", None).await.unwrap();
    memory.list(&Owner::new("owner"), None, 10).await.unwrap();
    memory.delete(&created.key).await.unwrap();
    memory.count(&created.key, 1, Timestamp::from_secs(10)).await.unwrap();
    assert_eq!(memory.counts(), Counts { create: 2, get: 1, advance: 3, delete: 1, list: 1, count: 1 });
    assert_eq!(memory.counts().total(), 9);
    memory.reset();
    assert_eq!(memory.counts().total(), 0);
}

#[tokio::test]
async fn a_lagging_list_shows_what_was() {
    let memory = Memory::lagging(2);
    let owner = Owner::new("owner");
    memory.create(&record("0")).await.unwrap();
    assert_eq!(memory.list(&owner, None, 10).await.unwrap().records, []);
    assert_eq!(memory.list(&owner, None, 10).await.unwrap().records, [record("0")]);
    memory.delete(&record("0").key).await.unwrap();
    assert_eq!(memory.list(&owner, None, 10).await.unwrap().records, [record("0")]);
    assert_eq!(memory.list(&owner, None, 10).await.unwrap().records, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_threads_one_advances() {
    let memory = Arc::new(Memory::new());
    memory.create(&record("0")).await.unwrap();
    let tasks: Vec<_> = (0..64)
        .map(|caller| {
            let memory = memory.clone();
            tokio::spawn(async move { memory.advance(&record("0").key, 0, &caller.to_string(), None).await.unwrap() })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += i32::from(matches!(task.await.unwrap(), Advance::Advanced(_)));
    }
    assert_eq!(winners, 1);
}
