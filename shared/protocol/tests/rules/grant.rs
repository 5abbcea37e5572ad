//! The life of a grant: which request wins, which may be retried, which is a replay.

use crate::sealed_token::Keys;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use latchkey_protocol::{
    ActiveGrant, CodeVerdict, GrantId, GrantSnapshot, GrantState, RACE, RefreshLifetimes, RefreshVerdict, RetryWindows,
    RevokedToken, TokenError,
};
use proptest::prelude::*;
use std::time::Duration;
use types::{Jti, Timestamp};

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);
const GRACE: Duration = Duration::from_secs(30);
const LOST_ANSWER: Duration = Duration::from_secs(300);
const CLOCK_DIFFERENCE: Duration = latchkey_protocol::limits::CLOCK_DIFFERENCE;
const WINDOWS: RetryWindows = RetryWindows { grace: GRACE, lost_answer: LOST_ANSWER };
const LIFETIMES: RefreshLifetimes =
    RefreshLifetimes { absolute: Duration::from_secs(1000), idle: Duration::from_secs(100) };

fn issued() -> GrantState {
    GrantState::issued("a".into())
}

fn redeemed() -> ActiveGrant {
    issued().redeem(T0, &LIFETIMES, "b".into()).unwrap()
}

fn rotated(active: &ActiveGrant, generation: u32, now: Timestamp) -> ActiveGrant {
    active.rotate(active.refresh, generation, now, &LIFETIMES, "c".into())
}

#[test]
fn redeeming_starts_the_first_generation() {
    let active = redeemed();
    assert_eq!((active.refresh, active.previous), (1, 0));
    assert_eq!(active.refresh_expires_at, T0.after(LIFETIMES.idle));
}

#[test]
fn a_transition_from_another_state_is_impossible() {
    let revoked = issued().revoke(T0, "x".into());
    for state in [GrantState::Active(redeemed()), revoked.clone()] {
        assert_eq!(state.redeem(T0, &LIFETIMES, "b".into()), None, "{state:?}");
    }
    assert_eq!(revoked.active(), None, "a revoked grant cannot be rotated");
    assert_eq!(issued().active(), None, "a grant without redemption cannot be rotated");
    assert_eq!(revoked.revoke(T0.after(RACE), "y".into()), revoked, "a revocation stays as it is");
}

#[test]
fn idle_expiry_never_outlives_the_absolute_one() {
    let late = T0.after(Duration::from_secs(950));
    let active = rotated(&redeemed(), 1, late);
    assert_eq!(active.refresh_expires_at, T0.after(LIFETIMES.absolute));
    assert_eq!(active.started_at, T0, "a refresh does not begin a new family");
}

#[test]
fn a_second_redemption_is_a_race_for_a_moment_and_then_a_replay() {
    let active = GrantState::Active(redeemed());
    assert_eq!(active.judge_code(T0), CodeVerdict::Race);
    assert_eq!(active.judge_code(T0.before(Duration::from_secs(1))), CodeVerdict::Race, "clocks may differ");
    assert_eq!(active.judge_code(T0.after(RACE)), CodeVerdict::Race);
    assert_eq!(active.judge_code(T0.after(RACE + Duration::from_millis(1))), CodeVerdict::Replay);
    assert_eq!(active.revoke(T0, "x".into()).judge_code(T0), CodeVerdict::Ended);
}

#[test]
fn the_race_is_counted_from_redemption_not_from_issue_nor_from_the_last_refresh() {
    let redeemed_late = issued().redeem(T0.after(Duration::from_secs(50)), &LIFETIMES, "b".into()).unwrap();
    let redeemed_late = GrantState::Active(redeemed_late);
    assert_eq!(redeemed_late.judge_code(T0.after(Duration::from_millis(50_400))), CodeVerdict::Race);
    let refreshed = GrantState::Active(rotated(&redeemed(), 1, T0.after(Duration::from_secs(60))));
    assert_eq!(refreshed.judge_code(T0.after(Duration::from_secs(60))), CodeVerdict::Replay);
}

#[test]
fn a_rotated_token_gets_its_successor_within_the_grace_window_alone() {
    let rotated_at = T0.after(Duration::from_secs(10));
    let active = rotated(&redeemed(), 1, rotated_at);
    let judge = |generation, after| active.judge_refresh(generation, rotated_at.after(after), WINDOWS);
    assert_eq!(judge(1, Duration::ZERO), RefreshVerdict::Retry);
    assert_eq!(judge(1, GRACE + CLOCK_DIFFERENCE - Duration::from_millis(1)), RefreshVerdict::Retry);
    assert_eq!(judge(1, GRACE + CLOCK_DIFFERENCE), RefreshVerdict::LostAnswer);
    assert_eq!(active.judge_refresh(1, rotated_at, RetryWindows::NONE), RefreshVerdict::Replay, "no window, no retry");
}

#[test]
fn a_client_that_lost_the_answer_gets_another_successor() {
    let active = rotated(&redeemed(), 1, T0);
    let judge = |active: &ActiveGrant, generation, after| active.judge_refresh(generation, T0.after(after), WINDOWS);
    assert_eq!(
        judge(&active, 1, LOST_ANSWER + CLOCK_DIFFERENCE - Duration::from_millis(1)),
        RefreshVerdict::LostAnswer
    );
    assert_eq!(judge(&active, 1, LOST_ANSWER + CLOCK_DIFFERENCE), RefreshVerdict::Replay);

    let later = T0.after(GRACE);
    let again = active.rotate(1, 2, later, &LIFETIMES, "d".into());
    assert_eq!((again.refresh, again.previous, again.started_at), (3, 1, T0));
    assert_eq!(judge(&again, 2, GRACE), RefreshVerdict::Replay, "the successor that was lost is not accepted again");
    assert_eq!(judge(&again, 1, GRACE), RefreshVerdict::Retry, "the next answer may be lost too");
    assert_eq!(judge(&again, 3, GRACE), RefreshVerdict::Live);
    let used = rotated(&again, 3, later);
    assert_eq!(judge(&used, 1, GRACE), RefreshVerdict::Replay, "its successor was used");
}

#[test]
fn a_token_two_generations_old_is_a_replay_even_within_the_grace_window() {
    let active = rotated(&rotated(&redeemed(), 1, T0), 2, T0);
    assert_eq!(active.judge_refresh(1, T0, WINDOWS), RefreshVerdict::Replay);
    assert_eq!(active.judge_refresh(2, T0, WINDOWS), RefreshVerdict::Retry);
    assert_eq!(active.judge_refresh(3, T0, WINDOWS), RefreshVerdict::Live);
}

/// Another instance rotated the token, or redeemed the code. Its clock is 5 seconds behind or ahead.
#[test]
fn a_clock_difference_changes_no_verdict() {
    let windows = RetryWindows { grace: Duration::from_secs(2), lost_answer: LOST_ANSWER };
    let active = rotated(&redeemed(), 1, T0);
    let code = GrantState::Active(redeemed());
    for clock in [T0, T0.before(CLOCK_DIFFERENCE), T0.after(CLOCK_DIFFERENCE)] {
        assert_eq!(code.judge_code(clock), CodeVerdict::Race, "{clock:?}");
        assert_eq!(code.judge_code(clock.after(Duration::from_secs(12))), CodeVerdict::Replay, "{clock:?}");
        let judge = |after| active.judge_refresh(1, clock.after(after), windows);
        assert_eq!(judge(Duration::from_millis(1900)), RefreshVerdict::Retry, "{clock:?}");
        assert_eq!(judge(Duration::from_secs(12)), RefreshVerdict::LostAnswer, "{clock:?}");
        assert_eq!(judge(LOST_ANSWER + Duration::from_secs(10)), RefreshVerdict::Replay, "{clock:?}");
    }
}

/// A full list of revoked access tokens revokes those that another instance issued before, whose clock is ahead.
#[test]
fn a_full_list_reaches_tokens_of_a_clock_that_is_ahead() {
    let mut active = redeemed();
    for n in 0..33 {
        let token = RevokedToken { jti: jti(&n.to_string()), expires_at: T0.after(Duration::from_secs(60)) };
        active = active.revoke_access_token(token, T0, "w".into());
    }
    assert!(!active.accepts(&jti("0"), T0.after(CLOCK_DIFFERENCE)));
}

fn jti(text: &str) -> Jti {
    Jti::parse(text).unwrap()
}

#[test]
fn a_revoked_grant_accepts_nothing() {
    let state = GrantState::Active(redeemed()).revoke(T0, "x".into());
    assert_eq!(state.judge_refresh(1, T0, WINDOWS), RefreshVerdict::Ended);
    assert!(!state.accepts(&jti("jti"), T0));
    assert!(!issued().accepts(&jti("jti"), T0), "a code is no access token");
    assert_eq!(issued().judge_refresh(0, T0, WINDOWS), RefreshVerdict::Ended);
}

#[test]
fn revoking_one_access_token_spares_the_others_and_is_carried_through_rotation() {
    let token = RevokedToken { jti: jti("one"), expires_at: T0.after(Duration::from_secs(60)) };
    let active = redeemed().revoke_access_token(token, T0, "c".into());
    assert!(!active.accepts(&jti("one"), T0) && active.accepts(&jti("two"), T0));
    let next = rotated(&active, 2, T0);
    assert!(!next.accepts(&jti("one"), T0));
    assert!(next.must_read_first, "its snapshots lack a part of the state");
    let later = rotated(&next, 3, T0.after(Duration::from_secs(61)));
    assert!(!later.must_read_first && later.revoked.is_empty(), "expired entries are dropped");
}

#[test]
fn too_many_revoked_one_by_one_revoke_all_that_are_older() {
    let mut active = redeemed();
    for n in 0..40 {
        let token = RevokedToken { jti: jti(&n.to_string()), expires_at: T0.after(Duration::from_secs(60)) };
        active = active.revoke_access_token(token, T0, "w".into());
    }
    assert!((0..40).all(|n| !active.accepts(&jti(&n.to_string()), T0)));
    assert!(active.revoked.len() <= 32);
    assert!(active.accepts(&jti("new"), T0.after(CLOCK_DIFFERENCE).after(Duration::from_secs(1))));
}

/// The last of them may be younger than the moment from which on tokens are accepted again, and its descendants too.
#[test]
fn one_of_too_many_is_revoked_by_its_name_as_well() {
    let mut active = redeemed();
    let later = T0.after(Duration::from_secs(5));
    for n in 0..33 {
        let token = RevokedToken { jti: jti(&n.to_string()), expires_at: T0.after(Duration::from_secs(60 + n)) };
        active = active.revoke_access_token(token, later, "w".into());
    }
    assert!(!active.accepts(&jti("32"), T0) && !active.accepts(&jti("32"), later.after(Duration::from_secs(2))));
    assert!(!active.accepts(&jti("of the same age"), T0));
}

fn snapshot() -> impl Strategy<Value = GrantSnapshot> {
    (any::<[u8; 2]>(), any::<[u8; 16]>(), any::<u32>(), any::<u32>(), 0..u64::MAX / 2000, any::<bool>()).prop_map(
        |(partition, random, generation, previous, at, must_read_first)| GrantSnapshot {
            grant: GrantId::new(partition, random),
            generation,
            previous,
            started_at: Timestamp::from_millis(at),
            rotated_at: Timestamp::from_millis(at + 5),
            refresh_expires_at: Timestamp::from_secs(at / 1000),
            must_read_first,
        },
    )
}

proptest! {
    #[test]
    fn a_snapshot_survives_its_token(snapshot in snapshot()) {
        let claim = snapshot.to_claim(&Keys(1));
        prop_assert_eq!(GrantSnapshot::from_claim(&Keys(1), &claim), Ok(snapshot));
        prop_assert_eq!(GrantSnapshot::from_claim(&Keys(2), &claim), Err(TokenError::Invalid), "another deployment's");
    }

    #[test]
    fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = GrantSnapshot::from_claim(&Keys(1), &URL_SAFE_NO_PAD.encode([[1; 4].as_slice(), &bytes].concat()));
    }

    /// A snapshot is the whole state at its generation: else a blind write would lose something.
    #[test]
    fn a_snapshot_is_the_whole_state(generations in 1u32..6) {
        let mut active = redeemed();
        for generation in 1..generations {
            active = rotated(&active, generation, T0.after(Duration::from_secs(u64::from(generation))));
        }
        let mut restored = ActiveGrant::from_snapshot(&active.snapshot(GrantId::new([0, 1], [2; 16])));
        restored.write_id.clone_from(&active.write_id);
        prop_assert_eq!(restored, active);
    }
}
