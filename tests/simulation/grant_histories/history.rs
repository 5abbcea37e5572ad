//! Histories: requests, waits, and faults of the store.

use proptest::prelude::*;
use std::time::Duration;
use storage::faults::{Fault, turns};

/// More than the calls that one step makes.
pub(super) const FOR_GOOD: u64 = 1_000;

/// One request.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Redeems the code.
    Redeem,
    /// Uses a refresh token: the newest (0), the one before (1), …
    Refresh(usize),
    /// Presents an access token at UserInfo, counted likewise.
    UserInfo(usize),
    /// Revokes a refresh token.
    Revoke(usize),
    /// Revokes an access token.
    RevokeAccess(usize),
    /// Another client presents a refresh token.
    ForeignRefresh(usize),
    /// Another client revokes a refresh token.
    ForeignRevoke(usize),
}

/// A failure of the store.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    /// From this call on, the store does nothing.
    Refused,
    /// The store does the call, and one response is lost.
    LostOnce,
    /// From this call on, the store does each call, and each response is lost.
    Lost,
    /// The store does this call; then the function dies and makes no other call.
    CrashAfterWrite,
    /// The store does this call twice, because the first response was lost on the way.
    Twice,
}

/// One step of a history.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// The time that passes before it.
    pub(super) wait: Duration,
    pub(super) acts: Vec<Act>,
    /// The first call that fails (0 is the first of the step), and how.
    pub(super) failure: Option<(u64, Failure)>,
    /// Mixes the order in which the requests of the step reach the store.
    pub(super) order: u32,
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Redeem),
        12 => Just(Act::Refresh(0)),
        4 => (0_usize..2).prop_map(Act::Refresh),
        1 => (0_usize..4).prop_map(Act::Refresh),
        4 => (0_usize..4).prop_map(Act::UserInfo),
        1 => (0_usize..3).prop_map(Act::Revoke),
        2 => (0_usize..3).prop_map(Act::RevokeAccess),
        1 => (0_usize..2).prop_map(Act::ForeignRefresh),
        1 => (0_usize..2).prop_map(Act::ForeignRevoke),
    ]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![
        4 => Just(0_u64),
        2 => Just(900),
        2 => Just(1_100),
        2 => Just(5_000),
        1 => Just(29_000),
        1 => Just(31_000),
    ];
    let acts = prop_oneof![
        3 => proptest::collection::vec(act(), 1..=1),
        2 => proptest::collection::vec(act(), 2..=4),
    ];
    let failure = prop_oneof![
        Just(Failure::Refused),
        Just(Failure::LostOnce),
        Just(Failure::Lost),
        Just(Failure::CrashAfterWrite),
        Just(Failure::Twice)
    ];
    let failure = proptest::option::weighted(0.4, (0_u64..4, failure));
    (wait, acts, failure, any::<u32>()).prop_map(|(wait, acts, failure, order)| Step {
        wait: Duration::from_millis(wait),
        acts,
        failure,
        order,
    })
}

/// The plan of the faulty store: set before each step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plan {
    pub(super) failure: Option<(u64, Failure)>,
    /// Zero: the requests of the step do not overlap.
    pub(super) order: u32,
    pub(super) calls: u64,
}

impl Plan {
    pub(super) fn next(&mut self) -> Fault {
        let call = self.calls;
        self.calls = call + 1;
        if let Some((first, failure)) = self.failure
            && call >= first
        {
            let (fault, times) = match failure {
                Failure::Refused => (Fault::Before, FOR_GOOD),
                Failure::LostOnce => (Fault::After, 1),
                Failure::Lost => (Fault::After, FOR_GOOD),
                Failure::CrashAfterWrite if call == first => (Fault::After, 1),
                Failure::CrashAfterWrite => (Fault::Before, FOR_GOOD),
                Failure::Twice => (Fault::Twice, 1),
            };
            if call < first + times {
                return fault;
            }
        }
        let mixed = u64::from(self.order).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left((call % 64) as u32);
        match (self.order, mixed % 4) {
            (0, _) | (_, 0) => Fault::None,
            (_, 1) => Fault::DelayAnswer(turns((mixed >> 8) as u32 % 6)),
            _ => Fault::Delay(turns((mixed >> 8) as u32 % 6)),
        }
    }
}
