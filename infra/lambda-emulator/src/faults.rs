//! Faults of the table, injected by a plan that a test begins and ends.

use serde::Deserialize;
use std::sync::{Mutex, PoisonError};

/// A fault of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// The table throttles the call and does nothing.
    Refused,
    /// The table does what it was asked. The connection breaks before the response.
    Lost,
    /// The table does what it was asked. The process of the function ends before the response.
    Crash,
}

/// The calls that fail: after the next `skip` calls, `times` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Plan {
    /// The fault of each call that fails.
    pub fault: Fault,
    /// The number of calls that still succeed.
    pub skip: u32,
    /// The number of calls that fail.
    pub times: u32,
}

/// The plan in force, and the number of calls that failed by it.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<(Option<Plan>, u32)>);

impl Faults {
    /// Begins a plan.
    pub(crate) fn begin(&self, plan: Plan) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (Some(plan), 0);
    }

    /// Ends the plan. Returns the number of calls that failed by it.
    pub(crate) fn end(&self) -> u32 {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).1
    }

    /// Returns the fault of the next call.
    pub(crate) fn next(&self) -> Option<Fault> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(plan), failed) = &mut *state else { return None };
        if let Some(rest) = plan.skip.checked_sub(1) {
            plan.skip = rest;
            return None;
        }
        plan.times = plan.times.checked_sub(1)?;
        *failed = failed.saturating_add(1);
        Some(plan.fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_skips_then_fails_then_ends() {
        let faults = Faults::default();
        assert_eq!(faults.next(), None);
        faults.begin(serde_json::from_str(r#"{"fault":"lost","skip":1,"times":2}"#).unwrap());
        let calls: Vec<_> = std::iter::repeat_with(|| faults.next()).take(4).collect();
        assert_eq!(calls, [None, Some(Fault::Lost), Some(Fault::Lost), None]);
        assert_eq!(faults.end(), 2);
        assert_eq!(faults.next(), None);
    }
}
