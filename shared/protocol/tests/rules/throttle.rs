//! Failed sign-ins slow down the next ones.

use latchkey_protocol::throttle::{ACCOUNT, ADDRESS, Attempts, Window};
use std::time::Duration;
use types::Timestamp;

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

#[test]
fn a_window_is_full_until_it_ends() {
    let hour = Duration::from_secs(3600);
    let more = |window: &Window, most, now| window.one_more(hour, most, now, String::new());
    let end = T0.after(hour);
    let one = more(&Window::default(), 2, T0).unwrap();
    assert_eq!((one.began_at, one.count, one.ends_at(hour)), (T0, 1, end));
    let two = more(&one, 2, T0.after(Duration::from_secs(9))).unwrap();
    assert_eq!((two.began_at, two.count), (T0, 2));
    assert_eq!(more(&two, 2, end.before(Duration::from_millis(1))), Err(end));
    assert_eq!(more(&two, 2, end).unwrap(), Window { began_at: end, ..one });
    assert_eq!(more(&Window::default(), 0, T0), Err(end));
    // As it was stored before.
    let stored = r#"{"began_at":1800000000000,"count":3,"writer":"w"}"#;
    assert_eq!(serde_json::from_str::<Window>(stored).unwrap().count, 3);
}
