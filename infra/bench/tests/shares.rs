//! The shares of a sample of users. `cargo run --release -p bench` has all of them.

use bench::{Load, Share, simulate};

/// Users of the sample.
const USERS: u64 = 50_000;

/// Partitions that count as one: the sample has fewer users than the store has partitions.
const TOGETHER: usize = 128;

/// The most that a part may receive, in multiples of the mean.
const LIMIT: f64 = 2.0;

#[test]
fn no_part_of_the_store_receives_twice_its_share() {
    let load = Load::default();
    simulate(0..USERS, &load).unwrap();
    let partitions = load.partitions(TOGETHER);
    assert!(partitions.calls > 15 * USERS, "{partitions:?}");
    assert!(partitions.most < LIMIT, "{partitions:?}");
    let with_buckets = load.bucket_partitions();
    assert!(with_buckets.most < LIMIT, "{with_buckets:?}");
    for shards in [16, 256] {
        let objects = load.objects(shards);
        assert!(
            objects.most < LIMIT && objects.calls == partitions.calls + with_buckets.calls,
            "{shards}: {objects:?}"
        );
    }
    // A sample of few clients says nothing of their buckets.
    let is_large = |owners: &Share| owners.calls > 100 * u64::try_from(owners.parts).unwrap();
    let lists: Vec<_> = load.owners().filter(|(_, owners)| is_large(owners)).collect();
    assert_eq!(lists.len(), 2, "{lists:?}");
    for (list, owners) in lists {
        assert!(owners.most < LIMIT, "{list}: {owners:?}");
    }
}

/// A constant key would be noticed.
#[test]
fn a_hot_key_receives_more_than_its_share() {
    let load = Load::default();
    simulate(0..100, &load).unwrap();
    for _ in 0..1_000 {
        simulate(0..1, &load).unwrap();
    }
    assert!(load.partitions(TOGETHER).most > LIMIT && load.objects(256).most > LIMIT);
}
