//! Lists of the whole deployment, which are spread over buckets.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use latchkey_storage::faults::{Fault, Faulty};
use latchkey_storage::memory::Memory;
use latchkey_storage::{Bucket, Cursor, Partition, Records, Verb, directory};
use protocol::Username;
use std::collections::BTreeSet;
use std::sync::Arc;
use types::Subject;

fn username(name: &str) -> Username {
    Username::prepare_ascii(name).unwrap()
}

async fn entered(users: usize) -> Arc<Memory> {
    let memory = Arc::new(Memory::new());
    for user in 0..users {
        let subject = Subject::parse(&format!("subject-{user}")).unwrap();
        directory::enter(memory.as_ref(), &username(&format!("user-{user}")), &subject).await.unwrap();
    }
    memory.reset();
    memory
}

/// Reads all pages. Returns the number of pages and the names.
async fn read(records: &dyn Records, limit: u32) -> (usize, Vec<String>) {
    let (mut pages, mut names, mut cursor) = (0, Vec::new(), None::<Cursor>);
    loop {
        let page = directory::list(records, cursor.as_ref(), limit).await.unwrap();
        assert!(page.items.len() <= usize::try_from(limit).unwrap());
        assert!(!page.items.is_empty() || page.next.is_none(), "only the last page may be empty");
        pages = usize::saturating_add(pages, 1);
        names.extend(page.items.into_iter().map(|entry| entry.username));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return (pages, names),
        }
    }
}

#[tokio::test]
async fn the_pages_have_each_record_once() {
    for users in [0, 1, 7, 1000] {
        let memory = entered(users).await;
        for limit in [1, 2, 3, 100, 999, 1000, 1001] {
            let (pages, names) = read(memory.as_ref(), limit).await;
            let distinct: BTreeSet<&String> = names.iter().collect();
            assert_eq!((distinct.len(), names.len()), (users, users), "{users} by {limit}");
            let least = users.div_ceil(usize::try_from(limit).unwrap());
            assert!((least..=least + 1).contains(&pages), "{pages} pages of {limit} for {users}");
        }
    }
}

#[tokio::test]
async fn a_page_that_a_bucket_fills_costs_one_call() {
    let memory = entered(1000).await;
    directory::list(memory.as_ref(), None, 1).await.unwrap();
    assert_eq!(memory.counts().list, 1);
    memory.reset();
    directory::list(memory.as_ref(), None, 5000).await.unwrap();
    assert_eq!(memory.counts().list, 256);
}

#[tokio::test]
async fn a_bucket_that_fails_fails_the_page() {
    let memory = entered(10).await;
    let faulty = Faulty::at(memory, Verb::List, 200, Fault::Before);
    directory::list(&faulty, None, 100).await.unwrap_err();
}

/// A cursor comes from the caller of the admin API.
#[tokio::test]
async fn a_cursor_of_another_form_starts_at_the_first_bucket() {
    let memory = entered(20).await;
    let all = directory::list(memory.as_ref(), None, 100).await.unwrap();
    for cursor in ["", "f", "user#00b7#name#ada", "é", "zz"] {
        assert_eq!(directory::list(memory.as_ref(), Some(&Cursor(cursor.to_owned())), 100).await.unwrap(), all);
    }
    let end = directory::list(memory.as_ref(), Some(&Cursor("ff~".to_owned())), 100).await.unwrap();
    assert_eq!((end.items.len(), end.next), (0, None));
}

/// The owner of a user, and the buckets of lists, give each of 256 objects its share.
#[test]
fn many_users_are_spread_evenly() {
    const USERS: usize = 200_000;
    let (mut by_user, mut by_bucket) = (vec![0_usize; 256], vec![0_usize; 256]);
    for user in 0..USERS {
        let name = format!("user#{user}");
        let shards = [Partition::of(&name).shard(256), Bucket::of(&name).partition().shard(256)].map(usize::from);
        let [by_user, by_bucket] = [by_user.get_mut(shards[0]).unwrap(), by_bucket.get_mut(shards[1]).unwrap()];
        (*by_user, *by_bucket) = (by_user.saturating_add(1), by_bucket.saturating_add(1));
    }
    let share = USERS.div_euclid(256);
    for held in by_user.iter().chain(&by_bucket) {
        assert!((share.div_euclid(2)..share.saturating_mul(2)).contains(held), "{held} of {share}");
    }
}
