//! The table, misbehaving by plan, for tests. What a fault is: `suite::faults`.

use serde::Deserialize;
use std::sync::{Mutex, PoisonError};

/// What befalls a call of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fault {
    /// The table refuses it for being asked too much, and does nothing.
    Refused,
    /// The table does it, and the connection breaks before the answer.
    Lost,
    /// The table does it, and the function dies before the answer.
    Crash,
}

/// Which calls go wrong: after the next `skip`, `times` of them.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Plan {
    fault: Fault,
    skip: u32,
    times: u32,
}

/// The plan, and how much of it came true.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<(Option<Plan>, u32)>);

impl Faults {
    /// Begins a plan.
    pub(super) fn begin(&self, plan: Plan) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (Some(plan), 0);
    }

    /// Ends the plan: how many calls went wrong.
    pub(super) fn end(&self) -> u32 {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).1
    }

    /// What befalls the next call.
    pub(super) fn next(&self) -> Option<Fault> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(plan), befell) = &mut *state else { return None };
        if let Some(rest) = plan.skip.checked_sub(1) {
            plan.skip = rest;
            return None;
        }
        plan.times = plan.times.checked_sub(1)?;
        *befell = befell.saturating_add(1);
        Some(plan.fault)
    }
}
