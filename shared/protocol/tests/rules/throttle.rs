//! Failed sign-ins slow down the next ones.

use protocol::Timestamp;
use protocol::throttle::{ACCOUNT, ADDRESS, Attempts};
use std::time::Duration;

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

fn after(count: u32) -> Attempts {
    (0..count).fold(Attempts::default(), |attempts, _| attempts.one_more(T0, "w".into()))
}

#[test]
fn the_first_failures_cost_nothing_and_each_further_one_twice_as_much() {
    assert!(after(ACCOUNT.free).next_allowed(ACCOUNT).is_past(T0));
    let wait = |count| after(count).next_allowed(ACCOUNT).since(T0);
    assert_eq!(wait(6), Duration::from_secs(1));
    assert_eq!(wait(7), Duration::from_secs(2));
    assert_eq!(
        wait(60),
        Duration::from_secs(900),
        "never longer than a quarter of an hour: nobody is locked out for good"
    );
    assert!(after(ACCOUNT.free + 1).next_allowed(ADDRESS).is_past(T0), "an address may be many people's");
}

#[test]
fn time_heals() {
    let later = T0.after(Duration::from_secs(901));
    assert_eq!(after(60).one_more(later, "w".into()).count, 1);
}
