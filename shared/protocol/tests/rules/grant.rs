//! The life of a grant: who wins, who may try again, who is a thief.

use crate::sealed_token::Keys;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use latchkey_protocol::{
    CodeVerdict, GrantId, GrantState, GrantStatus, RACE, RefreshLifetimes, RefreshVerdict, RevokedToken, Standing,
    judge_code, judge_refresh,
};
use proptest::prelude::*;
use std::time::Duration;
use types::Timestamp;

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);
const GRACE: Duration = Duration::from_secs(30);
const LIFETIMES: RefreshLifetimes =
    RefreshLifetimes { absolute: Duration::from_secs(1000), idle: Duration::from_secs(100) };

fn issued() -> GrantState {
    GrantState::issued(T0, "a".into())
}

fn redeemed() -> GrantState {
    issued().redeemed(T0, &LIFETIMES, "b".into())
}

#[test]
fn redeeming_starts_the_first_generation() {
    let state = redeemed();
    assert_eq!((state.status, state.refresh, state.previous), (GrantStatus::Active, 1, 0));
    assert_eq!(state.refresh_expires_at, T0.after(LIFETIMES.idle));
}

#[test]
fn idle_expiry_never_outlives_the_absolute_one() {
    let late = T0.after(Duration::from_secs(950));
    let state = redeemed().refreshed(1, late, &LIFETIMES, "c".into());
    assert_eq!(state.refresh_expires_at, T0.after(LIFETIMES.absolute));
    assert_eq!(state.started_at, T0, "a refresh does not begin a new family");
}

#[test]
fn a_second_redemption_is_a_race_for_a_second_and_then_a_replay() {
    assert_eq!(judge_code(&redeemed(), T0), CodeVerdict::Race);
    assert_eq!(judge_code(&redeemed(), T0.before(Duration::from_secs(1))), CodeVerdict::Race, "clocks may differ");
    assert_eq!(judge_code(&redeemed(), T0.after(RACE)), CodeVerdict::Race);
    assert_eq!(judge_code(&redeemed(), T0.after(RACE + Duration::from_millis(1))), CodeVerdict::Replay);
    assert_eq!(judge_code(&redeemed().ended(T0, "x".into()), T0), CodeVerdict::Ended);
}

#[test]
fn the_race_is_counted_from_redemption_not_from_issue_nor_from_the_last_refresh() {
    let redeemed_late = issued().redeemed(T0.after(Duration::from_secs(50)), &LIFETIMES, "b".into());
    assert_eq!(judge_code(&redeemed_late, T0.after(Duration::from_millis(50_400))), CodeVerdict::Race);
    let refreshed = redeemed().refreshed(1, T0.after(Duration::from_secs(60)), &LIFETIMES, "c".into());
    assert_eq!(judge_code(&refreshed, T0.after(Duration::from_secs(60))), CodeVerdict::Replay);
}

#[test]
fn a_rotated_token_gets_its_successor_within_the_grace_window_alone() {
    let rotated_at = T0.after(Duration::from_secs(10));
    let state = redeemed().refreshed(1, rotated_at, &LIFETIMES, "c".into());
    let judge = |generation, after| judge_refresh(&state, generation, rotated_at.after(after), GRACE);
    assert_eq!(judge(1, Duration::ZERO), RefreshVerdict::Retry);
    assert_eq!(judge(1, GRACE - Duration::from_millis(1)), RefreshVerdict::Retry);
    assert_eq!(judge(1, GRACE), RefreshVerdict::Replay);
    assert_eq!(judge_refresh(&state, 1, rotated_at, Duration::ZERO), RefreshVerdict::Replay, "no grace, no retry");
}

#[test]
fn a_token_two_generations_old_is_a_replay_even_within_the_grace_window() {
    let state = redeemed().refreshed(1, T0, &LIFETIMES, "c".into()).refreshed(2, T0, &LIFETIMES, "d".into());
    assert_eq!(judge_refresh(&state, 1, T0, GRACE), RefreshVerdict::Replay);
    assert_eq!(judge_refresh(&state, 2, T0, GRACE), RefreshVerdict::Retry);
    assert_eq!(judge_refresh(&state, 3, T0, GRACE), RefreshVerdict::Live);
}

#[test]
fn nothing_comes_of_a_revoked_grant() {
    let state = redeemed().ended(T0, "x".into());
    assert_eq!(judge_refresh(&state, 1, T0, GRACE), RefreshVerdict::Ended);
    assert!(!state.accepts("jti", T0));
    assert!(!issued().accepts("jti", T0), "a code is no access token");
}

#[test]
fn revoking_one_access_token_spares_the_others_and_is_carried_through_rotation() {
    let token = RevokedToken { jti: "one".into(), expires_at: T0.after(Duration::from_secs(60)) };
    let state = redeemed().without(token, T0, "c".into());
    assert!(!state.accepts("one", T0) && state.accepts("two", T0));
    let next = state.refreshed(2, T0, &LIFETIMES, "d".into());
    assert!(!next.accepts("one", T0));
    assert!(next.carries, "its tokens must not vouch for a state that holds more than they do");
    let later = next.refreshed(3, T0.after(Duration::from_secs(61)), &LIFETIMES, "e".into());
    assert!(!later.carries && later.revoked.is_empty(), "what has expired is forgotten");
}

#[test]
fn too_many_revoked_one_by_one_revoke_all_that_are_older() {
    let mut state = redeemed();
    for n in 0..40 {
        let token = RevokedToken { jti: n.to_string(), expires_at: T0.after(Duration::from_secs(60)) };
        state = state.without(token, T0, "w".into());
    }
    assert!((0..40).all(|n| !state.accepts(&n.to_string(), T0)));
    assert!(state.revoked.len() <= 32);
    assert!(state.accepts("new", T0.after(Duration::from_secs(2))));
}

/// The last of them may be younger than the moment from which on tokens are good again, and what came of it too.
#[test]
fn one_of_too_many_is_revoked_by_its_name_as_well() {
    let mut state = redeemed();
    let later = T0.after(Duration::from_secs(5));
    for n in 0..33 {
        let token = RevokedToken { jti: n.to_string(), expires_at: T0.after(Duration::from_secs(60 + n)) };
        state = state.without(token, later, "w".into());
    }
    assert!(!state.accepts("32", T0) && !state.accepts("32", later.after(Duration::from_secs(2))));
    assert!(!state.accepts("of the same age", T0));
}

fn standing() -> impl Strategy<Value = Standing> {
    (any::<[u8; 2]>(), any::<[u8; 16]>(), any::<u32>(), any::<u32>(), 0..u64::MAX / 2000, any::<bool>()).prop_map(
        |(partition, random, generation, previous, at, carries)| Standing {
            grant: GrantId::new(partition, random),
            generation,
            previous,
            started_at: Timestamp::from_millis(at),
            rotated_at: Timestamp::from_millis(at + 5),
            refresh_expires_at: Timestamp::from_secs(at / 1000),
            carries,
        },
    )
}

proptest! {
    #[test]
    fn a_standing_survives_its_token(standing in standing()) {
        let claim = standing.to_claim(&Keys(1));
        prop_assert_eq!(Standing::from_claim(&Keys(1), &claim), Some(standing));
        prop_assert_eq!(Standing::from_claim(&Keys(2), &claim), None, "another deployment's");
    }

    #[test]
    fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = Standing::from_claim(&Keys(1), &URL_SAFE_NO_PAD.encode([[1; 4].as_slice(), &bytes].concat()));
    }

    /// What a token vouches for is what the record holds, at the token's generation: else a blind write would lose something.
    #[test]
    fn a_token_vouches_for_the_whole_state(generations in 1u32..6) {
        let mut state = redeemed();
        for generation in 1..generations {
            state = state.refreshed(generation, T0.after(Duration::from_secs(u64::from(generation))), &LIFETIMES, "w".into());
        }
        let mut vouched = GrantState::vouched_by(&state.standing(GrantId::new([0, 1], [2; 16])));
        vouched.writer.clone_from(&state.writer);
        prop_assert_eq!(vouched, state);
    }
}
