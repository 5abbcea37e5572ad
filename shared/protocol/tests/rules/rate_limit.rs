//! Rate limits: failures, attempts in progress, and what the next window keeps.

use latchkey_protocol::rate_limit::{ATTEMPT, CARRIED, FAILURE, Limit, Quota, Window};
use std::time::Duration;
use types::Timestamp;

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);
const LIMIT: Limit = Limit { free: 3, at_once: 0, window: Duration::from_secs(900), progress: None };
const QUARTER: Duration = Duration::from_secs(901);
const SOON: Duration = Duration::from_secs(1);

#[test]
fn failures_count_until_the_window_ends() {
    for (failures, verdict) in [(0, Ok(())), (2, Ok(())), (3, Err(QUARTER)), (100, Err(QUARTER))] {
        assert_eq!(LIMIT.judge(failures * FAILURE + ATTEMPT, T0), verdict, "{failures}");
    }
    let late = T0.after(Duration::from_millis(899_500));
    assert_eq!(LIMIT.judge(3 * FAILURE + ATTEMPT, late), Err(SOON));
}

#[test]
fn attempts_in_progress_take_the_place_of_failures_but_never_for_long() {
    for (failures, in_progress, verdict) in
        [(0, 3, Ok(())), (0, 4, Err(SOON)), (2, 1, Ok(())), (2, 2, Err(SOON)), (3, 1, Err(QUARTER))]
    {
        assert_eq!(LIMIT.judge(failures * FAILURE + in_progress, T0), verdict, "{failures} {in_progress}");
    }
    let network = Limit::NETWORK;
    assert_eq!(network.judge(49 * FAILURE + 200, T0), Ok(()), "200 users at the same moment");
    assert_eq!(network.judge(49 * FAILURE + 252, T0), Err(SOON));
    assert_eq!(network.judge(50 * FAILURE + 1, T0), Err(QUARTER));
}

/// A crash left three attempts in progress: the wait is that of their own window.
#[test]
fn attempts_that_never_ended_are_soon_forgotten() {
    let limit = Limit { progress: Some(Duration::from_secs(5)), ..LIMIT };
    assert_eq!(limit.judge(4 * ATTEMPT, T0), Err(Duration::from_secs(6)));
    assert_eq!(limit.judge(4 * ATTEMPT, T0.after(Duration::from_secs(4))), Err(Duration::from_secs(2)));
    assert_eq!(limit.judge(3 * FAILURE + ATTEMPT, T0), Err(QUARTER), "failures stay");
}

#[test]
fn half_of_the_failures_stay_for_the_next_window() {
    assert_eq!(LIMIT.judge(3 * CARRIED + ATTEMPT, T0), Ok(()));
    assert_eq!(LIMIT.judge(3 * CARRIED + 2 * ATTEMPT, T0), Err(SOON), "one of three is left");
    assert_eq!(LIMIT.judge(3 * CARRIED + FAILURE + ATTEMPT, T0), Err(QUARTER));
    assert_eq!(LIMIT.judge(2 * CARRIED + FAILURE + ATTEMPT, T0), Ok(()));
}

#[test]
fn a_counter_that_lost_attempts_refuses_nobody() {
    for total in [0, -1, -7, -FAILURE, FAILURE - 5] {
        assert_eq!(LIMIT.judge(total, T0), Ok(()), "{total}");
    }
}

#[test]
fn a_quota_counts_uses() {
    let quota = Quota { most: 2, window: Duration::from_secs(3600) };
    assert_eq!([0, 2, 3].map(|total| quota.judge(total, T0).is_ok()), [true, true, false]);
    assert_eq!(quota.judge(3, T0), Err(Duration::from_secs(3601)));
}

#[test]
fn windows_follow_each_other() {
    let length = Duration::from_secs(900);
    let (first, last) = (Window::at(T0, length), Window::at(T0.after(Duration::from_millis(899_999)), length));
    assert_eq!(first, last);
    let next = Window::at(first.ends_at, length);
    assert_eq!((next.number, next.ends_at), (first.number + 1, first.ends_at.after(length)));
    assert_eq!(Window::at(T0, Duration::ZERO).number, T0.as_millis(), "no division by zero");
}
